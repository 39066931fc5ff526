package outputs

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What docs/administration.md says of events is what is told: their IDs, names and fields.
func TestAdministrationPage(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "administration.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, page, ok := strings.Cut(string(data), "\n### Events\n")
	if !ok {
		t.Fatal("the page has no section of events")
	}
	page, _, _ = strings.Cut(page, "\n###")

	var want, got []string
	for _, k := range []Kind{Opened, Closed, Warned, Blocked, Undone, Trusted, Problem, Feed} {
		want = append(want, fmt.Sprintf("%d %s", k.Number(), k))
	}
	for _, m := range regexp.MustCompile("(?m)^\\| (\\d+) \\| `([a-z.]+)` \\|").FindAllStringSubmatch(page, -1) {
		got = append(got, m[1]+" "+m[2])
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("event IDs: %s", d)
	}
	if !strings.Contains(page, messageID(Opened)) {
		t.Errorf("the MESSAGE_ID of %s is %s", Opened, messageID(Opened))
	}

	var plain, facts, journal [2][]string // what is told, and what the page says
	for f := range reflect.TypeFor[Event]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		plain[0] = append(plain[0], name)
	}
	e := event(Opened)
	for _, p := range parameters(&e) {
		facts[0] = append(facts[0], p.name)
		journal[0] = append(journal[0], "EXTWATCH_"+strings.ToUpper(p.name))
	}
	for _, m := range regexp.MustCompile("(?m)^\\| (?:`(\\w+)`)? \\| (?:`(\\w+)`)? \\| (?:`(\\w+)`)? \\|").FindAllStringSubmatch(page, -1) {
		for i, list := range []*[2][]string{&plain, &facts, &journal} {
			if name := m[i+1]; name != "" && name != "MESSAGE" {
				list[1] = append(list[1], name)
			}
		}
	}
	for what, list := range map[string][2][]string{"JSON": plain, "syslog": facts, "journal": journal} {
		slices.Sort(list[0])
		slices.Sort(list[1])
		if d := cmp.Diff(list[0], list[1]); d != "" {
			t.Errorf("fields of %s (- told, + on the page): %s", what, d)
		}
	}
}
