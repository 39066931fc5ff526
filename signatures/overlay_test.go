package signatures

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

func TestWith(t *testing.T) {
	t.Parallel()
	builtin, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	first := builtin.Rules()[0]
	const title = "title: Written anew for the fleet\n"
	_, rest, _ := strings.Cut(string(first.Source), "\n")
	own := strings.NewReplacer("name: "+first.Name, "name: own-rule", first.ID, "11111111-2222-4333-8444-555555555555").Replace(string(first.Source))
	for name, tt := range map[string]struct {
		files   map[string]string
		title   string // of the first built-in rule
		version int
		rules   int // more than built-in
		fails   string
	}{
		"newer replaces":       {map[string]string{first.Path: title + rest, "version.txt": fmt.Sprint(builtin.Version() + 1)}, "Written anew for the fleet", builtin.Version() + 1, 0, ""},
		"the same replaces":    {map[string]string{first.Path: title + rest, "version.txt": fmt.Sprint(builtin.Version())}, "Written anew for the fleet", builtin.Version(), 0, ""},
		"older does not":       {map[string]string{first.Path: title + rest, "version.txt": fmt.Sprint(builtin.Version() - 1)}, first.Title, builtin.Version(), 0, ""},
		"no version does not":  {map[string]string{first.Path: title + rest}, first.Title, builtin.Version(), 0, ""},
		"another path is more": {map[string]string{"campaigns/own-rule.yml": own}, first.Title, builtin.Version(), 1, ""},
		"org is more":          {map[string]string{"org/campaigns/own-rule.yml": own}, first.Title, builtin.Version(), 1, ""},
		"the same name twice":  {map[string]string{"org/" + first.Path: string(first.Source)}, "", 0, 0, "the same as in"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			feed := fstest.MapFS{}
			for name, text := range tt.files {
				feed[name] = &fstest.MapFile{Data: []byte(text)}
			}
			whole, err := builtin.With(feed)
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) {
					t.Errorf("%v, want %q", err, tt.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if n := len(whole.Rules()) - len(builtin.Rules()); n != tt.rules || whole.Version() != tt.version {
				t.Errorf("%d rules more, version %d", n, whole.Version())
			}
			for _, r := range whole.Rules() {
				if r.Path == first.Path && r.Title != tt.title {
					t.Errorf("title %q, want %q", r.Title, tt.title)
				}
			}
			if _, n := whole.Counts(); n == 0 {
				t.Error("the built-in indicators are gone")
			}
		})
	}
}
