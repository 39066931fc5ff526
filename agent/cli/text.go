package cli

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/mattn/go-runewidth"
)

const (
	// maxName bounds a name in terminal cells. Chromium allows 75 characters, nothing bounds an unpacked one.
	maxName = 60
	// maxText bounds a quoted piece of evidence: enough for a line of code, too little to push the advice off the screen.
	maxText = 160
	// maxMarks bounds combining marks on one letter. Vietnamese and Hebrew need three; more is drawn over other lines.
	maxMarks = 4
	// minWidth is the narrowest terminal that is still laid out for.
	minWidth = 40
)

// clean makes text that an extension controls safe to show: whatever is invisible, moves the cursor or turns the
// reading direction is written as its code point ("<U+202E>"), and the text ends after limit cells with "…".
func clean(s string, limit int) string {
	var b strings.Builder
	used, marks := 0, 0
	for _, r := range s {
		piece := string(r) // a byte that is not UTF-8 comes as U+FFFD, which can be seen
		if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r) {
			marks++
		} else {
			marks = 0
		}
		if hidden(r) || marks > maxMarks {
			piece = fmt.Sprintf("<U+%04X>", r)
		}
		b.WriteString(piece)
		if used += cells(piece); used > limit {
			return clip(b.String(), limit)
		}
	}
	return b.String()
}

// hidden reports whether a reader would not see r for what it is.
func hidden(r rune) bool {
	switch {
	case r == ' ', r == '\u3000': // the ideographic space is ordinary in Chinese and Japanese names
		return false
	case r == '\u034F', r == '\u115F', r == '\u1160', r == '\u17B4', r == '\u17B5',
		r == '\u2800', r == '\u3164', r == '\uFFA0': // letters, marks and symbols drawn as nothing
		return true
	case r >= 0xE0100 && r <= 0xE01EF: // variation selectors supplement: can carry hidden bytes
		return true
	}
	return !unicode.IsGraphic(r) || unicode.Is(unicode.Zs, r) || unicode.Is(unicode.Co, r)
}

// cells is the width of text on a terminal. East Asian "ambiguous" letters count as one cell, whatever the locale, so
// that a report looks the same everywhere.
func cells(s string) int {
	c := runewidth.Condition{StrictEmojiNeutral: true}
	return c.StringWidth(s)
}

// fit cuts or pads text to exactly width cells.
func fit(s string, width int) string {
	if cells(s) > width {
		s = clip(s, width)
	}
	return s + strings.Repeat(" ", max(0, width-cells(s)))
}

// clip cuts text to at most width cells, and shows that it did.
func clip(s string, width int) string {
	if cells(s) <= width {
		return s
	}
	c := runewidth.Condition{StrictEmojiNeutral: true}
	return c.Truncate(s, max(1, width), "…")
}

// wrap breaks text into lines of at most width cells. first stands before the first line, rest before the others; a
// word that is longer than a line (a path, a URL) is left whole, so that it can be copied.
func wrap(text, first, rest string, width int) []string {
	width = max(width, minWidth)
	var lines []string
	line, empty := first, true
	for _, word := range strings.Fields(text) {
		if !empty && cells(line)+1+cells(word) > width {
			lines = append(lines, line)
			line, empty = rest, true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	return append(lines, line)
}

// count writes "1 rule", "2 rules".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "ry") {
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(noun, "y"))
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
