package fold

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// A jsPattern is a regular expression in RE2's language: what JavaScript has beyond it (looking around, back references) is
// refused, and so matching takes linear time whatever the pattern.
type jsPattern struct {
	re     *regexp.Regexp
	source string
	flags  string
	last   int // lastIndex
}

func (p *jsPattern) property(key string) (jsv, bool) {
	switch key {
	case "source":
		return p.source, true
	case "flags":
		return p.flags, true
	case "global":
		return p.global(), true
	case "lastIndex":
		return float64(p.last), true
	}
	return nil, false
}

func (p *jsPattern) global() bool { return strings.Contains(p.flags, "g") }

const maxPattern = 4 << 10 // bytes of one regular expression

func (in *interp) newRegExp(source, flags string) *jsObject {
	o := in.newObject()
	o.class = classRegExp
	p, known := in.regexps[source+"/"+flags]
	if !known {
		in.work(100 * len(source))
		p = compilePattern(source, flags)
		if in.regexps == nil {
			in.regexps = map[string]*jsPattern{}
		}
		in.regexps[source+"/"+flags] = p
	}
	if p == nil {
		in.fail("unsupported regular expression")
	}
	own := *p
	o.pattern = &own
	return o
}

// compilePattern returns nil for what RE2 can't do.
func compilePattern(source, flags string) *jsPattern {
	if len(source) > maxPattern || strings.Trim(flags, "gimsu") != "" {
		return nil
	}
	text, ok := translatePattern(source)
	if !ok {
		return nil
	}
	prefix := ""
	for _, f := range "ims" {
		if strings.ContainsRune(flags, f) {
			prefix += string(f)
		}
	}
	if prefix != "" {
		text = "(?" + prefix + ")" + text
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil
	}
	if source == "" {
		source = "(?:)"
	}
	return &jsPattern{re: re, source: source, flags: flags}
}

// translatePattern writes a pattern in RE2's language.
func translatePattern(s string) (string, bool) {
	var out strings.Builder
	inClass := false
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '\\':
			text, n, ok := translateEscape(s[i:], inClass)
			if !ok {
				return "", false
			}
			out.WriteString(text)
			i += n
			continue
		case c == '[' && inClass:
			out.WriteString(`\[`)
		case c == '[' && strings.HasPrefix(s[i:], "[^]"):
			out.WriteString(`[\s\S]`)
			i += 2
		case c == '[' && strings.HasPrefix(s[i:], "[]"):
			out.WriteString(`[^\s\S]`)
			i++
		case c == '[':
			inClass = true
			out.WriteByte(c)
		case c == ']' && inClass:
			inClass = false
			out.WriteByte(c)
		case c == '(' && !inClass && strings.HasPrefix(s[i:], "(?"):
			switch {
			case strings.HasPrefix(s[i:], "(?:"):
				out.WriteString("(?:")
				i += 2
			case strings.HasPrefix(s[i:], "(?<") && !strings.HasPrefix(s[i:], "(?<=") && !strings.HasPrefix(s[i:], "(?<!"):
				out.WriteString("(?P<")
				i += 2
			default:
				return "", false
			}
		case c == '.' && !inClass:
			out.WriteByte('.')
		default:
			n := charBytes(s[i:])
			out.WriteString(s[i : i+n])
			i += n
			continue
		}
		i++
	}
	return out.String(), !inClass
}

func translateEscape(s string, inClass bool) (text string, n int, ok bool) {
	if len(s) < 2 {
		return "", 0, false
	}
	switch c := s[1]; c {
	case 'd', 'D', 'w', 'W', 't', 'n', 'r', 'f', 'v':
		return s[:2], 2, true
	case 's':
		set := `\s\x{0b}\x{a0}\x{feff}\x{2028}\x{2029}\p{Zs}`
		if !inClass {
			set = "[" + set + "]"
		}
		return set, 2, true
	case 'S':
		if inClass {
			return `\S`, 2, true
		}
		return `[^\s\x{0b}\x{a0}\x{feff}\x{2028}\x{2029}\p{Zs}]`, 2, true
	case 'b', 'B':
		if inClass {
			return `\x08`, 2, c == 'b'
		}
		return s[:2], 2, true
	case '0':
		return `\x00`, 2, len(s) < 3 || s[2] < '0' || s[2] > '9'
	case 'x', 'u':
		r, n := hexEscape(s[1:])
		if n == 1 {
			return string(c), 2, true
		}
		if !utf8.ValidRune(r) {
			return "", 0, false
		}
		return regexp.QuoteMeta(string(r)), n + 1, true
	case 'c', 'k', 'p', 'P', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return "", 0, false
	case '-':
		return `\-`, 2, true
	}
	k := charBytes(s[1:])
	return regexp.QuoteMeta(s[1 : 1+k]), 1 + k, true
}

func regexpMethod(name string) jsNative {
	switch name {
	case "test", "exec":
		return func(in *interp, this jsv, args []jsv) jsv {
			re, ok := this.(*jsObject)
			if !ok || re.class != classRegExp {
				in.throw("TypeError", "not a RegExp")
			}
			s := in.str(arg(args, 0))
			m := in.execute(re, s)
			if name == "test" {
				return m != nil
			}
			if m == nil {
				return nil
			}
			return m
		}
	case "toString":
		return func(in *interp, this jsv, _ []jsv) jsv {
			o, ok := this.(*jsObject)
			if !ok || o.pattern == nil {
				return unknown{}
			}
			return "/" + o.pattern.source + "/" + o.pattern.flags
		}
	}
	return nil
}

// execute is RegExp.prototype.exec.
func (in *interp) execute(re *jsObject, s string) *jsObject {
	p := re.pattern
	from := 0
	if p.global() {
		if p.last > in.length(s) {
			p.last = 0
			return nil
		}
		from = in.bytesAt(s, p.last)
	}
	loc := in.find(p, s, from)
	if loc == nil {
		p.last = 0
		return nil
	}
	if p.global() {
		p.last = in.unitsAt(s, loc[1])
	}
	groups, names := in.groups(p, s, loc)
	out := in.newArray(groups)
	out.set("index", float64(in.unitsAt(s, loc[0])))
	out.set("input", s)
	out.set("groups", undefined{})
	if len(names) > 0 {
		g := in.newObject()
		for _, name := range p.re.SubexpNames() {
			if name != "" {
				g.set(name, names[name])
			}
		}
		out.set("groups", g)
	}
	return out
}

// find matches at or after byte from. What stands before must still count for ^ and \b.
func (in *interp) find(p *jsPattern, s string, from int) []int {
	in.work(32 * len(s))
	if from == 0 {
		return p.re.FindStringSubmatchIndex(s)
	}
	for _, loc := range p.re.FindAllStringSubmatchIndex(s, -1) {
		if loc[0] >= from {
			return loc
		}
	}
	return nil
}

func (in *interp) groups(p *jsPattern, s string, loc []int) (list []jsv, names map[string]jsv) {
	for i := 0; i < len(loc); i += 2 {
		var v jsv = undefined{}
		if loc[i] >= 0 {
			v = s[loc[i]:loc[i+1]]
		}
		list = append(list, v)
		if name := p.re.SubexpNames()[i/2]; name != "" {
			if names == nil {
				names = map[string]jsv{}
			}
			names[name] = v
		}
	}
	return list, names
}

func (in *interp) allMatches(p *jsPattern, s string) [][]int {
	in.work(32 * len(s))
	n := -1
	if !p.global() {
		n = 1
	}
	all := p.re.FindAllStringSubmatchIndex(s, n)
	in.work(480 * len(all))
	in.take(64 * len(all))
	return all
}

func (in *interp) replacePattern(s string, re *jsObject, with jsv) jsv {
	var out strings.Builder
	at := 0
	for _, loc := range in.allMatches(re.pattern, s) {
		out.WriteString(s[at:loc[0]])
		groups, names := in.groups(re.pattern, s, loc)
		out.WriteString(in.replacement(with, s, loc[0], groups, names))
		in.grown(&out)
		at = loc[1]
	}
	re.pattern.last = 0
	out.WriteString(s[at:])
	in.take(out.Len())
	return joinSurrogates(out.String())
}

func (in *interp) splitPattern(s string, re *jsObject) []jsv {
	own := *re.pattern
	own.flags += "g"
	var out []jsv
	at := 0
	for _, loc := range in.allMatches(&own, s) {
		if loc[1] == loc[0] && (loc[0] == at && at == 0 || loc[0] >= len(s)) || loc[1] == 0 {
			continue
		}
		out = append(out, s[at:loc[0]])
		groups, _ := in.groups(&own, s, loc)
		out = append(out, groups[1:]...)
		at = loc[1]
	}
	return append(out, s[at:])
}

// matchText is match, matchAll and search.
func (in *interp) matchText(s string, what jsv, name string) jsv {
	re, ok := what.(*jsObject)
	if !ok || re.class != classRegExp {
		source := ""
		if what != (undefined{}) {
			source = in.str(what)
		}
		flags := ""
		if name == "matchAll" {
			flags = "g"
		}
		re = in.newRegExp(source, flags)
	}
	switch {
	case name == "search":
		loc := in.find(re.pattern, s, 0)
		if loc == nil {
			return -1.0
		}
		return float64(in.unitsAt(s, loc[0]))
	case name == "match" && !re.pattern.global():
		if m := in.execute(re, s); m != nil {
			return m
		}
		return nil
	}
	var out []jsv
	for _, loc := range in.allMatches(re.pattern, s) {
		if name == "match" {
			out = append(out, s[loc[0]:loc[1]])
			continue
		}
		groups, _ := in.groups(re.pattern, s, loc)
		m := in.newArray(groups)
		m.set("index", float64(in.unitsAt(s, loc[0])))
		out = append(out, m)
	}
	if out == nil && name == "match" {
		return nil
	}
	return in.newArray(out)
}
