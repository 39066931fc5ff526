package fold

import (
	"encoding/base64"
	"math"
	"net/url"
	"strings"
	"unicode/utf8"
)

// global gives a global variable that every JavaScript has; all others are unknown.
func (in *interp) global(name string) jsv {
	if v, ok := in.globals[name]; ok {
		return v
	}
	v := in.makeGlobal(name)
	if in.globals == nil {
		in.globals = map[string]jsv{}
	}
	if o, ok := v.(*jsObject); ok {
		o.frozen = true
	}
	in.globals[name] = v
	return v
}

func (in *interp) makeGlobal(name string) jsv {
	switch name {
	case "undefined":
		return undefined{}
	case "NaN":
		return math.NaN()
	case "Infinity":
		return math.Inf(1)
	case "globalThis", "window", "self":
		return &jsObject{class: classGlobal}
	case "Math":
		return in.mathObject()
	case "JSON":
		return in.module(map[string]jsNative{
			"parse": func(in *interp, _ jsv, args []jsv) jsv {
				if given(args, 1) {
					in.fail("JSON.parse with a reviver")
				}
				return in.parseJSON(in.str(arg(args, 0)))
			},
			"stringify": func(in *interp, _ jsv, args []jsv) jsv { return in.stringify(args) },
		})
	}
	if f := globalFunction(name); f != nil {
		o := in.newNative(name, f)
		in.fillConstructor(o)
		return o
	}
	return unknown{}
}

func (in *interp) module(functions map[string]jsNative) *jsObject {
	o := &jsObject{}
	for name, f := range functions {
		o.set(name, in.newNative(name, f))
	}
	return o
}

// onString makes a function of its first argument as text.
func onString(f func(in *interp, s string) jsv) jsNative {
	return func(in *interp, _ jsv, args []jsv) jsv {
		if isUnknown(arg(args, 0)) {
			return unknown{}
		}
		s := in.str(arg(args, 0))
		in.copied(s)
		return f(in, s)
	}
}

func globalFunction(name string) jsNative {
	switch name {
	case "parseInt":
		return func(in *interp, _ jsv, args []jsv) jsv { return in.parseInt(args) }
	case "parseFloat":
		return onString(func(_ *interp, s string) jsv {
			s = strings.TrimLeft(s, spaces)
			if n := floatPrefix(s); n > 0 {
				return textNumber(s[:n])
			}
			if t := strings.TrimLeft(s, "+-"); strings.HasPrefix(t, "Infinity") && len(s)-len(t) < 2 {
				return textNumber(s[:len(s)-len(t)+8])
			}
			return math.NaN()
		})
	case "isNaN":
		return func(in *interp, _ jsv, args []jsv) jsv { n := in.number(arg(args, 0)); return n != n }
	case "isFinite":
		return func(in *interp, _ jsv, args []jsv) jsv {
			n := in.number(arg(args, 0))
			return n == n && !math.IsInf(n, 0)
		}
	case "atob":
		return onString((*interp).atob)
	case "btoa":
		return onString((*interp).btoa)
	case "escape":
		return onString(func(in *interp, s string) jsv { return escapeUnits(s) })
	case "unescape":
		return onString(func(in *interp, s string) jsv { return unescapeUnits(s) })
	case "encodeURIComponent":
		return onString(func(in *interp, s string) jsv { return in.encodeURI(s, "-_.!~*'()") })
	case "encodeURI":
		return onString(func(in *interp, s string) jsv { return in.encodeURI(s, "-_.!~*'();/?:@&=+$,#") })
	case "decodeURIComponent":
		return onString(func(in *interp, s string) jsv { return in.decodeURI(s, "") })
	case "decodeURI":
		return onString(func(in *interp, s string) jsv { return in.decodeURI(s, ";/?:@&=+$,#") })
	case "eval":
		return func(in *interp, _ jsv, args []jsv) jsv {
			if s, ok := flat(arg(args, 0)).(string); ok {
				if len(in.code) < maxUnpacked {
					in.code = append(in.code, s)
				}
			}
			in.fail("eval")
			return nil
		}
	}
	return constructorFunction(name)
}

func (in *interp) parseInt(args []jsv) jsv {
	if isUnknown(arg(args, 0)) {
		return unknown{}
	}
	s := strings.TrimLeft(in.str(arg(args, 0)), spaces)
	in.work(len(s))
	sign := 1.0
	if s != "" && (s[0] == '-' || s[0] == '+') {
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	radix := in.int32(arg(args, 1))
	if (radix == 0 || radix == 16) && len(s) > 1 && s[0] == '0' && s[1]|0x20 == 'x' {
		s, radix = s[2:], 16
	}
	if radix == 0 {
		radix = 10
	}
	if radix < 2 || radix > 36 {
		return math.NaN()
	}
	if radix == 10 {
		n := 0
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		if n > 0 {
			return sign * textNumber(s[:n])
		}
	}
	return sign * digitsNumber(s, int(radix), false)
}

// latin1 gives the bytes of a text of characters below 256.
func latin1(s string) ([]byte, bool) {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xFF {
			return nil, false
		}
		out = append(out, byte(r))
	}
	return out, true
}

func fromLatin1(b []byte) string {
	var out strings.Builder
	for _, c := range b {
		out.WriteRune(rune(c))
	}
	return out.String()
}

func (in *interp) atob(s string) jsv {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\n\f\r", r) {
			return -1
		}
		return r
	}, s)
	if len(s)%4 == 0 {
		s = strings.TrimSuffix(strings.TrimSuffix(s, "="), "=")
	}
	b, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil {
		in.throw("InvalidCharacterError", "The string to be decoded is not correctly encoded.")
	}
	return fromLatin1(b)
}

func (in *interp) btoa(s string) jsv {
	b, ok := latin1(s)
	if !ok {
		in.throw("InvalidCharacterError", "Invalid character")
	}
	return base64.StdEncoding.EncodeToString(b)
}

func escapeUnits(s string) string {
	const upper = "0123456789ABCDEF"
	var out strings.Builder
	for _, u := range unitsOf(s) {
		switch {
		case u < 0x80 && (isWord(byte(u)) || strings.IndexByte("@*+-./", byte(u)) >= 0):
			out.WriteByte(byte(u))
		case u < 0x100:
			out.WriteString("%" + upper[u>>4:u>>4+1] + upper[u&15:u&15+1])
		default:
			out.WriteString("%u")
			for shift := 12; shift >= 0; shift -= 4 {
				out.WriteByte(upper[u>>shift&15])
			}
		}
	}
	return out.String()
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

func unescapeUnits(s string) string {
	var out []uint16
	units := unitsOf(s)
	hex := func(i, n int) (uint16, bool) {
		if i+n > len(units) {
			return 0, false
		}
		v := digitsNumber(string(wtf8(units[i:i+n])), 16, true)
		return uint16(v), v == v
	}
	for i := 0; i < len(units); i++ {
		if units[i] == '%' {
			if v, ok := hex(i+1, 2); ok {
				out = append(out, v)
				i += 2
				continue
			}
			if i+1 < len(units) && units[i+1] == 'u' {
				if v, ok := hex(i+2, 4); ok {
					out = append(out, v)
					i += 5
					continue
				}
			}
		}
		out = append(out, units[i])
	}
	return string(wtf8(out))
}

func (in *interp) encodeURI(s, keep string) jsv {
	if !utf8.ValidString(s) {
		in.throw("URIError", "URI malformed")
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; isWord(c) || strings.IndexByte(keep, c) >= 0 {
			out.WriteByte(c)
		} else {
			out.WriteString(strings.ToUpper("%" + digits[c>>4:c>>4+1] + digits[c&15:c&15+1]))
		}
	}
	return out.String()
}

func (in *interp) decodeURI(s, keep string) jsv {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	if keep != "" {
		for _, c := range keep {
			esc := strings.ToUpper("%" + digits[c>>4:c>>4+1] + digits[c&15:c&15+1])
			s = strings.ReplaceAll(s, esc, "%25"+esc[1:])
			s = strings.ReplaceAll(s, strings.ToLower(esc), "%25"+strings.ToLower(esc[1:]))
		}
	}
	out, err := url.PathUnescape(s)
	if err != nil || !utf8.ValidString(out) {
		in.throw("URIError", "URI malformed")
	}
	return out
}
