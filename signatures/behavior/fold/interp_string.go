package fold

import (
	"math"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/unicode/norm"
)

// onText makes a method of a function of the text.
func onText(f func(in *interp, s string, args []jsv) jsv) jsNative {
	return func(in *interp, this jsv, args []jsv) jsv {
		if nullish(this) {
			in.throw("TypeError", "String method on null or undefined")
		}
		return f(in, in.str(this), args)
	}
}

func stringMethod(name string) jsNative {
	switch name {
	case "charAt", "at":
		return onText(func(in *interp, s string, args []jsv) jsv {
			n, i := float64(in.length(s)), in.integer(arg(args, 0))
			if name == "at" && i < 0 {
				i += n
			}
			if i >= 0 && i < n {
				return in.slice(s, int(i), int(i)+1)
			}
			if name == "at" {
				return undefined{}
			}
			return ""
		})
	case "charCodeAt", "codePointAt":
		return onText(func(in *interp, s string, args []jsv) jsv {
			i := in.integer(arg(args, 0))
			n := in.length(s)
			if i < 0 || i >= float64(n) {
				if name == "charCodeAt" {
					return math.NaN()
				}
				return undefined{}
			}
			u := in.unit(s, int(i))
			if name == "codePointAt" && int(i)+1 < n {
				if r := utf16.DecodeRune(rune(u), rune(in.unit(s, int(i)+1))); r != 0xFFFD {
					return float64(r)
				}
			}
			return number(float64(u))
		})
	case "slice":
		return onText(func(in *interp, s string, args []jsv) jsv {
			n := in.length(s)
			i, j := in.position(args, 0, n, 0), in.position(args, 1, n, n)
			return in.slice(s, i, max(i, j))
		})
	case "substring":
		return onText(func(in *interp, s string, args []jsv) jsv {
			n := in.length(s)
			i, j := in.clamp(arg(args, 0), n, 0), in.clamp(arg(args, 1), n, n)
			return in.slice(s, min(i, j), max(i, j))
		})
	case "substr":
		return onText(func(in *interp, s string, args []jsv) jsv {
			n := in.length(s)
			i := in.position(args, 0, n, 0)
			return in.slice(s, i, i+in.clamp(arg(args, 1), n-i, n-i))
		})
	case "toString", "valueOf":
		return onText(func(_ *interp, s string, _ []jsv) jsv { return s })
	case "trim":
		return onText(func(_ *interp, s string, _ []jsv) jsv { return strings.Trim(s, spaces) })
	case "trimStart", "trimLeft":
		return onText(func(_ *interp, s string, _ []jsv) jsv { return strings.TrimLeft(s, spaces) })
	case "trimEnd", "trimRight":
		return onText(func(_ *interp, s string, _ []jsv) jsv { return strings.TrimRight(s, spaces) })
	case "toUpperCase", "toLocaleUpperCase":
		return onText(func(in *interp, s string, _ []jsv) jsv {
			in.copied(s)
			return strings.ReplaceAll(strings.ToUpper(s), "ß", "SS")
		})
	case "toLowerCase", "toLocaleLowerCase":
		return onText(func(in *interp, s string, _ []jsv) jsv { in.copied(s); return strings.ToLower(s) })
	case "concat":
		return onText(func(in *interp, s string, args []jsv) jsv {
			var out jsv = s
			for _, a := range args {
				out = in.concat(out, in.str(a))
			}
			return out
		})
	case "repeat":
		return onText(func(in *interp, s string, args []jsv) jsv {
			n := in.integer(arg(args, 0))
			if n < 0 || math.IsInf(n, 0) {
				in.throw("RangeError", "Invalid count value")
			}
			if n*float64(len(s)) > maxStringBytes {
				in.fail("text too long")
			}
			if s == "" {
				return s
			}
			in.take(int(n) * len(s))
			in.work(int(n) * len(s))
			return joinSurrogates(strings.Repeat(s, int(n)))
		})
	case "padStart", "padEnd":
		return onText(func(in *interp, s string, args []jsv) jsv { return in.pad(s, args, name == "padStart") })
	case "normalize":
		return onText(func(in *interp, s string, args []jsv) jsv {
			if given(args, 0) && in.str(args[0]) == "NFKC" {
				return norm.NFKC.String(s)
			} else if given(args, 0) && in.str(args[0]) != "NFC" {
				in.fail("normal form")
			}
			return norm.NFC.String(s)
		})
	case "localeCompare":
		return func(in *interp, _ jsv, _ []jsv) jsv { return unknown{} }
	case "italics", "bold", "fixed", "big", "small", "sub", "sup", "strike", "blink", "link", "anchor", "fontcolor", "fontsize":
		return htmlMethod(name)
	}
	return searchMethod(name)
}

// htmlMethod makes the tag methods that only hidden code uses, for their letters.
func htmlMethod(name string) jsNative {
	tag := map[string]string{"italics": "i", "bold": "b", "fixed": "tt", "link": "a", "anchor": "a", "fontcolor": "font", "fontsize": "font"}[name]
	if tag == "" {
		tag = name
	}
	attr := map[string]string{"link": "href", "anchor": "name", "fontcolor": "color", "fontsize": "size"}[name]
	return onText(func(in *interp, s string, args []jsv) jsv {
		open := "<" + tag
		if attr != "" {
			open += " " + attr + `="` + strings.ReplaceAll(in.str(arg(args, 0)), `"`, "&quot;") + `"`
		}
		return in.concat(in.concat(open+">", s), "</"+tag+">")
	})
}

// clamp is an argument kept within 0 and n.
func (in *interp) clamp(v jsv, n, absent int) int {
	if v == (undefined{}) {
		return absent
	}
	return int(math.Max(0, math.Min(in.integer(v), float64(n))))
}

func (in *interp) copied(s string) {
	in.work(len(s))
	in.take(len(s))
}

func (in *interp) pad(s string, args []jsv, front bool) jsv {
	fill := " "
	if given(args, 1) {
		fill = in.str(args[1])
	}
	need := in.integer(arg(args, 0)) - float64(in.length(s))
	if need <= 0 || fill == "" {
		return s
	}
	if need > maxStringBytes {
		in.fail("text too long")
	}
	n := int(need)
	in.take(3 * n)
	in.work(n)
	whole := strings.Repeat(fill, n/in.length(fill)+1)
	whole = in.slice(whole, 0, n)
	if front {
		return joinSurrogates(whole + s)
	}
	return joinSurrogates(s + whole)
}

// bytesAt is the byte offset of code unit i, and unitsAt the reverse.
func (in *interp) bytesAt(s string, i int) int {
	ascii, units := in.wide(s)
	if ascii {
		return i
	}
	in.work(i)
	return len(wtf8(units[:i]))
}

func (in *interp) unitsAt(s string, b int) int {
	if ascii, _ := in.wide(s); ascii {
		return b
	}
	in.work(b)
	n := 0
	for i := 0; i < b; {
		k := charBytes(s[i:])
		n++
		if k == 4 {
			n++
		}
		i += k
	}
	return n
}

func searchMethod(name string) jsNative {
	switch name {
	case "indexOf", "includes":
		return onText(func(in *interp, s string, args []jsv) jsv {
			what, from := in.str(arg(args, 0)), in.bytesAt(s, in.clamp(arg(args, 1), in.length(s), 0))
			in.work(len(s) - from)
			i := strings.Index(s[from:], what)
			if name == "includes" {
				return i >= 0
			}
			if i < 0 {
				return -1.0
			}
			return number(float64(in.unitsAt(s, from+i)))
		})
	case "lastIndexOf":
		return onText(func(in *interp, s string, args []jsv) jsv {
			what, end := in.str(arg(args, 0)), len(s)
			if given(args, 1) {
				end = min(len(s), in.bytesAt(s, in.clamp(args[1], in.length(s), 0))+len(what))
			}
			in.work(end)
			i := strings.LastIndex(s[:end], what)
			if i < 0 {
				return -1.0
			}
			return float64(in.unitsAt(s, i))
		})
	case "startsWith", "endsWith":
		return onText(func(in *interp, s string, args []jsv) jsv {
			what, n := in.str(arg(args, 0)), in.length(s)
			if name == "startsWith" {
				return strings.HasPrefix(s[in.bytesAt(s, in.clamp(arg(args, 1), n, 0)):], what)
			}
			return strings.HasSuffix(s[:in.bytesAt(s, in.clamp(arg(args, 1), n, n))], what)
		})
	case "split":
		return onText((*interp).split)
	case "replace", "replaceAll":
		return onText(func(in *interp, s string, args []jsv) jsv {
			return in.replace(s, arg(args, 0), arg(args, 1), name == "replaceAll")
		})
	case "match", "matchAll", "search":
		return onText(func(in *interp, s string, args []jsv) jsv { return in.matchText(s, arg(args, 0), name) })
	}
	return nil
}

func (in *interp) split(s string, args []jsv) jsv {
	if !given(args, 0) {
		return in.newArray([]jsv{s})
	}
	limit := maxElements
	if given(args, 1) {
		limit = min(limit, int(in.uint32(args[1])))
	}
	in.work(len(s))
	var out []jsv
	if re, ok := args[0].(*jsObject); ok && re.class == classRegExp {
		out = in.splitPattern(s, re)
	} else if sep := in.str(args[0]); sep == "" {
		n := in.length(s)
		in.take(32 * n)
		in.work(n)
		out = make([]jsv, min(n, limit))
		for i := range out {
			out[i] = in.slice(s, i, i+1)
		}
	} else {
		in.take(16 * strings.Count(s, sep))
		for _, part := range strings.Split(s, sep) {
			out = append(out, part)
		}
	}
	return in.newArray(out[:min(limit, len(out))])
}

// replace is String.prototype.replace and replaceAll.
func (in *interp) replace(s string, what, with jsv, all bool) jsv {
	if re, ok := what.(*jsObject); ok && re.class == classRegExp {
		return in.replacePattern(s, re, with)
	}
	sep := in.str(what)
	var out strings.Builder
	at := 0
	for at <= len(s) {
		in.work(len(s) - at)
		i := strings.Index(s[at:], sep)
		if i < 0 {
			break
		}
		out.WriteString(s[at : at+i])
		groups := []jsv{sep}
		out.WriteString(in.replacement(with, s, at+i, groups, nil))
		in.grown(&out)
		at += i + len(sep)
		if !all {
			break
		}
		if sep == "" {
			if at >= len(s) {
				break
			}
			n := charBytes(s[at:])
			out.WriteString(s[at : at+n])
			at += n
		}
	}
	out.WriteString(s[min(at, len(s)):])
	in.take(out.Len())
	return joinSurrogates(out.String())
}

func (in *interp) grown(b *strings.Builder) {
	if b.Len() > maxStringBytes {
		in.fail("text too long")
	}
}

// replacement is the text for one match: what a function gives, or a template with $1.
func (in *interp) replacement(with jsv, s string, at int, groups []jsv, names map[string]jsv) string {
	if fn, ok := with.(*jsObject); ok && fn.class == classFunction {
		args := append(append([]jsv(nil), groups...), float64(in.unitsAt(s, at)), s)
		return in.str(in.call(fn, undefined{}, args))
	}
	t := in.str(with)
	if strings.IndexByte(t, '$') < 0 {
		return t
	}
	var out strings.Builder
	whole := groups[0].(string)
	for i := 0; i < len(t); i++ {
		if t[i] != '$' || i+1 == len(t) {
			out.WriteByte(t[i])
			continue
		}
		i++
		switch c := t[i]; {
		case c == '$':
			out.WriteByte('$')
		case c == '&':
			out.WriteString(whole)
		case c == '`':
			out.WriteString(s[:at])
		case c == '\'':
			out.WriteString(s[at+len(whole):])
		case c >= '0' && c <= '9':
			n, used := int(c-'0'), 1
			if i+1 < len(t) && t[i+1] >= '0' && t[i+1] <= '9' && n*10+int(t[i+1]-'0') < len(groups) {
				n, used = n*10+int(t[i+1]-'0'), 2
			}
			if n == 0 || n >= len(groups) {
				out.WriteByte('$')
				i--
				continue
			}
			if g, ok := groups[n].(string); ok {
				out.WriteString(g)
			}
			i += used - 1
		case c == '<' && names != nil:
			end := strings.IndexByte(t[i:], '>')
			if end < 0 {
				out.WriteString("$<")
				continue
			}
			if g, ok := names[t[i+1:i+end]].(string); ok {
				out.WriteString(g)
			}
			i += end
		default:
			out.WriteByte('$')
			i--
		}
		in.grown(&out)
	}
	return out.String()
}
