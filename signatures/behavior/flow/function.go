package flow

import "github.com/tdewolff/parse/v2/js"

// builtinMethod says whether an expression is a function by its form alone, though the engine has no value for it: a method
// of a literal, [].filter, or the constructor of a constructor. Its own constructor is Function.
func builtinMethod(x js.IExpr) bool {
	var of, key js.IExpr
	switch d := unwrap(x).(type) {
	case *js.DotExpr:
		of = d.X
		if l, ok := d.Y.(js.LiteralExpr); ok && string(l.Data) == "constructor" {
			return true
		}
	case *js.IndexExpr:
		of, key = d.X, d.Y
	default:
		return false
	}
	switch l := unwrap(of).(type) {
	case *js.ArrayExpr:
		return key == nil || isText(key)
	case *js.LiteralExpr:
		return l.TokenType == js.StringToken && (key == nil || isText(key))
	}
	return false
}

// isText says whether an expression is a text in quotes.
func isText(x js.IExpr) bool {
	l, ok := unwrap(x).(*js.LiteralExpr)
	return ok && l.TokenType == js.StringToken
}
