package cli

import (
	"bufio"
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/extwatch/extwatch/signatures/feed/publisher"
)

func TestCeremonyAsks(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answers string
		folders []string
		keys    int
		need    int
		fails   string
	}{
		"three sticks":      {"Example Ltd\n\n\n/a\n/b\n/c\n", []string{"/a", "/b", "/c"}, 3, 2, ""},
		"one stick for all": {"Example Ltd\n2\n1\n/a\n\n", []string{"/a", "/a"}, 2, 1, ""},
		"no place":          {"Example Ltd\n\n\n\n", nil, 0, 0, "a root key needs a place"},
		"no number":         {"Example Ltd\nmany\n", nil, 0, 0, "interrupted"},
		"too high":          {"Example Ltd\n2\n3\n", nil, 0, 0, "that is no number of keys"},
		"goes away":         {"Example", nil, 0, 0, "interrupted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stderr bytes.Buffer
			f := &feedInit{plan: publisher.Plan{Keys: map[string]int{}, Thresholds: map[string]int{}}}
			err := f.interview(&console{err: &stderr}, bufio.NewReader(strings.NewReader(tt.answers)))
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) {
					t.Errorf("%v, want %q", err, tt.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.folders, f.rootKeys); diff != "" || f.plan.Organisation != "Example Ltd" || f.plan.Keys["root"] != tt.keys || f.plan.Thresholds["root"] != tt.need {
				t.Errorf("%s %+v", diff, f.plan)
			}
		})
	}
}

func TestDecisionsKeepTheirComments(t *testing.T) {
	t.Parallel()
	const id, other = "aaaabbbbccccddddeeeeffffgggghhhh", "bbbbbbbbccccddddeeeeffffgggghhhh"
	text, err := addDecision([]byte("by: IT\ndecisions: # ours\n  # why\n  - {action: block, id: "+id+", reason: r, owner: o}\n"),
		decision{Action: "trust", ID: other, Reason: "r", Owner: "o", Until: "2027-01-31"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"by: IT", "# ours", "# why", "id: " + id, "id: " + other, `until: "2027-01-31"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	rest, n, err := removeDecision(text, strings.ToUpper(other))
	if err != nil || n != 1 || strings.Contains(string(rest), other) || !strings.Contains(string(rest), "# why") {
		t.Errorf("%d, %v\n%s", n, err, rest)
	}
}

func TestRowsAreMerged(t *testing.T) {
	t.Parallel()
	got, n, err := mergeRows([]byte("domain,note\nb.example,\n"), []byte("domain,note\r\na.example,\r\nb.example,\r\n"))
	if err != nil || n != 1 || string(got) != "domain,note\na.example,\nb.example,\n" {
		t.Errorf("%q, %d, %v", got, n, err)
	}
	if _, _, err := mergeRows([]byte("domain,note\n"), []byte("sha256,note\n")); err == nil {
		t.Error("lists of different columns were merged")
	}
}
