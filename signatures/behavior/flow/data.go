package flow

import (
	"slices"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior/parties"
	"github.com/extwatch/extwatch/signatures/behavior/syntax"
	"github.com/tdewolff/parse/v2/js"
)

// codeTaints is what a text brings into code that runs. What stands in quotes there ("window.address = '…'") or came out
// of JSON.stringify is data, and so is a setting that a variable is given ("this.volume = …;"): what a server gives a
// variable without quotes may be a function that is called where it stands. A server that breaks out of the quotes could
// run code, too, but nobody hides an order for code there. x is the expression of the text, or nil.
func (e *Engine) codeTaints(f *activation, x js.IExpr, v *value) []*taint {
	ts := e.taintsIn(f, v)
	if len(ts) == 0 {
		return nil
	}
	if text, ok := skeleton(x, 0); ok && strings.Contains(text, parties.Gap) {
		switch data, quoted := onlyData(text); {
		case data && quoted:
			return nil
		case data:
			ts = slices.DeleteFunc(slices.Clone(ts), func(t *taint) bool { return t.source == srcStorage })
		}
	}
	if slices.ContainsFunc(v.texts(), func(text string) bool { return containsAny(text, codeMaking...) }) {
		return ts // "eval(" + JSON.stringify(code) + ")"
	}
	return slices.DeleteFunc(slices.Clone(ts), stringified)
}

// stringified says whether data was made JSON and not taken out of it again.
func stringified(t *taint) bool {
	for l := t.way; l != nil; l = l.prev {
		switch l.what {
		case "JSON.stringify":
			return true
		case "JSON.parse":
			return false
		}
	}
	return false
}

// skeleton is the text of an expression that puts texts together, with gaps for what is no literal.
func skeleton(x js.IExpr, depth int) (string, bool) {
	if depth > maxJoined {
		return "", false
	}
	switch x := x.(type) {
	case *js.LiteralExpr:
		if x.TokenType == js.StringToken {
			return unescapeText(string(unquoted(x.Data))), true
		}
	case *js.GroupExpr:
		return skeleton(x.X, depth+1)
	case *js.BinaryExpr:
		if x.Op == js.AddToken {
			l, ok1 := skeleton(x.X, depth+1)
			r, ok2 := skeleton(x.Y, depth+1)
			return l + r, ok1 && ok2
		}
	case *js.TemplateExpr:
		if x.Tag != nil {
			break
		}
		var s strings.Builder
		for n, p := range x.List {
			s.WriteString(unescapeText(string(cutTemplate(p.Value, n == 0))))
			s.WriteString(parties.Gap)
		}
		s.WriteString(unescapeText(string(cutTemplate(x.Tail, len(x.List) == 0))))
		return s.String(), true
	}
	return parties.Gap, x != nil
}

// textNode is the text that document.createTextNode is given, or x itself.
func textNode(x js.IExpr) js.IExpr {
	if c, ok := x.(*js.CallExpr); ok && len(c.Args.List) == 1 {
		if d, ok := c.X.(*js.DotExpr); ok {
			if l, ok := d.Y.(js.LiteralExpr); ok && string(l.Data) == "createTextNode" {
				return c.Args.List[0].Value
			}
		}
	}
	return x
}

// maxJoined bounds the parts of such an expression.
const maxJoined = 200

// codeMaking are words of code that makes code, or addresses of code, from what stands in quotes.
var codeMaking = []string{"eval", "Function(", "setTimeout", "setInterval", "atob", "import", "src", "innerHTML", "outerHTML",
	"write", "execScript", "insertAdjacent", "location", "href", "parse", "decode", "constructor", "textContent"}

// onlyData says whether all gaps of a script's text stand in quotes, or right of "name = " up to the end of the statement,
// and whether all stand in quotes.
func onlyData(code string) (data, quoted bool) {
	if containsAny(code, codeMaking...) {
		return false, false
	}
	quoted = true
	var quote byte
	for i := 0; i < len(code); i++ {
		c := code[i]
		switch {
		case c == parties.Gap[0]:
			if quote == 0 {
				quoted = false
				if !isValue(code[:i], code[i+1:]) {
					return false, false
				}
			}
		case quote != 0:
			if c == '\\' {
				i++
			} else if c == quote {
				quote = 0
			}
		case syntax.IsQuote(c):
			quote = c
		case c == '/': // a comment or an expression may hold quotes
			return false, false
		}
	}
	return true, quoted
}

// isValue says whether a gap between two parts of a statement is what a variable is given.
func isValue(before, after string) bool {
	before, after = strings.TrimRight(before, " "), strings.TrimLeft(after, " ")
	name, ok := strings.CutSuffix(before, "=")
	name = strings.TrimRight(name, " ")
	return ok && name != "" && (identByte(name[len(name)-1]) || name[len(name)-1] == ']') &&
		(after == "" || after[0] == ';' || after[0] == '\n')
}
