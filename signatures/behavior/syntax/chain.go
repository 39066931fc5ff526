package syntax

import (
	"slices"

	"github.com/tdewolff/parse/v2/js"
)

// maxChain is after how many operators a chain is put into parentheses. The parser gives up at 1000 operators and
// levels together, whatever its options say.
const maxChain = 600

// A frame is what stands between two brackets, or the whole script.
type frame struct {
	start   int // offset where the expression begins, or -1
	links   int // operators, members and calls since
	row     int // operators that nest to the right: ?, =>, =
	operand bool
	prefix  int // unary operators in a row
	block   bool
}

// A chainReader follows the expressions of a script by its tokens.
type chainReader struct {
	frames []frame
	depth  int // greatest
	row    int
	insert []insertion
	last   js.TokenType
}

type insertion struct {
	at   int
	text byte
}

func readChains(text []byte, limit int) *chainReader {
	r := &chainReader{frames: []frame{{start: -1, block: true}}}
	l := NewLexer(text)
	for {
		t, ok := l.Next()
		if !ok {
			return r
		}
		r.read(t)
		if limit > 0 && (r.depth > limit || r.row > maxRow) {
			return r
		}
	}
}

func (r *chainReader) top() *frame { return &r.frames[len(r.frames)-1] }

func (r *chainReader) read(t Token) {
	f := r.top()
	name := js.IsIdentifierName(t.Kind) && (r.last == js.DotToken || r.last == js.OptChainToken)
	switch kind := t.Kind; {
	case kind == js.OpenParenToken || kind == js.OpenBracketToken || kind == js.OpenBraceToken || kind == js.TemplateStartToken:
		r.open(f, t)
	case kind == js.CloseParenToken || kind == js.CloseBracketToken || kind == js.CloseBraceToken || kind == js.TemplateEndToken:
		r.close(kind)
	case kind == js.TemplateMiddleToken:
		*f = frame{start: -1}
	case name || kind == js.PrivateIdentifierToken:
		f.operand, f.prefix = true, 0
	case kind == js.DotToken || kind == js.OptChainToken || isBinary(kind, f.operand):
		r.link(f, t.Offset)
		f.operand = false
	case kind == js.IncrToken || kind == js.DecrToken:
		r.begin(f, t.Offset)
	case isPrefix(kind):
		r.begin(f, t.Offset)
		f.prefix++
		r.row = max(r.row, f.prefix)
	case endsOperand(kind) || kind == js.FunctionToken || kind == js.ClassToken || kind == js.AsyncToken || kind == js.ImportToken:
		if f.operand { // a new statement in a new line
			r.reset(f, true)
		}
		r.begin(f, t.Offset)
		f.operand, f.prefix = kind != js.FunctionToken && kind != js.ClassToken, 0
	default:
		r.reset(f, kind == js.SemicolonToken || kind == js.CommaToken)
	}
	r.last = t.Kind
}

func (r *chainReader) open(f *frame, t Token) {
	block := t.Kind == js.OpenBraceToken && (f.operand || r.last == js.ArrowToken || f.start < 0 && f.block && r.last != js.EqToken && r.last != js.ReturnToken)
	switch {
	case block:
		r.reset(f, false)
	case f.operand:
		r.link(f, t.Offset)
	default:
		r.begin(f, t.Offset)
	}
	r.frames = append(r.frames, frame{start: -1, block: block})
	r.depth = max(r.depth, len(r.frames))
}

func (r *chainReader) close(kind js.TokenType) {
	if len(r.frames) == 1 {
		r.reset(r.top(), true)
		return
	}
	block := r.top().block
	r.frames = r.frames[:len(r.frames)-1]
	f := r.top()
	f.operand, f.prefix = true, 0
	if block && kind == js.CloseBraceToken {
		r.reset(f, false)
	}
}

func (r *chainReader) begin(f *frame, offset int) {
	if f.start < 0 {
		f.start, f.links = offset, 0
	}
}

// reset ends an expression. A statement that ends as well begins a new row.
func (r *chainReader) reset(f *frame, statement bool) {
	f.start, f.links, f.operand, f.prefix = -1, 0, false, 0
	f.row++
	if statement {
		f.row = 0
	}
	r.row = max(r.row, f.row)
}

// link counts an operator at offset and, when there are many, closes a parenthesis before it.
func (r *chainReader) link(f *frame, offset int) {
	f.links++
	f.prefix = 0
	f.row++
	r.row = max(r.row, f.row)
	if f.links >= maxChain && f.start >= 0 {
		r.insert = append(r.insert, insertion{f.start, '('}, insertion{offset, ')'})
		f.links = 0
	}
}

func isBinary(kind js.TokenType, operand bool) bool {
	switch kind {
	case js.AddToken, js.SubToken:
		return operand
	case js.MulToken, js.DivToken, js.ModToken, js.ExpToken, js.LtToken, js.LtEqToken, js.GtToken, js.GtEqToken, js.InToken,
		js.InstanceofToken, js.EqEqToken, js.NotEqToken, js.EqEqEqToken, js.NotEqEqToken, js.BitAndToken, js.BitOrToken,
		js.BitXorToken, js.AndToken, js.OrToken, js.NullishToken, js.LtLtToken, js.GtGtToken, js.GtGtGtToken:
		return true
	}
	return false
}

func isPrefix(kind js.TokenType) bool {
	switch kind {
	case js.NotToken, js.BitNotToken, js.AddToken, js.SubToken, js.TypeofToken, js.VoidToken, js.DeleteToken, js.NewToken,
		js.AwaitToken, js.YieldToken:
		return true
	}
	return false
}

// wrapChains puts parentheses into long chains of operators, from the left: ((a+…)+…)+…. That may change which operator
// comes first, not what flows into the result. The function leads from offsets in the new text to the old; it is nil
// when there is nothing to wrap.
func wrapChains(text []byte) (wrapped []byte, back func(int) int) {
	r := readChains(text, 0)
	if len(r.insert) == 0 {
		return text, nil
	}
	slices.SortStableFunc(r.insert, func(a, b insertion) int {
		if a.at != b.at {
			return a.at - b.at
		}
		return int(b.text) - int(a.text) // ")" before "("
	})
	wrapped = make([]byte, 0, len(text)+len(r.insert)+1)
	at := make([]int, 0, len(r.insert)) // where they are in wrapped
	from := 0
	for _, i := range r.insert {
		wrapped = append(wrapped, text[from:i.at]...)
		at = append(at, len(wrapped))
		wrapped = append(wrapped, i.text)
		from = i.at
	}
	wrapped = append(wrapped, text[from:]...)
	return wrapped, func(offset int) int {
		n, _ := slices.BinarySearch(at, offset)
		return offset - n
	}
}

// tooDeep reports whether a script nests so much that the second parser may overflow the stack.
func tooDeep(text []byte) bool {
	r := readChains(text, maxDepth)
	return r.depth > maxDepth || r.row > maxRow
}

// statementAround returns the statement that holds an offset, up blocks further out. It is found by tokens alone.
func statementAround(text []byte, at, up int) (from, to int, ok bool) {
	type block struct{ start, brackets int }
	blocks := []block{{0, 0}}
	var kinds []bool // by open bracket: a block
	l := NewLexer(text)
	last := js.SemicolonToken
	target := -1
	for {
		t, more := l.Next()
		if !more {
			break
		}
		if target < 0 && t.Offset+len(t.Data) >= at {
			target = max(0, len(blocks)-1-up)
			blocks = blocks[:len(blocks):len(blocks)]
			from = blocks[target].start
		}
		switch t.Kind {
		case js.OpenBraceToken, js.OpenParenToken, js.OpenBracketToken, js.TemplateStartToken:
			isBlock := t.Kind == js.OpenBraceToken && (last == js.CloseParenToken || last == js.ArrowToken || last == js.ElseToken ||
				last == js.TryToken || last == js.FinallyToken || last == js.DoToken || last == js.SemicolonToken ||
				last == js.OpenBraceToken || last == js.CloseBraceToken)
			kinds = append(kinds, isBlock)
			if isBlock {
				blocks = append(blocks, block{t.Offset + 1, len(kinds)})
			}
		case js.CloseBraceToken, js.CloseParenToken, js.CloseBracketToken, js.TemplateEndToken:
			if n := len(kinds); n > 0 {
				if kinds[n-1] && len(blocks) > 1 {
					if target == len(blocks)-1 {
						return from, t.Offset, t.Offset > from
					}
					blocks = blocks[:len(blocks)-1]
				}
				kinds = kinds[:n-1]
			}
		case js.SemicolonToken:
			b := &blocks[len(blocks)-1]
			if len(kinds) != b.brackets {
				break
			}
			end := t.Offset + 1
			if target == len(blocks)-1 {
				return from, end, true
			}
			b.start = end
		}
		last = t.Kind
	}
	if target < 0 {
		from = blocks[max(0, len(blocks)-1-up)].start
	}
	return from, len(text), from < len(text)
}
