package flow

import (
	"slices"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/tdewolff/parse/v2/js"
)

// setElement sets a property of an element; o is nil when nothing is known about it.
func (e *Engine) setElement(f *activation, node js.INode, o *object, name string, v *value) {
	if v == nil {
		return
	}
	d := &details{}
	if o != nil {
		d = o.more()
	}
	switch name {
	case "src", "srcset", "poster", "data":
		e.setSource(f, node, d, v)
	case "srcobject", "srcObject": // what a camera or a screen shows
		d.taints = joinTaints(d.taints, e.taintsIn(f, v))
	case "style":
		e.styleAddress(f, node, v)
	case "ping": // of a link
		e.sink(f, node, sinkLink, v, v.taints, "sends it to HOST")
	case "href", "xlink:href":
		if d.tag == "image" || d.tag == "use" || d.tag == "feimage" { // of a drawing
			e.setSource(f, node, &details{tag: "img", own: true}, v)
			return
		}
		d.url = v
		if d.tag == "link" {
			e.sink(f, node, sinkLink, v, v.taints, "loads it from HOST")
		}
		e.javascriptURL(f, node, v)
	case "action", "formaction":
		d.url = v
		e.turnForm(f, node, d, v)
	case "innerHTML", "outerHTML", "srcdoc":
		if d.tag == "script" {
			e.sink(f, node, sinkScriptText, nil, e.codeTaints(f, f.given, v), "runs it as a script")
			e.pageScript(f, node, v)
			return
		}
		e.sink(f, node, sinkHTML, nil, e.taintsIn(f, v), "inserts it as HTML")
		e.htmlAddress(f, node, v)
		e.writes(f, v)
		e.display(f, node, d, v)
		if d.tag == "style" {
			e.styleAddress(f, node, v)
		}
	case "text", "textContent", "innerText", "nodeValue", "data-value":
		if d.tag == "script" {
			e.called(f, node, "script.text=", nil)
			e.sink(f, node, sinkScriptText, nil, e.codeTaints(f, f.given, v), "runs it as a script")
			e.pageScript(f, node, v)
			return
		}
		e.display(f, node, d, v)
		e.toCopy(f, d, v)
		if d.tag == "style" {
			e.styleAddress(f, node, v)
		}
		if d.own {
			o.says(v)
		}
	case "value":
		e.display(f, node, d, v)
		e.fills(f, node, d, v)
		e.toCopy(f, d, v)
		d.taints = joinTaints(d.taints, e.taintsIn(f, v))
		if o != nil {
			e.set(f, o, "value", v)
		}
	case "checked":
		e.called(f, node, "element.checked=", []*value{textValue(d.selector), v})
	case "id", "name", "classname", "className", "placeholder", "type":
		d.selector += " " + strings.Join(v.texts(), " ")
	}
}

// display is a text or value that a page shows.
func (e *Engine) display(f *activation, node js.INode, d *details, v *value) {
	what := "shows it in the page"
	if d.selector != "" {
		what = "puts it into " + behavior.Shorten(d.selector, 60)
	}
	if d.own {
		return
	}
	e.sink(f, node, sinkDOMValue, nil, e.taintsIn(f, v), what)
}

// fills notes that a field of a page is given what another server than that of the page said.
func (e *Engine) fills(f *activation, node js.INode, d *details, v *value) {
	if d.own || !f.u.InPage() {
		return
	}
	for _, t := range e.taintsIn(f, v) {
		if t.source == srcNetwork && e.parties.Of(t.from, f.u.site()) != behavior.Origin {
			e.called(f, node, "element.value=", []*value{textValue(d.selector)})
			return
		}
	}
}

// toCopy remembers what a text area of the script's own holds, for execCommand("copy").
func (e *Engine) toCopy(f *activation, d *details, v *value) {
	ts := e.taintsIn(f, v)
	if len(ts) > 0 && (d.own || !f.u.InPage()) {
		e.set(f, e.pathObject("copy"), "text", taintValue(ts...))
	}
}

func (e *Engine) setSource(f *activation, node js.INode, d *details, v *value) {
	d.url = v
	switch d.tag {
	case "script":
		e.called(f, node, "script.src=", []*value{v})
		e.sink(f, node, sinkScriptSrc, v, v.taints, "loads a script from HOST")
	case "iframe", "frame", "embed", "object":
		e.called(f, node, "iframe.src=", []*value{v})
		e.sink(f, node, sinkFrame, v, v.taints, "shows HOST in a frame")
	default:
		if d.tag == "" && !d.own { // an element of the page, which may be a frame
			e.framed(f, node, v)
		}
		e.sink(f, node, sinkImage, v, v.taints, "loads an image from HOST with it in the address")
	}
	e.javascriptURL(f, node, v)
}

// framed is an address that a server or the storage gives, in what may be a frame.
func (e *Engine) framed(f *activation, node js.INode, v *value) {
	var ts []*taint
	for _, t := range v.taints {
		if !private(t.source) {
			ts = append(ts, t)
		}
	}
	e.sink(f, node, sinkFrame, v, ts, "shows HOST in a frame")
}

// chosenMember is a member of an element of a page whose name a server or a message gives: its value as well as any
// other.
func (e *Engine) chosenMember(f *activation, node js.INode, o, key *value) *value {
	if len(key.taints) == 0 || len(o.objs) == 0 || !f.u.InPage() {
		return nil
	}
	remote := slices.ContainsFunc(key.taints, func(t *taint) bool { return t.source == srcNetwork || t.source == srcPageMessage })
	if !remote || !slices.ContainsFunc(o.objs, func(x *object) bool { return x.class == "element" && !x.more().own }) {
		return nil
	}
	return taintValue(e.newTaint(f, node, srcForm, "*", "reads from an element what a server names"))
}

// unknownMember reads a member of something that is not known.
func (e *Engine) unknownMember(f *activation, node js.INode, o *value, name string) *value {
	switch name {
	case "target", "currentTarget", "srcElement":
		return join(anything, objectValue(e.alloc(f, node, "element")))
	case "clipboardData":
		return objectValue(e.alloc(f, node, "clipboardData"))
	case "innerText", "innerHTML", "outerHTML", "textContent":
		if f.u.InPage() {
			return e.elementSource(f, node, nil, name)
		}
	case "requestHeaders":
		return taintValue(e.newTaint(f, node, srcHeaders, "", "reads the headers of requests"))
	}
	if secretName(name) {
		return taintValue(e.newTaint(f, node, srcSeed, name, "reads "+name))
	}
	if codeSecretName(name) {
		return taintValue(e.newTaint(f, node, srcOTP, name, "reads "+name))
	}
	return anything
}

// setUnknown sets a member of something that is not known.
func (e *Engine) setUnknown(f *activation, node js.INode, o *value, name string, v *value) {
	switch name {
	case "innerHTML", "outerHTML", "src", "srcdoc":
		e.setElement(f, node, nil, name, v)
	case "value", "textContent", "innerText", "nodeValue":
		e.setElement(f, node, nil, name, v)
	case "href":
		if len(v.allTaints()) > 0 {
			e.sink(f, node, sinkNavigation, v, v.taints, "goes to HOST")
		}
	}
	switch name {
	case "background", "backgroundImage", "cssText", "borderImage", "borderImageSource", "listStyleImage", "listStyle", "cursor", "content", "maskImage":
		e.styleAddress(f, node, v)
	}
	if strings.HasPrefix(name, "on") && len(v.orEmpty().fns) > 0 {
		if stored := ofDatabase(o); stored != nil { // a request of a database
			e.callValue(f, v, call{node: node, this: o, args: []*value{taintValue(stored...)}})
			return
		}
		e.listen(f, node, o, name[2:], v)
	}
	switch name {
	case "signTransaction", "signAllTransactions", "signAndSendTransaction":
		if f.u.InPage() { // nothing else is called so
			e.hooked(f, node, "solana."+name, v)
		}
	}
}

// unknownMethod is a method of something that is not known, and that tells by its name what it does.
func (e *Engine) unknownMethod(f *activation, recv *value, name string, c call) (*value, bool) {
	switch name {
	case "querySelector", "querySelectorAll", "getElementById", "closest":
		if ts := recv.taints; f.u.Context == behavior.Background && len(ts) > 0 && !slices.ContainsFunc(ts, func(t *taint) bool { return t.source != srcNetwork }) {
			return taintValue(ts...), true // of a document that was made of a server's answer, in which nobody types
		}
		return e.elementCall(f, nil, name, c)
	case "insertAdjacentHTML":
		return e.elementCall(f, nil, name, c)
	case "setAttribute":
		return e.elementCall(f, e.alloc(f, c.node, "element"), name, c)
	case "click":
		if len(c.args) == 0 && f.u.InPage() {
			e.called(f, c.node, "element.click", nil)
		}
	case "insertRule", "addRule", "replaceSync", "setProperty": // of a style sheet
		for _, a := range c.args {
			e.styleAddress(f, c.node, a)
		}
	case "executeScript":
		return anything, true
	case "dispatchEvent":
		e.dispatch(f, fromTarget, c)
		return aBoolean, true
	case "clone": // at once, unlike those that read
		if len(recv.taints) > 0 {
			return taintValue(recv.taints...), true
		}
	case "json", "text", "blob", "arrayBuffer", "formData":
		if len(recv.taints) > 0 {
			return e.promise(f, c.node, taintValue(recv.taints...)), true
		}
	case "encode", "decode", "encrypt":
		if ts := e.taintsOf(f, c.args); name == "encrypt" && len(ts) > 0 {
			return anything.tainted(e.via(f, c.node, ts, "encrypts it")), true
		}
	}
	return nil, false
}

// ofDatabase is what a request of a database of the page will give; nil for all else.
func ofDatabase(v *value) []*taint {
	var out []*taint
	for _, t := range v.orEmpty().taints {
		if t.source == srcStorageToken {
			out = append(out, t)
		}
	}
	return out
}
