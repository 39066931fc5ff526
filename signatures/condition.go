package signatures

import (
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	// A condition longer or deeper than this is not written by a person.
	maxCondition = 1000
	maxNesting   = 20
)

// An expr is a condition or a part of one. It returns what made it true.
type expr interface {
	eval(s *subject) (bool, []fact)
}

type (
	allOf []expr
	anyOf []expr
	not   struct{ expr }
)

func (e allOf) eval(s *subject) (bool, []fact) {
	var facts []fact
	for _, x := range e {
		ok, f := x.eval(s)
		if !ok {
			return false, nil
		}
		facts = append(facts, f...)
	}
	return true, facts
}

// eval asks all, not only up to the first that holds: each is evidence that a person wants to see, and the strongest
// indicator must not be hidden by a weaker one.
func (e anyOf) eval(s *subject) (bool, []fact) {
	var facts []fact
	found := false
	for _, x := range e {
		if ok, f := x.eval(s); ok {
			found = true
			facts = append(facts, f...)
		}
	}
	return found, facts
}

func (e not) eval(s *subject) (bool, []fact) {
	ok, _ := e.expr.eval(s)
	return !ok, nil
}

// detection compiles the selections and the condition.
func (c *compiler) detection(d *document, n *yaml.Node) expr {
	if n.Kind != yaml.MappingNode {
		d.fail(n, "write named selections and a condition", "detection: expected keys with values")
		return nil
	}
	p := &conditionParser{doc: d, selections: map[string]expr{}, used: map[string]bool{}}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.Value == "condition":
			if p.node != nil {
				d.fail(key, "keep one of them", "detection: %q stands twice", key.Value)
			}
			p.node = value
		case key.Value == "timeframe":
			d.fail(key, "leave it out: an extension is one event", "detection: timeframe is not supported")
		case p.selections[key.Value] != nil:
			d.fail(key, "keep one of them", "detection: %q stands twice", key.Value)
		case !selectionName(key.Value):
			d.fail(key, "use letters, digits and _", "detection: %q cannot name a selection", key.Value)
		default:
			p.selections[key.Value] = c.selection(d, value, key.Value)
			p.names = append(p.names, key.Value)
		}
	}
	if p.node == nil {
		d.fail(n, "write \"condition: selection\"", "detection: no condition")
		return nil
	}
	return p.parse()
}

func selectionName(s string) bool {
	switch strings.ToLower(s) {
	case "", "and", "or", "not", "of", "all", "them", "1":
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

// A conditionParser reads: or := and {"or" and}; and := not {"and" not}; not := ["not"] term;
// term := "(" or ")" | ("1"|"all") "of" ("them"|pattern) | selection.
type conditionParser struct {
	doc        *document
	node       *yaml.Node
	names      []string
	selections map[string]expr
	used       map[string]bool
	words      []string
	depth      int
	bad        bool
}

func (p *conditionParser) fail(hint, format string, args ...any) expr {
	if !p.bad {
		p.doc.fail(p.node, hint, "condition: "+format, args...)
	}
	p.bad = true
	return nil
}

func (p *conditionParser) parse() expr {
	if p.node.Kind != yaml.ScalarNode || p.node.Tag == "!!null" {
		return p.fail("join several with \"or\"", "expected one text")
	}
	text := p.node.Value
	if len(text) > maxCondition {
		return p.fail("split the rule", "longer than %d characters", maxCondition)
	}
	if strings.Contains(text, "|") {
		return p.fail("an extension is one event", "aggregations with | are not supported")
	}
	p.words = strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(text))
	e := p.or()
	if !p.bad && len(p.words) > 0 {
		return p.fail("join with and, or, not", "unexpected %q", p.words[0])
	}
	for _, name := range p.names {
		if !p.bad && !p.used[name] {
			return p.fail("use it or delete it", "selection %q is not used", name)
		}
	}
	return e
}

// word takes the next word when it is w.
func (p *conditionParser) word(w string) bool {
	if len(p.words) > 0 && strings.EqualFold(p.words[0], w) {
		p.words = p.words[1:]
		return true
	}
	return false
}

func (p *conditionParser) or() expr {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxNesting {
		return p.fail("split the rule", "more than %d parentheses inside each other", maxNesting)
	}
	e := anyOf{p.and()}
	for !p.bad && p.word("or") {
		e = append(e, p.and())
	}
	if len(e) == 1 {
		return e[0]
	}
	return e
}

func (p *conditionParser) and() expr {
	e := allOf{p.not()}
	for !p.bad && p.word("and") {
		e = append(e, p.not())
	}
	if len(e) == 1 {
		return e[0]
	}
	return e
}

func (p *conditionParser) not() expr {
	negate := false
	for p.word("not") {
		negate = !negate
	}
	e := p.term()
	if negate {
		return not{e}
	}
	return e
}

func (p *conditionParser) term() expr {
	switch {
	case len(p.words) == 0:
		return p.fail("name a selection", "ends too early")
	case p.word("("):
		e := p.or()
		if !p.bad && !p.word(")") {
			return p.fail("", "a \")\" is missing")
		}
		return e
	case len(p.words) > 1 && strings.EqualFold(p.words[1], "of"):
		return p.of()
	}
	name := p.words[0]
	if p.selections[name] == nil {
		return p.fail(suggest(name, p.names), "no selection %q", name)
	}
	p.words = p.words[1:]
	p.used[name] = true
	return p.selections[name]
}

// of reads "1 of sel*", "all of sel*", "1 of them", "all of them".
func (p *conditionParser) of() expr {
	count := strings.ToLower(p.words[0])
	if count != "1" && count != "all" {
		return p.fail("write \"1 of\" or \"all of\"", "%q of is not supported", p.words[0])
	}
	if len(p.words) < 3 {
		return p.fail("write \"1 of them\"", "ends after \"of\"")
	}
	pattern := p.words[2]
	p.words = p.words[3:]
	var found []expr
	for _, name := range p.names {
		// As in Sigma, "them" leaves out the selections that begin with _.
		match := strings.EqualFold(pattern, "them") && !strings.HasPrefix(name, "_")
		if !match && !strings.EqualFold(pattern, "them") {
			match, _ = path.Match(pattern, name)
		}
		if match {
			p.used[name] = true
			found = append(found, p.selections[name])
		}
	}
	switch {
	case len(found) == 0:
		return p.fail(suggest(pattern, p.names), "no selection is named like %q", pattern)
	case !strings.EqualFold(pattern, "them") && strings.Trim(strings.ReplaceAll(pattern, "*", ""), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "":
		return p.fail("only * stands for other characters", "bad pattern %q", pattern)
	case count == "1":
		return anyOf(slices.Clip(found))
	}
	return allOf(slices.Clip(found))
}
