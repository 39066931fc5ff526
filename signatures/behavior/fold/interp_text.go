package fold

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A jsRope is a text joined from two, laid flat when somebody reads it: code that builds a long text character by character
// would copy it each time otherwise.
type jsRope struct {
	left, right jsv // string or *jsRope; nil when text is set
	bytes       int
	units       int
	text        string
}

// flat lays a rope flat and leaves other values as they are.
func flat(v jsv) jsv {
	r, ok := v.(*jsRope)
	if !ok {
		return v
	}
	if r.left == nil {
		return r.text
	}
	buf := make([]byte, r.bytes)
	at := len(buf)
	for todo := []jsv{r}; len(todo) > 0; {
		last := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		switch v := last.(type) {
		case string:
			at -= copy(buf[at-len(v):], v)
		case *jsRope:
			if v.left == nil {
				at -= copy(buf[at-len(v.text):], v.text)
			} else {
				todo = append(todo, v.left, v.right)
			}
		}
	}
	r.text = joinSurrogates(string(buf))
	r.left, r.right = nil, nil
	r.bytes = len(r.text)
	return r.text
}

// joinSurrogates turns halves of a character that came to stand side by side into the character.
func joinSurrogates(s string) string {
	for i := 0; i+6 <= len(s); {
		j := strings.IndexByte(s[i:], 0xED)
		if j < 0 {
			break
		}
		i += j
		if i+6 <= len(s) && s[i+1] >= 0xA0 && s[i+1] < 0xB0 && s[i+3] == 0xED && s[i+4] >= 0xB0 {
			return string(wtf8(unitsOf(s)))
		}
		i++
	}
	return s
}

// unitsOf gives the UTF-16 code units of a text.
func unitsOf(s string) []uint16 {
	out := make([]uint16, 0, len(s))
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 && i+2 < len(s) && s[i] == 0xED {
			r, n = rune(s[i]&0x0F)<<12|rune(s[i+1]&0x3F)<<6|rune(s[i+2]&0x3F), 3
		}
		if r >= 0x10000 {
			hi, lo := utf16.EncodeRune(r)
			out = append(out, uint16(hi), uint16(lo))
		} else {
			out = append(out, uint16(r))
		}
		i += n
	}
	return out
}

// wtf8 is UTF-8 with lone surrogates as three bytes.
func wtf8(units []uint16) []byte {
	out := make([]byte, 0, len(units)+8)
	for i := 0; i < len(units); i++ {
		u := rune(units[i])
		if !utf16.IsSurrogate(u) {
			out = utf8.AppendRune(out, u)
			continue
		}
		if i+1 < len(units) {
			if r := utf16.DecodeRune(u, rune(units[i+1])); r != utf8.RuneError {
				out = utf8.AppendRune(out, r)
				i++
				continue
			}
		}
		out = append(out, 0xE0|byte(u>>12), 0x80|byte(u>>6&0x3F), 0x80|byte(u&0x3F))
	}
	return out
}

// wideText remembers the code units of a long text, for code that reads it character by character.
type wideText struct {
	s     string
	ascii bool
	units []uint16
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// wide gives access to the code units of s: the bytes themselves when ascii, else units.
func (in *interp) wide(s string) (ascii bool, units []uint16) {
	if len(s) <= 16 && isASCII(s) {
		return true, nil
	}
	for i := range in.wides {
		if w := &in.wides[i]; len(w.s) == len(s) && w.s == s {
			return w.ascii, w.units
		}
	}
	in.work(len(s))
	w := wideText{s: s, ascii: isASCII(s)}
	if !w.ascii {
		in.take(2 * len(s))
		w.units = unitsOf(s)
	}
	in.wides[in.nextW%len(in.wides)] = w
	in.nextW++
	return w.ascii, w.units
}

func (in *interp) length(s string) int {
	ascii, units := in.wide(s)
	if ascii {
		return len(s)
	}
	return len(units)
}

// unit is the code unit at i, which must be in range.
func (in *interp) unit(s string, i int) uint16 {
	ascii, units := in.wide(s)
	if ascii {
		return uint16(s[i])
	}
	return units[i]
}

// slice is the text from code unit i to j, which must be in range.
func (in *interp) slice(s string, i, j int) string {
	ascii, units := in.wide(s)
	if ascii {
		return s[i:j]
	}
	in.take(3 * (j - i))
	return string(wtf8(units[i:j]))
}

// concat is a + b for texts.
func (in *interp) concat(a, b jsv) jsv {
	la, lb := textBytes(a), textBytes(b)
	switch {
	case lb == 0:
		return a
	case la == 0:
		return b
	case la+lb > maxStringBytes:
		in.fail("text too long")
	}
	if la+lb <= 64 {
		in.take(la + lb)
		return joinSurrogates(flat(a).(string) + flat(b).(string))
	}
	in.take(80)
	return &jsRope{left: a, right: b, bytes: la + lb, units: in.textUnits(a) + in.textUnits(b)}
}

func textBytes(v jsv) int {
	if r, ok := v.(*jsRope); ok {
		return r.bytes
	}
	return len(v.(string))
}

func (in *interp) textUnits(v jsv) int {
	if r, ok := v.(*jsRope); ok {
		return r.units
	}
	return in.length(v.(string))
}

// number boxes a number. Most numbers in decoders are small, and boxing costs them as much as the arithmetic does.
func number(n float64) jsv {
	if i := int(n); i > 0 && i < len(smallNumbers) && float64(i) == n {
		return smallNumbers[i]
	}
	return n
}

var smallNumbers = func() (list [1024]jsv) {
	for i := range list {
		list[i] = float64(i)
	}
	return list
}()

// numberText is Number.prototype.toString in base 10.
func numberText(n float64) string {
	switch {
	case n != n:
		return "NaN"
	case math.IsInf(n, 1):
		return "Infinity"
	case math.IsInf(n, -1):
		return "-Infinity"
	case n == 0:
		return "0"
	case n == math.Trunc(n) && math.Abs(n) < 1e15:
		return strconv.FormatInt(int64(n), 10)
	}
	if a := math.Abs(n); a >= 1e-6 && a < 1e21 {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	s := strconv.FormatFloat(n, 'e', -1, 64)
	mantissa, exp, _ := strings.Cut(s, "e")
	sign := exp[:1]
	return mantissa + "e" + sign + strings.TrimLeft(exp[1:], "0")
}

// radixText is Number.prototype.toString(radix).
func radixText(n float64, radix int) string {
	if radix == 10 || n != n || math.IsInf(n, 0) {
		return numberText(n)
	}
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	whole, frac := math.Modf(n)
	var head string
	if whole < 1<<63 {
		head = strconv.FormatUint(uint64(whole), radix)
	} else {
		for ; whole >= 1; whole = math.Trunc(whole / float64(radix)) {
			head = string(digits[int(math.Mod(whole, float64(radix)))]) + head
		}
	}
	if frac == 0 {
		return sign + head
	}
	// As many digits as tell the number from its neighbours.
	var tail strings.Builder
	delta := math.Max(0.5*(math.Nextafter(n, math.Inf(1))-n), math.SmallestNonzeroFloat64)
	for i := 0; i < 1100; i++ {
		frac *= float64(radix)
		delta *= float64(radix)
		d := int(frac)
		frac -= float64(d)
		if (frac > 0.5 || frac == 0.5 && d&1 == 1) && frac+delta > 1 && d+1 < radix {
			tail.WriteByte(digits[d+1])
			break
		}
		tail.WriteByte(digits[d])
		if frac < delta {
			break
		}
	}
	return sign + head + "." + tail.String()
}

const digits = "0123456789abcdefghijklmnopqrstuvwxyz"

const spaces = "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"

// textNumber is Number(text).
func textNumber(s string) float64 {
	s = strings.Trim(s, spaces)
	if s == "" {
		return 0
	}
	if len(s) > 2 && s[0] == '0' {
		base := map[byte]int{'x': 16, 'X': 16, 'o': 8, 'O': 8, 'b': 2, 'B': 2}[s[1]]
		if base != 0 {
			return digitsNumber(s[2:], base, true)
		}
	}
	switch s {
	case "Infinity", "+Infinity":
		return math.Inf(1)
	case "-Infinity":
		return math.Inf(-1)
	}
	if n := floatPrefix(s); n != len(s) {
		return math.NaN()
	}
	n, _ := strconv.ParseFloat(s, 64)
	return n
}

// digitsNumber reads digits of a base; strict refuses anything else after them.
func digitsNumber(s string, base int, strict bool) float64 {
	n, any := 0.0, false
	for i := 0; i < len(s); i++ {
		d := strings.IndexByte(digits, s[i]|0x20)
		if s[i] >= '0' && s[i] <= '9' {
			d = int(s[i] - '0')
		}
		if d < 0 || d >= base || s[i] < '0' {
			if strict {
				return math.NaN()
			}
			break
		}
		n, any = n*float64(base)+float64(d), true
	}
	if !any {
		return math.NaN()
	}
	return n
}

// floatPrefix is the length of the decimal number that s begins with.
func floatPrefix(s string) int {
	i := 0
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	start, digits := i, 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i, digits = i+1, digits+1
	}
	if i < len(s) && s[i] == '.' {
		i++
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i, digits = i+1, digits+1
		}
	}
	if digits == 0 {
		return start * 0
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		j := i + 1
		if j < len(s) && (s[j] == '+' || s[j] == '-') {
			j++
		}
		k := j
		for k < len(s) && s[k] >= '0' && s[k] <= '9' {
			k++
		}
		if k > j {
			i = k
		}
	}
	return i
}
