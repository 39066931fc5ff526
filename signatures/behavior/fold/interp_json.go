package fold

import (
	"encoding/json"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

const maxJSONDepth = 200

func (in *interp) parseJSON(s string) jsv {
	in.work(len(s))
	in.take(2 * len(s))
	if !json.Valid([]byte(s)) {
		in.throw("SyntaxError", "Unexpected token in JSON")
	}
	d := json.NewDecoder(strings.NewReader(s))
	v := in.jsonValue(d, 0)
	if _, err := d.Token(); err != io.EOF {
		in.throw("SyntaxError", "Unexpected token in JSON")
	}
	return v
}

func (in *interp) jsonValue(d *json.Decoder, depth int) jsv {
	in.tick()
	t, err := d.Token()
	if err != nil {
		in.throw("SyntaxError", "Unexpected end of JSON input")
	}
	if depth > maxJSONDepth {
		in.fail("JSON too deep")
	}
	switch t {
	case json.Delim('['):
		var list []jsv
		for d.More() {
			list = append(list, in.jsonValue(d, depth+1))
		}
		_, _ = d.Token() // the closing bracket: the text is valid
		return in.newArray(list)
	case json.Delim('{'):
		o := in.newObject()
		for d.More() {
			key, _ := d.Token()
			k, _ := key.(string)
			o.set(k, in.jsonValue(d, depth+1))
			in.take(64)
		}
		_, _ = d.Token()
		return o
	}
	return t
}

// A jsonWriter writes JSON as JSON.stringify does.
type jsonWriter struct {
	in     *interp
	out    strings.Builder
	indent string
	only   map[string]bool // keys of a list given as replacer
	fn     jsv             // replacer function
}

func (in *interp) stringify(args []jsv) jsv {
	w := &jsonWriter{in: in}
	if o, ok := arg(args, 1).(*jsObject); ok {
		switch o.class {
		case classFunction:
			w.fn = o
		case classArray:
			w.only = map[string]bool{}
			for _, k := range o.list {
				w.only[in.str(k)] = true
			}
		}
	}
	switch v := flat(arg(args, 2)).(type) {
	case float64:
		w.indent = strings.Repeat(" ", int(math.Max(0, math.Min(10, v))))
	case string:
		w.indent = in.slice(v, 0, min(10, in.length(v)))
	}
	holder := in.newObject()
	holder.set("", arg(args, 0))
	if !w.value(holder, "", arg(args, 0), "\n", 0) {
		return undefined{}
	}
	in.take(w.out.Len())
	return w.out.String()
}

// value writes one value; false when it has no JSON.
func (w *jsonWriter) value(holder *jsObject, key string, v jsv, newline string, depth int) bool {
	in := w.in
	in.tick()
	if depth > maxJSONDepth {
		in.fail("JSON too deep")
	}
	in.grown(&w.out)
	if o, ok := v.(*jsObject); ok {
		if fn, ok := in.get(o, "toJSON").(*jsObject); ok {
			v = in.call(fn, o, []jsv{key})
		}
	}
	if w.fn != nil {
		v = in.call(w.fn, holder, []jsv{key, v})
	}
	switch v := flat(v).(type) {
	case nil:
		w.out.WriteString("null")
	case bool:
		w.out.WriteString(strconv.FormatBool(v))
	case float64:
		if v != v || math.IsInf(v, 0) {
			w.out.WriteString("null")
		} else {
			w.out.WriteString(numberText(v))
		}
	case string:
		w.quote(v)
	case *jsObject:
		switch v.class {
		case classFunction:
			return false
		case classArray:
			w.array(v, newline, depth)
		case classGlobal, classBox:
			in.fail("JSON of a host object")
		default:
			w.object(v, newline, depth)
		}
	case undefined:
		return false
	default:
		in.fail("JSON of something that is not known")
	}
	return true
}

func (w *jsonWriter) array(v *jsObject, newline string, depth int) {
	inner := newline + w.indent
	w.out.WriteByte('[')
	for i, e := range v.list {
		if i > 0 {
			w.out.WriteByte(',')
		}
		if w.indent != "" {
			w.out.WriteString(inner)
		}
		if e == (hole{}) || !w.value(v, strconv.Itoa(i), e, inner, depth+1) {
			w.out.WriteString("null")
		}
	}
	if w.indent != "" && len(v.list) > 0 {
		w.out.WriteString(newline)
	}
	w.out.WriteByte(']')
}

func (w *jsonWriter) object(v *jsObject, newline string, depth int) {
	inner := newline + w.indent
	w.out.WriteByte('{')
	empty := true
	for _, k := range w.in.ownKeys(v) {
		if w.only != nil && !w.only[k] {
			continue
		}
		probe := &jsonWriter{in: w.in, indent: w.indent, only: w.only, fn: w.fn}
		if !probe.value(v, k, w.in.get(v, k), inner, depth+1) {
			continue
		}
		if !empty {
			w.out.WriteByte(',')
		}
		empty = false
		if w.indent != "" {
			w.out.WriteString(inner)
		}
		w.quote(k)
		w.out.WriteByte(':')
		if w.indent != "" {
			w.out.WriteByte(' ')
		}
		w.in.work(probe.out.Len())
		w.out.WriteString(probe.out.String())
		w.in.grown(&w.out)
	}
	if w.indent != "" && !empty {
		w.out.WriteString(newline)
	}
	w.out.WriteByte('}')
}

func (w *jsonWriter) quote(s string) {
	w.in.work(len(s))
	w.out.WriteByte('"')
	for i := 0; i < len(s); {
		c := s[i]
		if esc := map[byte]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\b': `\b`, '\f': `\f`}[c]; esc != "" {
			w.out.WriteString(esc)
			i++
			continue
		}
		if c < 0x20 {
			w.out.WriteString(`\u00` + digits[c>>4:c>>4+1] + digits[c&15:c&15+1])
			i++
			continue
		}
		n := charBytes(s[i:])
		if n == 3 && !utf8.ValidString(s[i:i+n]) { // half of a character
			w.out.WriteString(`\u` + strconv.FormatInt(int64(unitsOf(s[i : i+n])[0]), 16))
		} else {
			w.out.WriteString(s[i : i+n])
		}
		i += n
	}
	w.out.WriteByte('"')
}
