package fold

import (
	"slices"
	"strings"

	"github.com/tdewolff/parse/v2/js"
)

// maxPacked bounds the scripts whose statements are run because they give something to eval that is no constant: what
// only unpacks other code is small, and the statements of a bundle take long.
const maxPacked = 64 << 10

// Unpacked lists the texts of code that the script runs from constants: eval, Function, timers.
func (f *Folder) Unpacked() []string {
	if f.script.AST == nil {
		return nil
	}
	f.collect()
	var out []string
	add := func(text string) {
		text = strings.TrimSpace(text)
		if text != "" && len(out) < maxUnpacked && !slices.Contains(out, text) && !trivialCode(text) {
			out = append(out, text)
		}
	}
	wordless := Wordless(f.script.Src) >= 0
	unfolded := false
	ask := func(callee js.IExpr, args []js.Arg) {
		if arg := codeArgument(callee, args); arg != nil {
			if s, ok := f.text(arg); ok {
				add(s)
			} else if name := calleeName(callee); name == "eval" || name == "Function" {
				unfolded = true
			}
		}
	}
	for _, e := range f.calls {
		ask(e.X, e.Args.List)
	}
	for _, e := range f.news {
		if e.Args == nil {
			continue
		}
		ask(e.X, e.Args.List)
	}
	if wordless || unfolded && len(f.script.Src) <= maxPacked {
		f.runStatements()
	}
	for _, s := range f.in.code {
		add(s)
	}
	return out
}

func (f *Folder) text(e js.IExpr) (string, bool) {
	c, _ := f.Fold(e)
	s, ok := c.(string)
	return s, ok
}

// codeArgument is the argument that a call runs as code.
func codeArgument(callee js.IExpr, args []js.Arg) js.IExpr {
	name := calleeName(callee)
	if len(args) == 0 || anyRest(args) {
		return nil
	}
	switch name {
	case "eval", "setTimeout", "setInterval", "execScript":
		if functionNode(args[0].Value) == nil {
			return args[0].Value
		}
	case "Function":
		return args[len(args)-1].Value
	}
	return nil
}

// calleeName is the name of a global function, or of a way to one, that is called.
func calleeName(callee js.IExpr) string {
	for {
		g, ok := callee.(*js.GroupExpr)
		if !ok {
			break
		}
		callee = g.X
	}
	if c, ok := callee.(*js.CommaExpr); ok { // (0, eval)(text)
		callee = c.List[len(c.List)-1]
	}
	switch e := callee.(type) {
	case *js.Var:
		if v := canonical(e); v.Decl == js.NoDecl {
			return string(v.Data)
		}
	case *js.DotExpr, *js.IndexExpr:
		of, method := methodOf(e)
		if v, ok := of.(*js.Var); ok && isGlobalName(string(v.Data)) {
			return method
		}
		if method == "constructor" {
			return "Function"
		}
	}
	return ""
}

func isGlobalName(name string) bool {
	return name == "window" || name == "self" || name == "globalThis" || name == "top"
}

// trivialCode is code that only reaches for a global: it hides nothing.
func trivialCode(s string) bool {
	rest, ok := strings.CutPrefix(strings.TrimRight(s, "; "), "return")
	rest = strings.TrimSpace(rest)
	if rest == "(function() {}.constructor(\"return this\")( ))" || rest == "(function() {}.constructor(\"return this\")())" {
		return true
	}
	return ok && !strings.ContainsAny(rest, "(.=`")
}

// runStatements runs the statements of the script that are one expression each, for the code that they give to eval.
func (f *Folder) runStatements() {
	for i, s := range f.script.AST.List {
		x, ok := s.(*js.ExprStmt)
		if !ok || i > 1000 || f.Exhausted() {
			continue
		}
		f.evaluate(func(c *jsCompiler) jsCode { return c.expr(x.Value) })
	}
}
