package dashboard

import (
	"bytes"
	"fmt"
	"html"
	"unicode"
	"unicode/utf8"
)

// maxMarks bounds combining marks on one letter. Vietnamese and Hebrew need three; more is drawn over other lines.
const maxMarks = 4

// cleaned makes what a reader would not see for what it is visible, in a whole page: invisible characters, those that
// turn the reading direction, control characters, and heaps of marks are written as their code points. Nothing of the
// kind is in the templates or texts, so all of it comes from elsewhere. Here it cannot be forgotten for one of them.
func cleaned(page []byte) []byte {
	var b bytes.Buffer
	b.Grow(len(page))
	marks := 0
	for len(page) > 0 {
		r, size := utf8.DecodeRune(page)
		if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r) {
			marks++
		} else {
			marks = 0
		}
		switch {
		case r == utf8.RuneError && size == 1:
			b.WriteRune(r)
		case r != '\n' && r != '\t' && (hidden(r) || marks > maxMarks):
			b.WriteString(html.EscapeString(fmt.Sprintf("<U+%04X>", r)))
		default:
			b.Write(page[:size])
		}
		page = page[size:]
	}
	return b.Bytes()
}

// hidden reports whether a reader would not see r for what it is.
func hidden(r rune) bool {
	switch {
	case r == ' ', r == '\u3000': // the ideographic space is ordinary in Chinese and Japanese names
		return false
	case r == '\u034F', r == '\u115F', r == '\u1160', r == '\u17B4', r == '\u17B5',
		r == '\u2800', r == '\u3164', r == '\uFFA0': // letters, marks and symbols drawn as nothing
		return true
	case r >= 0xFE00 && r <= 0xFE0E, r >= 0xE0100 && r <= 0xE01EF: // variation selectors can carry hidden bytes; U+FE0F makes an emoji
		return true
	}
	return !unicode.IsGraphic(r) || unicode.Is(unicode.Zs, r) || unicode.Is(unicode.Co, r)
}

// clip cuts text to n characters, and shows that it did.
func clip(n int, s string) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}
