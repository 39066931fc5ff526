package syntax

import (
	"encoding/json"
	"slices"
	"unicode/utf8"
)

// A mapping says which place of the original a place of the generated text comes from. Columns are in UTF-16 units.
type mapping struct {
	line, column         int
	fromLine, fromColumn int
}

// readSourceMap returns a function from offsets in the generated text to offsets in the original.
func readSourceMap(data, generated, original []byte) func(offset int) int {
	var m struct {
		Mappings string `json:"mappings"`
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return func(int) int { return 0 } // cannot happen: the parser beside us wrote it
	}
	mappings := decodeMappings(m.Mappings)
	ascii := onlyASCII(original)
	here, there := NewPosition(generated), NewPosition(original)
	return func(offset int) int {
		line, column := here.At(offset)
		column = units16(generated[offset-column : min(offset, len(generated))])
		i, found := slices.BinarySearchFunc(mappings, mapping{line: line, column: column}, func(a, b mapping) int {
			if a.line != b.line {
				return a.line - b.line
			}
			return a.column - b.column
		})
		if !found {
			i--
		}
		if i < 0 {
			return 0
		}
		if ascii {
			return there.offsetOf(mappings[i].fromLine, mappings[i].fromColumn)
		}
		start := there.offsetOf(mappings[i].fromLine, 0)
		return start + bytes8(original[start:], mappings[i].fromColumn)
	}
}

func onlyASCII(text []byte) bool {
	for _, c := range text {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// units16 counts the UTF-16 units of a text.
func units16(text []byte) (n int) {
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		text = text[size:]
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// bytes8 returns how many bytes the first n UTF-16 units of a text take.
func bytes8(text []byte, n int) (offset int) {
	for n > 0 && offset < len(text) {
		r, size := utf8.DecodeRune(text[offset:])
		offset += size
		n--
		if r > 0xFFFF {
			n--
		}
	}
	return offset
}

// decodeMappings reads the "mappings" of a source map, version 3: lines are parted by semicolons, segments by commas,
// and each number is the difference to the one before, in base 64 with a bit that says that more follows.
func decodeMappings(text string) []mapping {
	var out []mapping
	var now mapping
	var fields [5]int
	n, value, shift := 0, 0, 0
	end := func() {
		if n >= 4 {
			now.column += fields[0]
			now.fromLine += fields[2]
			now.fromColumn += fields[3]
			out = append(out, now)
		} else if n >= 1 {
			now.column += fields[0]
		}
		n, value, shift = 0, 0, 0
	}
	for i := range len(text) {
		switch c := text[i]; c {
		case ';':
			end()
			now.line++
			now.column = 0
		case ',':
			end()
		default:
			digit := base64Digit(c)
			value |= digit & 31 << shift
			shift += 5
			if digit&32 != 0 && shift < 35 {
				continue
			}
			v := value >> 1
			if value&1 != 0 {
				v = -v
			}
			if n < len(fields) {
				fields[n] = v
				n++
			}
			value, shift = 0, 0
		}
	}
	end()
	return out
}

func base64Digit(c byte) int {
	switch {
	case 'A' <= c && c <= 'Z':
		return int(c - 'A')
	case 'a' <= c && c <= 'z':
		return int(c-'a') + 26
	case '0' <= c && c <= '9':
		return int(c-'0') + 52
	case c == '+':
		return 62
	}
	return 63
}
