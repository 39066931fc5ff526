package flow

import (
	"path"
	"reflect"
	"sort"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior/parties"
	"github.com/extwatch/extwatch/signatures/behavior/syntax"
	"github.com/tdewolff/parse/v2/js"
)

// moduleOf is the state of a module, which runs once, at the latest when its turn comes.
func (e *Engine) moduleOf(u *Script) *moduleState {
	key := moduleKey(u)
	m := e.modules[key]
	if m != nil {
		return m
	}
	m = &moduleState{exports: e.newObject("module")}
	e.modules[key] = m
	m.task = e.start(u, func(f *activation) {
		if f.entry.env == nil {
			f.entry.env = e.newEnv(nil)
			f.env = f.entry.env
		}
		f.module = m.exports
		f.this = undef
		e.hoist(f, &u.AST.BlockStmt)
		for _, s := range u.AST.List { // imports are there before anything runs
			if i, ok := s.(*js.ImportStmt); ok {
				e.importStmt(f, i)
			}
		}
		e.statements(f, u.AST.List)
	})
	return m
}

// startModule runs a module that another one asks for, before that goes on, and returns its exports. So it is in a
// browser: what a module makes of its imports while it starts would be made of nothing otherwise.
func (e *Engine) startModule(u *Script) *object {
	const deepest = 40 // of modules that ask for each other; what is further away runs when its turn comes
	m := e.moduleOf(u)
	if m.task.runs > 0 || e.asked >= deepest || e.over {
		return m.exports
	}
	end, steps, depth := e.taskEnd, e.steps, e.depth
	m.task.runs, m.task.early, m.task.again = 1, m.task.queued, false
	e.asked++
	e.depth = 0
	e.taskEnd = e.steps + e.limit.task
	f := &activation{u: u, entry: m.task.entry, env: m.task.entry.env}
	m.task.run(f)
	e.asked--
	e.depth = depth
	if e.steps >= e.taskEnd {
		e.cut = true
	}
	if e.taskEnd = end + e.steps - steps; e.over {
		e.taskEnd = 0
	}
	return m.exports
}

func moduleKey(u *Script) string { return string(u.Context) + "\x01" + u.File }

// named reports whether a specifier without an extension may mean a file: as bundlers look for it, the file of that name
// or the index of a folder.
func named(file, name string) bool {
	rest, ok := strings.CutPrefix(file, name)
	if !ok {
		return false
	}
	switch rest {
	case "", ".js", ".mjs", ".cjs", "/index.js", "/index.mjs", "/index.cjs":
		return true
	}
	return false
}

// exportsOf finds the module that a specifier names; nil when it is not in the package.
func (e *Engine) exportsOf(f *activation, spec string) *object {
	if strings.Contains(spec, "webextension-polyfill") {
		return nil
	}
	name := strings.TrimPrefix(strings.TrimPrefix(spec, "chrome-extension://self"), "/")
	if strings.HasPrefix(spec, ".") {
		name = path.Join(path.Dir(f.u.File), spec)
	}
	var other *Script
	for _, u := range e.scripts {
		if u.AST == nil || !named(u.File, name) {
			continue
		}
		if u.Context == f.u.Context {
			return e.startModule(u)
		}
		other = u
	}
	if other != nil {
		return e.startModule(other)
	}
	return nil
}

func (e *Engine) importStmt(f *activation, s *js.ImportStmt) {
	spec := unquote(s.Module)
	polyfill := strings.Contains(spec, "webextension-polyfill")
	m := e.exportsOf(f, spec)
	read := func(name string) *value {
		switch {
		case polyfill:
			if name == "default" || name == "*" || name == "browser" {
				return pathValue("@")
			}
			return pathValue("@" + name)
		case m == nil:
			switch {
			case strings.HasSuffix(spec, "axios"):
				return pathValue("axios")
			case spec == "jquery":
				return pathValue("$")
			case spec == "socket.io-client":
				return pathValue("io")
			}
			return anything
		case name == "*":
			return objectValue(m)
		}
		return e.get(f, m, name)
	}
	if s.Default != nil {
		e.bindName(f, s.Default, read("default"))
	}
	for _, a := range s.List {
		if a.Binding == nil {
			continue
		}
		name := string(a.Name)
		if a.Name == nil {
			name = string(a.Binding)
		}
		e.bindName(f, a.Binding, read(name))
	}
}

// bindName stores an import. The parser does not declare imports: their uses are among the module's unknown names.
func (e *Engine) bindName(f *activation, name []byte, v *value) {
	done := false
	for _, x := range f.u.AST.Undeclared {
		x = resolve(x)
		if string(x.Data) != string(name) {
			continue
		}
		c := f.env.own(x)
		if c == nil {
			c = &cell{}
			f.env.put(x, c)
		}
		if v != nil {
			c.now = join(c.now, v)
			e.grow(c, v)
		}
		done = true
	}
	if !done { // used only in "export {…}"
		x := &js.Var{Data: name}
		c := &cell{now: v}
		e.grow(c, v)
		f.env.put(x, c)
	}
}

func (e *Engine) exportStmt(f *activation, s *js.ExportStmt) {
	out := f.module
	if out == nil {
		out = e.newObject("module")
	}
	if s.Decl != nil {
		e.exportDecl(f, s, out)
		return
	}
	var m *object
	if s.Module != nil {
		if m = e.exportsOf(f, unquote(s.Module)); m == nil {
			return
		}
	}
	for _, a := range s.List {
		name, inner := string(a.Binding), string(a.Name)
		if a.Name == nil {
			inner = name
		}
		switch {
		case m != nil && inner == "*" && (name == "" || name == "*"):
			e.spread(f, out, objectValue(m))
		case m != nil && inner == "*":
			e.set(f, out, name, objectValue(m))
		case m != nil:
			e.set(f, out, name, e.get(f, m, inner))
		default:
			e.exportName(f, out, inner, name)
		}
	}
}

// exportName lets an export share the cell of its variable, so that later changes are seen.
func (e *Engine) exportName(f *activation, out *object, inner, name string) {
	for i, x := range f.env.names {
		c := f.env.cells[i]
		if string(x.Data) != inner {
			continue
		}
		if old := out.field(name); old != nil && old != c {
			e.grow(c, old.ever)
			for _, r := range old.readers {
				e.spoil(r)
			}
		}
		c.home = nil
		out.replace(name, c)
		e.grew(out)
	}
}

func (e *Engine) exportDecl(f *activation, s *js.ExportStmt, out *object) {
	switch d := s.Decl.(type) {
	case *js.VarDecl:
		e.varDecl(f, d)
		for _, b := range d.List {
			e.exportBinding(f, out, b.Binding)
		}
		return
	case *js.FuncDecl:
		c := e.function(f, d)
		if d.Name != nil && !s.Default {
			e.exportBinding(f, out, d.Name)
			return
		}
		e.set(f, out, "default", closureValue(c))
		return
	case *js.ClassDecl:
		c := closureValue(e.class(f, d))
		if d.Name != nil {
			e.assignVar(f, d.Name, c, true)
		}
		if d.Name != nil && !s.Default {
			e.exportBinding(f, out, d.Name)
			return
		}
		e.set(f, out, "default", c)
		return
	}
	e.set(f, out, "default", e.eval(f, s.Decl))
}

func (e *Engine) exportBinding(f *activation, out *object, b js.IBinding) {
	switch b := b.(type) {
	case *js.Var:
		e.exportName(f, out, string(resolve(b).Data), string(resolve(b).Data))
	case *js.BindingArray:
		for _, x := range b.List {
			e.exportBinding(f, out, x.Binding)
		}
	case *js.BindingObject:
		for i := range b.List {
			e.exportBinding(f, out, b.List[i].Value.Binding)
		}
	}
}

// dynamicImport is import(…).
func (e *Engine) dynamicImport(f *activation, c call) *value {
	e.called(f, c.node, "import", c.args)
	e.sink(f, c.node, sinkScriptSrc, c.arg(0), c.arg(0).allTaints(), "loads a script from HOST")
	var out *value
	for _, s := range c.arg(0).texts() {
		if m := e.exportsOf(f, s); m != nil {
			out = join(out, objectValue(m))
		}
	}
	if out == nil {
		out = anything
	}
	return e.promise(f, c.node, out)
}

// evalText looks at code that stands in a constant text.
func (e *Engine) evalText(f *activation, p, s string, c call) *value {
	const maxCode, maxTexts, maxNested = 200_000, 200, 3
	if len(s) > maxCode || len(s) < 8 || f.u.nested >= maxNested || strings.Contains(s, parties.Gap) {
		return anything
	}
	key := string(f.u.Context) + s
	u := e.links.texts[key]
	if u == nil {
		if len(e.links.texts) >= maxTexts {
			return anything
		}
		u = e.parseText(f, s, c)
		e.links.texts[key] = u
		if u.AST != nil {
			e.startScript(u)
			e.unpack(u)
		}
	}
	return anything
}

func (e *Engine) parseText(f *activation, s string, c call) *Script {
	u := *f.u
	u.AST, u.nested = nil, u.nested+1
	e.links.evals[&u] = e.spot(f, c.node)
	ast, src, err := syntax.ParseScript([]byte(s))
	if err != nil && strings.Contains(s, "return") { // the body of a function
		ast, src, err = syntax.ParseScript([]byte("(function(){" + s + "\n})()"))
	}
	if err == nil {
		u.AST, u.Src = ast, src
	}
	return &u
}

// fromStructure turns lists and maps of the folder into objects.
func (e *Engine) fromStructure(f *activation, r any, depth int) *value {
	v := reflect.ValueOf(r)
	if depth > 6 {
		return anything
	}
	switch v.Kind() {
	case reflect.String:
		return textValue(v.String())
	case reflect.Slice:
		o := e.newObject("Array")
		for i := range min(v.Len(), maxFields) {
			e.set(f, o, showNumber(float64(i)), e.fromConstant(f, nil, v.Index(i).Interface(), depth+1))
		}
		return objectValue(o)
	case reflect.Map:
		if v.Type().Key().Kind() != reflect.String {
			return anything
		}
		o := e.newObject("")
		keys := v.MapKeys()
		sort.Slice(keys, func(i, j int) bool { return keys[i].String() < keys[j].String() })
		for _, k := range keys[:min(len(keys), maxFields)] {
			e.set(f, o, k.String(), e.fromConstant(f, nil, v.MapIndex(k).Interface(), depth+1))
		}
		return objectValue(o)
	}
	return anything
}
