package flow

import "github.com/tdewolff/parse/v2/js"

// maxDriver is the number of nodes up to which a function is walked through because it keeps what functions that it was
// given return: twice what the largest of those has that start the components of a framework.
const maxDriver = 800

// drives says whether a function that names nothing of interest keeps what functions return that it was handed: frameworks
// make the parts of each compiled component by such calls, and join them. What it is handed is the extension's own, and
// is walked through as well. Where the script is large, too much else looks like that.
func (e *Engine) drives(info *code, args []*value) bool {
	if info.heat.nodes > maxDriver || info.params == nil || len(args) == 0 || len(info.u.Src) > maxDriven {
		return false
	}
	if info.kept == nil {
		k := &keeper{vars: map[*js.Var]bool{}}
		js.Walk(k, info.body)
		info.kept = k.vars
	}
	if len(info.kept) == 0 {
		return false
	}
	found := false
	for i, el := range info.params.List[:min(len(args), len(info.params.List))] {
		if v, ok := el.Binding.(*js.Var); ok && info.kept[resolve(v)] {
			for _, fn := range args[i].orEmpty().fns {
				if fn.info != nil && fn.info.heat.nodes > 0 {
					found, fn.info.handed = true, fn.info.heat.nodes <= maxDriver
				}
			}
		}
	}
	return found
}

// maxDriven is the size of a script up to which that is looked for.
const maxDriven = 256 << 10

// keeper finds the variables that are called and whose result a member keeps: o.m = p ? p(…) : [].
type keeper struct {
	vars map[*js.Var]bool
}

// Enter implements js.IVisitor.
func (k *keeper) Enter(n js.INode) js.IVisitor {
	b, ok := n.(*js.BinaryExpr)
	if !ok || b.Op != js.EqToken {
		return k
	}
	if _, member := b.X.(*js.DotExpr); member {
		k.result(b.Y)
	}
	return k
}

// Exit implements js.IVisitor.
func (k *keeper) Exit(js.INode) {}

// result notes whose result an expression may be.
func (k *keeper) result(x js.IExpr) {
	switch x := unwrap(x).(type) {
	case *js.CondExpr:
		k.result(x.X)
		k.result(x.Y)
	case *js.BinaryExpr:
		k.result(x.Y)
	case *js.CallExpr:
		if v, ok := unwrap(x.X).(*js.Var); ok {
			k.vars[resolve(v)] = true
		}
	}
}
