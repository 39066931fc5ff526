package signatures

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// maxSnippet is how much text one piece of evidence shows: two lines of a terminal.
const maxSnippet = 160

// show makes text that an extension controls safe to print: control and format characters (which reverse or hide
// text) are escaped, broken UTF-8 is replaced, and it is cut at maxSnippet characters.
func show(s string) string {
	var b strings.Builder
	n := 0
	for i, r := range s {
		if n == maxSnippet-1 && len(s)-i > utf8.RuneLen(r) {
			b.WriteRune('…')
			break
		}
		switch {
		case ' ' <= r && r < 0x7F:
			b.WriteByte(byte(r))
		case r == '\t':
			b.WriteByte(' ')
		case r == utf8.RuneError, unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co):
			q := strconv.QuoteRuneToASCII(r)
			q = q[1 : len(q)-1]
			if n+len(q) >= maxSnippet {
				b.WriteRune('…')
				return b.String()
			}
			b.WriteString(q)
			n += len(q) - 1
		default:
			b.WriteRune(r)
		}
		n++
	}
	return b.String()
}

// clip returns the first n bytes of s, not cutting a character in two.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// unique returns the texts without repetition, in order.
func unique(texts []string) []string {
	seen := make(map[string]bool, len(texts))
	out := make([]string, 0, len(texts))
	for _, t := range texts {
		if !seen[t] {
			seen[t] = true
			out = append(out, t)
		}
	}
	return out
}

// form returns a regular expression that is compiled when it is first used: most commands load no rules.
func form(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
