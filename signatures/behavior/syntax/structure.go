package syntax

import (
	"bytes"

	"github.com/extwatch/extwatch/signatures/behavior/coins"
	"github.com/extwatch/extwatch/signatures/behavior/fold"
)

// A structure finds out which signs belong together, without a parser.
type structure struct {
	text    []byte
	page    bool // it runs in pages of the web
	open    []opened
	cold    []body // of cold functions, in order, none within another
	words   int
	hots    int    // sources, sinks and ways to other scripts, so far
	warms   int    // other words that the engine looks for
	curves  int    // calls of methods of a library for curves
	row     int    // texts or numbers in a row
	prior   byte   // the last sign, or one of the prior… constants
	closed  opened // the last closed parenthesis
	extends bool   // in the head of a class
}

// What the last token was, where it was no sign.
const (
	priorName    = 'a'
	priorKeyword = 'k' // one before an expression
	priorControl = 'c' // if, for, while, with, switch, catch
	priorArrow   = 'A'
)

// A body of a function.
type body struct {
	start, end int
	instead    []byte
}

type opened struct {
	sign   byte
	head   int8
	start  int
	words  int
	hots   int
	warms  int
	curves int
	module []byte // of a body: the first parameter, when it may be a module of a bundle
	tiny   int    // functions right in it that only return something
	before int    // number of cold bodies before it
}

// What stands before an opening sign.
const (
	headNone    int8 = iota
	headOperand      // a call, an index, or the parameters of a function
	headControl
	headBody // of a brace: it holds the body of a function
)

// read reads the whole script, and reports whether its signs are in balance.
func (s *structure) read() bool {
	for i := 0; i >= 0 && i < len(s.text); {
		c := s.text[i]
		switch {
		case wordBytes[c]:
			i = s.word(i)
		case c <= ' ':
			i++
		case IsQuote(c):
			i = s.quoted(i, c)
		case c == '/':
			i = s.slash(i)
		case c == '(' || c == '[' || c == '{':
			i = s.begin(i, c)
		case c == ')' || c == ']' || c == '}':
			i = s.end(i, c)
		default:
			if c != ',' {
				s.row = 0
			}
			switch {
			case c == '>' && s.text[max(i-1, 0)] == '=':
				c = priorArrow
			case (c == '+' || c == '-') && s.text[max(i-1, 0)] == c:
				c = priorName // x++
			}
			s.prior = c
			i++
		}
		if i < 0 {
			return false
		}
	}
	return len(s.open) == 0
}

// word reads a name, a keyword or a number.
func (s *structure) word(start int) int {
	i := start + 1
	for i < len(s.text) && wordBytes[s.text[i]] {
		i++
	}
	w := s.text[start:i]
	s.words++
	if w[0] >= '0' && w[0] <= '9' {
		s.prior = priorName
		s.inRow()
		return i
	}
	s.row = 0
	class := outlineWords.Of(w)
	switch {
	case class == warmWord, class == pageWord && !s.page, class == rootWord && askedOnly(s.text, start, i), len(w) == 1 && w[0] == '$':
		s.warms++
	case class == hotWord, class == pageWord, class == rootWord, len(w) > 3 && w[0] == '_' && w[1] == '0' && w[2] == 'x':
		s.hots++
	case len(w) == 5 && string(w) == "shift" && bytes.HasPrefix(s.text[i:], []byte("())")):
		s.hots++ // turns an array: a.push(a.shift())
	}
	before := s.prior
	s.prior = priorName
	if i < len(s.text) && s.text[i] == '(' && signs(w, class, before == '.') {
		s.curves++
	}
	if before == '.' {
		return i
	}
	switch class {
	case controlWord:
		s.prior = priorControl
	case operatorWord:
		if before != priorControl { // for await (
			s.prior = priorKeyword
		} else {
			s.prior = priorControl
		}
	case extendsWord:
		s.extends = true
	default:
		switch string(w) {
		case "if":
			s.prior = priorControl
		case "in", "of", "do":
			s.prior = priorKeyword
		}
	}
	return i
}

func (s *structure) inRow() {
	if s.row++; s.row >= longRow {
		s.warms++
	}
}

// quoted reads a text or a template.
func (s *structure) quoted(start int, quote byte) int {
	if quote == '`' {
		return s.template(start + 1)
	}
	escaped := false
	for i := start + 1; i < len(s.text); i++ {
		switch s.text[i] {
		case quote:
			s.literal(s.text[start+1:i], escaped)
			s.prior = priorName
			return i + 1
		case '\\':
			escaped = true
			i++
		case '\n':
			return -1
		}
	}
	return -1
}

// literal looks at a text as the engine does.
func (s *structure) literal(text []byte, escaped bool) {
	s.words++
	s.inRow()
	class := outlineWords.Of(text)
	switch {
	case class == hotWord, class == pageWord && s.page, foreign(text):
		s.hots++
	case escaped, class == warmWord, class == pageWord, class == rootWord, len(text) >= fold.MinBase64, bytes.Contains(text, scheme),
		len(text) > 2 && text[1] == '|' && IsWordByte(text[0]) && IsWordByte(text[2]): // "2|0|1": an order of statements
		s.warms++
	case len(text) >= 26 && len(text) <= 90:
		if kind, _ := coins.Tell(string(text)); kind != "" {
			s.hots++
		}
	}
}

// foreign reports whether a text holds the address of a server, other than of the specifications and manuals that
// libraries name.
func foreign(text []byte) bool {
	i := bytes.Index(text, scheme)
	if i < 0 || !ContactScheme(text[:i]) {
		return false
	}
	host := text[i+len(scheme):]
	for _, known := range [...]string{"www.w3.org", "github.com", "reactjs.org", "react.dev", "developer.mozilla.org", "fb.me",
		"json-schema.org", "vuejs.org", "tools.ietf.org", "angular.io", "bit.ly", "goo.gl", "git.io"} {
		if bytes.HasPrefix(host, []byte(known)) {
			return false
		}
	}
	return true
}

// askedOnly reports whether the name of the browser's object stands where it leads to nothing: libraries ask for it to
// know which browser they are in.
func askedOnly(text []byte, start, end int) bool {
	before := bytes.TrimRight(text[max(0, start-12):start], " ")
	switch {
	case bytes.HasSuffix(before, []byte("typeof")), end < len(text) && text[end] == ':':
		return true
	case bytes.HasSuffix(before, []byte(".")):
		for _, root := range [...]string{"window.", "self.", "globalThis.", "top.", "this.", "global."} {
			if bytes.HasSuffix(before, []byte(root)) {
				return false
			}
		}
		return true
	}
	return false
}

// template reads a template from behind its first sign, or from behind an expression in it.
func (s *structure) template(i int) int {
	start := i
	for ; i < len(s.text); i++ {
		switch s.text[i] {
		case '`':
			if bytes.Contains(s.text[start:i], scheme) {
				s.hots++
			}
			s.prior, s.row = priorName, 0
			return i + 1
		case '\\':
			i++
		case '$':
			if i+1 < len(s.text) && s.text[i+1] == '{' {
				if bytes.Contains(s.text[start:i], scheme) {
					s.hots++
				}
				s.prior = ';'
				return s.push(i+1, opened{sign: '$'})
			}
		}
	}
	return -1
}

// slash reads a comment, a regular expression or a division.
func (s *structure) slash(i int) int {
	if i+1 < len(s.text) {
		switch s.text[i+1] {
		case '/':
			end := bytes.IndexByte(s.text[i:], '\n')
			if end < 0 {
				return len(s.text)
			}
			return i + end
		case '*':
			end := bytes.Index(s.text[i+2:], []byte("*/"))
			if end < 0 {
				return -1
			}
			return i + 2 + end + 2
		}
	}
	s.row = 0
	if s.operand() {
		s.prior = '/'
		return i + 1
	}
	class := false
	for i++; i < len(s.text); i++ {
		switch s.text[i] {
		case '\\':
			i++
		case '[':
			class = true
		case ']':
			class = false
		case '/':
			if !class {
				s.prior = priorName
				return i + 1
			}
		case '\n':
			return -1
		}
	}
	return -1
}

// operand reports whether a value stands before, so that an operator follows.
func (s *structure) operand() bool {
	return s.prior == priorName || s.prior == ']' || s.prior == ')' && s.closed.head != headControl
}

func (s *structure) push(i int, o opened) int {
	if len(s.open) >= maxOpen {
		return -1
	}
	o.start, o.words, o.hots, o.warms, o.curves, o.before = i, s.words, s.hots, s.warms, s.curves, len(s.cold)
	s.open = append(s.open, o)
	return i + 1
}

func (s *structure) begin(i int, c byte) int {
	o := opened{sign: c}
	switch {
	case c != '{' && s.prior == priorControl:
		o.head = headControl
	case c != '{' && s.operand():
		o.head = headOperand
	case c == '{' && s.extends:
		s.extends = false
	case c == '{' && (s.prior == priorArrow || s.prior == ')' && s.closed.head != headControl):
		o.head, o.module = headBody, s.module(i)
	}
	s.prior = c
	return s.push(i, o)
}

// module returns the first parameter of a function that may be a module of a bundle: 12:(e,t,n)=>{ or 12:function(e){
func (s *structure) module(at int) []byte {
	if s.prior == priorName || s.closed.start == 0 {
		return nil
	}
	head := bytes.TrimRight(bytes.TrimSuffix(bytes.TrimRight(s.text[:s.closed.start], " "), []byte("function")), " ")
	list := s.text[s.closed.start+1 : at]
	i := bytes.IndexAny(list, ",)")
	if i <= 0 || !bytes.HasSuffix(head, []byte(":")) && !bytes.HasSuffix(head, []byte(",")) && !bytes.HasSuffix(head, []byte("[")) {
		return nil
	}
	for _, c := range list[:i] {
		if !wordBytes[c] {
			return nil
		}
	}
	if rest := bytes.TrimLeft(list[i+1:], " "); bytes.HasPrefix(rest, []byte("module,")) {
		return rest[:len("module")] // browserify's (require, module, exports)
	}
	return list[:i]
}

func (s *structure) end(i int, c byte) int {
	n := len(s.open) - 1
	if n < 0 {
		return -1
	}
	o := s.open[n]
	s.open = s.open[:n]
	switch {
	case c == ')' && o.sign == '(':
		s.closed = o
		if o.head == headControl && bytes.HasSuffix(s.text[:i], []byte("++]")) {
			s.warms++ // switch (order[i++])
		}
	case c == ']' && o.sign == '[':
		if o.head == headOperand && s.prior == ')' {
			s.warms++ // the engine looks at members whose names are calls
		}
	case c == '}' && o.sign == '{':
		s.body(o, i+1)
	case c == '}' && o.sign == '$':
		return s.template(i + 1)
	default:
		return -1
	}
	s.prior, s.row = c, 0
	return i + 1
}

// body notes the body of a function that ends here, when it is cold.
func (s *structure) body(o opened, end int) {
	if o.tiny >= fold.MinWrappers {
		s.warms++
	}
	if o.head != headBody {
		return
	}
	words := s.words - o.words
	if n := len(s.open); words <= 4 && n > 0 && bytes.HasPrefix(bytes.TrimLeft(s.text[o.start+1:end], " \t\r\n"), []byte("return")) {
		s.open[n-1].tiny++
	}
	if s.hots != o.hots || words < coldWords || s.warms != o.warms && words < libraryWords {
		return
	}
	b := body{start: o.start, end: end, instead: coldBody}
	switch {
	case o.module != nil:
		b.instead = coldModule(o.module)
	case s.curves != o.curves && words <= curveWords:
		b.instead = curveBody
	}
	s.cold = append(s.cold[:o.before], b)
}

// scheme is what stands between the scheme of an address and its host.
var scheme = []byte("://")

// signs is Signs for a word of a script that a parenthesis follows. Where no dot stands before it, it may as well be the
// name of a method that is made there: then only those count that say what they sign.
func signs(w []byte, class temper, member bool) bool {
	switch {
	case class != 0:
		return class == curveWord && member
	case w[0] == 's':
		return Signs(string(w))
	}
	return member && (bytes.HasSuffix(w, []byte("Address")) || bytes.HasSuffix(w, []byte("PublicKey"))) && Signs(string(w))
}
