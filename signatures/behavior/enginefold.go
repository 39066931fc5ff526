package behavior

import (
	"github.com/tdewolff/parse/v2/js"
)

// foldSteps bounds what the folder may spend on one script: a decoder of thousands of strings needs some million.
const foldSteps = 4_000_000

// useFolders lets the engine ask a folder per script for what it can't evaluate itself.
func (e *engine) useFolders() {
	e.folders = map[*unit]*folder{}
	e.fold = func(u *unit, x js.IExpr) (any, bool) {
		v, ok := e.folder(u).fold(x)
		return v, ok
	}
}

func (e *engine) folder(u *unit) *folder {
	f := e.folders[u]
	if f == nil {
		f = newFolder(u, foldSteps)
		e.folders[u] = f
	}
	return f
}

// hides says whether an array holds the hidden texts of a script. The engine does not run what turns and decodes them in
// order, so it would take each for another: only the folder's answers count.
func (e *engine) hides(u *unit, x *js.ArrayExpr) bool {
	return len(x.List) >= minArrayTexts && e.folders != nil && e.folder(u).hides(x)
}

// hidesTexts says whether a script keeps its texts in an array behind a function.
func (e *engine) hidesTexts(u *unit) bool { return e.folders != nil && e.folder(u).hidesTexts() }
