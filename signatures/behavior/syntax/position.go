package syntax

import (
	"bytes"
	"slices"
	"sync"
)

// A Position turns byte offsets of one text into lines and columns. The starts of the lines are noted once, at the first
// question: a minified file of 10 MB in one line costs one pass, however many places are asked for.
type Position struct {
	once  sync.Once
	text  []byte // nil once the lines are known: of a script that was outlined it is needed no more
	size  int
	lines []int32 // offsets at which lines start, without the first
}

// NewPosition returns the positions of a text, which it holds until the first question.
func NewPosition(text []byte) *Position { return &Position{text: text, size: len(text)} }

// At returns line and column of an offset, both from 0.
func (p *Position) At(offset int) (line, column int) {
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
func (p *Position) offsetOf(line, column int) int {
	p.At(0)
	start := 0
	switch {
	case line > len(p.lines):
		return p.size
	case line > 0:
		start = int(p.lines[line-1])
	}
	return min(start+column, p.size)
}
