package dashboard

import (
	"fmt"
	"strings"

	"github.com/mattn/go-runewidth"

	"github.com/extwatch/extwatch/signatures/behavior"
)

// A flow is drawn from top to bottom in a narrow column, so that it is readable on a phone. All measures are in the
// picture's own units, which are CSS pixels at its natural width.
const (
	pictureWidth = 380
	boxPad       = 12
	gapHeight    = 26
	lineHeight   = 18
	// Cells of a line: 356 units at 6.9 for ordinary text of 13 units, 6.7 for code of 11.
	textCells, codeCells = 50, 51
	maxTextLines         = 2
	maxCodeLines         = 4
	// maxBoxes bounds the steps of one picture; what begins and ends a flow matters most.
	maxBoxes = 12
)

// A picture is a flow: boxes with lines of text, and arrows between them.
type picture struct {
	Width, Height int
	Boxes         []box
	Says          string // what it shows, for who cannot see it
}

type box struct {
	Kind   string // source, step, sink, left-out
	Y, H   int
	Lines  []line
	Arrow  int // where the arrow to it begins; 0: there is none
	ArrowY int // where it ends
}

type line struct {
	Y     int
	Class string // what, place, code
	Text  string
}

// draw lays out a flow; does says in the person's language what a step does.
func draw(f *behavior.Flow, does func(string) string) picture {
	p := picture{Width: pictureWidth}
	steps := f.Steps
	leftOut := 0
	if len(steps) > maxBoxes {
		leftOut = len(steps) - maxBoxes
		steps = append(append(steps[:maxBoxes/2:maxBoxes/2], behavior.Step{}), steps[len(steps)-maxBoxes/2:]...)
	}
	var says []string
	for n, s := range steps {
		kind := "step"
		switch {
		case leftOut > 0 && n == maxBoxes/2:
			p.add("left-out", behavior.Step{What: fmt.Sprintf("… %d …", leftOut)})
			continue
		case n == 0:
			kind = "source"
		case n == len(steps)-1:
			kind = "sink"
		}
		s.What = does(s.What)
		if kind == "sink" && f.Host != "" && f.Host != "*" && !strings.Contains(s.What, f.Host) {
			s.What += " → " + f.Host
		}
		p.add(kind, s)
		says = append(says, fmt.Sprintf("%d. %s (%s:%d)", len(says)+1, s.What, s.File, s.Line))
	}
	p.Height++ // the lower border of the last box
	p.Says = strings.Join(says, " ")
	return p
}

func (p *picture) add(kind string, s behavior.Step) {
	b := box{Kind: kind, Y: 1}
	if len(p.Boxes) > 0 {
		b.Arrow, b.ArrowY = p.Height, p.Height+gapHeight-7
		b.Y = p.Height + gapHeight
	}
	y := b.Y + boxPad + 10
	add := func(class, text string, cells, most int) {
		for _, l := range fold(text, cells, most) {
			b.Lines = append(b.Lines, line{Y: y, Class: class, Text: l})
			y += lineHeight
		}
	}
	add("what", s.What, textCells, maxTextLines)
	add("code", s.Code, codeCells, maxCodeLines)
	if s.File != "" {
		place := s.File
		if s.Line > 0 {
			place += fmt.Sprintf(":%d", s.Line)
		}
		if over := runewidth.StringWidth(place) - codeCells; over > 0 { // the end names the file
			place = "…" + runewidth.TruncateLeft(place, over+1, "")
		}
		add("place", place, codeCells, 1)
	}
	b.H = y - lineHeight + boxPad - b.Y
	p.Height = b.Y + b.H
	p.Boxes = append(p.Boxes, b)
}

// fold breaks a text into lines of at most so many cells, at spaces where there are some.
func fold(text string, cells, most int) []string {
	var out []string
	rest := strings.Join(strings.Fields(text), " ")
	for rest != "" && len(out) < most {
		if runewidth.StringWidth(rest) <= cells {
			return append(out, rest)
		}
		if len(out) == most-1 {
			return append(out, runewidth.Truncate(rest, cells, "…"))
		}
		head := runewidth.Truncate(rest, cells, "")
		if head == "" {
			return out
		}
		if i := strings.LastIndexByte(head, ' '); i > len(head)/2 {
			head = head[:i]
		}
		out = append(out, head)
		rest = strings.TrimLeft(rest[len(head):], " ")
	}
	return out
}
