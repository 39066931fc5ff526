package flow

import (
	"slices"

	"github.com/tdewolff/parse/v2/js"
)

// Emitters and stores hand what one part of the code gives them to others that asked for it. Their code names nothing
// that the engine looks for, but is all that joins the two: it is walked through when it is called.

// maxHub is the number of nodes up to which such a function is walked through.
const maxHub = 1200

// hubName says whether a method of that name is one of an emitter or a store.
func hubName(name []byte) bool {
	switch string(name) {
	case "emit", "dispatch", "subscribe", "setState", "addListener", "getState":
		return true
	}
	return false
}

// hub notes functions that are stored as such a method.
func (h *heater) hub(x *js.BinaryExpr) {
	d, ok := x.X.(*js.DotExpr)
	if !ok {
		return
	}
	if l, ok := d.Y.(js.LiteralExpr); ok && hubName(l.Data) {
		if heat, ok := h.out[x.Y]; ok {
			heat.hub = true
			h.out[x.Y] = heat
		}
		h.stack[len(h.stack)-1].hub = true
	}
}

// maxEnlists is the number of nodes up to which a function is walked through because it keeps listeners.
const maxEnlists = 500

// enlists says whether a function puts a function that it is given under a key that it is given, or into a list: that is
// how listeners get where an emitter finds them.
func (e *Engine) enlists(info *code, args []*value) bool {
	if info.heat.nodes > maxEnlists || info.params == nil || !slices.ContainsFunc(args, func(v *value) bool { return len(v.orEmpty().fns) > 0 }) {
		return false
	}
	if info.enlisted == nil {
		k := &enlister{vars: map[*js.Var]bool{}}
		js.Walk(k, info.body)
		info.enlisted = k.vars
	}
	for i, el := range info.params.List[:min(len(args), len(info.params.List))] {
		if v, ok := el.Binding.(*js.Var); ok && len(args[i].orEmpty().fns) > 0 && info.enlisted[resolve(v)] {
			return true
		}
	}
	return false
}

// enlister finds the variables that are put under a computed key or pushed.
type enlister struct {
	vars map[*js.Var]bool
}

// Enter implements js.IVisitor.
func (k *enlister) Enter(n js.INode) js.IVisitor {
	switch x := n.(type) {
	case *js.BinaryExpr:
		if _, computed := x.X.(*js.IndexExpr); computed && x.Op == js.EqToken {
			k.note(x.Y)
		}
	case *js.CallExpr:
		if d, ok := x.X.(*js.DotExpr); ok && len(x.Args.List) == 1 {
			if l, ok := d.Y.(js.LiteralExpr); ok && string(l.Data) == "push" {
				k.note(x.Args.List[0].Value)
			}
		}
	}
	return k
}

// Exit implements js.IVisitor.
func (k *enlister) Exit(js.INode) {}

func (k *enlister) note(x js.IExpr) {
	switch x := unwrap(x).(type) {
	case *js.Var:
		k.vars[resolve(x)] = true
	case *js.BinaryExpr: // events[type] = list = listener
		k.note(x.Y)
	}
}
