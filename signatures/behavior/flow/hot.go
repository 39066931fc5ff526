package flow

import (
	"bytes"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior/coins"
	"github.com/extwatch/extwatch/signatures/behavior/fold"
	"github.com/extwatch/extwatch/signatures/behavior/syntax"
	"github.com/tdewolff/parse/v2/js"
)

// heat says whether a function has anything that the engine looks for. Most of a bundle has not: frameworks, parsers,
// tables. A large function without is not walked through; what goes in comes out, as of any function that is not known.
type heat struct {
	nodes int32
	hot   bool   // worth walking through when it is called
	root  bool   // worth walking through even if nothing calls it
	weak  uint16 // kinds of words that libraries hold, too
	this  bool   // says this or super, itself or in an arrow function
	args  bool   // says arguments or eval, likewise
	uses  bool   // it names a hot function
	cut   bool   // its body was left out
	curve int8   // how near it is to the multiplication of a point of a curve or a signature: 1 does it itself, 0 none
	joins bool   // of a method, and what stands in it, that is named like those that join contexts
	hub   bool   // it makes or is a method by which others are told what one hands in
}

// scheme is what stands between the scheme of an address and its host.
var scheme = []byte("://")

// smallFunction is the number of nodes up to which a function is always walked through: helpers, wrappers and emitters
// through which data goes are of that size.
const smallFunction = 160

// handsOn is the number of nodes up to which a function is walked through because it names a hot one: it hands on what
// it gets. Larger ones are the outer functions of bundles.
const handsOn = 400

// heater measures the functions of one script.
type heater struct {
	out    map[js.INode]heat
	vars   map[*js.Var]bool // variables that hold hot functions
	names  map[string]bool  // members that do
	curves map[*js.Var]int8 // variables that hold functions that hand on a key to a curve
	stack  []heat
	table  bool // something looks like a table of hidden texts
}

func (e *Engine) warm(u *Script) {
	h := &heater{out: e.heats, vars: e.hotVars, names: e.hotNames, curves: map[*js.Var]int8{}, stack: []heat{{}}}
	js.Walk(h, u.AST)
	u.openTexts = !h.table
}

func (h *heater) Enter(n js.INode) js.IVisitor {
	top := &h.stack[len(h.stack)-1]
	top.nodes++
	switch x := n.(type) {
	case *js.FuncDecl:
		h.stack = append(h.stack, heat{})
		h.table = h.table || x.Name != nil && fold.FirstTexts(x.Body.List) != nil
	case *js.MethodDecl:
		j := joins(x.Name.Literal.Data)
		h.stack = append(h.stack, heat{hot: j, joins: j, hub: hubName(x.Name.Literal.Data)})
	case *js.ArrowFunc:
		h.stack = append(h.stack, heat{hot: top.joins, joins: top.joins})
	case *js.ClassDecl:
		h.stack = append(h.stack, heat{})
	case *js.CallExpr:
		h.table = h.table || fold.Turned(x) != nil
		if curveCall(x) {
			top.curve = 1
		}
	case *js.Var:
		top.word(hotName(x.Data) && (len(x.Data) > 1 || resolve(x).Decl == js.NoDecl), x.Data)
		switch string(x.Data) {
		case "arguments", "eval":
			top.args = true
		case syntax.ColdName: // it was large when it still had its body
			top.cut = true
			top.nodes += smallFunction
		}
		top.uses = top.uses || h.vars[resolve(x)]
		top.curve = nearer(top.curve, h.curves[resolve(x)])
	case *js.LiteralExpr:
		top.word(hotLiteral(x.Data), x.Data)
		top.this = top.this || x.TokenType == js.ThisToken || x.TokenType == js.SuperToken
	case js.LiteralExpr:
		top.word(hotLiteral(x.Data), x.Data)
		top.this = top.this || x.TokenType == js.ThisToken || x.TokenType == js.SuperToken
	case *js.TemplateExpr:
		top.word(bytes.Contains(x.Tail, scheme), nil)
		for _, p := range x.List {
			top.word(bytes.Contains(p.Value, scheme), nil)
		}
	case *js.IndexExpr:
		if _, call := x.Y.(*js.CallExpr); call {
			top.word(true, nil)
		}
	case *js.ObjectExpr: // the walker leaves keys out
		for i := range x.List {
			if k := x.List[i].Name; k != nil {
				top.word(hotLiteral(k.Literal.Data), k.Literal.Data)
				top.hub = top.hub || hubName(k.Literal.Data)
			}
		}
	case *js.BindingObject:
		for i := range x.List {
			if k := x.List[i].Key; k != nil {
				top.word(hotLiteral(k.Literal.Data), k.Literal.Data)
			}
		}
	}
	return h
}

// joins says whether a method of that name joins contexts. Libraries for messages name theirs like the browser's, and
// say the browser's name elsewhere.
func joins(name []byte) bool {
	switch string(name) {
	case "onMessage", "sendMessage":
		return true
	}
	return false
}

// word notes a word that was looked at. Data is nil for what is no word.
func (h *heat) word(hot bool, data []byte) {
	if !hot {
		return
	}
	h.hot = true
	if idleWords[string(data)] {
		return
	}
	kind := weakKinds[string(unquoted(data))]
	if kind == 0 && (data == nil || bytes.Contains(data, scheme)) {
		kind = weakAddress
	}
	h.weak |= kind
	h.root = h.root || kind == 0 || several(h.weak)
}

// several says whether more than one bit is set.
func several(bits uint16) bool { return bits&(bits-1) != 0 }

func unquoted(b []byte) []byte {
	if len(b) >= 2 && syntax.IsQuote(b[0]) {
		return b[1 : len(b)-1]
	}
	return b
}

// idleWords don't make a function worth looking at that nothing calls: without data from a caller they do nothing.
var idleWords = syntax.WordSet("exports __webpack_require__ globalThis")

// Libraries hold words of these kinds, too, and most of their functions are such that nothing in the extension calls:
// following them was two thirds of the work on a bundle. One kind alone does not make such a function worth looking at: a
// theft takes something to read and somewhere to bring it. Words of requests count by themselves.
const (
	weakAddress uint16 = 1 << iota // a text with an address, a computed name
	weakCode
	weakMarkup
	weakPlace
	weakEvent
	weakDecoder
	weakSecret
	weakMessage
)

var weakKinds = func() map[string]uint16 {
	m := map[string]uint16{}
	for kind, words := range map[uint16]string{
		weakCode:    "Function Reflect",
		weakMarkup:  "script iframe srcdoc Image outerHTML insertAdjacentHTML createContextualFragment setAttribute",
		weakPlace:   "location",
		weakEvent:   "submit copy paste onChange",
		weakDecoder: "fromCharCode atob",
		weakSecret:  "seed phantom secretKey",
		weakMessage: "postMessage onmessage Worker",
	} {
		for w := range syntax.WordSet(words) {
			m[w] = kind
		}
	}
	return m
}()

func (h *heater) Exit(n js.INode) {
	switch n.(type) {
	case *js.FuncDecl, *js.ArrowFunc, *js.MethodDecl, *js.ClassDecl:
		last := len(h.stack) - 1
		x := h.stack[last]
		hands := x.uses && x.nodes <= handsOn
		x.hot, x.root = x.hot || hands, x.root || hands
		h.stack = h.stack[:last]
		h.out[n] = x
		h.stack[last-1].nodes += x.nodes
		outer := &h.stack[last-1]
		outer.hot, outer.weak, outer.curve = outer.hot || x.hot, outer.weak|x.weak, nearer(outer.curve, x.curve)
		outer.hub = outer.hub || x.hub
		outer.root = outer.root || x.root || several(outer.weak)
		if _, arrow := n.(*js.ArrowFunc); arrow {
			outer.this, outer.args = outer.this || x.this, outer.args || x.args
		}
		if x.root {
			h.declared(n)
		}
		h.handsToCurve(n, x)
	default:
		h.assigned(n)
	}
}

func (h *heater) declared(n js.INode) {
	switch x := n.(type) {
	case *js.FuncDecl:
		if x.Name != nil {
			h.vars[resolve(x.Name)] = true
		}
	case *js.ClassDecl:
		if x.Name != nil {
			h.vars[resolve(x.Name)] = true
		}
	case *js.MethodDecl:
		h.name(x.Name.Literal.Data)
	}
}

// assigned notes where hot functions are kept.
func (h *heater) assigned(n js.INode) {
	switch x := n.(type) {
	case *js.VarDecl:
		for _, el := range x.List {
			h.curveKept(el)
			if v, ok := el.Binding.(*js.Var); ok && el.Default != nil && h.out[el.Default].root {
				h.vars[resolve(v)] = true
			}
		}
	case *js.ObjectExpr:
		for i := range x.List {
			if p := &x.List[i]; p.Name != nil && h.out[p.Value].root {
				h.name(p.Name.Literal.Data)
			}
		}
	case *js.BinaryExpr:
		if x.Op != js.EqToken {
			return
		}
		h.hub(x)
		if !h.out[x.Y].root {
			return
		}
		switch t := x.X.(type) {
		case *js.Var:
			h.vars[resolve(t)] = true
		case *js.DotExpr:
			if l, ok := t.Y.(js.LiteralExpr); ok {
				h.name(l.Data)
			}
		}
	}
}

// name notes a member. Short names are those of minifiers and say nothing.
func (h *heater) name(b []byte) {
	if len(b) > 2 {
		h.names[string(b)] = true
	}
}

// useless says whether a function that nobody calls need not be looked at: it has nothing hot, and calls nothing hot.
func (e *Engine) useless(info *code) bool {
	h, known := e.heats[info.node]
	if !known || h.root {
		return false
	}
	if h.nodes > smallFunction {
		return true
	}
	c := &caller{e: e}
	js.Walk(c, info.node)
	return !c.found
}

// caller looks for a use of something hot.
type caller struct {
	e     *Engine
	found bool
}

func (c *caller) Enter(n js.INode) js.IVisitor {
	if c.found {
		return nil
	}
	switch x := n.(type) {
	case *js.Var:
		c.found = c.e.hotVars[resolve(x)]
	case js.LiteralExpr:
		c.found = c.e.hotNames[string(x.Data)]
	}
	return c
}

func (c *caller) Exit(js.INode) {}

func hotName(b []byte) bool {
	return syntax.Hot(b) || len(b) > 3 && b[0] == '_' && b[1] == '0' && b[2] == 'x'
}

// hotLiteral looks at names of members and at strings.
func hotLiteral(b []byte) bool {
	if len(b) >= 2 && (b[0] == '"' || b[0] == '\'') {
		b = b[1 : len(b)-1]
		if bytes.Contains(b, scheme) {
			return true
		}
		if bytes.Contains(b, []byte(`\x`)) || bytes.Contains(b, []byte(`\u`)) {
			text := unescapeText(string(b))
			return syntax.Hot([]byte(text)) || strings.Contains(text, "://")
		}
		if len(b) >= 26 && len(b) <= 90 {
			kind, _ := coins.Tell(string(b))
			return kind != ""
		}
	}
	return syntax.Hot(b)
}

// cold says whether a function is not worth walking through when it is called.
func (e *Engine) cold(info *code) bool {
	if info.heat.curve > 0 && info.heat.nodes <= maxCurve && !info.heat.cut && e.curved(info.u) {
		return false // what it makes beside the signature matters
	}
	if info.heat.nodes <= smallFunction || info.heat.hot || info.handed || info.heat.hub && info.heat.nodes <= maxHub {
		return false
	}
	if !info.asked { // all scripts have been measured by now, so that what stands below counts as well
		info.asked = true
		if info.heat.nodes <= leads && len(info.u.Src) <= ownScript {
			c := &caller{e: e}
			js.Walk(c, info.node)
			info.heat.hot = c.found
		}
	}
	return !info.heat.hot
}

// leads is the number of nodes up to which a function is walked through because it names a hot one, in scripts of up to
// ownScript bytes. They hold mostly what their author wrote: the function that calls all others is long there, most of all
// when a compiler made a switch of it.
const (
	leads     = 500
	ownScript = 64 << 10
)
