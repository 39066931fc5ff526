package behavior

import (
	"slices"

	"github.com/tdewolff/parse/v2/js"
)

// maxDriver is above the number of nodes of the function that starts each component of Svelte 4.
const maxDriver = 800

// drives says whether a function calls one that it gets and that is worth a look: frameworks that compile components make
// and join their parts by such a function. In large scripts too much else looks like that.
func (e *engine) drives(info *code, args []*value) bool {
	if info.heat.nodes > maxDriver || len(info.u.src) > ownScript || !slices.ContainsFunc(args, holdsHot) {
		return false
	}
	if !info.driveAsked {
		info.driveAsked = true
		d := &driver{params: paramVars(info.params)}
		js.Walk(d, info.body)
		info.driving = d.found
	}
	return info.driving
}

func holdsHot(v *value) bool {
	return v != nil && slices.ContainsFunc(v.fns, func(cl *closure) bool { return cl.info.heat.root })
}

func paramVars(p *js.Params) map[*js.Var]bool {
	out := map[*js.Var]bool{}
	if p != nil {
		for _, el := range p.List {
			if v, ok := el.Binding.(*js.Var); ok {
				out[resolve(v)] = true
			}
		}
	}
	return out
}

// driver looks for a call of a parameter.
type driver struct {
	params map[*js.Var]bool
	found  bool
}

// Enter implements js.IVisitor.
func (d *driver) Enter(n js.INode) js.IVisitor {
	if d.found {
		return nil
	}
	if c, ok := n.(*js.CallExpr); ok {
		if v, ok := c.X.(*js.Var); ok {
			d.found = d.params[resolve(v)]
		}
	}
	return d
}

// Exit implements js.IVisitor.
func (d *driver) Exit(js.INode) {}
