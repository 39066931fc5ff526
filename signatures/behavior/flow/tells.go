package flow

import (
	"bytes"
	"strings"

	"github.com/tdewolff/parse/v2/js"
)

// What code tests tells what it holds: a text that is compared with "otpauth:" is the address in the picture of a second
// factor, whatever read the picture; one that a library for seed phrases is asked about is a seed phrase.

// tells looks at a call that tests something, and marks the variable that it tests.
func (e *Engine) tells(f *activation, x *js.CallExpr, callee *js.DotExpr, name string, c call) {
	switch name {
	case "startsWith", "includes", "indexOf", "match", "search", "matchAll":
		if namesOTP(x, c) {
			e.mark(f, x, callee.X, srcOTP, "otpauth", "has the address of a second factor")
		}
	case "test", "exec":
		if l, ok := callee.X.(*js.LiteralExpr); ok && bytes.Contains(l.Data, otpScheme) && len(x.Args.List) > 0 {
			e.mark(f, x, x.Args.List[0].Value, srcOTP, "otpauth", "has the address of a second factor")
		}
	case "validateMnemonic", "isValidMnemonic":
		if len(x.Args.List) > 0 {
			e.mark(f, x, x.Args.List[0].Value, srcSeed, "", "has what is tested for a seed phrase")
		}
	}
}

var otpScheme = []byte("otpauth:")

func namesOTP(x *js.CallExpr, c call) bool {
	if len(x.Args.List) == 0 {
		return false
	}
	if l, ok := x.Args.List[0].Value.(*js.LiteralExpr); ok && bytes.Contains(l.Data, otpScheme) {
		return true
	}
	t, ok := c.arg(0).constant()
	return ok && strings.HasPrefix(t, string(otpScheme))
}

// compares looks at a comparison of a text with the scheme of a second factor's address.
func (e *Engine) compares(f *activation, x *js.BinaryExpr) {
	for _, pair := range [...][2]js.IExpr{{x.X, x.Y}, {x.Y, x.X}} {
		if l, ok := pair[0].(*js.LiteralExpr); ok && l.TokenType == js.StringToken && bytes.HasPrefix(unquoted(l.Data), otpScheme) {
			e.mark(f, x, pair[1], srcOTP, "otpauth", "has the address of a second factor")
		}
	}
}

// mark taints the variable that an expression is of. What is known to come from a source needs no mark.
func (e *Engine) mark(f *activation, node js.INode, x js.IExpr, source, from, what string) {
	const maxMembers = 8
	for range maxMembers {
		switch y := x.(type) {
		case *js.GroupExpr:
			x = y.X
		case *js.DotExpr:
			x = y.X
		case *js.IndexExpr:
			x = y.X
		case *js.CallExpr: // x.trim().startsWith("otpauth:")
			d, ok := y.X.(*js.DotExpr)
			if !ok {
				return
			}
			x = d.X
		case *js.Var:
			v := e.eval(f, y)
			for _, t := range v.allTaints() {
				if private(t.source) {
					return
				}
			}
			if v == nil || len(v.paths)+len(v.fns) > 0 {
				return
			}
			e.assignVar(f, y, join(v, taintValue(e.newTaint(f, node, source, from, what))), false)
			return
		default:
			return
		}
	}
}
