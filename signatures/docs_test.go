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
