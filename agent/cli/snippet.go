package cli

import (
	"bufio"
	"io"
	"io/fs"
	"strings"
	"unicode/utf8"
)

const (
	// maxPlainLine is up to where a line of code is shown as it is. People write shorter ones, programs longer ones.
	maxPlainLine = 120
	// aroundColumn is how much of a long line is looked at on each side of a place.
	aroundColumn = 400
	// maxSnippetLines bounds the lines that a place of minified code is broken into.
	maxSnippetLines = 5
	// maxCodeLine bounds each of them, in cells.
	maxCodeLine = 100
	// maxCodeRead bounds how far into a file a place is looked for. The largest real bundles are smaller.
	maxCodeRead = 16 << 20
	// codeMark stands before the line that a place is in.
	codeMark = "> "
)

// snippet gives the code at a place so that a person can read it: the line, or when it is long, what stands around the
// column, broken after ; { and } and indented. The line with the place is marked. It is nil when the place is not there.
func snippet(files fs.FS, s spotIn) []string {
	window, at, whole := lineAt(files, s)
	if window == "" || at > len(window) {
		return nil
	}
	if whole && len(window) <= maxPlainLine {
		return []string{codeMark + clean(strings.TrimSpace(strings.ReplaceAll(window, "\t", " ")), maxCodeLine)}
	}
	return pretty(window, at)
}

// A spotIn is a place in a file: line and column from 1, the column in bytes.
type spotIn struct {
	file         string
	line, column int
}

// lineAt reads the part of a line around a column. At is where the column is in it; whole says that it is all of the line.
func lineAt(files fs.FS, s spotIn) (window string, at int, whole bool) {
	if s.line < 1 || s.column < 1 || !fs.ValidPath(s.file) {
		return "", 0, false
	}
	f, err := files.Open(s.file)
	if err != nil {
		return "", 0, false
	}
	defer f.Close() // read only
	in := bufio.NewReaderSize(io.LimitReader(f, maxCodeRead), 64<<10)
	for line := 1; line < s.line; {
		_, err := in.ReadSlice('\n')
		switch {
		case err == nil:
			line++
		case err != bufio.ErrBufferFull:
			return "", 0, false
		}
	}
	start := max(0, s.column-1-aroundColumn)
	if _, err := io.CopyN(io.Discard, in, int64(start)); err != nil {
		return "", 0, false
	}
	buf := make([]byte, s.column-1-start+aroundColumn)
	n, err := io.ReadFull(in, buf)
	text, _, ended := strings.Cut(string(buf[:n]), "\n")
	ended = ended || err != nil
	return strings.TrimSuffix(text, "\r"), s.column - 1 - start, start == 0 && ended
}

// pretty breaks code into short lines and keeps those around a place. It knows no grammar: it only has to be readable.
func pretty(code string, at int) []string {
	lines := breakCode(code)
	here := 0
	for i, l := range lines {
		if at >= l.start {
			here = i
		}
	}
	from := max(0, min(here-maxSnippetLines/2, len(lines)-maxSnippetLines))
	shown := lines[from:min(len(lines), from+maxSnippetLines)]
	if len(shown) == 0 {
		return nil
	}
	least := shown[0].depth
	for _, l := range shown {
		least = min(least, l.depth)
	}
	out := make([]string, 0, len(shown))
	for i, l := range shown {
		mark, text := strings.Repeat(" ", len(codeMark)), strings.Map(blank, l.text)
		if from+i == here {
			mark, text = codeMark, visible(text, at-l.start)
		}
		out = append(out, mark+clean(strings.Repeat("  ", min(l.depth-least, 6))+text, maxCodeLine))
	}
	return out
}

// blank makes white space of any kind a space.
func blank(r rune) rune {
	if r == '\t' || r == '\n' || r == '\r' {
		return ' '
	}
	return r
}

// visible leaves out the beginning of a line whose place would be cut off at its end.
func visible(text string, at int) string {
	const before = maxCodeLine / 3
	if cells(text) <= maxCodeLine || at <= 2*before || at > len(text) {
		return text
	}
	start := at - before
	for start < at && !utf8.RuneStart(text[start]) {
		start++
	}
	return "…" + text[start:]
}

// A codeLine is a piece of code that gets a line of its own.
type codeLine struct {
	text         string
	start, depth int
}

// breakCode breaks after ; { and }, but not within strings and the heads of loops.
func breakCode(code string) []codeLine {
	var lines []codeLine
	depth, start, parens := 0, 0, 0
	quote := byte(0)
	cut := func(end int) {
		piece := code[start:end]
		if text := strings.TrimSpace(piece); text != "" {
			lines = append(lines, codeLine{text, start + strings.Index(piece, text), depth})
		}
		start = end
	}
	for i := 0; i < len(code); i++ {
		c := code[i]
		switch {
		case quote != 0:
			if c == '\\' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' || c == '`':
			if strings.IndexByte(code[i+1:], c) >= 0 { // else the window cuts it off, or it is none
				quote = c
			}
		case c == '(':
			parens++
		case c == ')':
			parens = max(0, parens-1)
		case c == ';' && parens == 0:
			cut(i + 1)
		case c == '{':
			cut(i + 1)
			depth, parens = depth+1, 0
		case c == '}':
			cut(i)
			depth = max(0, depth-1)
			for i+1 < len(code) && strings.IndexByte(");,", code[i+1]) >= 0 {
				i++
			}
			cut(i + 1)
		}
	}
	cut(len(code))
	return lines
}
