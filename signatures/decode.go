package signatures

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/agnivade/levenshtein"
	"go.yaml.in/yaml/v3"
)

// maxYAML bounds one rule or catalog file. The largest of ours, the wallets, is a tenth of it; a larger file would
// only cost time on every machine that loads it.
const maxYAML = 1 << 20

// A Defect is something wrong with a rule, a catalog or an indicator file, and where.
type Defect struct {
	Path   string // inside the ruleset: "campaigns/x.yml"
	Line   int    // from 1; 0 when it is about the whole file
	Reason string
	Hint   string // what to do about it; may be empty
}

// Error returns "campaigns/x.yml:12: reason; hint: …".
func (d Defect) Error() string {
	var b strings.Builder
	b.WriteString(d.Path)
	if d.Line > 0 {
		b.WriteString(":" + strconv.Itoa(d.Line))
	}
	b.WriteString(": " + d.Reason)
	if d.Hint != "" {
		b.WriteString("; hint: " + d.Hint)
	}
	return b.String()
}

// A document is one YAML file while it is decoded. It collects all defects instead of stopping at the first, since
// an author wants to see all of them.
type document struct {
	path    string
	data    []byte
	root    *yaml.Node // nil when it could not be parsed
	defects []Defect
	slow    []Defect // what works and costs too much: Check tells it
}

// readDocument reads and parses a file.
func readDocument(fsys fs.FS, name string) *document {
	d := &document{path: name}
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		d.fail(nil, "", "%s", reason(err))
		return d
	}
	d.data, d.root = data, d.parse(data)
	return d
}

func (d *document) fail(n *yaml.Node, hint, format string, args ...any) {
	line := 0
	if n != nil {
		line = n.Line
	}
	d.defects = append(d.defects, Defect{Path: d.path, Line: line, Reason: fmt.Sprintf(format, args...), Hint: hint})
}

// parse returns the root of a file that holds exactly one mapping, or nil after noting why not.
func (d *document) parse(data []byte) *yaml.Node {
	if len(data) > maxYAML {
		d.fail(nil, "split it", "%d bytes; at most %d are read", len(data), maxYAML)
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil {
		d.syntax(err)
		return nil
	}
	var more yaml.Node
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		if err != nil {
			d.syntax(err)
			return nil
		}
		d.fail(&more, "one file holds one rule", "a second YAML document")
		return nil
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		d.fail(root, "start with a line such as \"title: …\"", "expected keys with values")
		return nil
	}
	if !d.plain(root) {
		return nil
	}
	return root
}

// syntax notes an error of the YAML parser, whose text begins with "yaml: line 12: ".
func (d *document) syntax(err error) {
	if errors.Is(err, io.EOF) {
		d.fail(nil, "", "the file is empty")
		return
	}
	// The parser leaves the line out when it is the first.
	text, line, hint := strings.TrimPrefix(err.Error(), "yaml: "), 1, ""
	if m := regexp.MustCompile(`^line (\d+): (?s:(.*))`).FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = m[2]
	}
	switch {
	case strings.Contains(text, "mapping values are not allowed"):
		hint = "put text that holds \": \" in quotes, and code in a block that begins with |"
	case strings.Contains(text, "cannot start any token"):
		hint = "indent with spaces, and put text that begins with % @ ` * or & in quotes"
	}
	d.defects = append(d.defects, Defect{Path: d.path, Line: line, Reason: text, Hint: hint})
}

// plain refuses anchors, aliases and tags: they let a small file stand for a huge one, and no rule needs them.
func (d *document) plain(n *yaml.Node) bool {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		d.fail(n, "write the values out", "YAML anchors and aliases are not supported")
		return false
	}
	if n.Style&yaml.TaggedStyle != 0 {
		d.fail(n, "leave it out", "YAML tag %s is not supported", n.Tag)
		return false
	}
	for _, c := range n.Content {
		if !d.plain(c) {
			return false
		}
	}
	return true
}

// A keys says how each key of a mapping is read.
type keys map[string]func(*yaml.Node)

// mapping reads the keys of n and refuses unknown and repeated ones.
func (d *document) mapping(n *yaml.Node, what string, known keys) {
	if n.Kind != yaml.MappingNode {
		d.fail(n, "write \"key: value\" lines", "%s: expected keys with values", what)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch read, ok := known[key.Value]; {
		case !ok:
			d.fail(key, suggest(key.Value, sortedKeys(known)), "%s: unknown key %q", what, key.Value)
		case seen[key.Value]:
			d.fail(key, "keep one of them", "%s: %q stands twice", what, key.Value)
		default:
			read(value)
		}
		seen[key.Value] = true
	}
}

// text reads a scalar as it is written, so that version 3.10 stays apart from 3.1.
func (d *document) text(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		d.fail(n, "", "%s: expected a text", what)
		return ""
	}
	return strings.TrimSpace(n.Value)
}

// texts reads a list of scalars, or one.
func (d *document) texts(n *yaml.Node, what string) []string {
	if n.Kind != yaml.SequenceNode {
		if t := d.text(n, what); t != "" {
			return []string{t}
		}
		return nil
	}
	out := make([]string, 0, len(n.Content))
	for _, c := range n.Content {
		if t := d.text(c, what); t != "" {
			out = append(out, t)
		}
	}
	return out
}

// list calls read for each element of a sequence.
func (d *document) list(n *yaml.Node, what string, read func(*yaml.Node)) {
	if n.Kind != yaml.SequenceNode {
		d.fail(n, "begin each element with \"- \"", "%s: expected a list", what)
		return
	}
	for _, c := range n.Content {
		read(c)
	}
}

// flag reads true or false.
func (d *document) flag(n *yaml.Node, what string) bool {
	switch n.Value {
	case "true":
		return true
	case "false":
		return false
	}
	d.fail(n, "", "%s: expected true or false", what)
	return false
}

// oneOf reads a text that must be one of some words.
func (d *document) oneOf(n *yaml.Node, what string, words ...string) string {
	t := d.text(n, what)
	if t != "" && !slices.Contains(words, t) {
		d.fail(n, suggest(t, words), "%s: unknown value %q", what, t)
	}
	return t
}

// into returns a reader that stores a text.
func (d *document) into(p *string, what string) func(*yaml.Node) {
	return func(n *yaml.Node) { *p = d.text(n, what) }
}

// listInto returns a reader that stores a list of texts.
func (d *document) listInto(p *[]string, what string) func(*yaml.Node) {
	return func(n *yaml.Node) { *p = d.texts(n, what) }
}

// suggest returns "did you mean …?" when a known word is near, otherwise the known words.
func suggest(word string, known []string) string {
	best, near := "", 3
	for _, k := range known {
		if n := levenshtein.ComputeDistance(strings.ToLower(clip(word, 64)), k); n < near {
			best, near = k, n
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return "known are: " + strings.Join(known, " ")
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
