package signatures

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// An op is how a field is compared with the values of a rule.
type op int

const (
	opEqual op = iota
	opContains
	opStarts
	opEnds
	opRegexp
	opExists
	opFieldRef
)

// An item is one line of a selection: a field, how to compare, and values.
type item struct {
	field  *field
	op     op
	inner  op   // opFieldRef: how the two fields are compared
	all    bool // every value must be matched; otherwise one is enough
	cased  bool
	values []value
}

// A value is one of the values that a rule gives for a field.
type value struct {
	null    bool
	exists  bool
	text    string // lower case unless cased
	glob    []glyph
	pattern *regexp.Regexp
	ref     *field
	search  int // field script: index into the ruleset's searches
}

// A glyph is a character of a pattern: itself, any one (?), or any number (*).
type glyph struct {
	r    rune
	kind byte // 0, '?' or '*'
}

func (it *item) eval(s *subject) (bool, []fact) {
	return it.match(s, func() []fact { return s.facts(it.field) })
}

// match compares the facts of the field, which are worked out only when they are needed.
func (it *item) match(s *subject, get func() []fact) (bool, []fact) {
	var facts []fact
	found := false
	for i := range it.values {
		ok, f := it.one(s, &it.values[i], get)
		switch {
		case ok:
			found = true
			facts = append(facts, f...)
		case it.all:
			return false, nil
		}
	}
	return found, facts
}

func (it *item) one(s *subject, v *value, get func() []fact) (bool, []fact) {
	if it.field.kind == kindScript && it.op != opExists && !v.null {
		facts := s.scriptFacts(v.search)
		return len(facts) > 0, facts
	}
	facts := get()
	switch {
	case it.op == opExists:
		if len(facts) > 0 && v.exists {
			return true, facts // what there is, is the evidence
		}
		return (len(facts) > 0) == v.exists, nil
	case v.null:
		return len(facts) == 0, nil
	case it.op == opFieldRef:
		return it.reference(s, facts, v.ref)
	}
	var found []fact
	for _, f := range facts {
		if it.compare(f, v) {
			if found = append(found, f); len(found) == maxFacts {
				break
			}
		}
	}
	return len(found) > 0, found
}

// maxFacts bounds the evidence of one value: nobody reads more, and a manifest may hold thousands of hosts.
const maxFacts = 4

func (it *item) reference(s *subject, facts []fact, ref *field) (bool, []fact) {
	others := s.facts(ref)
	// Two lists are compared each with each; a hostile manifest could make that quadratic.
	facts, others = facts[:min(len(facts), maxCompared)], others[:min(len(others), maxCompared)]
	for _, f := range facts {
		for _, o := range others {
			v := value{text: o.folded}
			if it.cased {
				v.text = o.text
			}
			if (&item{op: it.inner, cased: it.cased}).compare(f, &v) {
				return true, []fact{f}
			}
		}
	}
	return false, nil
}

// maxCompared is how many values of a field |fieldref looks at.
const maxCompared = 1000

func (it *item) compare(f fact, v *value) bool {
	text := f.folded
	if it.cased {
		text = f.text
	}
	if v.glob != nil {
		return globMatch(v.glob, text)
	}
	switch it.op {
	case opContains:
		return strings.Contains(text, v.text)
	case opStarts:
		return strings.HasPrefix(text, v.text)
	case opEnds:
		return strings.HasSuffix(text, v.text)
	case opRegexp:
		return v.pattern.MatchString(f.text)
	}
	return text == v.text
}

// parseGlob reads Sigma's wildcards: * and ?, escaped by \; a \ before another character is itself. It returns the
// plain text when there are no wildcards.
func parseGlob(s string) (glyphs []glyph, plain string, wild bool) {
	rs := []rune(s)
	var b strings.Builder
	for i := 0; i < len(rs); i++ {
		r, kind := rs[i], byte(0)
		switch {
		case r == '\\' && i+1 < len(rs) && strings.ContainsRune(`*?\`, rs[i+1]):
			i++
			r = rs[i]
		case r == '*', r == '?':
			kind, wild = byte(r), true
		}
		glyphs = append(glyphs, glyph{r, kind})
		b.WriteRune(r)
	}
	return glyphs, b.String(), wild
}

// globMatch matches all of text. It goes back to the last * only, so its cost is at most len(pattern) × len(text).
func globMatch(pattern []glyph, text string) bool {
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		r, size := utf8.DecodeRuneInString(text[t:])
		switch {
		case p < len(pattern) && pattern[p].kind == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p].kind == '?' || pattern[p].kind == 0 && pattern[p].r == r):
			p++
			t += size
		case star >= 0:
			_, size := utf8.DecodeRuneInString(text[mark:])
			mark += size
			p, t = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p].kind == '*' {
		p++
	}
	return p == len(pattern)
}

const (
	// RE2 runs in linear time, but its programs may be large: a{1000}{1000} is refused by this.
	maxRegexp        = 1000
	maxRegexpProgram = 4000
)
