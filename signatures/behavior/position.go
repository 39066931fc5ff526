package behavior

import (
	"bytes"
	"slices"
	"sync"

	"github.com/extwatch/extwatch/signatures/behavior/fold"
)

// A position turns byte offsets of one text into lines and columns. The starts of the lines are noted once, at the first
// question: a minified file of 10 MB in one line costs one pass, however many places are asked for.
type position struct {
	once  sync.Once
	text  []byte // nil once the lines are known: of a script that was outlined it is needed no more
	size  int
	lines []int32 // offsets at which lines start, without the first
}

func newPosition(text []byte) *position { return &position{text: text, size: len(text)} }

// at returns line and column of an offset, both from 0.
func (p *position) at(offset int) (line, column int) {
	p.once.Do(func() {
		for at := 0; ; {
			i := bytes.IndexByte(p.text[at:], '\n')
			if i < 0 {
				break
			}
			at += i + 1
			p.lines = append(p.lines, int32(at)) // files are cut at maxFile
		}
		p.text = nil
	})
	offset = min(max(offset, 0), p.size)
	line, found := slices.BinarySearch(p.lines, int32(offset))
	if found {
		line++
	}
	if line == 0 {
		return 0, offset
	}
	return line, offset - int(p.lines[line-1])
}

// offsetOf is the inverse of at. What lies past the end of the text is its end.
func (p *position) offsetOf(line, column int) int {
	p.at(0)
	start := 0
	switch {
	case line > len(p.lines):
		return p.size
	case line > 0:
		start = int(p.lines[line-1])
	}
	return min(start+column, p.size)
}

// place says where a byte offset in src stands in the file.
func (u *unit) place(offset int) Place {
	if offset < 0 {
		offset = 0
	}
	if u.back != nil {
		offset = u.back(offset)
	}
	if u.position == nil {
		return Place{File: u.file, Line: u.baseLine + 1, Column: u.baseCol + 1}
	}
	line, column := u.position.at(offset)
	if line == 0 {
		column += u.baseCol
	}
	return Place{File: u.file, Line: u.baseLine + line + 1, Column: column + 1}
}

// offset returns where in src a leaf's data stands, or -1 when the data is a copy.
func (u *unit) offset(data []byte) int { return fold.Offset(u.src, data) }
