package signatures

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A compiler turns the rules of one ruleset into what Judge runs. It collects what Read must search for.
type compiler struct {
	catalog *catalog
	schema  schema

	searches []search
	known    map[string]int // of searches, by what they look for
	hashes   bool           // some rule asks for file.sha256
}

// minLiteral is how long a text must be that is searched in the code.
const minLiteral = 4

// maxValues bounds the values of one field of one rule. Lists that long are indicators.
const maxValues = 500

// selection compiles a map of fields (and), or a list of such maps (or). It never returns nil.
func (c *compiler) selection(d *document, n *yaml.Node, name string) expr {
	switch {
	case n.Kind == yaml.MappingNode && len(n.Content) > 0:
		var all allOf
		groups := map[string]*sameRecord{}
		seen := map[string]bool{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if seen[key.Value] {
				d.fail(key, "put the values in one list", "%s: %q stands twice", name, key.Value)
			}
			seen[key.Value] = true
			it := c.item(d, key, n.Content[i+1])
			switch {
			case it == nil:
			case it.field.group == "":
				all = append(all, it)
			case groups[it.field.group] != nil:
				groups[it.field.group].items = append(groups[it.field.group].items, it)
			default:
				groups[it.field.group] = &sameRecord{group: it.field.group, items: []*item{it}}
				all = append(all, groups[it.field.group])
			}
		}
		return all
	case n.Kind == yaml.SequenceNode && len(n.Content) > 0:
		var alternatives anyOf
		for _, sub := range n.Content {
			if sub.Kind != yaml.MappingNode {
				d.fail(sub, "write \"script|contains: …\" to search the code", "%s: keywords without a field are not supported", name)
				continue
			}
			alternatives = append(alternatives, c.selection(d, sub, name))
		}
		return alternatives
	}
	d.fail(n, "write \"field: value\" lines", "%s: a selection without fields", name)
	return anyOf{}
}

// item compiles "field|modifier: values".
func (c *compiler) item(d *document, key, values *yaml.Node) *item {
	name, modifiers, _ := strings.Cut(key.Value, "|")
	f := c.schema.byName[name]
	if f == nil {
		d.fail(key, suggest(name, c.schema.names()), "unknown field %q", name)
		return nil
	}
	c.wants(name)
	it := &item{field: f}
	m, ok := c.modifiers(d, key, it, modifiers)
	if !ok {
		return nil
	}
	nodes := []*yaml.Node{values}
	if values.Kind == yaml.SequenceNode {
		nodes = values.Content
	}
	if len(nodes) == 0 {
		d.fail(values, "", "%s: no values", key.Value)
		return nil
	}
	for _, n := range nodes {
		if n.Kind != yaml.ScalarNode {
			d.fail(n, "", "%s: expected texts or numbers", key.Value)
			return nil
		}
		for _, text := range c.expand(d, n, m.expand) {
			v, ok := c.value(d, n, it, m, text)
			if !ok {
				return nil
			}
			it.values = append(it.values, v)
		}
	}
	if len(it.values) > maxValues {
		d.fail(values, "exact lists belong into indicators/*.csv", "%s: more than %d values", key.Value, maxValues)
		return nil
	}
	return it
}

// wants notes fields that Read must keep something for.
func (c *compiler) wants(field string) {
	c.hashes = c.hashes || field == "file.sha256"
}

// modifiers that only matter while compiling.
type modifiers struct{ expand, fold bool }

func (c *compiler) modifiers(d *document, key *yaml.Node, it *item, list string) (m modifiers, ok bool) {
	compare := opEqual
	var seen []string
	for word := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == '|' }) {
		if slices.Contains(seen, word) {
			d.fail(key, "keep one of them", "modifier %q stands twice", word)
			return m, false
		}
		seen = append(seen, word)
		if next, ok := comparisons()[word]; ok {
			if compare != opEqual {
				d.fail(key, "write two lines", "modifiers that compare in two ways")
				return m, false
			}
			compare = next
			continue
		}
		switch word {
		case "fieldref":
			it.op = opFieldRef
		case "i":
			if compare != opRegexp {
				d.fail(key, "write |re|i", "modifier \"i\" belongs behind \"re\"")
				return m, false
			}
			m.fold = true
		case "all":
			it.all = true
		case "cased":
			it.cased = true
		case "expand":
			m.expand = true
		default:
			known := append(sortedKeys(comparisons()), "all", "cased", "expand", "fieldref")
			d.fail(key, suggest(word, known), "unknown or unsupported modifier %q", word)
			return m, false
		}
	}
	if it.op == opFieldRef {
		it.inner = compare
	} else {
		it.op = compare
	}
	return m, c.combination(d, key, it, m)
}

// comparisons are the modifiers of which one line takes at most one.
func comparisons() map[string]op {
	return map[string]op{"contains": opContains, "startswith": opStarts, "endswith": opEnds, "re": opRegexp, "exists": opExists}
}

// combination refuses modifiers that mean nothing together, or nothing for the field.
func (c *compiler) combination(d *document, key *yaml.Node, it *item, m modifiers) bool {
	scripts := it.field.kind == kindScript
	exact := it.field.kind == kindFlag || it.field.kind == kindNumber
	switch {
	case it.op == opFieldRef && (it.inner == opRegexp || it.inner == opExists || m.expand || it.all || scripts):
		d.fail(key, "fieldref goes with contains, startswith, endswith, cased", "modifiers that do not go together")
	case it.op == opExists && (it.all || it.cased || m.expand):
		d.fail(key, "exists stands alone", "modifiers that do not go together")
	case it.op == opRegexp && (it.cased || m.expand):
		d.fail(key, "an expression is cased unless |re|i; write the values out", "modifiers that do not go together")
	case scripts && it.op != opContains && it.op != opRegexp && it.op != opExists:
		d.fail(key, "write script|contains or script|re", "the code is searched, not compared")
	case exact && it.op != opEqual && it.op != opExists:
		d.fail(key, "give the value", "%s is %s and only compared as it is", it.field.name, it.field.kind)
	default:
		return true
	}
	return false
}

// value compiles one value.
func (c *compiler) value(d *document, n *yaml.Node, it *item, m modifiers, text string) (value, bool) {
	v := value{}
	bad := func(hint, format string, args ...any) (value, bool) {
		d.fail(n, hint, it.field.name+": "+format, args...)
		return v, false
	}
	if n.Tag == "!!null" {
		if it.op != opEqual && it.op != opContains {
			return bad("write \"field: null\"", "null cannot be compared in that way")
		}
		v.null = true
		return v, true
	}
	switch it.op {
	case opExists:
		if text != "true" && text != "false" {
			return bad("", "exists takes true or false")
		}
		v.exists = text == "true"
		return v, true
	case opFieldRef:
		if v.ref = c.schema.byName[text]; v.ref == nil {
			return bad(suggest(text, c.schema.names()), "unknown field %q", text)
		}
		c.wants(text)
		if v.ref.kind == kindScript || v.ref.group != "" || it.field.group != "" {
			return bad("", "the code cannot be compared with a field")
		}
		return v, true
	case opRegexp:
		return c.regexp(d, n, it, m, text)
	}
	if text == "" && it.op != opEqual {
		return bad("write \"|exists: true\"", "an empty text is in every value")
	}
	return c.text(d, n, it, text)
}

// text compiles a value that is compared as text, perhaps with wildcards.
func (c *compiler) text(d *document, n *yaml.Node, it *item, text string) (v value, ok bool) {
	glyphs, plain, wild := parseGlob(text)
	if reason := it.field.refuses(c, text, plain, wild, it.op); reason != "" {
		d.fail(n, it.field.hint(c), "%s: %s", it.field.name, reason)
		return v, false
	}
	if it.field.kind == kindScript {
		if wild {
			d.fail(n, `write \* or \? for the character itself, or use |re`, "script: the code is searched for plain text only")
			return v, false
		}
		if len(plain) < minLiteral {
			d.fail(n, "", "script: a text shorter than %d bytes is in every script", minLiteral)
			return v, false
		}
		v.search = c.search(search{literal: plain, cased: it.cased})
		return v, true
	}
	if !it.cased {
		plain = fold(plain)
	}
	v.text = plain
	if wild {
		v.glob = compileGlob(glyphs, it.op, it.cased)
	}
	return v, true
}

func compileGlob(glyphs []glyph, op op, cased bool) []glyph {
	star := glyph{'*', '*'}
	var out []glyph
	if op == opContains || op == opEnds {
		out = append(out, star)
	}
	for _, g := range glyphs {
		if g.kind == 0 && !cased {
			for _, r := range fold(string(g.r)) {
				out = append(out, glyph{r, 0})
			}
			continue
		}
		out = append(out, g)
	}
	if op == opContains || op == opStarts {
		out = append(out, star)
	}
	return out
}

func (c *compiler) regexp(d *document, n *yaml.Node, it *item, m modifiers, text string) (v value, ok bool) {
	if len(text) > maxRegexp {
		d.fail(n, "split it", "%s: an expression longer than %d characters", it.field.name, maxRegexp)
		return v, false
	}
	if m.fold {
		text = "(?i)" + text
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		d.fail(n, "expressions are RE2: no look-around, no back-references", "%s: %v", it.field.name, err)
		return v, false
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil || len(program.Inst) > maxRegexpProgram {
		d.fail(n, "make its repetitions smaller", "%s: an expression too large to run", it.field.name)
		return v, false
	}
	v.pattern, err = regexp.Compile(text)
	if err != nil || v.pattern.MatchString("") {
		d.fail(n, "ask for at least one character", "%s: the expression matches everything", it.field.name)
		return v, false
	}
	if it.field.kind == kindScript {
		need := requiredTexts(parsed)
		if need == nil {
			d.slow = append(d.slow, Defect{d.path, n.Line, "script: nothing that every match holds can be looked for first, so this expression would run over all code of all extensions",
				fmt.Sprintf("have each alternative hold a fixed text of at least %d characters, outside of ? and *, such as the name of a function", minNeeded)})
		}
		v.search = c.search(search{expression: text, pattern: v.pattern, need: need})
	}
	return v, true
}

// search registers something that Read looks for, once.
func (c *compiler) search(s search) int {
	key := "re:" + s.expression
	switch {
	case s.pattern == nil && s.cased:
		key = "cased:" + s.literal
	case s.pattern == nil:
		key = "text:" + asciiLower(s.literal)
	}
	if i, ok := c.known[key]; ok {
		return i
	}
	s.key = key
	c.known[key] = len(c.searches)
	c.searches = append(c.searches, s)
	return len(c.searches) - 1
}

// expand replaces a %placeholder% by each text of its list.
func (c *compiler) expand(d *document, n *yaml.Node, wanted bool) []string {
	text := n.Value
	if !wanted {
		return []string{text}
	}
	before, rest, ok := strings.Cut(text, "%")
	name, after, ok2 := strings.Cut(rest, "%")
	if !ok || !ok2 {
		d.fail(n, "write %exchange_domains%", "expand: no %%placeholder%% in %q", text)
		return nil
	}
	lists := c.catalog.lists()
	list, ok := lists[name]
	if !ok {
		d.fail(n, suggest(name, sortedKeys(lists)), "expand: unknown placeholder %q", name)
		return nil
	}
	escape := strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`)
	out := make([]string, 0, len(list))
	for _, t := range list {
		out = append(out, before+escape.Replace(t)+after)
	}
	return out
}
