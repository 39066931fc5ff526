package flow

import (
	"github.com/tdewolff/parse/v2/js"
)

// declare makes the cells of variables.
func (e *Engine) declare(f *activation, vars js.VarArray) {
	if len(vars) == 0 {
		return
	}
	var cells []cell // of those that are missing: mostly all or, in a run that is repeated, none
	for i, v := range vars {
		if v.Decl == js.PrivateDecl || f.env.own(v) != nil {
			continue
		}
		if cells == nil {
			cells = make([]cell, 0, len(vars)-i)
			f.env.reserve(len(vars) - i)
		}
		cells = append(cells, cell{home: f.entry, cond: f.cond})
		f.env.add(v, &cells[len(cells)-1])
	}
}

// hoist declares the variables of a block and makes its functions.
func (e *Engine) hoist(f *activation, b *js.BlockStmt) {
	e.declare(f, b.Declared)
	for _, s := range b.List {
		if x, ok := s.(*js.ExportStmt); ok {
			s, _ = x.Decl.(js.IStmt)
		}
		if fn, ok := s.(*js.FuncDecl); ok && fn.Name != nil {
			e.assignVar(f, fn.Name, closureValue(e.function(f, fn)), true)
		}
	}
}

// statements runs a list; it ends early when the rest cannot be reached.
func (e *Engine) statements(f *activation, list []js.IStmt) (ended bool) {
	for _, s := range list {
		if e.statement(f, s) {
			return true
		}
	}
	return false
}

// statement runs s. It returns true when what follows s in its block is not reached.
func (e *Engine) statement(f *activation, s js.IStmt) bool {
	if e.spent() || e.nesting > nestingLimit {
		return e.over || e.steps >= e.taskEnd
	}
	e.nesting++
	defer func() { e.nesting-- }()
	switch s := s.(type) {
	case *js.ExprStmt:
		e.eval(f, s.Value)
	case *js.VarDecl:
		e.varDecl(f, s)
	case *js.BlockStmt:
		e.hoist(f, s)
		return e.statements(f, s.List)
	case *js.IfStmt:
		return e.ifStmt(f, s)
	case *js.ReturnStmt:
		v := undef
		if s.Value != nil {
			v = e.eval(f, s.Value)
		}
		f.ret = join(f.ret, v)
		return true
	case *js.ThrowStmt:
		e.eval(f, s.Value)
		return true
	case *js.TryStmt:
		return e.tryStmt(f, s)
	case *js.SwitchStmt:
		return e.switchStmt(f, s)
	case *js.LabelledStmt:
		e.statement(f, s.Value)
	case *js.BranchStmt:
		return true
	case *js.ClassDecl:
		c := e.class(f, s)
		if s.Name != nil {
			e.assignVar(f, s.Name, closureValue(c), true)
		}
	case *js.WithStmt:
		e.eval(f, s.Cond)
		e.statement(f, s.Body)
	case *js.ImportStmt:
		e.importStmt(f, s)
	case *js.ExportStmt:
		e.exportStmt(f, s)
	default:
		e.loop(f, s)
	}
	return false
}

func (e *Engine) varDecl(f *activation, d *js.VarDecl) {
	for _, b := range d.List {
		var v *value
		if b.Default != nil {
			v = e.evalNamed(f, b.Default, b.Binding)
		} else if d.TokenType == js.VarToken {
			continue // "var x;" does not change x
		}
		e.bind(f, b.Binding, v, true)
	}
}

func (e *Engine) ifStmt(f *activation, s *js.IfStmt) bool {
	is, sure := e.eval(f, s.Cond).truth()
	if sure {
		if is {
			if s.Else != nil {
				e.prune(f, s.Else, nil)
			}
			e.visited[s.Body] = true
			return e.statement(f, s.Body) && !(s.Else == nil && throws(s.Body))
		}
		e.prune(f, s.Body, nil)
		if s.Else != nil {
			e.visited[s.Else] = true
			return e.statement(f, s.Else)
		}
		return false
	}
	f.cond++
	e.visited[s.Body] = true
	if s.Else != nil {
		e.visited[s.Else] = true
	}
	a := e.statement(f, s.Body)
	b := false
	if s.Else != nil {
		b = e.statement(f, s.Else)
	}
	f.cond--
	return a && b
}

// throws says whether a body does nothing but throw. Libraries check so what they run on, at the top of a bundle: a
// condition of theirs that the engine takes wrongly for true must not hide the rest of it.
func throws(s js.IStmt) bool {
	if b, ok := s.(*js.BlockStmt); ok && len(b.List) == 1 {
		s = b.List[0]
	}
	_, ok := s.(*js.ThrowStmt)
	return ok
}

func (e *Engine) tryStmt(f *activation, s *js.TryStmt) bool {
	ended := e.statement(f, s.Body)
	if s.Catch != nil {
		f.cond++
		e.hoist(f, s.Catch)
		if s.Binding != nil {
			e.bind(f, s.Binding, anything, true)
		}
		c := e.statements(f, s.Catch.List)
		ended = ended && c
		f.cond--
	}
	if s.Finally != nil && e.statement(f, s.Finally) && s.Catch == nil {
		return true // with a catch it may throw only what was caught: loops of compilers to old JavaScript end so
	}
	return ended
}

// switchStmt takes the cases that the value may be. A case of another constant is left for later.
func (e *Engine) switchStmt(f *activation, s *js.SwitchStmt) bool {
	v := e.eval(f, s.Init)
	want, sure := v.known()
	e.declare(f, s.Declared)
	f.cond++
	defer func() { f.cond-- }()
	matched, falling := false, false
	all := len(s.List) > 0
	for i := range s.List {
		c := &s.List[i]
		if sure && c.Cond != nil && !falling {
			if got, ok := e.eval(f, c.Cond).known(); ok && got != want {
				e.pruneAll(f, c.List)
				continue
			}
			matched = true
		} else if c.Cond != nil {
			e.eval(f, c.Cond)
			e.countsWords(f, s, s.Init, c.Cond)
		} else if sure && matched && !falling {
			e.pruneAll(f, c.List)
			continue
		}
		for _, st := range c.List {
			e.visited[st] = true
			if fn, ok := st.(*js.FuncDecl); ok && fn.Name != nil {
				e.assignVar(f, fn.Name, closureValue(e.function(f, fn)), true)
			}
		}
		falling = !e.statements(f, c.List)
		all = all && !falling && endsInReturn(c.List)
	}
	return all && hasDefault(s)
}

func (e *Engine) pruneAll(f *activation, list []js.IStmt) {
	for _, st := range list {
		if _, ok := st.(*js.BranchStmt); !ok {
			e.prune(f, st, nil)
		}
	}
}

func hasDefault(s *js.SwitchStmt) bool {
	for i := range s.List {
		if s.List[i].Cond == nil {
			return true
		}
	}
	return false
}

func endsInReturn(list []js.IStmt) bool {
	if len(list) == 0 {
		return false
	}
	switch list[len(list)-1].(type) {
	case *js.ReturnStmt, *js.ThrowStmt:
		return true
	}
	return false
}

// loop runs a body twice when the first time changed something that it may read.
func (e *Engine) loop(f *activation, s js.IStmt) {
	f.cond++
	defer func() { f.cond-- }()
	switch s := s.(type) {
	case *js.ForStmt:
		e.declare(f, s.Body.Scope.Declared)
		switch init := s.Init.(type) {
		case nil:
		case *js.VarDecl:
			e.varDecl(f, init)
		default:
			e.eval(f, init)
		}
		e.repeat(f, s.Body, s.Cond, s.Post)
	case *js.WhileStmt:
		if e.flattened(f, s) {
			return
		}
		e.repeatStmt(f, s.Body, s.Cond)
	case *js.DoWhileStmt:
		e.repeatStmt(f, s.Body, s.Cond)
	case *js.ForInStmt:
		e.declare(f, s.Body.Scope.Declared)
		e.each(f, s.Init, e.keysOf(f, e.eval(f, s.Value)), s.Body)
	case *js.ForOfStmt:
		e.declare(f, s.Body.Scope.Declared)
		v := e.eval(f, s.Value)
		items := e.items(f, v)
		if s.Await {
			for i := range items {
				items[i] = e.await(f, items[i])
			}
		}
		e.each(f, s.Init, items, s.Body)
	}
}

func (e *Engine) repeat(f *activation, body *js.BlockStmt, cond, post js.IExpr) {
	for range 2 {
		before := e.version
		if cond != nil {
			e.eval(f, cond)
		}
		e.statement(f, body)
		if post != nil {
			e.eval(f, post)
		}
		if e.version == before {
			return
		}
	}
}

func (e *Engine) repeatStmt(f *activation, body js.IStmt, cond js.IExpr) {
	for range 2 {
		before := e.version
		e.eval(f, cond)
		e.statement(f, body)
		if e.version == before {
			return
		}
	}
}

// maxItems bounds the elements that a loop or a callback is run for one by one; above that once for all.
const maxItems = 48

// maxItems is less in a function that names nothing of interest.
func (f *activation) maxItems() int {
	const few = 8
	if f.fn != nil && f.fn.info != nil && f.fn.info.heat.nodes > 0 && !f.fn.info.heat.hot {
		return few
	}
	return maxItems
}

// each runs the body of for-in and for-of for the items one by one.
func (e *Engine) each(f *activation, init js.IExpr, items []*value, body *js.BlockStmt) {
	if len(items) > f.maxItems() {
		var all *value
		for _, v := range items {
			all = join(all, v)
		}
		items = []*value{all}
	}
	if len(items) == 0 { // nothing is there yet, or what fills it is not seen
		e.bindEach(f, init, anything)
		e.prune(f, body, nil)
		return
	}
	cond := f.cond
	for n, v := range items {
		e.bindEach(f, init, v)
		before := e.version
		e.visited[body] = true
		e.statement(f, body)
		if n == len(items)-1 && e.version != before {
			e.statement(f, body)
		}
	}
	f.cond = cond
}

// bindEach gives the variable of a loop its next value.
func (e *Engine) bindEach(f *activation, init js.IExpr, v *value) {
	if d, ok := init.(*js.VarDecl); ok && len(d.List) > 0 {
		e.bind(f, d.List[0].Binding, v, true)
	} else if init != nil {
		e.assign(f, init, v)
	}
}

// flattened runs "while (true) { switch (order[i++]) {…} }" in the order that the constant array tells, as code whose
// control flow was flattened does.
func (e *Engine) flattened(f *activation, s *js.WhileStmt) bool {
	body, ok := s.Body.(*js.BlockStmt)
	if !ok || len(body.List) == 0 {
		return false
	}
	sw, ok := body.List[0].(*js.SwitchStmt)
	if !ok {
		return false
	}
	x, ok := sw.Init.(*js.IndexExpr)
	if !ok {
		return false
	}
	if inc, ok := x.Y.(*js.UnaryExpr); !ok || inc.Op != js.PostIncrToken {
		return false
	}
	order := e.items(f, e.eval(f, x.X))
	cases := map[string]*js.CaseClause{}
	for i := range sw.List {
		if sw.List[i].Cond != nil {
			if a, ok := e.eval(f, sw.List[i].Cond).known(); ok {
				cases[a.text()] = &sw.List[i]
			}
		}
	}
	e.hoist(f, body)
	e.declare(f, sw.Declared)
	for _, v := range order {
		a, ok := v.known()
		if !ok || cases[a.text()] == nil {
			return false
		}
	}
	f.cond--
	defer func() { f.cond++ }()
	for _, v := range order {
		a, _ := v.known()
		for _, st := range cases[a.text()].List {
			if _, ok := st.(*js.BranchStmt); ok {
				break
			}
			if e.statement(f, st) {
				return true
			}
		}
	}
	return len(order) > 0
}
