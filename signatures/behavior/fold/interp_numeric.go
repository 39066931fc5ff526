package fold

import (
	"bytes"

	"github.com/tdewolff/parse/v2/js"
)

// certain reports whether an expression can only be a number, and does nothing but ask functions of the program for the
// texts of its numbers. What turns a string array adds up ten such numbers each time, nearly always to NaN: then the first
// says it, and the others, which take thousands of steps each to decode, need not be asked.
func certain(e js.IExpr, depth int) bool {
	if depth > 40 {
		return false
	}
	switch e := e.(type) {
	case *js.GroupExpr:
		return certain(e.X, depth+1)
	case *js.LiteralExpr:
		return js.IsNumeric(e.TokenType) && !bytes.HasSuffix(e.Data, []byte("n"))
	case *js.UnaryExpr:
		return (e.Op == js.NegToken || e.Op == js.PosToken) && certain(e.X, depth+1)
	case *js.BinaryExpr:
		switch e.Op {
		case js.AddToken, js.SubToken, js.MulToken, js.DivToken, js.ModToken:
			return certain(e.X, depth+1) && certain(e.Y, depth+1)
		}
	case *js.CallExpr:
		v, ok := e.X.(*js.Var)
		if !ok || canonical(v).Decl != js.NoDecl || string(v.Data) != "parseInt" || len(e.Args.List) != 1 {
			return false
		}
		ask, ok := e.Args.List[0].Value.(*js.CallExpr)
		if !ok {
			return false
		}
		_, ok = ask.X.(*js.Var)
		return ok
	}
	return false
}

func isNaN(v jsv) bool {
	n, ok := v.(float64)
	return ok && n != n
}
