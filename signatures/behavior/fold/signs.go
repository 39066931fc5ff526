package fold

import (
	"bytes"
	"slices"
	"strings"

	"github.com/tdewolff/parse/v2/js"
)

// Signs of hidden code. One alone says little: bundlers write long texts and short names too.
const (
	signStringArray   = "string_array"
	signPacked        = "packed"
	signCharCodes     = "char_codes"
	signLongBase64    = "long_base64"
	signHexNames      = "hex_names"
	signControlFlow   = "control_flow"
	signJSFuck        = "jsfuck"
	signSelfDefending = "self_defending"
	signUndecoded     = "undecoded"
)

const (
	minHexNames  = 20   // names like _0x1a2b3c: tools make them by the dozen, people never
	minCharCodes = 8    // literal numbers in one call of fromCharCode
	MinBase64    = 1000 // characters: keys and small icons are shorter
	minJSFuck    = 200  // characters of []()!+ in a row
	MinWrappers  = 3    // functions in one object that only apply an operator
	MinTexts     = 3    // texts of an array that hides them
	maxSignText  = 160
	maxUnpacked  = 64
	maxDecoded   = 20_000 // calls of decoders that are folded for one unit
)

// looks gathers signs while the tree is read.
type looks struct {
	found []codeLook
	table textTable
	hex   map[string]bool
	names int
}

// A codeLook is a sign and a leaf near it.
type codeLook struct {
	kind string
	data []byte
	text string
}

func (l *looks) add(kind string, data []byte, text string) {
	for _, old := range l.found {
		if old.kind == kind && (kind != signPacked && kind != signLongBase64 || len(l.found) > 100) {
			return
		}
	}
	l.found = append(l.found, codeLook{kind, data, text})
}

func (l *looks) declared(b js.BindingElement) {
	if v, ok := b.Binding.(*js.Var); ok {
		l.name(v.Data)
		return
	}
	for _, v := range bindingVars(b.Binding, nil) {
		l.name(v.Data)
	}
}

func (l *looks) name(data []byte) {
	l.names++
	if !bytes.HasPrefix(data, []byte("_0x")) || len(data) < 6 {
		return
	}
	for _, c := range data[3:] {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return
		}
	}
	if l.hex == nil {
		l.hex = map[string]bool{}
	}
	l.hex[string(data)] = true
	if len(l.hex) >= minHexNames {
		l.add(signHexNames, data, "names like "+string(data))
	}
}

// function looks for the function that holds the texts: it makes an array of them and becomes a function that returns it.
func (l *looks) function(fn js.INode, body []js.IStmt) {
	d, ok := fn.(*js.FuncDecl)
	if !ok {
		return
	}
	for _, p := range d.Params.List {
		l.declared(p)
	}
	if d.Name != nil {
		l.name(d.Name.Data)
	}
	l.guard(body)
	list := FirstTexts(body)
	if d.Name == nil || list == nil {
		return
	}
	for _, s := range body[1:] {
		x, ok := s.(*js.ExprStmt)
		if ret, isReturn := s.(*js.ReturnStmt); isReturn && ret.Value != nil {
			x, ok = &js.ExprStmt{Value: ret.Value}, true
		}
		if !ok {
			continue
		}
		for _, e := range elements(x.Value) {
			if b, ok := e.(*js.BinaryExpr); ok && b.Op == js.EqToken && isVar(b.X, d.Name) {
				l.add(signStringArray, d.Name.Data, "texts kept in the array of "+string(d.Name.Name()))
				l.table.add(canonical(d.Name), list)
			}
		}
	}
}

// FirstTexts is the array of texts that the body of a function begins with, or nil.
func FirstTexts(body []js.IStmt) *js.ArrayExpr {
	if len(body) < 2 {
		return nil
	}
	decl, ok := body[0].(*js.VarDecl)
	if !ok || len(decl.List) == 0 {
		return nil
	}
	list, ok := decl.List[0].Default.(*js.ArrayExpr)
	if !ok || texts(list) < MinTexts {
		return nil
	}
	return list
}

// Turned is the array that a call turns, as in a.push(a.shift()), or nil.
func Turned(e *js.CallExpr) *js.Var {
	to, name := methodOf(e.X)
	if name != "push" || len(e.Args.List) != 1 {
		return nil
	}
	inner, ok := e.Args.List[0].Value.(*js.CallExpr)
	if !ok {
		return nil
	}
	of, first := methodOf(inner.X)
	v, ok := of.(*js.Var)
	if first != "shift" || !ok || !isVar(to, v) {
		return nil
	}
	return v
}

func isVar(e js.IExpr, v *js.Var) bool {
	x, ok := e.(*js.Var)
	return ok && canonical(x) == canonical(v)
}

// texts counts the string literals of an array that has nothing else.
func texts(a *js.ArrayExpr) int {
	for _, item := range a.List {
		if lit, ok := item.Value.(*js.LiteralExpr); !ok || lit.TokenType != js.StringToken {
			return 0
		}
	}
	return len(a.List)
}

// guard looks for code that reads its own text to see whether somebody made it readable: f.toString().search(…).
func (l *looks) guard(body []js.IStmt) {
	if len(body) > 8 {
		return
	}
	for _, s := range body {
		r, ok := s.(*js.ReturnStmt)
		if !ok || r.Value == nil {
			continue
		}
		depth, own := 0, (*js.Var)(nil)
		for e := r.Value; e != nil; {
			switch x := e.(type) {
			case *js.CallExpr:
				depth++
				for _, a := range x.Args.List {
					if v, ok := a.Value.(*js.Var); ok {
						own = v
					}
				}
				e = x.X
			case *js.DotExpr:
				e = x.X
			case *js.IndexExpr:
				e = x.X
			case *js.Var:
				if depth == 5 && own != nil && isVar(x, own) { // f.toString().search(x).toString().constructor(f).search(x)
					l.add(signSelfDefending, x.Data, "reads its own text")
				}
				e = nil
			default:
				e = nil
			}
		}
	}
}

func (l *looks) literal(e *js.LiteralExpr) {
	if e.TokenType != js.StringToken || len(e.Data) < 4 {
		return
	}
	text := e.Data[1 : len(e.Data)-1]
	if hidesBase64(text) {
		l.add(signLongBase64, e.Data, string(text[:60])+"…")
	}
	if bytes.Contains(text, []byte("(((.+)+)+)+$")) {
		l.add(signSelfDefending, e.Data, "a pattern that never ends when the code was made readable")
	}
}

// dispatcher looks for a switch over a list of steps.
func (l *looks) dispatcher(s *js.SwitchStmt) {
	x, ok := s.Init.(*js.IndexExpr)
	if !ok {
		return
	}
	if u, ok := x.Y.(*js.UnaryExpr); ok && u.Op == js.PostIncrToken {
		if v, ok := x.X.(*js.Var); ok {
			l.add(signControlFlow, v.Data, "statements in a switch over a list of steps")
		}
	}
}

// object looks for objects whose functions only apply an operator or call another function.
func (l *looks) object(e *js.ObjectExpr) {
	n := 0
	var near []byte
	for _, p := range e.List {
		fn, ok := functionNode(p.Value).(*js.FuncDecl)
		if !ok || len(fn.Body.List) != 1 || len(fn.Params.List) == 0 || p.Name == nil {
			continue
		}
		r, ok := fn.Body.List[0].(*js.ReturnStmt)
		if !ok {
			continue
		}
		own := func(e js.IExpr) bool {
			for _, p := range fn.Params.List {
				if v, ok := p.Binding.(*js.Var); ok && isVar(e, v) {
					return true
				}
			}
			return false
		}
		switch x := r.Value.(type) {
		case *js.BinaryExpr:
			if own(x.X) && own(x.Y) {
				n, near = n+1, p.Name.Literal.Data
			}
		case *js.CallExpr:
			if own(x.X) {
				n, near = n+1, p.Name.Literal.Data
			}
		}
	}
	if n >= MinWrappers {
		l.add(signControlFlow, near, "operators hidden in the functions of an object")
	}
}

// call looks for packed code, texts from character codes, and the turning of a string array.
func (l *looks) call(e *js.CallExpr) {
	if string(methodData(e.X)) == "fromCharCode" {
		n := 0
		for _, a := range e.Args.List {
			if lit, ok := a.Value.(*js.LiteralExpr); ok && js.IsNumeric(lit.TokenType) {
				n++
			}
		}
		if n >= minCharCodes {
			lit, _ := e.Args.List[0].Value.(*js.LiteralExpr)
			if lit != nil {
				l.add(signCharCodes, lit.Data, "a text from character codes")
			}
		}
	}
	if v := Turned(e); v != nil {
		l.add(signStringArray, v.Data, "an array that is turned before use")
		l.table.turned = append(l.table.turned, v)
	}
	if v, ok := e.X.(*js.Var); ok && string(v.Data) == "eval" && len(e.Args.List) == 1 {
		if inner, ok := e.Args.List[0].Value.(*js.CallExpr); ok {
			if fn, ok := functionNode(inner.X).(*js.FuncDecl); ok && len(fn.Params.List) >= 4 {
				l.add(signPacked, v.Data, "code unpacked by a function and run")
			}
		}
	}
}

// A Sign is a sign of hidden code.
type Sign struct {
	Kind   string // one of those of behavior.Sign
	Offset int    // where in Src, in bytes; -1 when that is not known
	Text   string
}

// Signs lists the signs of hidden code in the script.
func (f *Folder) Signs() []Sign {
	var out []Sign
	if f.script.AST != nil {
		f.collect()
		for _, l := range f.looks.found {
			if l.kind == signHexNames && len(f.looks.hex)*4 < f.looks.names {
				continue // some library within much other code
			}
			out = append(out, f.sign(l.kind, Offset(f.script.Src, l.data), l.text))
		}
		if f.hasSign(out, signStringArray) && !f.hasSign(out, signSelfDefending) {
			for _, s := range f.decoded() {
				if strings.Contains(s, "(((.+)+)+)+$") {
					out = append(out, f.sign(signSelfDefending, 0, "a pattern that never ends when the code was made readable"))
					break
				}
			}
		}
	}
	if at := Wordless(f.script.Src); at >= 0 {
		out = append(out, f.sign(signJSFuck, at, "code written with six characters"))
	}
	return out
}

func (f *Folder) hasSign(list []Sign, kind string) bool {
	return slices.ContainsFunc(list, func(s Sign) bool { return s.Kind == kind })
}

func (f *Folder) sign(kind string, offset int, text string) Sign {
	if len(text) > maxSignText {
		text = text[:maxSignText]
	}
	return Sign{Kind: kind, Offset: offset, Text: text}
}

// Wordless finds a long run of the characters that such code is written with.
func Wordless(src []byte) int {
	const bracket, not, plus, call = 1, 2, 4, 8
	run, kinds := 0, 0
	for i, c := range src {
		switch c {
		case '[', ']':
			kinds |= bracket
		case '!':
			kinds |= not
		case '+':
			kinds |= plus
		case '(', ')':
			kinds |= call
		case ' ', '\n', '\r', '\t':
			continue
		default:
			run, kinds = 0, 0
			continue
		}
		if run++; run >= minJSFuck && kinds == bracket|not|plus|call {
			return i + 1 - run
		}
	}
	return -1
}
