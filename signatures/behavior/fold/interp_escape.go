package fold

import (
	"math"
	"strings"
)

// unescape resolves the escapes of a string literal, template or identifier.
func unescape(s string, in *interp) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	if in != nil {
		in.work(len(s))
	}
	var units []uint16
	for i := 0; i < len(s); {
		if s[i] != '\\' || i+1 >= len(s) {
			n := charBytes(s[i:])
			units = append(units, unitsOf(s[i:i+n])...)
			i += n
			continue
		}
		i++
		switch b := s[i]; b {
		case 'n', 't', 'r', 'b', 'f', 'v':
			units = append(units, map[byte]uint16{'n': '\n', 't': '\t', 'r': '\r', 'b': '\b', 'f': '\f', 'v': '\v'}[b])
			i++
		case 'x', 'u':
			r, n := hexEscape(s[i:])
			units = append(units, unitsOf(string(wtf8Rune(r)))...)
			i += n
		case '\r':
			i++
			if i < len(s) && s[i] == '\n' {
				i++
			}
		case '\n':
			i++
		case '0', '1', '2', '3', '4', '5', '6', '7':
			v, n := 0, 0
			for n < 3 && i < len(s) && s[i] >= '0' && s[i] <= '7' && v*8+int(s[i]-'0') < 256 {
				v, n, i = v*8+int(s[i]-'0'), n+1, i+1
			}
			units = append(units, uint16(v))
		default:
			n := charBytes(s[i:])
			if c := s[i : i+n]; c != "\u2028" && c != "\u2029" {
				units = append(units, unitsOf(c)...)
			}
			i += n
		}
	}
	return string(wtf8(units))
}

// hexEscape reads xHH, uHHHH or u{H…} at the start of s.
func hexEscape(s string) (r rune, n int) {
	from, to := 1, 3
	if s[0] == 'u' {
		to = 5
		if len(s) > 1 && s[1] == '{' {
			from, to = 2, max(2, strings.IndexByte(s, '}'))
		}
	}
	if to > len(s) || from == to || to-from > 8 {
		return rune(s[0]), 1
	}
	v := digitsNumber(s[from:to], 16, true)
	if math.IsNaN(v) || v > 0x10FFFF {
		return rune(s[0]), 1
	}
	if from == 2 {
		to++
	}
	return rune(v), to
}

func wtf8Rune(r rune) []byte {
	if r >= 0xD800 && r < 0xE000 {
		return wtf8([]uint16{uint16(r)})
	}
	return []byte(string(r))
}
