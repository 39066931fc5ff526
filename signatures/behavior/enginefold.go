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
		f := e.folders[u]
		if f == nil {
			f = newFolder(u, foldSteps)
			e.folders[u] = f
		}
		v, ok := f.fold(x)
		return v, ok
	}
}
