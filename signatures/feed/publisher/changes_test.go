package publisher

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What differs between two lists is found in any order of their lines, and takes no memory for each row that stays.
func TestCompareRows(t *testing.T) {
	for _, c := range []struct {
		name           string
		before, after  string
		added, removed []string
	}{
		{name: "nothing"},
		{"the same in another order", "h\na\nb\n", "h\nb\n\na\n", nil, nil},
		{"added", "h\nb\n", "h\nc\nb\na\n", []string{"a", "c"}, nil},
		{"removed", "h\na\nb\nc", "h\nb\n", nil, []string{"a", "c"}},
		{"both, one twice", "h\na\nb\n", "h\nc\nc\nb\n", []string{"c"}, []string{"a"}},
		{"a new list", "", "h\nb\na\n", []string{"a", "b"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			added, removed := compare(rows("x.csv", []byte(c.before)), rows("x.csv", []byte(c.after)))
			if diff := cmp.Diff([][]string{c.added, c.removed}, [][]string{added, removed}); diff != "" {
				t.Error(diff)
			}
		})
	}
	var list strings.Builder
	list.WriteString("id,browser\n")
	const many = 20_000
	for i := range many {
		fmt.Fprintf(&list, "%032d,chrome\n", i*7919%many)
	}
	before := []byte(list.String())
	after := append([]byte(list.String()), "new,chrome\n"...)
	if n := testing.AllocsPerRun(1, func() { compare(rows("x.csv", before), rows("x.csv", after)) }); n > 100 {
		t.Errorf("%v allocations for %d rows that stay", n, many)
	}
}
