package signatures

import (
	"bytes"
	"math"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An expression is run only around texts that its matches must hold, because running it costs some fifty times what
// looking for texts does. This file finds those texts in the syntax of an expression, and how far a match reaches
// around them; windows.go uses them.

const (
	// A required text shorter than this is in nearly every file and saves nothing.
	minNeeded = minText
	// maxTexts bounds the texts of one expression: each is a part of the automaton that looks for all.
	maxTexts = 96
	// maxAlso is how many groups of texts are asked for beside the one that is looked for.
	maxAlso = 2
	// maxNeeded bounds those of all alternatives together.
	maxNeeded = 256
	// maxText bounds the length of one: what is longer does not tell more.
	maxText = 40
	// maxClass is up to how many characters a class is written out.
	maxClass = 6
)

// needed is what every match of an expression holds: at least one of the texts, in lower case ASCII, with no more
// around it than before and after.
type needed struct {
	texts         []string
	longest       int        // of the texts, in bytes
	also          [][]string // of each of these a match holds one text, too; their places are not looked for
	before, after extent
}

// An extent says how long the text of a part of an expression can be: any number of the free bytes, and beside them
// at most some others.
type extent struct {
	bytes int
	free  byteSet
}

type byteSet [4]uint64

func (s *byteSet) has(b byte) bool { return s[b>>6]&(1<<(b&63)) != 0 }
func (s *byteSet) add(b byte)      { s[b>>6] |= 1 << (b & 63) }

func (s byteSet) with(o byteSet) byteSet {
	for i := range s {
		s[i] |= o[i]
	}
	return s
}

func (e extent) plus(o extent) extent { return extent{e.bytes + o.bytes, e.free.with(o.free)} }
func (e extent) or(o extent) extent   { return extent{max(e.bytes, o.bytes), e.free.with(o.free)} }

// A part is what is known of one part of an expression.
type part struct {
	exact  []string // all texts that it matches, in lower case ASCII; nil when these are too many
	edge   []string // texts that it begins with and ends with, when it repeats; nil when unknown
	extent extent
	bytes  byteSet // that may stand in its text
	need   *needed
	short  []string // numbers that its text holds one of, too short to be looked for
}

// requiredTexts returns what every match holds, or nil when there is nothing worth looking for.
func requiredTexts(re *syntax.Regexp) *needed {
	n := analyze(re).need
	if n == nil {
		return nil
	}
	room := len(slices.MaxFunc(n.texts, byLength)) - len(slices.MinFunc(n.texts, byLength))
	// A text that holds another one need not be looked for; the match then reaches further around the shorter one.
	n.texts = shortest(n.texts)
	n.longest = len(slices.MaxFunc(n.texts, byLength))
	n.before.bytes += room
	n.after.bytes += room
	return n
}

func byLength(a, b string) int { return len(a) - len(b) }

// shortest leaves out the texts that hold another one.
func shortest(texts []string) []string {
	return slices.DeleteFunc(slices.Clone(texts), func(t string) bool {
		return slices.ContainsFunc(texts, func(o string) bool { return o != t && strings.Contains(t, o) })
	})
}

func analyze(re *syntax.Regexp) part {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return part{exact: []string{""}}
	case syntax.OpLiteral:
		parts := make([]part, len(re.Rune))
		for i, r := range re.Rune {
			parts[i] = character(r, re.Flags&syntax.FoldCase != 0)
		}
		return sequence(parts)
	case syntax.OpCharClass:
		return class(re.Rune)
	case syntax.OpAnyChar:
		return class([]rune{0, unicode.MaxRune})
	case syntax.OpAnyCharNotNL:
		return class([]rune{0, '\n' - 1, '\n' + 1, unicode.MaxRune})
	case syntax.OpCapture:
		return analyze(re.Sub[0])
	case syntax.OpStar:
		return times(analyze(re.Sub[0]), 0, -1)
	case syntax.OpPlus:
		return times(analyze(re.Sub[0]), 1, -1)
	case syntax.OpQuest:
		return times(analyze(re.Sub[0]), 0, 1)
	case syntax.OpRepeat:
		return times(analyze(re.Sub[0]), re.Min, re.Max)
	case syntax.OpConcat:
		parts := make([]part, len(re.Sub))
		for i, sub := range re.Sub {
			parts[i] = analyze(sub)
		}
		return sequence(parts)
	case syntax.OpAlternate:
		return alternatives(re.Sub)
	}
	return part{} // matches nothing
}

// character is one character, and with fold all that fold to it: (?i)k matches the Kelvin sign too.
func character(r rune, folded bool) part {
	runes := []rune{r, r}
	if folded {
		for o := unicode.SimpleFold(r); o != r; o = unicode.SimpleFold(o) {
			runes = append(runes, o, o)
		}
	}
	return class(runes)
}

// class is one of the characters between each pair of runes.
func class(pairs []rune) part {
	var p part
	count := 0
	for i := 0; i+1 < len(pairs); i += 2 {
		lo, hi := pairs[i], pairs[i+1]
		for r := lo; r <= min(hi, utf8.RuneSelf-1); r++ {
			p.bytes.add(byte(r))
		}
		p.extent.bytes = max(p.extent.bytes, utf8.RuneLen(min(hi, unicode.MaxRune)))
		if hi >= utf8.RuneSelf {
			for b := utf8.RuneSelf; b < 256; b++ {
				p.bytes.add(byte(b))
			}
		}
		if lo <= utf8.RuneError && utf8.RuneError <= hi {
			count = math.MaxInt32 // any byte that is not UTF-8 is read as this character
		}
		count = min(count+int(hi-lo)+1, math.MaxInt32)
	}
	if count > 2*maxClass {
		return p
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		for r := pairs[i]; r <= pairs[i+1]; r++ {
			p.exact = append(p.exact, asciiLower(string(r)))
		}
	}
	slices.Sort(p.exact)
	if p.exact = slices.Compact(p.exact); len(p.exact) > maxClass {
		p.exact = nil
	}
	return p
}

// times is a part at least low and at most high times; high -1: any number.
func times(p part, low, high int) part {
	out := part{bytes: p.bytes}
	if out.extent = (extent{free: p.bytes}); high >= 0 {
		out.extent = extent{bytes: high * p.extent.bytes, free: p.extent.free}
	}
	if low > 0 && p.need != nil {
		n := *p.need // of one of them; the others stand before and after
		n.before, n.after = n.before.plus(out.extent), n.after.plus(out.extent)
		out.need = &n
	}
	if low > 0 {
		out.edge = p.exact
	}
	if p.exact == nil || high < 0 {
		return out
	}
	texts := []string{""}
	var all []string
	for i := range high + 1 {
		if i >= low {
			all = append(all, texts...)
		}
		if i == high {
			break
		}
		if texts = product(texts, p.exact); texts == nil || len(all) > maxTexts {
			return out
		}
	}
	out.exact = distinct(all)
	return out
}

// alternatives needs something of each of them.
func alternatives(subs []*syntax.Regexp) part {
	var out part
	exact := true
	var also []string // of each something beside the texts that are looked for, or these
	more := false
	out.need = &needed{}
	for _, sub := range subs {
		p := analyze(sub)
		out.bytes = out.bytes.with(p.bytes)
		out.extent = out.extent.or(p.extent)
		if exact = exact && p.exact != nil; exact {
			out.exact = append(out.exact, p.exact...)
		}
		if out.need != nil && p.need != nil {
			out.need.texts = append(out.need.texts, p.need.texts...)
			if len(p.need.also) > 0 {
				also, more = append(also, p.need.also[0]...), true
			} else {
				also = append(also, p.need.texts...)
			}
			out.need.before, out.need.after = out.need.before.or(p.need.before), out.need.after.or(p.need.after)
		} else {
			out.need = nil
		}
	}
	if !exact || len(distinct(out.exact)) > maxTexts {
		out.exact = nil
	}
	out.exact = distinct(out.exact)
	if out.need != nil {
		if out.need.texts = distinct(out.need.texts); len(out.need.texts) > maxNeeded {
			out.need = nil
		} else if more && len(also) <= maxTexts {
			out.need.ask(distinct(also))
		}
	}
	return out
}

// sequence joins neighbours that are known exactly into longer texts and keeps the best of what is needed.
func sequence(parts []part) part {
	out := part{exact: []string{""}}
	after := make([]extent, len(parts)+1) // what the parts from here on may hold
	for i := len(parts) - 1; i >= 0; i-- {
		after[i] = after[i+1].plus(parts[i].extent)
	}
	var before extent
	for i, p := range parts {
		if out.exact != nil && p.exact != nil {
			out.exact = product(out.exact, p.exact)
		} else {
			out.exact = nil
		}
		out.bytes = out.bytes.with(p.bytes)
		if p.need != nil {
			out.offer(p.need.texts, before.plus(p.need.before), p.need.after.plus(after[i+1]))
		}
		switch {
		case p.exact != nil:
			out.run(parts, i, []string{""}, before, after)
		case p.edge != nil:
			out.run(parts, i+1, p.edge, before.plus(p.extent), after)
		}
		before = before.plus(p.extent)
	}
	out.extent = before
	return out
}

// run offers the texts that begin with these and go on with the parts from i on.
func (p *part) run(parts []part, i int, texts []string, before extent, after []extent) {
	for ; i < len(parts); i++ {
		next := parts[i].exact
		if next == nil {
			next = parts[i].edge
		}
		longer := product(texts, next)
		if next == nil || longer == nil {
			break
		}
		texts = longer
		if parts[i].exact == nil {
			break // more of the same may follow: after holds it
		}
	}
	p.offer(texts, before, after[min(i, len(parts))])
}

// possible reports whether a part of a script holds what a match does beside the texts that were found there.
func (n *needed) possible(part []byte) bool {
	for _, texts := range n.also {
		if !slices.ContainsFunc(texts, func(text string) bool { return containsFolded(part, text) }) {
			return false
		}
	}
	return true
}

// containsFolded looks for a text in lower case ASCII, without regard to case. It goes from one place of the text's rarest
// byte to the next.
func containsFolded(data []byte, text string) bool {
	i := rarestByte(text)
	if containsAt(data, text, i, text[i]) {
		return true
	}
	return 'a' <= text[i] && text[i] <= 'z' && containsAt(data, text, i, text[i]-('a'-'A'))
}

// containsAt looks for a text whose byte at the offset i is b.
func containsAt(data []byte, text string, i int, b byte) bool {
	for from := 0; from+len(text) <= len(data); from++ {
		n := bytes.IndexByte(data[from+i:len(data)-len(text)+i+1], b)
		if n < 0 {
			return false
		}
		if from += n; foldedEqual(data[from:from+len(text)], text) {
			return true
		}
	}
	return false
}

// product joins each text with each of next; nil when these are too many or too long.
func product(texts, next []string) []string {
	if len(texts)*len(next) > maxTexts {
		return nil
	}
	var out []string
	for _, t := range texts {
		for _, n := range next {
			if len(t)+len(n) > maxText {
				return nil
			}
			out = append(out, t+n)
		}
	}
	return distinct(out)
}

func distinct(texts []string) []string {
	slices.Sort(texts)
	return slices.Compact(texts)
}
