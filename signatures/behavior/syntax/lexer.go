package syntax

import (
	"bytes"
	"unicode/utf8"

	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/js"
)

// A Token is a word, sign or literal of a script.
type Token struct {
	Kind   js.TokenType
	Data   []byte
	Offset int
	line   bool // the first one of its line
}

// A Lexer reads tokens without a parser, which is what usually tells a division from a regular expression. It guesses
// that from the token before.
type Lexer struct {
	in     *parse.Input
	l      *js.Lexer
	last   js.TokenType
	parens []bool // by open parenthesis: it belongs to if, while, for or with
	head   bool   // the last closing parenthesis did
	errors int
}

// maxLexErrors is how many signs that no script has are passed over: text with more is none.
const maxLexErrors = 100

// NewLexer returns a lexer for a script, whose first line may be one for a shell.
func NewLexer(text []byte) *Lexer {
	in := parse.NewInputBytes(text)
	if bytes.HasPrefix(text, []byte("#!")) {
		n := bytes.IndexAny(text, "\r\n")
		if n < 0 {
			n = len(text)
		}
		in.Move(n)
		in.Skip()
	}
	return &Lexer{in: in, l: js.NewLexer(in), last: js.ErrorToken}
}

// Next returns the next token that is neither white space nor comment, and false at the end.
func (l *Lexer) Next() (Token, bool) {
	line := false
	for l.in.Offset() < l.in.Len() { // the library's lexer must not be asked at the end a second time
		kind, data := l.l.Next()
		switch kind {
		case js.WhitespaceToken, js.CommentToken:
			continue
		case js.LineTerminatorToken, js.CommentLineTerminatorToken:
			line = true
			continue
		case js.ErrorToken:
			l.errors++
			if len(data) == 0 || l.errors > maxLexErrors {
				return Token{Offset: l.in.Offset()}, false
			}
			continue
		case js.DivToken, js.DivEqToken:
			if l.expression() && l.closes() {
				if k, d := l.l.RegExp(); k == js.RegExpToken {
					kind, data = k, d
				}
			}
		}
		l.note(kind)
		return Token{Kind: kind, Data: data, Offset: l.in.Offset() - len(data), line: line}, true
	}
	return Token{Offset: l.in.Offset()}, false
}

// closes reports whether another slash follows in this line: a regular expression ends in it.
func (l *Lexer) closes() bool {
	rest := l.in.Bytes()[min(l.in.Offset(), l.in.Len()):]
	if i := bytes.IndexByte(rest[:min(len(rest), 1<<16)], '\n'); i >= 0 {
		rest = rest[:i]
	}
	return bytes.IndexByte(rest[:min(len(rest), 1<<16)], '/') >= 0
}

func (l *Lexer) note(kind js.TokenType) {
	switch kind {
	case js.OpenParenToken:
		head := l.last == js.IfToken || l.last == js.WhileToken || l.last == js.ForToken || l.last == js.WithToken
		l.parens = append(l.parens, head)
	case js.CloseParenToken:
		l.head = false
		if n := len(l.parens); n > 0 {
			l.head, l.parens = l.parens[n-1], l.parens[:n-1]
		}
	}
	if (l.last == js.DotToken || l.last == js.OptChainToken) && js.IsIdentifierName(kind) {
		kind = js.IdentifierToken // a.return is a name
	}
	l.last = kind
}

// expression reports whether an expression begins here, so that a slash begins a regular expression.
func (l *Lexer) expression() bool {
	if l.last == js.CloseParenToken {
		return l.head
	}
	return !endsOperand(l.last) || l.last == js.CloseBraceToken
}

// endsOperand reports whether an operator may follow a token.
func endsOperand(kind js.TokenType) bool {
	switch kind {
	case js.CloseParenToken, js.CloseBracketToken, js.CloseBraceToken, js.StringToken, js.RegExpToken, js.TemplateToken,
		js.TemplateEndToken, js.ThisToken, js.SuperToken, js.NullToken, js.TrueToken, js.FalseToken, js.PrivateIdentifierToken:
		return true
	}
	return js.IsNumeric(kind) || js.IsIdentifier(kind) && kind != js.AwaitToken && kind != js.YieldToken
}

// PlainNames writes names without escapes: \u0065val is eval. Spaces fill up, so that offsets stay true.
func PlainNames(text []byte) []byte {
	if !escapesName(text) {
		return text
	}
	var out []byte
	l := NewLexer(text)
	for {
		t, ok := l.Next()
		if !ok {
			break
		}
		if !js.IsIdentifierName(t.Kind) && t.Kind != js.PrivateIdentifierToken || bytes.IndexByte(t.Data, '\\') < 0 {
			continue
		}
		if out == nil {
			out = append(make([]byte, 0, len(text)+1), text...)
		}
		name := unescapeName(t.Data)
		n := copy(out[t.Offset:], name)
		blank(out[t.Offset+n : t.Offset+len(t.Data)])
	}
	if out == nil {
		return text
	}
	return out
}

// escapesName reports whether a letter, digit or sign that names of the browser are made of is escaped somewhere, in a
// name or a text. Escapes of other letters, as minifiers write them, need not be looked at.
func escapesName(text []byte) bool {
	for at := 0; ; {
		i := bytes.Index(text[at:], []byte(`\u`))
		if i < 0 {
			return false
		}
		at += i + 2
		window := text[at:min(len(text), at+10)]
		if len(window) > 0 && window[0] == '{' {
			return true
		}
		if len(window) >= 4 && window[0] == '0' && window[1] == '0' {
			if h, l := HexDigit(window[2]), HexDigit(window[3]); h >= 0 && l >= 0 && IsWordByte(byte(h<<4|l)) {
				return true
			}
		}
	}
}

// unescapeName decodes \uXXXX and \u{X…} in an identifier. The result is never longer.
func unescapeName(name []byte) []byte {
	out := make([]byte, 0, len(name))
	for i := 0; i < len(name); {
		if name[i] != '\\' || i+2 >= len(name) || name[i+1] != 'u' {
			out = append(out, name[i])
			i++
			continue
		}
		i += 2
		digits, limit := 0, 4
		if name[i] == '{' {
			i++
			limit = 8
		}
		r := rune(0)
		for ; i < len(name) && digits < limit && HexDigit(name[i]) >= 0; i++ {
			r = min(r<<4|rune(HexDigit(name[i])), utf8.MaxRune+1)
			digits++
		}
		if limit == 8 && i < len(name) && name[i] == '}' {
			i++
		}
		out = utf8.AppendRune(out, r)
	}
	return out[:min(len(out), len(name))]
}
