package fold

import "github.com/tdewolff/parse/v2/js"

// collect reads the whole tree once and notes what happens to each variable.
func (f *Folder) collect() {
	if f.collected {
		return
	}
	f.collected = true
	f.vars = map[*js.Var]*staticVar{}
	c := &varCollector{folder: f}
	c.at = c.level()
	c.list(f.script.AST.List, nil, false)
	f.findTurned()
	if len(f.looks.table.arrays) > 0 && f.steps < hiddenSteps {
		f.steps, f.share = hiddenSteps, hiddenSteps/foldShare
	}
}

type varCollector struct {
	folder *Folder
	at     *level
	spare  []level // room for more of them
	lists  int32
	order  int32
	assign *js.Var // the variable that is being assigned to
}

// list walks a statement list. fn is the function whose body it is; immediate says that it is called where it stands.
func (c *varCollector) list(list []js.IStmt, fn js.INode, immediate bool) {
	outer := c.at
	c.lists++
	number := c.lists
	for _, s := range list {
		if x, ok := s.(*js.ExprStmt); ok {
			for _, e := range elements(x.Value) {
				c.enter(outer, number, fn, immediate, codePart{node: e, expr: true})
				c.expr(e)
			}
			continue
		}
		c.enter(outer, number, fn, immediate, codePart{node: s})
		c.stmt(s)
	}
	c.at = outer
}

func (c *varCollector) enter(outer *level, number int32, fn js.INode, immediate bool, p codePart) {
	c.order++
	p.order = c.order
	c.at = c.level()
	*c.at = level{parent: outer, list: number, part: p, fn: fn, immediate: immediate}
}

func (c *varCollector) level() *level {
	if len(c.spare) == 0 {
		c.spare = make([]level, 64)
	}
	l := &c.spare[0]
	c.spare = c.spare[1:]
	return l
}

// elements are the parts of a comma expression that stands as a statement.
func elements(e js.IExpr) []js.IExpr {
	switch e := e.(type) {
	case *js.GroupExpr:
		if _, ok := e.X.(*js.CommaExpr); ok {
			return elements(e.X)
		}
	case *js.CommaExpr:
		var out []js.IExpr
		for _, x := range e.List {
			out = append(out, elements(x)...)
		}
		return out
	}
	return []js.IExpr{e}
}

func (c *varCollector) stmt(s js.IStmt) {
	switch s := s.(type) {
	case *js.ExprStmt:
		c.expr(s.Value)
	case *js.VarDecl:
		c.varDecl(s)
	case *js.FuncDecl:
		c.funcDecl(s)
	case *js.ClassDecl:
		c.class(s)
	case *js.BlockStmt:
		if s != nil {
			c.list(s.List, nil, false)
		}
	case *js.IfStmt:
		c.expr(s.Cond)
		c.inner(s.Body)
		c.inner(s.Else)
	case *js.WhileStmt:
		c.expr(s.Cond)
		c.inner(s.Body)
	case *js.DoWhileStmt:
		c.inner(s.Body)
		c.expr(s.Cond)
	case *js.WithStmt:
		c.expr(s.Cond)
		c.inner(s.Body)
	case *js.ForStmt:
		c.forHead(s.Init)
		c.expr(s.Cond)
		c.expr(s.Post)
		c.inner(s.Body)
	case *js.ForInStmt:
		c.each(s.Init, s.Value, s.Body)
	case *js.ForOfStmt:
		c.each(s.Init, s.Value, s.Body)
	case *js.SwitchStmt:
		c.expr(s.Init)
		c.folder.looks.dispatcher(s)
		for _, clause := range s.List {
			c.expr(clause.Cond)
			c.list(clause.List, nil, false)
		}
	case *js.ReturnStmt:
		c.expr(s.Value)
	case *js.ThrowStmt:
		c.expr(s.Value)
	case *js.LabelledStmt:
		c.inner(s.Value)
	case *js.TryStmt:
		c.inner(s.Body)
		if s.Binding != nil {
			c.bound(s.Binding)
		}
		if s.Catch != nil {
			c.list(s.Catch.List, nil, false)
		}
		if s.Finally != nil {
			c.list(s.Finally.List, nil, false)
		}
	case *js.ExportStmt:
		if d, ok := s.Decl.(js.IStmt); ok {
			c.stmt(d)
		} else {
			c.expr(s.Decl)
		}
	}
}

// inner walks a statement that is the body of another.
func (c *varCollector) inner(s js.IStmt) {
	if s == nil {
		return
	}
	if b, ok := s.(*js.BlockStmt); ok {
		if b != nil {
			c.list(b.List, nil, false)
		}
		return
	}
	c.stmt(s)
}

func (c *varCollector) forHead(init js.IExpr) {
	if d, ok := init.(*js.VarDecl); ok {
		c.varDecl(d)
		return
	}
	c.expr(init)
}

// each walks for-in and for-of.
func (c *varCollector) each(init, value js.IExpr, body *js.BlockStmt) {
	if d, ok := init.(*js.VarDecl); ok {
		for _, item := range d.List {
			c.bound(item.Binding)
		}
	} else {
		c.target(init)
	}
	c.expr(value)
	c.inner(body)
}

// bound marks the variables of a pattern as having no one value.
func (c *varCollector) bound(b js.IBinding) {
	if v, ok := b.(*js.Var); ok {
		c.folder.staticVar(canonical(v)).bound = true
		return
	}
	for _, v := range bindingVars(b, nil) {
		c.folder.staticVar(v).bound = true
	}
	c.defaults(b)
}

// defaults walks the default values within a pattern.
func (c *varCollector) defaults(b js.IBinding) {
	switch b := b.(type) {
	case *js.BindingArray:
		for _, item := range b.List {
			c.expr(item.Default)
			c.defaults(item.Binding)
		}
	case *js.BindingObject:
		for _, item := range b.List {
			if item.Key != nil {
				c.expr(item.Key.Computed)
			}
			c.expr(item.Value.Default)
			c.defaults(item.Value.Binding)
		}
	}
}

func (c *varCollector) varDecl(d *js.VarDecl) {
	for _, item := range d.List {
		c.folder.looks.declared(item)
		for _, v := range bindingVars(item.Binding, nil) {
			s := c.folder.staticVar(v)
			if s.list == 0 {
				s.list = c.listFor(d.TokenType == js.VarToken)
			}
			if item.Default == nil {
				continue
			}
			if s.inits++; s.inits > 1 || s.declare {
				s.inits = 1
				c.folder.use(&s.writes, varUse{at: c.at})
				continue
			}
			s.init = item.Default
			if _, simple := item.Binding.(*js.Var); !simple {
				s.extra().pattern = item.Binding
			}
		}
		c.defaults(item.Binding)
		c.value(item.Default, item.Binding)
	}
}

// listFor is the number of the statement list that a declaration here belongs to.
func (c *varCollector) listFor(function bool) int32 {
	l := c.at
	for function && l.fn == nil && l.parent != nil && l.parent.parent != nil {
		l = l.parent
	}
	return l.list
}

func functionNode(e js.IExpr) js.INode {
	for {
		g, ok := e.(*js.GroupExpr)
		if !ok {
			break
		}
		e = g.X
	}
	switch e := e.(type) {
	case *js.FuncDecl:
		return e
	case *js.ArrowFunc:
		return e
	}
	return nil
}

// value walks the right side of an assignment to a pattern, and notes aliases.
func (c *varCollector) value(e js.IExpr, to js.IBinding) {
	if from, ok := e.(*js.Var); ok {
		if v, ok := to.(*js.Var); ok {
			s := c.folder.staticVar(canonical(from))
			s.extra().aliases = append(s.extra().aliases, canonical(v))
		}
	}
	c.expr(e)
}

func (c *varCollector) funcDecl(d *js.FuncDecl) {
	if d.Name != nil {
		s := c.folder.staticVar(canonical(d.Name))
		if s.declare || s.inits > 0 {
			s.bound = true // two functions of one name
		}
		s.init, s.declare = d, true
		s.list = c.at.list
	}
	c.function(d, &d.Params, d.Body.List, nil)
}

// function walks a function; args are those that it is called with where it stands, or nil.
func (c *varCollector) function(fn js.INode, params *js.Params, body []js.IStmt, call *js.CallExpr) {
	c.folder.looks.function(fn, body)
	inner := c.lists + 1 // the number that the body will get
	for i, p := range params.List {
		v, simple := p.Binding.(*js.Var)
		if call != nil && simple && p.Default == nil && i < len(call.Args.List) && !anyRest(call.Args.List[:i+1]) {
			s := c.folder.staticVar(canonical(v))
			s.init, s.list, s.inits = call.Args.List[i].Value, inner, 1
			continue
		}
		if p.Binding != nil {
			c.bound(p.Binding)
		}
	}
	if params.Rest != nil {
		c.bound(params.Rest)
	}
	c.list(body, fn, call != nil)
	for _, p := range params.List {
		c.expr(p.Default)
	}
}

func anyRest(args []js.Arg) bool {
	for _, a := range args {
		if a.Rest {
			return true
		}
	}
	return false
}

func (c *varCollector) class(d *js.ClassDecl) {
	c.expr(d.Extends)
	for i := range d.List {
		item := &d.List[i]
		switch {
		case item.StaticBlock != nil:
			c.list(item.StaticBlock.List, item.StaticBlock, false)
		case item.Method != nil:
			c.function(item.Method, &item.Method.Params, item.Method.Body.List, nil)
		default:
			c.expr(item.Field.Init)
		}
	}
}
