package signatures

import (
	"math"
	"slices"
	"strings"
)

// Which of the texts that a match holds are looked for, and which are asked for beside them.

// offer takes the texts when they tell more than those there are.
func (p *part) offer(texts []string, before, after extent) {
	if len(slices.MinFunc(texts, byLength)) < minNeeded {
		if !slices.ContainsFunc(texts, noNumber) {
			p.short = texts
			p.askShort()
		}
		return
	}
	defer p.askShort()
	if p.need == nil || worth(texts) > worth(p.need.texts) {
		n := &needed{texts: texts, before: before, after: after}
		if p.need != nil {
			for _, o := range append(slices.Clip(p.need.also), p.need.texts) {
				n.ask(o)
			}
		}
		p.need = n
		return
	}
	p.need.ask(texts)
}

// askShort asks for the numbers, too, once something is looked for.
func (p *part) askShort() {
	if p.need != nil && p.short != nil {
		n := *p.need // others may have it, too
		n.ask(p.short)
		p.need = &n
	}
}

// noNumber reports whether a text does not begin with two digits.
func noNumber(text string) bool {
	return len(text) < 2 || text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9'
}

// ask adds a group of texts, unless that which is there tells as much.
func (n *needed) ask(texts []string) {
	texts = shortest(texts)
	tells := func(o []string) bool { return partsOf(texts, o) || implies(o, texts) }
	if tells(n.texts) || slices.ContainsFunc(n.also, tells) {
		return
	}
	n.also = slices.DeleteFunc(slices.Clone(n.also), func(o []string) bool { return implies(texts, o) })
	if len(n.also) < maxAlso {
		n.also = append(n.also, texts)
	}
}

// implies reports whether whatever holds one of the texts holds one of the others, too.
func implies(texts, others []string) bool {
	return !slices.ContainsFunc(texts, func(t string) bool {
		return !slices.ContainsFunc(others, func(o string) bool { return strings.Contains(t, o) })
	})
}

// partsOf reports whether each of the texts is a part of one of the others.
func partsOf(texts, others []string) bool {
	return !slices.ContainsFunc(texts, func(t string) bool {
		return !slices.ContainsFunc(others, func(o string) bool { return strings.Contains(o, t) })
	})
}

// worth says how seldom the texts are in code: longer is better, and fewer. What is in nearly every script tells no more
// than a single byte.
func worth(texts []string) float64 {
	if slices.ContainsFunc(texts, commonplace) {
		return 1
	}
	return float64(len(slices.MinFunc(texts, byLength))) - math.Log2(float64(len(texts)))/2
}

// commonplace reports whether a text, or what it is a part of, stands many times in nearly every script.
func commonplace(text string) bool {
	return slices.ContainsFunc([]string{"http://", "https://", "code", "function", "return"}, func(s string) bool { return strings.Contains(s, text) })
}
