// Package fold tells what the pure code of a script makes: constant expressions, texts that it decodes, code that it unpacks
// and runs, and the signs that it hides something. Programs are evaluated within bounds of steps and memory, without a host
// object, without input or output; what depends on anything else has no answer.
package fold

import (
	"strings"

	"github.com/tdewolff/parse/v2/js"
)

// A Constant is a value that pure evaluation gave: string, float64, bool, nil for null, undefined, []Constant, or
// map[string]Constant.
type Constant any

const (
	foldShare    = 8          // an expression may take the 8th part of a script's steps, so that one can't take all
	hiddenSteps  = 60_000_000 // for a script with a string array: turning one of 200 RC4 texts takes 36 million, about a second
	maxFoldHeap  = 48 << 20   // bytes that one evaluation may make
	maxUnitHeap  = 128 << 20  // bytes that all evaluations of a script may make: what they give is kept
	maxPlausible = 4000       // nodes that are looked at before an expression is evaluated
	maxConstant  = 1 << 16    // values within one constant
)

// A Folder evaluates the pure code of one script. Nothing is evaluated before somebody asks, and then once.
type Folder struct {
	script    Script
	in        *interp
	vars      map[*js.Var]*staticVar // nil until somebody asks
	spare     []staticVar            // room for more of them: there is one for each variable of a script
	uses      [][]varUse             // of all variables, in pieces
	steps     int                    // left for the whole script
	share     int
	heap      int
	running   int // parts of the program that are being run
	nesting   int
	memo      map[js.IExpr]folded
	calls     []*js.CallExpr // in the order of the code
	news      []*js.NewExpr
	looks     looks
	collected bool
}

type folded struct {
	value Constant
	ok    bool
}

// New returns a Folder that takes at most so many steps for all that it is ever asked, or hiddenSteps when the script
// hides its texts in an array.
func New(s Script, steps int) *Folder {
	f := &Folder{script: s, steps: steps, share: max(steps/foldShare, 1), heap: maxUnitHeap, memo: map[js.IExpr]folded{}}
	f.in = &interp{}
	f.in.statics = f.static
	f.in.texts = f.functionText
	return f
}

// Exhausted reports whether the steps ran out: what Fold can't tell then, more steps might.
func (f *Folder) Exhausted() bool { return f.steps <= 0 || f.heap <= 0 }

// Fold returns the value of an expression if pure code makes it.
func (f *Folder) Fold(e js.IExpr) (Constant, bool) {
	if e == nil || f.script.AST == nil || f.Exhausted() {
		return nil, false
	}
	if known, ok := f.memo[e]; ok {
		return known.value, known.ok
	}
	f.collect()
	left := maxPlausible
	var out folded
	if f.plausible(e, &left) {
		out.value, out.ok = f.evaluate(func(c *jsCompiler) jsCode { return c.expr(e) })
	}
	if _, isVar := e.(*js.Var); !isVar || out.ok {
		f.memo[e] = out
	}
	return out.value, out.ok
}

// call returns what a function of the program gives for constant arguments.
func (f *Folder) call(fn js.IExpr, args []Constant) (Constant, bool) {
	if fn == nil || f.script.AST == nil || f.Exhausted() {
		return nil, false
	}
	f.collect()
	return f.evaluate(func(c *jsCompiler) jsCode {
		code := c.expr(fn)
		return func(fr *jsFrame) jsv {
			list := make([]jsv, len(args))
			for i, a := range args {
				list[i] = fr.in.imported(a, 0)
			}
			return fr.in.call(code(fr), undefined{}, list)
		}
	})
}

func (f *Folder) evaluate(compile func(c *jsCompiler) jsCode) (out Constant, ok bool) {
	f.budget(f.share, func() {
		f.in.asking = true
		ok = f.in.attempt(func() {
			left := maxConstant
			out = f.in.exported(f.runCode(compile), 0, &left)
		})
	})
	if !ok {
		return nil, false
	}
	return out, true
}

// budget runs something with its own share of what is left of the script's steps and memory, and takes off what it used.
func (f *Folder) budget(share int, run func()) {
	steps, heap, number, depth, asking := f.in.steps, f.in.heap, f.in.run, f.in.depth, f.in.asking
	f.in.asking = false
	share = min(share, f.steps)
	bytes := min(maxFoldHeap, f.heap)
	f.in.steps, f.in.heap = share, bytes
	f.in.runs++
	f.in.run = f.in.runs
	run()
	f.in.asking = asking
	f.steps -= share - max(f.in.steps, 0)
	f.heap -= bytes - max(f.in.heap, 0)
	f.in.steps, f.in.heap, f.in.depth = min(steps, f.steps), heap, depth
	f.in.run = number
}

// runCode compiles and runs code outside of all functions.
func (f *Folder) runCode(compile func(c *jsCompiler) jsCode) jsv {
	c := &jsCompiler{in: f.in, fn: &jsScope{}}
	code := compile(c)
	return code(&jsFrame{in: f.in, slots: make([]*jsCell, c.fn.count), this: unknown{}, ret: undefined{}})
}

// plausible tells quickly that most expressions can't be constant: they name what only a browser has.
func (f *Folder) plausible(e js.IExpr, left *int) bool {
	if *left--; *left < 0 {
		return false
	}
	all := func(list ...js.IExpr) bool {
		for _, x := range list {
			if x != nil && !f.plausible(x, left) {
				return false
			}
		}
		return true
	}
	switch e := e.(type) {
	case *js.Var:
		return f.plausibleVar(e)
	case *js.LiteralExpr:
		return e.TokenType != js.ThisToken && e.TokenType != js.SuperToken && e.TokenType != js.ImportToken
	case *js.GroupExpr:
		return all(e.X)
	case *js.CommaExpr:
		return all(e.List...)
	case *js.CondExpr:
		return all(e.Cond, e.X, e.Y)
	case *js.UnaryExpr:
		switch e.Op {
		case js.NotToken, js.BitNotToken, js.PosToken, js.NegToken, js.VoidToken, js.TypeofToken:
			return all(e.X)
		}
	case *js.BinaryExpr:
		if _, assigns := assigns[e.Op]; assigns || e.Op == js.EqToken {
			return false
		}
		for { // chains are long on the left
			if !f.plausible(e.Y, left) {
				return false
			}
			b, ok := e.X.(*js.BinaryExpr)
			if !ok || b.Op == js.EqToken {
				return f.plausible(e.X, left)
			}
			e = b
		}
	case *js.DotExpr:
		return all(e.X)
	case *js.IndexExpr:
		return all(e.X, e.Y)
	case *js.ArrayExpr:
		for _, item := range e.List {
			if item.Value != nil && !f.plausible(item.Value, left) {
				return false
			}
		}
		return true
	case *js.ObjectExpr:
		for _, p := range e.List {
			if _, method := p.Value.(*js.MethodDecl); method || !f.plausible(p.Value, left) {
				return false
			}
		}
		return true
	case *js.TemplateExpr:
		for _, p := range e.List {
			if !f.plausible(p.Expr, left) {
				return false
			}
		}
		return e.Tag == nil || f.plausible(e.Tag, left)
	case *js.CallExpr:
		return f.plausibleCallee(e.X, left) && f.plausibleArgs(e.Args.List, left)
	case *js.NewExpr:
		return f.plausible(e.X, left) && (e.Args == nil || f.plausibleArgs(e.Args.List, left))
	}
	return false
}

func (f *Folder) plausibleCallee(e js.IExpr, left *int) bool {
	for {
		g, ok := e.(*js.GroupExpr)
		if !ok {
			break
		}
		e = g.X
	}
	switch e.(type) {
	case *js.FuncDecl, *js.ArrowFunc:
		return true
	}
	return f.plausible(e, left)
}

func (f *Folder) plausibleArgs(args []js.Arg, left *int) bool {
	for _, a := range args {
		switch a.Value.(type) {
		case *js.FuncDecl, *js.ArrowFunc:
			continue
		}
		if !f.plausible(a.Value, left) {
			// An argument that isn't used spoils nothing, but is rare: only decoders have them, and theirs are constant.
			return false
		}
	}
	return true
}

func (f *Folder) plausibleVar(v *js.Var) bool {
	v = canonical(v)
	if s := f.static(v); s != nil {
		return !(s.state == varReady && isUnknown(s.cell.v)) && s.known()
	}
	name := string(v.Data)
	return name == "undefined" || name == "NaN" || name == "Infinity" || name == "window" || name == "self" || name == "globalThis" ||
		name == "Math" || name == "JSON" || globalFunction(name) != nil
}

// exported copies a value out of the interpreter; what is no constant fails.
func (in *interp) exported(v jsv, depth int, left *int) Constant {
	if *left--; *left < 0 || depth > 64 {
		in.fail("constant too large")
	}
	switch v := flat(v).(type) {
	case nil:
		return nil
	case undefined, bool, float64:
		return v
	case string:
		return strings.ToValidUTF8(v, "\uFFFD")
	case *jsObject:
		switch v.class {
		case classArray, classBytes:
			out := make([]Constant, len(v.list))
			for i, e := range v.list {
				if e == (hole{}) {
					e = undefined{}
				}
				out[i] = in.exported(e, depth+1, left)
			}
			return out
		case classPlain:
			out := make(map[string]Constant, len(v.keys))
			for _, k := range v.keys {
				if _, ok := v.props[k].(accessor); ok {
					in.fail("getter")
				}
				out[k] = in.exported(v.props[k], depth+1, left)
			}
			return out
		}
	}
	in.fail("not a constant")
	return nil
}

// imported copies a constant into the interpreter.
func (in *interp) imported(c Constant, depth int) jsv {
	in.tick()
	switch c := c.(type) {
	case []Constant:
		list := make([]jsv, len(c))
		for i, e := range c {
			list[i] = in.imported(e, depth+1)
		}
		return in.newArray(list)
	case map[string]Constant:
		o := in.newObject()
		for k, e := range c {
			o.set(k, in.imported(e, depth+1))
		}
		return o
	case nil, undefined, bool, float64, string:
		return c
	}
	return unknown{}
}
