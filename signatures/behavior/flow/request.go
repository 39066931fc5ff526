package flow

import (
	"slices"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/parties"
	"github.com/tdewolff/parse/v2/js"
)

// hosts are the hosts that an address may have; none when it stays within the page or the extension.
func (e *Engine) hosts(f *activation, node js.INode, address *value, sink string) []string {
	if atHome(argument(node, 0)) || atHome(argument(node, 1)) { // of a page of the extension: itself
		return nil
	}
	var out []string
	add := func(h string) {
		if !slices.Contains(out, h) && len(out) < maxAtoms {
			out = append(out, h)
		}
	}
	open := address == nil
	empty, local := e.unfilled(f, address, sink), false
	for _, t := range e.addresses(f, address) {
		if empty && fillIn(t, f.u.InPage()) {
			continue
		}
		if h, ok := parties.HostOf(t); ok {
			add(h)
			if h != "*" {
				e.contact(f, node, h)
			}
			continue
		}
		if strings.HasPrefix(t, parties.Gap) || !f.u.InPage() && hostless(t) {
			open = true
			continue
		}
		local = true
	}
	if address != nil && (address.any || len(address.paths) > 0) && !(local && len(out) == 0 && len(address.atoms) > 0) {
		open = true
	}
	if address != nil && len(address.taints) > 0 && len(address.atoms) > 0 {
		open = slices.ContainsFunc(address.atoms, func(a atom) bool { return strings.HasPrefix(a.s, parties.Gap) })
	}
	if open || empty {
		add("*")
	}
	return out
}

// hostless says whether an address lacks its host: a setting that is empty in the code at hand, or that a build fills in.
func hostless(address string) bool {
	return address == "" || address[0] == '?' || strings.HasPrefix(address, "undefined")
}

// addresses are the texts of a URL, a URL object, a Request or an options object.
func (e *Engine) addresses(f *activation, v *value) []string {
	out := v.texts()
	for _, o := range v.orEmpty().objs {
		if o.joining || len(out) > maxAtoms {
			continue
		}
		o.joining = true // an address may hold itself
		if o.info != nil && o.info.url != nil {
			out = append(out, e.addresses(f, o.info.url)...)
		} else if u := e.get(f, o, "url"); u != nil {
			out = append(out, e.addresses(f, u)...)
		} else if o.class == "json" || o.class == "" {
			out = append(out, parties.Gap)
		}
		o.joining = false
	}
	return out
}

func (e *Engine) contact(f *activation, node js.INode, host string) {
	if e.out.contactKeys[host] || len(e.out.contacts) >= keptContacts {
		return
	}
	e.out.contactKeys[host] = true
	at := e.spot(f, node)
	e.out.contacts = append(e.out.contacts, behavior.Contact{
		Host: host, Called: true, Party: e.parties.Of(host, f.u.site()), Place: e.placeOf(at),
	})
}

// taintsIn is all that goes out with a value, constant coin addresses included.
func (e *Engine) taintsIn(f *activation, vs ...*value) []*taint {
	var ts []*taint
	for _, v := range vs {
		ts = joinTaints(ts, e.deepTaints(f, v))
	}
	return ts
}

// request is a call that sends data to an address and gets an answer.
func (e *Engine) request(f *activation, node js.INode, sink string, address *value, data []*taint, what string) *value {
	for _, t := range requested(address) {
		if t.source == srcRequestBody && f.u.InPage() {
			// A hook passes the page's own request on: nothing leaves that would not have left, and the answer is the page's.
			e.sink(f, node, sinkRequestBody, nil, data, "hands it on as a request of the page")
			return taintValue(e.newTaint(f, node, srcResponses, f.u.site(), "sees the answers to the page"))
		}
	}
	if sink == sinkFetch {
		data = homeward(argument(node, 0), address, data)
	}
	if !wholeTyped(address) {
		data = joinTaints(data, address.allTaints())
	}
	e.sink(f, node, sink, address, data, what)
	if f.u.InPage() && len(data) > 0 && e.ofSite(f, address) {
		e.sink(f, node, sinkSiteRequest, nil, data, "sends it to the site of the page")
	}
	return taintValue(joinTaints(e.answer(f, node, address, sink), localAnswer(address))...)
}

// localAnswer is what an address that holds its own data gives back: "data:…" and "blob:…" are not sent anywhere. A
// picture of a tab is such an address.
func localAnswer(address *value) []*taint {
	var out []*taint
	for _, t := range address.allTaints() {
		if t.source == srcScreenshot || t.source == srcDebugger {
			out = append(out, t)
		}
	}
	return out
}

// answer is what a server sends back.
func (e *Engine) answer(f *activation, node js.INode, address *value, sink string) []*taint {
	var ts []*taint
	if f.u.InPage() && relative(address) {
		ts = append(ts, e.newTaint(f, node, srcSiteAnswers, f.u.site(), "asks the site of the page as its user"))
	}
	hosts := e.hosts(f, node, address, sink)
	for _, h := range hosts {
		ts = append(ts, e.newTaint(f, node, srcNetwork, h, "gets an answer from "+hostText(h)))
		if e.mailHost(f, address, h) {
			ts = append(ts, e.newTaint(f, node, srcMail, h, "gets mails from "+h))
		}
	}
	return ts
}

// callPath calls a function of the browser or the language, or of a library known by its name.
func (e *Engine) callPath(f *activation, p string, c call) *value {
	if api, ok := strings.CutPrefix(p, "@"); ok {
		return e.callAPI(f, api, c)
	}
	p = strings.TrimPrefix(p, "window.")
	if base, m, ok := cutLast(p); ok && base != "Reflect" {
		switch m {
		case "constructor": // of a function of the browser: setTimeout.constructor("…")
			return e.evalCall(f, "Function", c)
		case "call":
			c.this, c.args = c.arg(0), argsFrom(c.args, 1)
			if _, method, ok := strings.Cut(base, ".prototype."); ok { // Array.prototype.map.call(x, …)
				c.name = method
				return e.callNamed(f, c.this.orEmpty(), method, c)
			}
			return e.callPath(f, base, c)
		case "apply":
			c.this, c.args, c.given = c.arg(0), e.sequenceAll(f, c.arg(1)), c.arg(1)
			if _, method, ok := strings.Cut(base, ".prototype."); ok {
				c.name = method
				return e.callNamed(f, c.this.orEmpty(), method, c)
			}
			return e.callPath(f, base, c)
		}
	}
	if v, ok := e.network(f, p, c); ok {
		return v
	}
	if v, ok := e.builtin(f, p, c); ok {
		return v
	}
	if v, ok := e.documentCall(f, p, c); ok {
		return v
	}
	if v, ok := e.globalCall(f, p, c); ok {
		return v
	}
	if v, ok := e.libraryCall(f, p, c); ok {
		return v
	}
	if v := e.socketClient(f, p, c); v != nil {
		return v
	}
	if e.isWallet(p) {
		return e.walletCall(f, p, c)
	}
	if v := e.serviceCall(f, p, c); v != nil {
		return v
	}
	base, name, ok := cutLast(p)
	if ok && (name == "addEventListener" || name == "on") {
		e.listen(f, c.node, pathValue(base), e.eventName(c), c.arg(1))
		return undef
	}
	if ok && isElementPath(base) {
		if v, done := e.elementCall(f, nil, name, c); done {
			return v
		}
	}
	c.name = name
	return e.unknownCall(f, nil, c)
}

func cutLast(p string) (base, name string, ok bool) {
	i := strings.LastIndexByte(p, '.')
	if i < 0 {
		return "", p, false
	}
	return p[:i], p[i+1:], true
}

// network calls fetch, sendBeacon and what else sends by itself.
func (e *Engine) network(f *activation, p string, c call) (*value, bool) {
	switch p {
	case "fetch", "fetchLater":
		e.called(f, c.node, "fetch", c.args)
		data := e.initTaints(f, c.arg(1))
		for _, o := range c.arg(0).orEmpty().objs {
			data = joinTaints(data, o.contents())
		}
		v := e.asUser(f, c, e.request(f, c.node, sinkFetch, c.arg(0), data, e.sends(f, c.arg(1))))
		return e.promise(f, c.node, v), true
	case "navigator.sendBeacon":
		e.called(f, c.node, "sendBeacon", c.args)
		e.request(f, c.node, sinkBeacon, c.arg(0), e.taintsIn(f, c.arg(1)), "sends it to HOST")
		return anything, true
	case "importScripts", "import":
		e.called(f, c.node, p, c.args)
		for _, a := range c.args {
			e.sink(f, c.node, sinkScriptSrc, a, a.allTaints(), "loads a script from HOST")
		}
		return anything, true
	case "open", "window.open":
		e.called(f, c.node, "open", c.args)
		e.sink(f, c.node, sinkNavigation, c.arg(0), joinTaints(c.arg(0).allTaints(), c.arg(1).allTaints()), "opens HOST")
		return e.windowOf(f, c.node, c.arg(0)), true
	case "location.assign", "location.replace", "document.location.assign", "document.location.replace":
		e.navigate(f, c.node, c.arg(0))
		return undef, true
	}
	return nil, false
}

// sends describes a request by its method.
func (e *Engine) sends(f *activation, options *value) string {
	for _, o := range options.orEmpty().objs {
		if m, ok := e.get(f, o, "method").constant(); ok && len(m) < 10 {
			return strings.ToUpper(m) + " to HOST"
		}
	}
	return "sends it to HOST"
}

func (e *Engine) navigate(f *activation, node js.INode, v *value) {
	e.called(f, node, "location.assign", []*value{v})
	e.sink(f, node, sinkNavigation, v, v.allTaints(), "goes to HOST")
	e.javascriptURL(f, node, v)
}

// javascriptURL is code in an address.
func (e *Engine) javascriptURL(f *activation, node js.INode, v *value) {
	for _, t := range v.texts() {
		if strings.HasPrefix(strings.ToLower(t), "javascript:") {
			e.sink(f, node, sinkEval, nil, v.taints, "runs it as code")
			e.pageScript(f, node, textValue(t[len("javascript:"):]))
		}
	}
}

// globalCall are global functions that are sinks or sources.
func (e *Engine) globalCall(f *activation, p string, c call) (*value, bool) {
	switch p {
	case "eval", "Function", "execScript":
		return e.evalCall(f, p, c), true
	case "setTimeout", "setInterval":
		e.timer(f, p, c)
		return anything, true
	case "addEventListener":
		e.listen(f, c.node, pathValue("window"), e.eventName(c), c.arg(1))
		return undef, true
	case "dispatchEvent":
		e.dispatch(f, f.u.madeIn(), c)
		return aBoolean, true
	case "postMessage", "window.postMessage", "parent.postMessage":
		e.send(f, "window", c, c.arg(0), "posts it to the window")
		e.postedByWorker(f, c)
		e.postedTo(f, c)
		return undef, true
	case "navigator.clipboard.readText", "navigator.clipboard.read":
		e.called(f, c.node, p, nil)
		return e.promise(f, c.node, taintValue(e.newTaint(f, c.node, srcClipboard, "", "reads the clipboard"))), true
	case "navigator.clipboard.writeText", "navigator.clipboard.write":
		e.called(f, c.node, p, c.args)
		e.sink(f, c.node, sinkSetClipboard, nil, e.taintsIn(f, c.args...), "writes it to the clipboard")
		return e.promise(f, c.node, undef), true
	case "navigator.mediaDevices.getUserMedia", "navigator.mediaDevices.getDisplayMedia", "navigator.getUserMedia":
		e.called(f, c.node, p, nil)
		return e.promise(f, c.node, taintValue(e.newTaint(f, c.node, srcScreenshot, "", "captures screen or camera"))), true
	case "navigator.geolocation.getCurrentPosition", "navigator.geolocation.watchPosition":
		e.called(f, c.node, p, nil)
		v := taintValue(e.newTaint(f, c.node, srcGeolocation, "", "asks where the user is"))
		e.callValue(f, c.arg(0), call{node: c.node, args: []*value{v}})
		return anything, true
	case "localStorage.getItem", "sessionStorage.getItem":
		return e.storageItem(f, c.node, p[:strings.IndexByte(p, '.')], c.arg(0)), true
	case "localStorage.key", "sessionStorage.key":
		return anything, true
	case "localStorage.setItem", "sessionStorage.setItem":
		for _, k := range namesOf(c.arg(0)) {
			e.storePage(f, c.node, k, c.arg(1))
		}
		return undef, true
	case "indexedDB.open", "indexedDB.databases":
		if !f.u.InPage() {
			return nil, false
		}
		e.called(f, c.node, p, c.args)
		name, _ := c.arg(0).constant()
		o := e.alloc(f, c.node, "idb")
		o.more().taints = []*taint{e.newTaint(f, c.node, srcStorageToken, name, "opens a database of the page")}
		return objectValue(o), true
	case "caches.open", "caches.match", "caches.keys":
		if f.u.InPage() {
			e.called(f, c.node, p, c.args)
			o := e.alloc(f, c.node, "idb")
			o.more().taints = []*taint{e.newTaint(f, c.node, srcStorageToken, "", "reads what the page has cached")}
			return e.promise(f, c.node, objectValue(o)), true
		}
	case "navigator.credentials.get":
		if f.u.InPage() && asksForPassword(e, f, c.arg(0)) {
			e.called(f, c.node, p, c.args)
			t := e.newTaint(f, c.node, srcPassword, "navigator.credentials", "asks the browser for the password that it keeps")
			return e.promise(f, c.node, taintValue(t)), true
		}
	case "showOpenFilePicker":
		return e.promise(f, c.node, taintValue(e.newTaint(f, c.node, srcForm, "file", "asks for a file"))), true
	case "cookieStore.get", "cookieStore.getAll", "cookieStore.set":
		if f.u.InPage() {
			return e.cookieStore(f, p, c), true
		}
	case "getSelection", "window.getSelection", "document.getSelection":
		if f.u.InPage() {
			return taintValue(e.newTaint(f, c.node, srcPageText, f.u.site(), "reads the selected text")), true
		}
	case "WebAssembly.instantiate", "WebAssembly.compile", "WebAssembly.instantiateStreaming":
		e.called(f, c.node, p, nil)
		e.sink(f, c.node, sinkEval, nil, e.moduleTaints(f, c), "runs it as code")
	case "prompt":
		return e.prompted(f, c), true
	case "XPCNativeWrapper": // Firefox: the same object, as an extension sees it
		return c.arg(0).orEmpty(), true
	case "Symbol", "BigInt":
		return anything, true
	}
	return nil, false
}

// moduleTaints are those of a WebAssembly module that may do something. One that is given no functions only computes, and
// the code that Emscripten lays around a module fetches it from an address that it is given: mostly a file beside it.
func (e *Engine) moduleTaints(f *activation, c call) []*taint {
	if len(c.args) < 2 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(e.taintsIn(f, c.arg(0))), func(t *taint) bool { return t.source == srcNetwork && t.from == "*" })
}

// postedTo is a message to a frame of a named site: it leaves the page. Messages to the page itself, "*" or an origin
// that is not constant, stay.
func (e *Engine) postedTo(f *activation, c call) {
	for _, t := range c.arg(1).texts() {
		if h, ok := parties.HostOf(t); ok && h != "*" {
			e.sink(f, c.node, sinkFrame, textValue(t), e.taintsIn(f, c.arg(0)), "posts it to a frame of HOST")
		}
	}
}

// windowOf is the window of another page: a frame or a tab that the code opened. What is posted to it leaves.
func (e *Engine) windowOf(f *activation, node js.INode, address *value) *value {
	if placed(address) == nil {
		return pathValue("window")
	}
	o := e.alloc(f, node, "frame")
	o.more().url = join(o.info.url, address)
	return join(pathValue("window"), objectValue(o))
}

// evalCall is eval and Function: code from a text.
func (e *Engine) evalCall(f *activation, p string, c call) *value {
	if _, ok := c.arg(len(c.args) - 1).known(); !ok { // a constant text is code like any other
		e.called(f, c.node, p, nil)
	}
	if !parsesJSON(f.u, c.node, c.args) {
		e.sink(f, c.node, sinkEval, nil, e.taintsIn(f, c.args...), "runs it as code")
	}
	if s, ok := c.arg(len(c.args) - 1).constant(); ok && len(c.args) > 0 {
		e.out.folded(s)
		if s == "return this" || s == "this" {
			if p == "eval" {
				return pathValue("window")
			}
			return closureValue(e.nativeFn("Function", func(*Engine, *activation, call) *value { return pathValue("window") }))
		}
		return e.evalText(f, p, s, c)
	}
	return anything
}

func (e *Engine) timer(f *activation, p string, c call) {
	fn := c.arg(0)
	if fn == nil {
		return
	}
	if len(fn.taints) > 0 {
		e.sink(f, c.node, sinkTimerString, nil, fn.taints, "runs it as code")
	}
	if s, ok := fn.constant(); ok && len(fn.fns) == 0 {
		e.evalText(f, "eval", s, c)
	}
	k := c
	k.args, k.this = argsFrom(c.args, 2), pathValue("window")
	for _, cl := range fn.fns {
		e.callClosure(f, cl, k)
	}
}
