package signatures

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDocumentedFields keeps docs/rule-format.md and the fields together, and its example correct.
func TestDocumentedFields(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../docs/rule-format.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(data)
	_, fields, _ := strings.Cut(doc, "## Fields")
	fields, _, _ = strings.Cut(fields, "### Capabilities")
	var documented []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_.0-9]+)` \\|").FindAllStringSubmatch(fields, -1) {
		documented = append(documented, m[1])
	}
	slices.Sort(documented)
	if want := newSchema().names(); !slices.Equal(documented, want) {
		t.Errorf("documented: %q\nthere are: %q", documented, want)
	}
	for _, c := range canonical() {
		if !strings.Contains(doc, "`"+c+"`") {
			t.Errorf("capability %s is not documented", c)
		}
	}
	_, example, _ := strings.Cut(doc, "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	for _, d := range Check(t.Context(), inMemory("example-api-key-script.yml", example).FS) {
		t.Errorf("example: %v", d)
	}
}

// TestDocumentedFlowRule keeps the rule of docs/behavior.md, the sources and sinks that it may ask for, and the rules that
// it names correct.
func TestDocumentedFlowRule(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../docs/behavior.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(data)
	_, example, _ := strings.Cut(doc, "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	for _, d := range Check(t.Context(), inMemory("cookies-to-stranger.yml", example).FS) {
		t.Errorf("example: %v", d)
	}
	rs, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, r := range rs.Rules() {
		names[r.Name] = true
	}
	_, techniques, _ := strings.Cut(doc, "## Which technique")
	count := 0
	for _, line := range strings.Split(techniques, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 5 || !strings.HasPrefix(strings.TrimSpace(cells[1]), "T") {
			continue
		}
		count++
		for _, m := range regexp.MustCompile("`([a-z0-9-]+)`").FindAllStringSubmatch(cells[3], -1) {
			if !names[m[1]] {
				t.Errorf("%s: there is no rule %s", cells[1], m[1])
			}
		}
	}
	if count != 34 {
		t.Errorf("%d techniques, want 34", count)
	}
}

// TestDocumentedDecisions keeps the decisions of docs/rule-format.md correct.
func TestDocumentedDecisions(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../docs/rule-format.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(data), "## Decisions")
	_, example, _ = strings.Cut(example, "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	all, defects := loadDecisions(inMemory("decisions.yml", example).FS)
	if len(defects) > 0 || len(all) != 2 {
		t.Errorf("%v, %d decisions", defects, len(all))
	}
}
