package fold

import (
	"bytes"

	"github.com/tdewolff/parse/v2/js"
)

// expr walks an expression and notes the uses of variables.
func (c *varCollector) expr(e js.IExpr) {
	switch e := e.(type) {
	case *js.Var:
		s := c.folder.staticVar(canonical(e))
		if s.seen < maxReads && !s.bound {
			s.seen++
			c.folder.use(&s.reads, varUse{at: c.at, self: c.assign == s.v})
		}
	case *js.LiteralExpr:
		c.folder.looks.literal(e)
	case *js.GroupExpr:
		c.expr(e.X)
	case *js.CommaExpr:
		for _, x := range e.List {
			c.expr(x)
		}
	case *js.CondExpr:
		c.expr(e.Cond)
		c.expr(e.X)
		c.expr(e.Y)
	case *js.UnaryExpr:
		switch e.Op {
		case js.PreIncrToken, js.PostIncrToken, js.PreDecrToken, js.PostDecrToken, js.DeleteToken:
			c.target(e.X)
		default:
			c.expr(e.X)
		}
	case *js.BinaryExpr:
		c.binary(e)
	case *js.DotExpr:
		c.expr(e.X)
	case *js.IndexExpr:
		c.expr(e.X)
		c.expr(e.Y)
	case *js.ArrayExpr:
		for _, item := range e.List {
			c.expr(item.Value)
		}
	case *js.ObjectExpr:
		c.object(e)
	case *js.TemplateExpr:
		c.expr(e.Tag)
		for _, p := range e.List {
			c.expr(p.Expr)
		}
	case *js.CallExpr:
		c.call(e)
	case *js.NewExpr:
		c.folder.news = append(c.folder.news, e)
		c.expr(e.X)
		if e.Args != nil {
			c.args(e.Args.List)
		}
	case *js.FuncDecl:
		c.function(e, &e.Params, e.Body.List, nil)
	case *js.ArrowFunc:
		c.function(e, &e.Params, e.Body.List, nil)
	case *js.ClassDecl:
		c.class(e)
	case *js.YieldExpr:
		c.expr(e.X)
	case *js.VarDecl:
		c.varDecl(e)
	}
}

const maxReads = 64 // of one variable that are remembered; they matter for variables that are assigned to in places

func (c *varCollector) binary(e *js.BinaryExpr) {
	_, compound := assigns[e.Op]
	if e.Op != js.EqToken && !compound {
		for {
			c.expr(e.Y)
			b, ok := e.X.(*js.BinaryExpr)
			if _, compound := assigns[opOf(b)]; !ok || compound || b.Op == js.EqToken {
				c.expr(e.X)
				return
			}
			e = b
		}
	}
	c.target(e.X)
	outer := c.assign
	if v, ok := e.X.(*js.Var); ok {
		c.assign = canonical(v)
		c.value(e.Y, v)
	} else {
		c.expr(e.Y)
	}
	c.assign = outer
}

func opOf(b *js.BinaryExpr) js.TokenType {
	if b == nil {
		return 0
	}
	return b.Op
}

// target notes what an assignment changes.
func (c *varCollector) target(e js.IExpr) {
	switch e := e.(type) {
	case *js.Var:
		s := c.folder.staticVar(canonical(e))
		c.folder.use(&s.writes, varUse{at: c.at})
		if s.v.Decl == js.NoDecl && s.list == 0 {
			s.list = 1
		}
	case *js.GroupExpr:
		c.target(e.X)
	case *js.DotExpr:
		c.changed(e.X)
		c.expr(e.X)
	case *js.IndexExpr:
		c.changed(e.X)
		c.expr(e.X)
		c.expr(e.Y)
	case *js.ArrayExpr:
		for _, item := range e.List {
			c.target(item.Value)
		}
	case *js.ObjectExpr:
		for _, p := range e.List {
			c.target(p.Value)
			c.expr(p.Init)
		}
	case *js.BinaryExpr:
		c.target(e.X)
		c.expr(e.Y)
	}
}

// changed notes that the object at the root of a chain changes.
func (c *varCollector) changed(e js.IExpr) {
	for {
		switch x := e.(type) {
		case *js.Var:
			s := c.folder.staticVar(canonical(x))
			c.folder.use(&s.changes, varUse{at: c.at})
			return
		case *js.DotExpr:
			e = x.X
		case *js.IndexExpr:
			e = x.X
		case *js.GroupExpr:
			e = x.X
		default:
			return
		}
	}
}

func (c *varCollector) object(e *js.ObjectExpr) {
	c.folder.looks.object(e)
	for _, p := range e.List {
		if p.Name != nil {
			c.expr(p.Name.Computed)
		}
		if m, ok := p.Value.(*js.MethodDecl); ok {
			c.expr(m.Name.Computed)
			c.function(m, &m.Params, m.Body.List, nil)
			continue
		}
		c.expr(p.Value)
		c.expr(p.Init)
	}
}

func (c *varCollector) call(e *js.CallExpr) {
	c.folder.calls = append(c.folder.calls, e)
	c.folder.looks.call(e)
	switch fn := functionNode(e.X).(type) {
	case *js.FuncDecl:
		c.function(fn, &fn.Params, fn.Body.List, e)
	case *js.ArrowFunc:
		c.function(fn, &fn.Params, fn.Body.List, e)
	default:
		if changesObject(methodData(e.X)) {
			of, _ := methodOf(e.X)
			c.changed(of)
		}
		c.expr(e.X)
	}
	c.args(e.Args.List)
}

func (c *varCollector) args(args []js.Arg) {
	for _, a := range args {
		if v, ok := a.Value.(*js.Var); ok {
			s := c.folder.staticVar(canonical(v))
			c.folder.use(&s.passes, varUse{at: c.at})
		}
		c.expr(a.Value)
	}
}

// methodOf is the object and the constant name of a called method.
func methodOf(e js.IExpr) (of js.IExpr, name string) {
	switch e := e.(type) {
	case *js.DotExpr:
		name, _ := dotName(e)
		return e.X, name
	case *js.IndexExpr:
		if lit, ok := e.Y.(*js.LiteralExpr); ok && lit.TokenType == js.StringToken {
			return e.X, string(lit.Data[1 : len(lit.Data)-1])
		}
	}
	return nil, ""
}

// methodData is the name that methodOf gives, without a copy of it.
func methodData(e js.IExpr) []byte {
	var data []byte
	switch e := e.(type) {
	case *js.DotExpr:
		switch y := e.Y.(type) {
		case js.LiteralExpr:
			data = y.Data
		case *js.LiteralExpr:
			data = y.Data
		}
		if bytes.IndexByte(data, '\\') >= 0 {
			data = []byte(unescape(string(data), nil))
		}
	case *js.IndexExpr:
		if lit, ok := e.Y.(*js.LiteralExpr); ok && lit.TokenType == js.StringToken {
			data = lit.Data[1 : len(lit.Data)-1]
		}
	}
	return data
}

// changesObject reports whether a method of this name changes the object that it is called on.
func changesObject(name []byte) bool {
	switch string(name) {
	case "push", "pop", "shift", "unshift", "splice", "reverse", "sort", "fill", "copyWithin", "set", "add", "delete", "clear":
		return true
	}
	return false
}
