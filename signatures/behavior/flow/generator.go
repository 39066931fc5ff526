package flow

import "github.com/tdewolff/parse/v2/js"

// Compilers to old JavaScript turn async functions and generators into a function with a switch, and a helper that calls
// it again and again: helper(this, function (state) { switch (state.label) { case 0: return [4, promise]; case 1:
// x = state.sent(); … return [2, result] } }). The engine does not follow the helper's own bookkeeping, but does what it
// is for: what is handed out with 4 comes back from sent once it is settled, what is returned with 2 is the result.
const (
	stepReturn = 2
	stepYield  = 4
	stepAll    = 5
)

// drivesSteps reports whether a function is such a helper: it makes an object with these four fields first.
func drivesSteps(params *js.Params, body *js.BlockStmt) bool {
	if len(params.List) != 2 || len(body.List) == 0 {
		return false
	}
	d, ok := body.List[0].(*js.VarDecl)
	if !ok {
		return false
	}
	for _, item := range d.List {
		o, ok := item.Default.(*js.ObjectExpr)
		if !ok || len(o.List) != 4 {
			continue
		}
		found := 0
		for _, p := range o.List {
			if p.Name == nil {
				continue
			}
			switch string(p.Name.Literal.Data) {
			case "label", "sent", "trys", "ops":
				found++
			}
		}
		if found == 4 {
			return true
		}
	}
	return false
}

// driveSteps calls the function with the switch, and gives a generator as the language itself makes one.
func (e *Engine) driveSteps(f *activation, c call) *value {
	state := e.alloc(f, c.node, "steps")
	if state.field("sent") == nil {
		e.set(f, state, "label", anything)
		e.set(f, state, "trys", anything)
		e.set(f, state, "ops", anything)
		e.set(f, state, "sent", closureValue(e.nativeFn("sent", func(e *Engine, f *activation, _ call) *value {
			return join(anything, e.await(f, e.get(f, state, "given")))
		})))
	}
	r := e.callValue(f, c.arg(1), call{node: c.node, this: c.arg(0), args: []*value{objectValue(state)}})
	out := e.alloc(f, c.node, "Generator")
	for _, step := range r.orEmpty().objs {
		v := e.get(f, step, "1")
		op, known := e.get(f, step, "0").known()
		if known && op.n == stepAll {
			for _, item := range e.items(f, v) {
				e.grow(out.ensure("yields"), item)
			}
		}
		if !known || op.n == stepYield {
			e.grow(state.ensure("given"), v)
			e.grow(out.ensure("yields"), v)
		}
		if !known || op.n == stepReturn {
			e.grow(out.ensure("yields"), v)
			e.grow(out.ensure("returned"), v)
		}
	}
	return objectValue(out)
}
