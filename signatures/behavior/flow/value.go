package flow

import (
	"hash/maphash"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior/parties"
)

// Bounds of one abstract value. What goes beyond them is forgotten and the value becomes "may be anything", so that
// joining ends soon; a decoder or a table of names that needs more constants is the folder's work.
const (
	maxAtoms    = 8
	maxPaths    = 4
	maxClosures = 8
	maxObjects  = 8
	maxTaints   = 12
	maxText     = 4096 // bytes of one constant; the longest URL that says something
)

type atomKind uint8

const (
	aString atomKind = iota
	aNumber
	aBool
	aNull
	aUndefined
)

// An atom is one constant. Strings may have holes.
type atom struct {
	kind atomKind
	s    string
	n    float64
}

// A value is what an expression may be: the union of everything below. Values are immutable; nil means that nothing has
// reached it yet.
type value struct {
	atoms  []atom
	paths  []string // objects of the browser: "document.body", "@cookies" for chrome.cookies
	fns    []*closure
	objs   []*object
	taints []*taint
	any    bool // may be something else, too
}

// A taint is data from one source.
type taint struct {
	source, from string
	way          *link
	home         bool // a field of a page of the extension itself, not of a page of the web
}

// A link is the last step of a way that data took, with those before it.
type link struct {
	prev *link
	n    int
	at   spot
	what string
}

// maxWay bounds the steps of a way: the first ones and the sink are what people need.
const maxWay = 24

var (
	anything = &value{any: true}
	undef    = &value{atoms: []atom{{kind: aUndefined}}}
	null     = &value{atoms: []atom{{kind: aNull}}}
	yes      = &value{atoms: []atom{{kind: aBool, n: 1}}}
	no       = &value{atoms: []atom{{kind: aBool}}}
	aBoolean = &value{atoms: []atom{{kind: aBool, n: 1}, {kind: aBool}}}
)

func textValue(s string) *value {
	if len(s) > maxText {
		s = s[:maxText] + parties.Gap
	}
	return &value{atoms: []atom{{kind: aString, s: s}}}
}

func numberValue(n float64) *value  { return &value{atoms: []atom{{kind: aNumber, n: n}}} }
func pathValue(p string) *value     { return &value{paths: []string{p}} }
func taintValue(t ...*taint) *value { return &value{taints: t, any: true} }

// objectValue is the value that is only this object. It is made once: most values that the engine meets are of this kind.
func objectValue(o *object) *value {
	if o.alone == nil {
		o.alone = &value{objs: []*object{o}}
	}
	return o.alone
}

// closureValue is the value that is only this function.
func closureValue(c *closure) *value {
	if c.alone == nil || c.alone.fns[0] != c { // a copy of another
		c.alone = &value{fns: []*closure{c}}
	}
	return c.alone
}

func boolValue(b bool) *value {
	if b {
		return yes
	}
	return no
}

// join returns a itself when b adds nothing.
func join(a, b *value) *value {
	if a == b || b == nil {
		return a
	}
	if a == nil {
		return b
	}
	if !adds(a, b) {
		return a
	}
	v := &value{}
	v.become(a, b)
	return v
}

// become makes a new value that of two others; it may be the first of them.
func (v *value) become(a, b *value) {
	v.any = a.any || b.any
	v.atoms, v.any = mergeLists(a.atoms, b.atoms, maxAtoms, v.any)
	v.paths, v.any = mergeLists(a.paths, b.paths, maxPaths, v.any)
	v.fns, v.any = mergeLists(a.fns, b.fns, maxClosures, v.any)
	v.objs, v.any = mergeLists(a.objs, b.objs, maxObjects, v.any)
	v.taints = joinTaints(a.taints, b.taints)
}

// A joiner joins many values, as join does one after the other, but makes one new value at most.
type joiner struct {
	v   *value
	own bool // v is the joiner's own
}

func (j *joiner) add(b *value) {
	a := j.v
	switch {
	case a == b || b == nil:
		return
	case a == nil:
		j.v = b
		return
	case !adds(a, b):
		return
	case !j.own:
		j.v, j.own = &value{}, true
	}
	j.v.become(a, b)
}

// adds says whether b has anything that a lacks and has room for.
func adds(a, b *value) bool {
	if b.any && !a.any {
		return true
	}
	return missing(a.atoms, b.atoms, maxAtoms, a.any) || missing(a.paths, b.paths, maxPaths, a.any) ||
		missing(a.fns, b.fns, maxClosures, a.any) || missing(a.objs, b.objs, maxObjects, a.any) ||
		len(a.taints) < maxTaints && slices.ContainsFunc(b.taints, func(t *taint) bool { return !hasTaint(a.taints, t) })
}

func missing[T comparable](a, b []T, limit int, any bool) bool {
	if len(a) >= limit && any {
		return false
	}
	for _, x := range b {
		if !slices.Contains(a, x) {
			return true
		}
	}
	return false
}

func mergeLists[T comparable](a, b []T, limit int, any bool) ([]T, bool) {
	if len(a) == 0 && len(b) <= limit {
		return b, any
	}
	out := a[:len(a):len(a)] // appending copies it
	for _, x := range b {
		if slices.Contains(out, x) {
			continue
		}
		if len(out) >= limit {
			return out, true
		}
		out = append(out, x)
	}
	return out, any
}

func hasTaint(list []*taint, t *taint) bool {
	for _, x := range list {
		if x == t || x.source == t.source && x.from == t.from && x.home == t.home {
			return true
		}
	}
	return false
}

func joinTaints(a, b []*taint) []*taint {
	if len(a) == 0 {
		return b
	}
	out := a[:len(a):len(a)]
	for _, t := range b {
		if len(out) < maxTaints && !hasTaint(out, t) {
			out = append(out, t)
		}
	}
	return out
}

// tainted returns v with more taints.
func (v *value) tainted(ts []*taint) *value {
	if len(ts) == 0 {
		return v
	}
	return join(v, &value{taints: ts, any: true})
}

// known says whether the value is exactly one constant without holes.
func (v *value) known() (atom, bool) {
	if v == nil || v.any || len(v.atoms) != 1 || len(v.paths)+len(v.fns)+len(v.objs)+len(v.taints) > 0 {
		return atom{}, false
	}
	a := v.atoms[0]
	return a, !a.holed()
}

func (v *value) isAny() bool { return v == nil || v.any }

func (a atom) holed() bool { return a.kind == aString && strings.Contains(a.s, parties.Gap) }

// text is the constant as JavaScript's String() shows it.
func (a atom) text() string {
	switch a.kind {
	case aString:
		return a.s
	case aNumber:
		return showNumber(a.n)
	case aBool:
		return strconv.FormatBool(a.n != 0)
	case aNull:
		return "null"
	}
	return "undefined"
}

func showNumber(n float64) string {
	switch {
	case math.IsNaN(n):
		return "NaN"
	case math.IsInf(n, 0):
		return "Infinity"
	case n == math.Trunc(n) && math.Abs(n) < 1e21:
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return strconv.FormatFloat(n, 'g', -1, 64)
}

func (a atom) truthy() bool {
	switch a.kind {
	case aString:
		return a.s != ""
	case aNumber, aBool:
		return a.n != 0 && !math.IsNaN(a.n)
	}
	return false
}

func (a atom) nullish() bool { return a.kind == aNull || a.kind == aUndefined }

// truth says whether the value is surely true or surely false.
func (v *value) truth() (is, sure bool) {
	if v == nil || v.any || len(v.taints) > 0 {
		return false, false
	}
	t, f := len(v.paths)+len(v.fns)+len(v.objs) > 0, false
	if len(v.paths) > 0 {
		f = true // the browser may lack it
	}
	for _, a := range v.atoms {
		if a.holed() {
			return false, false
		}
		if a.truthy() {
			t = true
		} else {
			f = true
		}
	}
	return t, t != f
}

// texts returns the constant strings (numbers as text) that v may be.
func (v *value) texts() []string {
	if v == nil {
		return nil
	}
	var out []string
	for _, a := range v.atoms {
		if a.kind == aString || a.kind == aNumber {
			out = append(out, a.text())
		}
	}
	return out
}

// constant returns the first constant string without holes.
func (v *value) constant() (string, bool) {
	if v != nil {
		for _, a := range v.atoms {
			if a.kind == aString && !a.holed() {
				return a.s, true
			}
		}
	}
	return "", false
}

// hash writes what v is made of, by identity.
func (v *value) hash(h *maphash.Hash) {
	if v == nil {
		h.WriteByte(0)
		return
	}
	if v.any {
		h.WriteByte(1)
	}
	for _, a := range v.atoms {
		h.WriteByte(byte(2 + a.kind))
		if a.kind == aString {
			h.WriteString(a.s)
		} else {
			maphash.WriteComparable(h, a.n)
		}
	}
	for _, p := range v.paths {
		h.WriteByte(10)
		h.WriteString(p)
	}
	for _, f := range v.fns {
		maphash.WriteComparable(h, f.id)
	}
	for _, o := range v.objs {
		maphash.WriteComparable(h, -o.id)
	}
	for _, t := range v.taints {
		h.WriteByte(11)
		h.WriteString(t.source)
		h.WriteString(t.from)
	}
	h.WriteByte(12)
}
