package notifier

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxName bounds a name in characters: Chromium allows 75, nothing bounds that of an unpacked extension, and a
	// notification is about 60 wide.
	maxName = 60
	// maxText bounds a title or step of a rule. Rules are ours or the organisation's; the bound is for the screen.
	maxText = 200
	// maxMarks bounds combining marks on one letter: more is drawn over other lines.
	maxMarks = 4
)

// clean makes text that an extension controls safe to show. What is invisible, moves the cursor or turns the reading
// direction is written as its code point; quotation marks become plain ones, since names stand in quotation marks; a
// name in letters that run from right to left cannot turn what stands around it.
func clean(s string, limit int) string {
	var b strings.Builder
	used, marks, turned := 0, 0, false
	for _, r := range s {
		if used >= limit {
			b.WriteString("…")
			break
		}
		marks++
		if !unicode.Is(unicode.Mn, r) && !unicode.Is(unicode.Me, r) {
			marks = 0
		}
		switch {
		case hidden(r) || marks > maxMarks:
			text := fmt.Sprintf("<U+%04X>", r)
			used += len(text) - 1
			b.WriteString(text)
		case strings.ContainsRune("\"“”„‟«»「」『』", r):
			b.WriteByte('\'')
		default:
			turned = turned || rightToLeft(r)
			b.WriteRune(r)
		}
		used++
	}
	text := strings.TrimSpace(b.String())
	if turned {
		return "\u2068" + text + "\u2069" // first strong isolate … pop
	}
	return text
}

// hidden reports whether a reader would not see r for what it is.
func hidden(r rune) bool {
	switch {
	case r == ' ', r == '\u3000': // the ideographic space is ordinary in Chinese and Japanese names
		return false
	case r == utf8.RuneError:
		return false // is drawn as what it is
	case r == '\u034F', r == '\u115F', r == '\u1160', r == '\u17B4', r == '\u17B5',
		r == '\u2800', r == '\u3164', r == '\uFFA0': // letters, marks and symbols drawn as nothing
		return true
	case r >= 0xE0100 && r <= 0xE01EF: // variation selectors supplement: can carry hidden bytes
		return true
	}
	return !unicode.IsGraphic(r) || unicode.Is(unicode.Zs, r) || unicode.Is(unicode.Co, r)
}

func rightToLeft(r rune) bool {
	return unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko, unicode.Samaritan,
		unicode.Mandaic, unicode.Adlam, unicode.Hanifi_Rohingya, unicode.Mende_Kikakui, unicode.Old_South_Arabian, unicode.Phoenician)
}

// escapeMarkup is for a notification server that takes the body for markup. It knows no other entities.
func escapeMarkup(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}
