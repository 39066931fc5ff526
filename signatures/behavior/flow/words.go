package flow

import (
	"slices"

	"github.com/tdewolff/parse/v2/js"
)

// A seed phrase has 12, 15, 18, 21 or 24 words. Code that compares the length of what it read in a page, a field or the
// clipboard both with 12 and with 24 looks for one: wordTestAPI is then among the calls. One of the numbers alone is also
// that of months and hours.

const wordTestAPI = "seedphrase.test"

// A wordTest is how far the code of one script has come with such a test.
type wordTest struct {
	lengths map[*js.Var][]*taint // variables that hold a length of such data
	seen    map[*Script]uint8    // 1: 12, 2: 24
}

const fewWords, manyWords = 12, 24

// ofWords says whether data may be words that a person keeps.
func ofWords(t *taint) bool {
	switch t.source {
	case srcPageText, srcForm, srcClipboard, srcSeed, srcMail, srcStorageToken:
		return true
	}
	return false
}

// lengthOf is the data whose length an expression is.
func (e *Engine) lengthOf(f *activation, x js.IExpr) []*taint {
	switch y := unwrap(x).(type) {
	case *js.Var:
		if len(e.wordTest.lengths) > 0 {
			return e.wordTest.lengths[resolve(y)]
		}
	case *js.DotExpr:
		if e.dotName(y) == "length" {
			return e.wordsIn(f, y.X)
		}
	case *js.IndexExpr:
		if k, ok := e.eval(f, y.Y).known(); ok && k.kind == aString && k.s == "length" {
			return e.wordsIn(f, y.X)
		}
	}
	return nil
}

func (e *Engine) wordsIn(f *activation, x js.IExpr) []*taint {
	var out []*taint
	for _, t := range e.taintsIn(f, e.eval(f, x)) {
		if ofWords(t) {
			out = append(out, t)
		}
	}
	return out
}

// keepsLength remembers a variable that is given such a length.
func (e *Engine) keepsLength(f *activation, x js.IExpr, target js.INode) {
	v, ok := target.(*js.Var)
	if !ok || !lengthLike(x) {
		return
	}
	if ts := e.lengthOf(f, x); ts != nil {
		if e.wordTest.lengths == nil {
			e.wordTest.lengths = map[*js.Var][]*taint{}
		}
		e.wordTest.lengths[resolve(v)] = ts
	}
}

// lengthLike says whether an expression may be a length.
func lengthLike(x js.IExpr) bool {
	switch y := unwrap(x).(type) {
	case *js.DotExpr:
		l, ok := y.Y.(js.LiteralExpr)
		return ok && string(l.Data) == "length"
	case *js.IndexExpr:
		return true
	}
	return false
}

// comparesCount looks at a comparison, such as words.length === 12.
func (e *Engine) comparesCount(f *activation, x *js.BinaryExpr) {
	switch x.Op {
	case js.EqEqToken, js.EqEqEqToken, js.NotEqToken, js.NotEqEqToken, js.LtToken, js.LtEqToken, js.GtToken, js.GtEqToken:
		e.countsWords(f, x, x.X, x.Y)
		e.countsWords(f, x, x.Y, x.X)
	}
}

// countsWords looks at what is compared: a length, and a number.
func (e *Engine) countsWords(f *activation, node js.INode, x, number js.IExpr) {
	switch unwrap(x).(type) {
	case *js.Var:
		if len(e.wordTest.lengths) == 0 {
			return
		}
	default:
		if !lengthLike(x) {
			return
		}
	}
	if !written(number) {
		return
	}
	if a, ok := e.eval(f, number).known(); ok && a.kind == aNumber && wordCount(a.n) != 0 && e.lengthOf(f, x) != nil {
		e.wordCounted(f, node, wordCount(a.n))
	}
}

// written says whether a number stands in the code; one in a variable may be that of a turn of a loop.
func written(x js.IExpr) bool {
	switch y := unwrap(x).(type) {
	case *js.LiteralExpr:
		return true
	case *js.UnaryExpr:
		return written(y.X)
	case *js.BinaryExpr: // 0x1a*0x2+-0x28, as obfuscators write it
		return written(y.X) && written(y.Y)
	}
	return false
}

func wordCount(n float64) uint8 {
	switch n {
	case fewWords, fewWords - 1, fewWords + 1: // also "< 13", "> 11"
		return 1
	case manyWords, manyWords - 1, manyWords + 1:
		return 2
	}
	return 0
}

// looksUpCount looks at [12, 24].includes(words.length), also of a Set.
func (e *Engine) looksUpCount(f *activation, x *js.CallExpr, list *value) {
	if len(x.Args.List) == 0 || len(list.orEmpty().objs) == 0 {
		return
	}
	number := x.Args.List[0].Value
	if _, ok := unwrap(number).(*js.Var); !ok && !lengthLike(number) {
		return
	}
	has := func(n float64) bool {
		return slices.ContainsFunc(list.objs, func(o *object) bool {
			return slices.ContainsFunc(e.whole(f, o).orEmpty().atoms, func(a atom) bool { return a.kind == aNumber && a.n == n })
		})
	}
	if has(fewWords) && has(manyWords) && e.lengthOf(f, number) != nil {
		e.wordCounted(f, x, 3)
	}
}

func (e *Engine) wordCounted(f *activation, node js.INode, bits uint8) {
	if e.wordTest.seen == nil {
		e.wordTest.seen = map[*Script]uint8{}
	}
	if e.wordTest.seen[f.u] |= bits; e.wordTest.seen[f.u] == 3 {
		e.called(f, node, wordTestAPI, nil)
	}
}
