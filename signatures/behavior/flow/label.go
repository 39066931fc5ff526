package flow

import (
	"slices"

	"github.com/extwatch/extwatch/signatures/behavior"
)

const (
	maxKin      = 32 // children of an element that are remembered: a form of one field per word has 24 of them
	maxAncestry = 4  // how far above a field the text may stand that says what it is for
)

// A kinship says where an element that the code made stands in the page, and what it says.
type kinship struct {
	text     string // what it shows, when that tells what fields beside it are for
	parents  []*object
	children []*object
}

func (d *details) family() *kinship {
	if d.kin == nil {
		d.kin = &kinship{}
	}
	return d.kin
}

// says notes a text that an element shows.
func (o *object) says(v *value) {
	for _, t := range v.texts() {
		if labelSource(t) != srcForm {
			o.more().family().text = behavior.Shorten(t, 120)
			return
		}
	}
}

// holds notes that an element stands within another.
func (o *object) holds(child *object) {
	up, down := child.more().family(), o.more().family()
	if o == child || slices.Contains(up.parents, o) || len(up.parents) >= maxKin || len(down.children) >= maxKin {
		return
	}
	up.parents, down.children = append(up.parents, o), append(down.children, child)
}

// label is the text that tells what a field is for which the code made: its own, or the next one around it.
func (o *object) label() string {
	around := []*object{o}
	for range maxAncestry {
		var next []*object
		for _, x := range around {
			k := x.more().family()
			if k.text != "" {
				return k.text
			}
			for _, child := range k.children {
				if d := child.info; d != nil && d.kin != nil && d.kin.text != "" {
					return d.kin.text
				}
			}
			next = append(next, k.parents...)
		}
		around = next[:min(len(next), maxKin)]
	}
	return ""
}
