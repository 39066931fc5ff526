package flow

import (
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/fold"
	"github.com/extwatch/extwatch/signatures/behavior/syntax"
	"github.com/tdewolff/parse/v2/js"
)

// A Script is code that the engine walks through, in one context.
type Script struct {
	File      string // path in the package
	Context   behavior.Context
	World     string   // "MAIN" or ""
	Matches   []string // content script: its match patterns
	Module    bool     // loaded as an ECMAScript module
	Page      string   // HTML page that loads it, "" when none does: scripts of one page share a global object
	openTexts bool     // it keeps its texts in no array
	nested    int      // how often code had to be unpacked to get this one

	Src      []byte // what AST refers to: the text, or text made parseable
	AST      *js.AST
	Back     func(offset int) int // from an offset in Src to one in the text; nil when they are the same
	Position *syntax.Position     // of the text
	BaseLine int                  // of the text's first byte in the file, from 0
	BaseCol  int
}

// InPage says whether a script sees a page of the web.
func (u *Script) InPage() bool {
	return u.Context == behavior.Content || u.Context == behavior.PageWorld
}

// site is what sources in a content script are limited to: its match patterns.
func (u *Script) site() string {
	const shown = 12
	if len(u.Matches) > shown {
		return strings.Join(u.Matches[:shown], " ")
	}
	return strings.Join(u.Matches, " ")
}

// Place says where a byte offset in Src stands in the file.
func (u *Script) Place(offset int) behavior.Place {
	if offset < 0 {
		offset = 0
	}
	if u.Back != nil {
		offset = u.Back(offset)
	}
	if u.Position == nil {
		return behavior.Place{File: u.File, Line: u.BaseLine + 1, Column: u.BaseCol + 1}
	}
	line, column := u.Position.At(offset)
	if line == 0 {
		column += u.BaseCol
	}
	return behavior.Place{File: u.File, Line: u.BaseLine + line + 1, Column: column + 1}
}

// offset returns where in src a leaf's data stands, or -1 when the data is a copy.
func (u *Script) offset(data []byte) int { return fold.Offset(u.Src, data) }
