package manifests

import "strings"

// A glob is a path or text where each "*" stands for any text; everything else, "?" too, stands for itself.
// A path that ends in "/*" also covers the path without these two characters, as in Chromium.
type glob struct {
	text  string
	parts []string // the texts between the stars; one part when there is no star
	bare  string   // with hasBare: the text without its trailing "/*"
	// hasBare is set for paths that end in "/*".
	hasBare bool
}

func newGlob(text string) glob {
	g := glob{text: text}
	g.bare, g.hasBare = strings.CutSuffix(text, "/*")
	for run := range strings.SplitSeq(text, "*") {
		// "**" is "*": empty middle parts say nothing.
		if run == "" && len(g.parts) > 1 && g.parts[len(g.parts)-1] == "" {
			continue
		}
		g.parts = append(g.parts, run)
	}
	return g
}

func (g glob) stars() bool    { return len(g.parts) > 1 }
func (g glob) prefix() string { return g.parts[0] }
func (g glob) suffix() string { return g.parts[len(g.parts)-1] }

// matches reports whether s is covered.
func (g glob) matches(s string) bool {
	return g.hasBare && s == g.bare || g.matchesParts(s)
}

// matchesParts reports whether s is covered by the text between the stars alone. Taking each part at its first place
// is right: what is left for the later parts is then longest.
func (g glob) matchesParts(s string) bool {
	if len(g.parts) == 0 {
		return false // the zero glob covers nothing
	}
	if !g.stars() {
		return s == g.text
	}
	first, last := g.prefix(), g.suffix()
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, part := range g.parts[1 : len(g.parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return true
}

// contains reports whether g covers all that h covers. A star of h can stand for a character that g does not name, so
// only a star of g can cover it: h, read as a plain text with its stars as such characters, must match g. The stars
// stay "*", since no part of g holds one.
func (g glob) contains(h glob) bool {
	switch {
	case len(h.parts) == 0:
		return true
	case h.hasBare && !g.matches(h.bare):
		return false
	case h.stars():
		return g.matchesParts(h.text)
	}
	return g.matches(h.text)
}

// overlaps reports whether some text is covered by both.
func (g glob) overlaps(h glob) bool {
	return g.hasBare && h.matches(g.bare) || h.hasBare && g.matches(h.bare) || g.overlapsParts(h)
}

func (g glob) overlapsParts(h glob) bool {
	switch {
	case len(g.parts) == 0 || len(h.parts) == 0:
		return false
	case !g.stars():
		return h.matches(g.text)
	case !h.stars():
		return g.matches(h.text)
	}
	// Both have stars, which take in whatever the other asks for; only the two ends must agree.
	a, b := g.prefix(), h.prefix()
	c, d := g.suffix(), h.suffix()
	return (strings.HasPrefix(a, b) || strings.HasPrefix(b, a)) && (strings.HasSuffix(c, d) || strings.HasSuffix(d, c))
}

// MatchGlob reports whether s, a URL, matches a glob of include_globs or exclude_globs, where "*" stands for any text
// and "?" for one character. In Chromium "?" may also stand for none (base::MatchPattern), in Firefox for exactly
// one; the wider reading is used.
//
// A glob or URL longer than 4 KiB is never matched: the work grows with the product of their lengths.
func MatchGlob(glob, s string) bool {
	const most = 4 << 10
	if len(glob) > most || len(s) > most {
		return false
	}
	pattern := []rune(collapseStars(glob))
	// states[i] is set when pattern[:i] matches the text read so far.
	states := make([]bool, len(pattern)+1)
	states[0] = true
	skip(pattern, states)
	for _, r := range s {
		previous := states[0]
		states[0] = false
		for i, c := range pattern {
			current := states[i+1]
			switch c {
			case '*':
				states[i+1] = current || previous
			case '?':
				states[i+1] = previous
			default:
				states[i+1] = previous && c == r
			}
			previous = current
		}
		skip(pattern, states)
	}
	return states[len(pattern)]
}

// skip moves over the wildcards that may stand for nothing.
func skip(pattern []rune, states []bool) {
	for i, c := range pattern {
		if states[i] && (c == '*' || c == '?') {
			states[i+1] = true
		}
	}
}

// collapseStars turns runs of stars into one.
func collapseStars(s string) string {
	for strings.Contains(s, "**") {
		s = strings.ReplaceAll(s, "**", "*")
	}
	return s
}
