package manifests

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"unicode/utf8"
)

// text reads the string at pos.
func (s *scanner) text() error {
	start, i := s.pos, s.pos+1
	for {
		i = plainEnd(s.data, i)
		if i >= len(s.data) {
			return s.fail(start, "this string is never closed")
		}
		switch c := s.data[i]; {
		case c == '"':
			s.pos = i + 1
			return nil
		case c == '\\':
			n, err := s.escape(i)
			if err != nil {
				return err
			}
			i += n
		case c == '\n':
			s.rewrite(i, i+1)
			s.out = append(s.out, `\n`...)
			i++
		case c == '\r':
			s.rewrite(i, i+1)
			s.out = append(s.out, `\r`...)
			i++
		case c < 0x20:
			return s.fail(i, fmt.Sprintf("control character U+%04X inside a string", c))
		default:
			r, n := utf8.DecodeRune(s.data[i:])
			if r == utf8.RuneError && n == 1 {
				return s.fail(i, fmt.Sprintf("byte 0x%02X is not valid UTF-8", c))
			}
			i += n
		}
	}
}

// plainEnd returns the first index from i of a byte that is not printable ASCII or that ends or escapes a string.
func plainEnd(data []byte, i int) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	// Eight bytes at a time: most bytes of a Preferences file stand in strings. Each term sets the high bit of a byte
	// that is below 0x20, a quote, or a backslash; a borrow may set false bits, but only above a true one.
	for ; i+8 <= len(data); i += 8 {
		w := binary.LittleEndian.Uint64(data[i:])
		quote, slash := w^(ones*'"'), w^(ones*'\\')
		hit := (w-ones*0x20)&^w | (quote-ones)&^quote | (slash-ones)&^slash | w
		if hit &= highs; hit != 0 {
			return i + bits.TrailingZeros64(hit)/8
		}
	}
	for i < len(data) && data[i] >= 0x20 && data[i] < 0x80 && data[i] != '"' && data[i] != '\\' {
		i++
	}
	return i
}

// escape checks the escape at i and returns its length.
func (s *scanner) escape(i int) (int, error) {
	if i+1 >= len(s.data) {
		return 0, s.fail(i, "the text ends inside a string")
	}
	switch s.data[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2, nil
	case 'x':
		if _, ok := hex(s.data, i+2, 2); !ok {
			return 0, s.fail(i, `\x needs two hex digits`)
		}
		s.rewrite(i, i+4)
		s.out = append(s.out, `\u00`...)
		s.out = append(s.out, s.data[i+2:i+4]...)
		return 4, nil
	case 'u':
		u, ok := hex(s.data, i+2, 4)
		if !ok {
			return 0, s.fail(i, `\u needs four hex digits`)
		}
		if u < 0xD800 || u > 0xDFFF {
			return 6, nil
		}
		if low, ok := hex(s.data, i+8, 4); u < 0xDC00 && ok && s.data[i+6] == '\\' && s.data[i+7] == 'u' &&
			low >= 0xDC00 && low <= 0xDFFF {
			return 12, nil
		}
		return 0, s.fail(i, "half of a surrogate pair without the other half")
	}
	return 0, s.fail(i, "unknown escape in a string")
}

// hex reads n hex digits at i.
func hex(data []byte, i, n int) (v rune, ok bool) {
	if i+n > len(data) {
		return 0, false
	}
	for _, c := range data[i : i+n] {
		switch {
		case '0' <= c && c <= '9':
			v = v<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			v = v<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return v, true
}
