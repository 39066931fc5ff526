package signatures

import (
	"bytes"
	"strings"
)

// A span is a part of a file, from (included) to (excluded).
type span struct{ from, to int }

// comments returns where the comments of a script are: what stands there is not run. It errs towards code, so that
// nothing that runs is taken for a comment: a block that is not closed is none, and neither are the slashes of a URL.
func comments(as readAs, data []byte) []span {
	if as == asPage {
		return blocks(data, "<!--", "-->")
	}
	sc := commentScanner{data: data, budget: len(data)}
	for sc.at < len(data) && sc.budget >= 0 {
		sc.step()
	}
	return sc.found
}

func blocks(data []byte, open, end string) []span {
	var out []span
	for at := 0; ; {
		from := bytes.Index(data[at:], []byte(open))
		if from < 0 {
			return out
		}
		from += at
		n := bytes.Index(data[from+len(open):], []byte(end))
		if n < 0 {
			return out
		}
		at = from + len(open) + n + len(end)
		out = append(out, span{from, at})
	}
}

// A commentScanner walks through JavaScript and knows just enough of it to tell a comment from the slashes in strings,
// templates and regular expressions.
type commentScanner struct {
	data  []byte
	at    int
	last  byte  // last character of code that is no space, 0 at the beginning
	depth int   // open braces
	holes []int // for each template that is open: depth of its ${
	found []span
	// budget bounds what is looked at in vain, so that the time stays in proportion to the file.
	budget int
}

func (sc *commentScanner) step() {
	c := sc.data[sc.at]
	switch {
	case c == '\'' || c == '"':
		sc.at = quoted(sc.data, sc.at)
	case c == '`':
		sc.template()
	case c == '{':
		sc.depth++
		sc.at++
	case c == '}':
		sc.at++
		if n := len(sc.holes); n > 0 && sc.holes[n-1] == sc.depth {
			sc.holes = sc.holes[:n-1]
			sc.depth--
			sc.at-- // the brace stands for the quote that opens the rest
			sc.template()
			return
		}
		sc.depth--
	case c == '/':
		if sc.slash() {
			return // a comment is no code
		}
	case c == ' ' || c == '\t' || c == '\r' || c == '\n':
		sc.at++
		return
	default:
		sc.at++
	}
	sc.last = c
}

// slash passes what a slash begins, and reports whether that was a comment.
func (sc *commentScanner) slash() bool {
	rest := sc.data[sc.at:]
	switch {
	case bytes.HasPrefix(rest, []byte("//")) && (sc.at == 0 || sc.data[sc.at-1] != ':'):
		n := bytes.IndexAny(rest, "\r\n\u2028\u2029")
		if n < 0 {
			n = len(rest)
		}
		sc.found = append(sc.found, span{sc.at, sc.at + n})
		sc.at += n
		return true
	case bytes.HasPrefix(rest, []byte("/*")):
		if n := bytes.Index(rest[2:], []byte("*/")); n >= 0 {
			sc.found = append(sc.found, span{sc.at, sc.at + n + 4})
			sc.at += n + 4
			return true
		}
		sc.budget -= len(rest)
	case sc.operand():
		if end := expression(rest); end > 0 {
			sc.at += end
			return false
		}
		line, _, _ := bytes.Cut(rest, []byte{'\n'})
		sc.budget -= len(line)
	}
	sc.at++
	return false
}

// operand reports whether a slash begins a regular expression here rather than divides: after an operator or return.
// After a parenthesis it may be either; a space behind the slash tells a division.
func (sc *commentScanner) operand() bool {
	if sc.last == 0 || strings.IndexByte("(,=:[!&|?{};+-*%~^<>", sc.last) >= 0 {
		return true
	}
	if sc.at+1 >= len(sc.data) || sc.data[sc.at+1] == ' ' {
		return false
	}
	before := bytes.TrimRight(sc.data[max(0, sc.at-len("return  ")):sc.at], " \t")
	return sc.last == ')' || bytes.HasSuffix(before, []byte("return"))
}

// quoted returns where a string ends. It ends with its line unless a backslash stands before the end.
func quoted(data []byte, at int) int {
	quote := data[at]
	for at++; at < len(data); at++ {
		switch data[at] {
		case '\\':
			at++
		case quote:
			return at + 1
		case '\n':
			return at
		}
	}
	return len(data)
}

// expression returns the length of a regular expression with its slashes, or 0 when there is none on this line.
func expression(data []byte) int {
	class := false
	for at := 1; at < len(data); at++ {
		switch c := data[at]; {
		case c == '\\':
			at++
		case c == '\n':
			return 0
		case c == '[':
			class = true
		case c == ']':
			class = false
		case c == '/' && !class:
			return at + 1
		}
	}
	return 0
}

// template passes a template up to its end or its next ${.
func (sc *commentScanner) template() {
	for sc.at++; sc.at < len(sc.data); sc.at++ {
		switch c := sc.data[sc.at]; {
		case c == '\\':
			sc.at++
		case c == '`':
			sc.at++
			return
		case c == '$' && sc.at+1 < len(sc.data) && sc.data[sc.at+1] == '{':
			sc.depth++
			sc.holes = append(sc.holes, sc.depth)
			sc.at += 2
			return
		}
	}
	sc.at = len(sc.data)
}
