package fold

import (
	"bytes"

	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/js"
)

const maxFunctionText = 64 << 10

// functionText gives a function as it stands in the source. Decoders look at their own text to see whether somebody made it
// readable. The tree has no positions, so the text is found from the leaves within it.
func (f *Folder) functionText(d *js.FuncDecl) (string, bool) {
	l := &leaves{src: f.script.Src, first: -1}
	if d.Name != nil {
		l.leaf(d.Name.Data)
	}
	for _, v := range d.Body.Scope.Declared { // other variables are first named elsewhere
		l.leaf(v.Data)
	}
	js.Walk(l, &d.Params)
	js.Walk(l, &d.Body)
	if l.first < 0 {
		return "", false
	}
	start := l.first
	for range l.within + 1 { // functions within d that begin before its first leaf
		if start = bytes.LastIndex(f.script.Src[:start], []byte("function")); start < 0 {
			return "", false
		}
	}
	text := f.script.Src[start:]
	text = text[:min(len(text), maxFunctionText)]
	end := closingBrace(text)
	if end < 0 || start+end < l.first {
		return "", false
	}
	return string(text[:end]), true
}

// leaves finds the first leaf of a tree in the source.
type leaves struct {
	src    []byte
	first  int
	within int
	depth  int
}

func (l *leaves) Enter(n js.INode) js.IVisitor {
	switch n := n.(type) {
	case *js.LiteralExpr:
		l.leaf(n.Data)
	case *js.FuncDecl:
		l.depth++
	}
	return l
}

func (l *leaves) Exit(n js.INode) {
	if _, ok := n.(*js.FuncDecl); ok {
		l.depth--
	}
}

func (l *leaves) leaf(data []byte) {
	if at := Offset(l.src, data); at >= 0 && (l.first < 0 || at < l.first) {
		l.first, l.within = at, l.depth
	}
}

// closingBrace is the offset after the brace that closes the first one, -1 when there is none.
func closingBrace(text []byte) int {
	lexer := js.NewLexer(parse.NewInputBytes(bytes.Clone(text)))
	depth, at := 0, 0
	operand := false // a slash now divides
	for {
		tt, data := lexer.Next()
		if !operand && (tt == js.DivToken || tt == js.DivEqToken) {
			tt, data = lexer.RegExp()
		}
		at += len(data)
		switch tt {
		case js.ErrorToken:
			return -1
		case js.OpenBraceToken:
			depth++
		case js.CloseBraceToken:
			if depth--; depth == 0 {
				return at
			}
		case js.WhitespaceToken, js.LineTerminatorToken, js.CommentToken, js.CommentLineTerminatorToken:
			continue
		}
		operand = js.IsIdentifier(tt) || js.IsNumeric(tt) || tt == js.StringToken || tt == js.CloseParenToken ||
			tt == js.CloseBracketToken || tt == js.ThisToken || tt == js.TemplateToken || tt == js.TemplateEndToken || tt == js.RegExpToken
	}
}
