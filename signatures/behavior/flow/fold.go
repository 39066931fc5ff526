package flow

import (
	"bytes"

	"github.com/extwatch/extwatch/signatures/behavior/fold"
	"github.com/tdewolff/parse/v2/js"
)

// foldSteps bounds what the folder may spend on one script: a decoder of thousands of strings needs some million.
const foldSteps = 4_000_000

// useFolders lets the engine ask a folder per script for what it can't evaluate itself.
func (e *Engine) useFolders() {
	e.folders = map[*Script]*fold.Folder{}
	e.fold = func(u *Script, x js.IExpr) (any, bool) {
		v, ok := e.folder(u).Fold(x)
		return v, ok
	}
}

// Folders are the folders that were asked so far. The engine is not to be used after that.
func (e *Engine) Folders() map[*Script]*fold.Folder { return e.folders }

// NewFolder returns a folder for a script.
func NewFolder(u *Script) *fold.Folder {
	return fold.New(fold.Script{AST: u.AST, Src: u.Src, OpenTexts: u.openTexts}, foldSteps)
}

func (e *Engine) folder(u *Script) *fold.Folder {
	f := e.folders[u]
	if f == nil {
		f = NewFolder(u)
		e.folders[u] = f
	}
	return f
}

// hides says whether an array holds the hidden texts of a script. The engine does not run what turns and decodes them in
// order, so it would take each for another: only the folder's answers count.
func (e *Engine) hides(u *Script, x *js.ArrayExpr) bool {
	return len(x.List) >= fold.MinTexts && e.folders != nil && e.folder(u).Hides(x)
}

// hidesTexts says whether a script keeps its texts in an array behind a function.
func (e *Engine) hidesTexts(u *Script) bool { return e.folders != nil && e.folder(u).HidesTexts() }

// unpack follows the code that a script runs from texts which pure code makes, in the script's own context.
func (e *Engine) unpack(u *Script) {
	if e.folders == nil || !runsText(u.Src) {
		return
	}
	e.start(u, func(f *activation) {
		for _, s := range e.folder(u).Unpacked() {
			e.evalText(f, "eval", s, call{})
		}
	})
}

// runsText says whether a script has a word for running texts as code, or is written without words.
func runsText(src []byte) bool {
	if saysWord(src, []byte("eval")) || bytes.Contains(src, []byte(".constructor(")) || fold.Wordless(src) >= 0 {
		return true
	}
	for rest := src; ; {
		_, after, found := bytes.Cut(rest, []byte("Function("))
		if !found {
			return false
		}
		if !bytes.HasPrefix(after[min(1, len(after)):], []byte("return this")) { // how libraries ask for the global object
			return true
		}
		rest = after
	}
}

// saysWord reports whether a text has the word, not only as a part of others such as "evaluate".
func saysWord(src, word []byte) bool {
	for at := 0; ; at += len(word) {
		i := bytes.Index(src[at:], word)
		if i < 0 {
			return false
		}
		if at += i; whole(src, at, len(word)) {
			return true
		}
	}
}
