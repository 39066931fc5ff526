package flow

import (
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/parties"
	"github.com/tdewolff/parse/v2/js"
)

type nodeKey struct {
	o    *object
	name string
}

// related is an element that is reached from another.
func (e *Engine) related(o *object, name string) *object {
	key := nodeKey{o, name}
	if r := e.links.nodes[key]; r != nil {
		return r
	}
	r := e.newObject("element")
	r.more().selector = o.more().selector
	e.links.nodes[key] = r
	return r
}

// control is the field of a form that is called name.
func (e *Engine) control(f *activation, o *object, name string) *value {
	switch name {
	case "action", "method", "target", "enctype", "encoding", "acceptCharset", "autocomplete", "noValidate", "rel", "relList", "reset",
		"requestSubmit", "checkValidity", "reportValidity", "title", "className", "tagName", "nodeName", "nodeType", "hidden", "isConnected":
		return nil
	}
	r := e.related(o, name)
	if d := r.more(); secretName(name) {
		d.selector = name
	} else if d.selector = "[name=" + name + "]"; fieldSource(name) == srcForm {
		if about := aboutFields(e.fieldsOf(f.u), d.selector); about != "" {
			d.selector += " " + about
		}
	}
	return objectValue(r)
}

func (e *Engine) nodeOfList(f *activation, o *object) *value {
	return objectValue(e.related(o, "item"))
}

// selectElement is querySelector and its like.
func (e *Engine) selectElement(f *activation, c call, class string) *value {
	o := e.alloc(f, c.node, class)
	var parts []string
	for _, s := range c.arg(0).texts() {
		if strings.HasPrefix(s, "<") {
			o.more().own = true
		}
		parts = append(parts, strings.ReplaceAll(s, parties.Gap, "*"))
	}
	if len(parts) > 0 {
		e.called(f, c.node, "querySelector", c.args[:1])
	}
	o.more().selector = strings.Join(parts, ", ")
	if fieldSource(o.info.selector) == srcForm {
		if about := aboutFields(e.fieldsOf(f.u), o.info.selector); about != "" {
			o.info.selector += " " + about
		}
	}
	return objectValue(o)
}

// documentCall is a method of document or of what finds elements.
func (e *Engine) documentCall(f *activation, p string, c call) (*value, bool) {
	name, ok := strings.CutPrefix(p, "document.")
	if !ok {
		return nil, false
	}
	if strings.Contains(name, ".") {
		return nil, false
	}
	switch name {
	case "createElement", "createElementNS":
		return e.create(f, c), true
	case "write", "writeln":
		e.called(f, c.node, p, nil)
		e.sink(f, c.node, sinkHTML, nil, e.taintsIn(f, c.args...), "writes it into the document as HTML")
		e.htmlAddress(f, c.node, c.arg(0))
		return undef, true
	case "execCommand":
		e.called(f, c.node, p, c.args)
		e.execCommand(f, c)
		return aBoolean, true
	case "createTextNode":
		node := &value{any: true, taints: e.taintsIn(f, c.args...)}
		for _, t := range c.arg(0).texts() {
			node.atoms = append(node.atoms, atom{kind: aString, s: t})
		}
		return node, true
	}
	return e.elementCall(f, nil, name, c)
}

// execCommand copies what own text areas hold.
func (e *Engine) execCommand(f *activation, c call) {
	if a, ok := c.arg(0).known(); ok && a.s != "copy" && a.s != "cut" {
		switch a.s {
		case "insertText":
			e.sink(f, c.node, sinkDOMValue, nil, e.taintsIn(f, c.arg(2)), "types it into the page")
			e.fills(f, c.node, &details{}, c.arg(2))
		case "insertHTML":
			e.sink(f, c.node, sinkHTML, nil, e.taintsIn(f, c.arg(2)), "inserts it as HTML")
		}
		return
	}
	copied := e.get(f, e.pathObject("copy"), "text")
	e.sink(f, c.node, sinkSetClipboard, nil, copied.allTaints(), "copies it to the clipboard")
}

func (e *Engine) create(f *activation, c call) *value {
	o := e.alloc(f, c.node, "element")
	d := o.more()
	d.own = true
	for _, a := range c.args {
		for _, t := range a.texts() {
			if !strings.Contains(t, ":") {
				d.tag = strings.ToLower(t)
			}
		}
	}
	return objectValue(o)
}

// elementCall is a method of an element; o is nil for document and document.body.
func (e *Engine) elementCall(f *activation, o *object, name string, c call) (*value, bool) {
	switch name {
	case "querySelector", "getElementById", "closest":
		if name == "getElementById" {
			c.args = []*value{prefixed(c.arg(0), "#")}
		}
		return e.selectElement(f, c, "element"), true
	case "querySelectorAll", "getElementsByClassName", "getElementsByTagName", "getElementsByName", "find", "children":
		return e.selectElement(f, c, "elements"), true
	case "addEventListener", "on", "bind":
		e.listen(f, c.node, elementValue(o), e.eventName(c), c.arg(len(c.args)-1), c.arg(1))
		return elementValue(o), true
	case "submit", "requestSubmit", "click", "focus", "blur", "select", "dispatchEvent", "keyup", "change", "ready":
		return e.elementEvent(f, o, name, c), true
	case "insertAdjacentHTML", "html", "append", "prepend", "before", "after", "replaceWith", "appendChild", "insertBefore",
		"insertAdjacentElement", "replaceChildren", "text", "val":
		return e.elementContent(f, o, name, c), true
	case "setAttribute", "attr", "setAttributeNS", "prop":
		return e.setAttribute(f, o, name, c), true
	case "getAttribute":
		if f.u.InPage() && o != nil && !o.more().own {
			if c.arg(0).orEmpty().hasText("value") {
				if fieldSource(o.more().selector) == srcForm { // what the page wrote there, not what was typed
					return taintValue(e.newTaint(f, c.node, srcPageText, f.u.site(), "reads a value that the page holds")), true
				}
				return e.elementSource(f, c.node, o, "value"), true
			}
		}
		return anything, true
	case "serialize", "serializeArray", "serializeJSON": // jQuery
		if f.u.InPage() {
			return taintValue(e.newTaint(f, c.node, srcForm, "form", "reads all fields of a form")), true
		}
	case "getContext":
		if o != nil {
			r := e.related(o, "context")
			r.class = "context"
			e.set(f, r, "canvas", objectValue(o))
			return join(anything, objectValue(r)), true
		}
		return anything, true
	case "attachShadow", "cloneNode", "parentElement", "item", "eq", "first", "last", "get", "importNode", "getRootNode":
		if o != nil {
			return objectValue(e.related(o, name)), true
		}
		return anything, true
	case "toDataURL", "toBlob":
		if o != nil {
			return e.canvas(f, o, name, c), true
		}
	}
	return nil, false
}

func (v *value) hasText(s string) bool {
	for _, t := range v.texts() {
		if t == s {
			return true
		}
	}
	return false
}

func (e *Engine) canvas(f *activation, o *object, name string, c call) *value {
	v := anything.tainted(o.contents())
	e.callBack(f, c, v)
	return v
}

// contextCall is a method of what draws on a canvas: what is drawn there is what the canvas gives as a picture.
func (e *Engine) contextCall(f *activation, o *object, name string, c call) *value {
	canvas := e.get(f, o, "canvas").orEmpty()
	if name == "drawImage" || name == "putImageData" {
		ts := e.taintsIn(f, c.arg(0))
		for _, x := range c.arg(0).orEmpty().objs {
			ts = joinTaints(ts, x.contents())
			if d := x.more(); x.class == "element" && !d.own && f.u.InPage() {
				ts = joinTaints(ts, []*taint{e.newTaint(f, c.node, srcPageText, f.u.site(), "draws a picture of the page")})
			}
		}
		for _, x := range canvas.objs {
			x.more().taints = joinTaints(x.info.taints, ts)
		}
	}
	var ts []*taint
	for _, x := range canvas.objs {
		ts = joinTaints(ts, x.contents())
	}
	return anything.tainted(ts)
}

func prefixed(v *value, prefix string) *value {
	out := &value{}
	for _, t := range v.texts() {
		out = join(out, textValue(prefix+t))
	}
	if len(out.atoms) == 0 {
		return anything
	}
	return out
}

func elementValue(o *object) *value {
	if o == nil {
		return pathValue("document")
	}
	return objectValue(o)
}

// elementEvent is click, submit and the like.
func (e *Engine) elementEvent(f *activation, o *object, name string, c call) *value {
	if len(c.args) > 0 && len(c.args[len(c.args)-1].orEmpty().fns) > 0 { // jQuery: .click(fn)
		e.listen(f, c.node, elementValue(o), name, c.args[len(c.args)-1])
		return elementValue(o)
	}
	if name == "dispatchEvent" {
		e.dispatch(f, f.u.madeIn(), c)
	}
	if o == nil {
		return anything
	}
	d := o.more()
	switch name {
	case "click":
		if d.selector != "" {
			e.called(f, c.node, "element.click", []*value{textValue(d.selector)})
		} else if !d.own {
			e.called(f, c.node, "element.click", nil)
		}
	case "submit", "requestSubmit":
		e.called(f, c.node, "form.submit", []*value{d.url})
		ts := joinTaints(d.taints, d.url.allTaints())
		if d.own || d.url != nil {
			e.sink(f, c.node, sinkForm, d.url, ts, "submits a form to HOST")
		}
	}
	return anything
}

// elementContent puts something into an element.
func (e *Engine) elementContent(f *activation, o *object, name string, c call) *value {
	ts := e.taintsIn(f, c.args...)
	switch name {
	case "insertAdjacentHTML":
		e.sink(f, c.node, sinkHTML, nil, e.taintsIn(f, c.arg(1)), "inserts it as HTML")
		e.htmlAddress(f, c.node, c.arg(1))
		e.writes(f, c.arg(1))
	case "html":
		if len(c.args) == 0 {
			return e.elementSource(f, c.node, o, "innerHTML")
		}
		e.sink(f, c.node, sinkHTML, nil, ts, "inserts it as HTML")
	case "text", "val":
		prop := map[string]string{"text": "textContent", "val": "value"}[name]
		if len(c.args) == 0 {
			return e.elementSource(f, c.node, o, prop)
		}
		e.setElement(f, c.node, o, prop, c.arg(0))
		return elementValue(o)
	}
	for _, a := range c.args {
		if o != nil && o.more().own {
			o.says(a)
		}
		for _, child := range a.orEmpty().objs {
			if child.class != "element" || o == nil {
				continue
			}
			if child.more().own {
				o.holds(child)
			}
			if o.more().tag == "form" || o.more().tag == "script" {
				o.info.taints = joinTaints(o.info.taints, child.contents())
				if o.info.tag == "script" {
					e.sink(f, c.node, sinkScriptText, nil, ts, "runs it as a script")
				}
			}
		}
	}
	if o != nil && o.more().tag == "script" {
		for i, a := range c.args {
			e.sink(f, c.node, sinkScriptText, nil, e.codeTaints(f, textNode(argument(c.node, i)), a), "runs it as a script")
		}
		e.pageScript(f, c.node, c.arg(0))
	}
	return join(c.arg(0), elementValue(o))
}

func (e *Engine) setAttribute(f *activation, o *object, name string, c call) *value {
	if name == "setAttributeNS" {
		c.args = argsFrom(c.args, 1)
	}
	if (name == "attr" || name == "prop") && len(c.args) < 2 {
		return anything
	}
	for _, n := range namesOf(c.arg(0)) {
		lower := strings.ToLower(n)
		if strings.HasPrefix(lower, "on") {
			e.called(f, c.node, "element.setAttribute", []*value{c.arg(0)})
			e.sink(f, c.node, sinkOnAttribute, nil, e.codeTaints(f, argument(c.node, 1), c.arg(1)), "makes it code of an "+behavior.Shorten(lower, 20)+" attribute")
			if s, ok := c.arg(1).constant(); ok {
				e.evalText(f, "eval", s, c)
			}
			continue
		}
		if n == parties.Gap && f.u.InPage() && len(c.arg(1).allTaints()) > 0 { // pages of the extension run no code in attributes
			e.sink(f, c.node, sinkOnAttribute, nil, c.arg(1).taints, "sets an attribute whose name is not constant")
			continue
		}
		e.setElement(f, c.node, o, lower, c.arg(1))
		if o != nil && lower == "type" {
			o.more().selector += " " + strings.Join(c.arg(1).texts(), " ")
		}
	}
	return undef
}

func (e *Engine) assignElement(f *activation, node js.INode, o *object, src *value) {
	for _, s := range src.orEmpty().objs {
		for _, k := range s.keys {
			e.setField(f, node, o, k, e.read(f, s.field(k)))
		}
	}
}

// descriptor is Object.getOwnPropertyDescriptor. Scripts take the setter of an input's value from it, since frameworks
// watch the plain assignment.
func (e *Engine) descriptor(f *activation, c call) *value {
	name, ok := c.arg(1).constant()
	if !ok || name != "value" && name != "innerHTML" && name != "textContent" {
		return anything
	}
	o := e.alloc(f, c.node, "")
	e.set(f, o, "set", closureValue(e.nativeFn("set "+name, func(e *Engine, f *activation, k call) *value {
		e.setMember(f, k.node, k.this, textValue(name), k.arg(0))
		return undef
	})))
	e.set(f, o, "get", closureValue(e.nativeFn("get "+name, func(e *Engine, f *activation, k call) *value {
		return e.member(f, k.node, k.this, textValue(name))
	})))
	return objectValue(o)
}
