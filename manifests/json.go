package manifests

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// maxDepth is how many objects and arrays may stand inside each other. Chromium's limit of 200 counts the step into
// the innermost value, so 199 containers pass and 200 do not (measured on Chromium 156.0.8078.79, Linux).
const maxDepth = 199

// A SyntaxError says where and why a JSON text is not one that Chromium accepts.
type SyntaxError struct {
	Offset       int64 // bytes from the start
	Line, Column int   // from 1; the column counts characters
	Reason       string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Reason)
}

// Standardize turns the JSON dialect that Chromium's reader accepts into standard JSON. Beyond the standard it allows
//
//   - a UTF-8 byte order mark at the start,
//   - comments wherever white space may stand: // to the next line feed, and /* to the next */, whose star may be the
//     opening one (/*/ is a whole comment),
//   - the escape \xHH for U+00HH,
//   - raw line feeds and carriage returns inside strings.
//
// Everything else is strict: no trailing comma, no \v or \', no other control character in a string, no invalid UTF-8
// outside comments, no lone surrogate, no number beyond a float64, nothing after the value, at most 199 containers
// inside each other. All of it was measured on Chromium 156.0.8078.79, Linux.
//
// Text that is standard already comes back as the same slice; otherwise the result is a copy. Comments become spaces,
// so that they move no line. The error is a *SyntaxError.
func Standardize(data []byte) ([]byte, error) {
	s := scanner{data: data}
	if bytes.HasPrefix(data, []byte("\xEF\xBB\xBF")) {
		s.pos, s.copied = 3, 3
	}
	if err := s.scan(); err != nil {
		return nil, err
	}
	if s.out == nil {
		return data[s.copied:], nil
	}
	return append(s.out, data[s.copied:]...), nil
}

// A scanner checks data in one pass. It copies to out only from the first place that is not standard.
type scanner struct {
	data   []byte
	pos    int
	out    []byte // what was rewritten so far; nil while all is standard
	copied int    // data[:copied] is done with: dropped or in out
	stack  [maxDepth]byte
	depth  int
}

// scan reads one value and the end of the text. It keeps its own stack, so that nesting costs no goroutine stack.
func (s *scanner) scan() error {
	for more := true; more; {
		whole, err := s.begin()
		if err != nil {
			return err
		}
		if !whole {
			continue
		}
		if more, err = s.follow(); err != nil {
			return err
		}
	}
	if _, err := s.peek(); err != nil {
		return err
	}
	if s.pos < len(s.data) {
		return s.fail(s.pos, "there is more text after the end of the value")
	}
	return nil
}

// begin reads a scalar, an empty container, or the opening of a container up to where its first value starts.
// It reports whether the value is complete.
func (s *scanner) begin() (whole bool, err error) {
	c, err := s.peek()
	if err != nil {
		return false, err
	}
	switch {
	case c == '"':
		return true, s.text()
	case c == '{' || c == '[':
		if s.depth == maxDepth {
			return false, s.fail(s.pos, "objects and arrays are nested deeper than browsers allow (199)")
		}
		closer := c + 2 // '{'+2 is '}' and '['+2 is ']'
		s.stack[s.depth] = closer
		s.depth++
		s.pos++
		if c, err = s.peek(); err != nil {
			return false, err
		}
		if c == closer {
			s.depth--
			s.pos++
			return true, nil
		}
		if closer == '}' {
			return false, s.key()
		}
		return false, nil
	case c == '-' || '0' <= c && c <= '9':
		return true, s.number()
	case c == 't':
		return true, s.literal("true")
	case c == 'f':
		return true, s.literal("false")
	case c == 'n':
		return true, s.literal("null")
	}
	return false, s.unexpected("a value")
}

// follow reads what stands after a complete value: closing brackets, or a comma (and the next key). It reports
// whether another value must follow.
func (s *scanner) follow() (more bool, err error) {
	for s.depth > 0 {
		closer := s.stack[s.depth-1]
		c, err := s.peek()
		switch {
		case err != nil:
			return false, err
		case c == closer:
			s.depth--
			s.pos++
			continue
		case c != ',':
			return false, s.unexpected("a comma or " + string(rune(closer)))
		}
		comma := s.pos
		s.pos++
		if c, err = s.peek(); err != nil {
			return false, err
		}
		if c == closer {
			return false, s.fail(comma, "there is a comma after the last entry")
		}
		if closer == '}' {
			err = s.key()
		}
		return true, err
	}
	return false, nil
}

// key reads a member's name and the colon after it.
func (s *scanner) key() error {
	if c, err := s.peek(); err != nil {
		return err
	} else if c != '"' {
		return s.unexpected("a key in double quotes")
	}
	if err := s.text(); err != nil {
		return err
	}
	if c, err := s.peek(); err != nil {
		return err
	} else if c != ':' {
		return s.unexpected("a colon")
	}
	s.pos++
	return nil
}

// peek skips white space and comments. At the end of the text it returns 0, which begins no token either.
func (s *scanner) peek() (byte, error) {
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; c {
		case ' ', '\n', '\t', '\r':
			s.pos++
		case '/':
			if err := s.comment(); err != nil {
				return 0, err
			}
		default:
			return c, nil
		}
	}
	return 0, nil
}

// comment blanks the comment at pos. Its bytes need not be UTF-8.
func (s *scanner) comment() error {
	rest := s.data[s.pos+1:]
	end := len(s.data)
	switch {
	case bytes.HasPrefix(rest, []byte("/")):
		// Only a line feed ends it; a carriage return does not.
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			end = s.pos + 1 + i
		}
	case bytes.HasPrefix(rest, []byte("*")):
		i := bytes.Index(rest, []byte("*/"))
		if i < 0 {
			return s.fail(s.pos, "this comment is never closed")
		}
		end = s.pos + 1 + i + 2
	default:
		return s.unexpected("a value or a comment")
	}
	s.rewrite(s.pos, end)
	for _, c := range s.data[s.pos:end] {
		if c != '\n' {
			c = ' '
		}
		s.out = append(s.out, c)
	}
	s.pos = end
	return nil
}

// number reads the number at pos.
func (s *scanner) number() error {
	start, i := s.pos, s.pos
	if s.data[i] == '-' {
		i++
	}
	digits := s.digits(i)
	if digits == 0 || digits > 1 && s.data[i] == '0' {
		return s.fail(start, "this is not a valid number")
	}
	i += digits
	if i < len(s.data) && s.data[i] == '.' {
		if digits = s.digits(i + 1); digits == 0 {
			return s.fail(start, "this is not a valid number")
		}
		i += 1 + digits
	}
	exponent := 0
	if i < len(s.data) && s.data[i]|0x20 == 'e' {
		i++
		if i < len(s.data) && (s.data[i] == '+' || s.data[i] == '-') {
			i++
		}
		if exponent = s.digits(i); exponent == 0 {
			return s.fail(start, "this is not a valid number")
		}
		i += exponent
	}
	// Fewer than 200 digits and an exponent below 100 always fit a float64.
	if i-start >= 200 || exponent > 2 {
		if _, err := strconv.ParseFloat(string(s.data[start:i]), 64); err != nil {
			return s.fail(start, "this number is too large")
		}
	}
	s.pos = i
	return nil
}

// digits counts the decimal digits at i.
func (s *scanner) digits(i int) int {
	n := 0
	for i+n < len(s.data) && '0' <= s.data[i+n] && s.data[i+n] <= '9' {
		n++
	}
	return n
}

func (s *scanner) literal(word string) error {
	if !bytes.HasPrefix(s.data[s.pos:], []byte(word)) {
		return s.unexpected("a value")
	}
	s.pos += len(word)
	return nil
}

// rewrite copies what came before data[from:to] to out and drops data[from:to]; the caller appends what replaces it.
func (s *scanner) rewrite(from, to int) {
	if s.out == nil {
		s.out = make([]byte, 0, len(s.data)+len(s.data)/8+16)
	}
	s.out = append(s.out, s.data[s.copied:from]...)
	s.copied = to
}

func (s *scanner) unexpected(want string) error {
	if s.pos >= len(s.data) {
		return s.fail(s.pos, "the text ends where "+want+" should stand")
	}
	r, _ := utf8.DecodeRune(s.data[s.pos:])
	return s.fail(s.pos, fmt.Sprintf("found %q where %s should stand", r, want))
}

func (s *scanner) fail(offset int, reason string) error { return syntaxError(s.data, offset, reason) }

func syntaxError(data []byte, offset int, reason string) *SyntaxError {
	before := data[:offset]
	return &SyntaxError{
		Offset: int64(offset),
		Line:   1 + bytes.Count(before, []byte("\n")),
		Column: 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]),
		Reason: reason,
	}
}
