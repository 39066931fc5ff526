package flow

import (
	"slices"
	"strings"

	"github.com/tdewolff/parse/v2/js"
)

// hooked notes that code replaces a function of the browser or a wallet, and gives the replacement what it will see.
func (e *Engine) hooked(f *activation, node js.INode, name string, v *value) {
	what := ""
	switch name {
	case "fetch", "XMLHttpRequest", "WebSocket", "XMLHttpRequest.prototype.open", "XMLHttpRequest.prototype.send",
		"XMLHttpRequest.prototype.setRequestHeader", "WebSocket.prototype.send", "navigator.sendBeacon",
		"ethereum", "solana", "phantom", "navigator.clipboard.writeText", "navigator.clipboard.readText",
		"Storage.prototype.setItem", "localStorage.setItem", "sessionStorage.setItem", "JSON.parse", "crypto.subtle.importKey",
		"crypto.subtle.sign", "crypto.subtle.encrypt", "crypto.subtle.deriveKey", "Document.prototype.cookie", "document.cookie",
		"navigator.credentials.get", "navigator.credentials.create", "CredentialsContainer.prototype.get", "CredentialsContainer.prototype.create":
		what = name
	default:
		if !e.isWallet(name) || strings.Count(name, ".") > 2 {
			return
		}
		what = name
	}
	if v == nil || len(v.fns)+len(v.objs) == 0 {
		return
	}
	e.called(f, node, "hook:"+what, nil)
	for _, fn := range v.fns {
		e.startHook(f, node, what, fn, nil)
	}
	if e.isWallet(what + ".") {
		e.startProvider(f, node, v)
	}
}

// hookedReads is what the replacement of a function sees that no request goes through.
var hookedReads = map[string]string{
	"Storage.prototype.setItem": srcStorageToken,
	"localStorage.setItem":      srcStorageToken,
	"sessionStorage.setItem":    srcStorageToken,
	"JSON.parse":                srcResponses,
	"crypto.subtle.importKey":   srcDecrypted,
	"crypto.subtle.sign":        srcDecrypted,
	"crypto.subtle.encrypt":     srcDecrypted,
	"crypto.subtle.deriveKey":   srcDecrypted,
	"Document.prototype.cookie": srcDocCookie,
	"document.cookie":           srcDocCookie,
}

// startHook runs a replacement with what it will see. Traps of a proxy get, before that, the function that they stand for.
func (e *Engine) startHook(f *activation, node js.INode, what string, fn *closure, behind *value) {
	key := listenKey{fn.id, "hook"}
	if e.links.listening[key] || fn.native != nil {
		return
	}
	e.links.listening[key] = true
	near := f.near
	e.start(f.u, func(f *activation) {
		f.near = near
		source, text := srcRequestBody, "sees the requests of the page"
		if e.isWallet(what+".") || e.isWallet(what) {
			source, text = srcWalletRequest, "sees the requests to the wallet"
		}
		if !f.u.InPage() && hookedReads[what] != "" {
			return
		}
		if s := hookedReads[what]; s != "" {
			source, text = s, "sees what the page hands to "+what
		}
		t := e.parsed(f, node, e.newTaint(f, node, source, f.u.site(), text))
		o := e.alloc(f, node, "XMLHttpRequest")
		o.more().taints = []*taint{e.newTaint(f, node, srcResponses, f.u.site(), "sees the answers to the page")}
		o.info.channel = "hook"
		args := []*value{t, t, t}
		if behind != nil {
			args = []*value{behind, objectValue(o), e.arrayOf(f, node, args)}
		}
		r := e.callClosure(f, fn, call{node: node, this: objectValue(o), args: args})
		if what == "fetch" {
			e.answerPage(f, node, e.await(f, r))
		}
	})
}

// eventName is the first argument of addEventListener.
func (e *Engine) eventName(c call) string {
	if s, ok := c.arg(0).constant(); ok {
		return s
	}
	return ""
}

// listen registers listeners of an event of the page. Each runs by itself, once it is registered.
func (e *Engine) listen(f *activation, node js.INode, target *value, event string, fns ...*value) {
	if event != "" {
		e.called(f, node, "addEventListener", []*value{textValue(event)})
	}
	for _, v := range fns {
		if v == nil {
			continue
		}
		all := v.fns
		for _, o := range v.objs { // {handleEvent}
			all = append(all[:len(all):len(all)], e.get(f, o, "handleEvent").orEmpty().fns...)
		}
		for _, fn := range all {
			e.listenOne(f, node, target, event, fn)
		}
	}
}

func (e *Engine) listenOne(f *activation, node js.INode, target *value, event string, fn *closure) {
	if event == "message" && len(target.paths) > 0 {
		e.hear(f, "window", fn, node)
		e.hearAsWorker(f, fn, node)
		return
	}
	key := listenKey{fn.id, event}
	if e.links.listening[key] {
		return
	}
	e.links.listening[key] = true
	near := f.near
	e.start(f.u, func(f *activation) {
		f.near = near
		e.callClosure(f, fn, call{node: node, this: target, args: []*value{e.eventObject(f, node, target, event)}})
	})
	e.awaitEvent(f, event, fn, node)
}

// keyEvent says whether an event is a pressed key.
func (e *Engine) keyEvent(f *activation, o *object) bool {
	v := e.get(f, o, "keyCode")
	return v != nil && slices.ContainsFunc(v.taints, func(t *taint) bool { return t.source == srcKeys })
}

// eventObject is what a listener gets.
func (e *Engine) eventObject(f *activation, node js.INode, target *value, event string) *value {
	o := e.alloc(f, node, "event")
	e.setRest(f, o, &value{any: true})
	for _, name := range strings.Fields(event) {
		switch name {
		case "formdata":
			e.set(f, o, "formData", taintValue(e.newTaint(f, node, srcForm, "form", "gets all fields of a form")))
		case "storage":
			if f.u.InPage() {
				t := taintValue(e.newTaint(f, node, srcStorageToken, "", "watches the storage of the page"))
				e.set(f, o, "newValue", t)
				e.set(f, o, "oldValue", t)
			}
		case "compositionend", "compositionupdate", "textInput":
			e.set(f, o, "data", taintValue(e.newTaint(f, node, srcKeys, name, "gets what is typed ("+name+")")))
		case "keydown", "keypress", "keyup", "input", "beforeinput":
			t := taintValue(e.newTaint(f, node, srcKeys, name, "gets what is typed ("+name+")"))
			keys := []string{"key", "code", "keyCode", "which", "charCode"}
			if strings.HasSuffix(name, "input") { // of a key press, jQuery holds there what was given with the listener
				keys = []string{"data"}
			}
			for _, k := range keys {
				e.set(f, o, k, t)
			}
		case "push":
			if !f.u.InPage() {
				e.set(f, o, "data", taintValue(e.newTaint(f, node, srcNetwork, "", "gets a push message")))
			}
		case "change":
			if slices.Contains(target.paths, "cookieStore") {
				t := taintValue(e.newTaint(f, node, srcDocCookie, f.u.site(), "gets each cookie that is set"))
				e.set(f, o, "changed", t)
				e.set(f, o, "deleted", t)
			}
		case "eip6963:announceProvider":
			d := e.alloc(f, node, "details")
			e.set(f, d, "provider", pathValue(announced))
			e.set(f, o, "detail", objectValue(d))
		case "connect": // of a SharedWorker
			e.set(f, o, "ports", objectValue(e.ports(f, node)))
		case "paste", "copy", "cut":
			cd := e.alloc(f, node, "clipboardData")
			e.set(f, o, "clipboardData", objectValue(cd))
		}
	}
	t := target
	if event == "submit" && f.u.InPage() {
		for _, el := range target.objs {
			if el.class == "element" && el.more().selector == "" {
				el.info.tag, el.info.selector = "form", "form"
			}
		}
	}
	if len(target.objs) == 0 {
		el := e.alloc(f, node, "element")
		t = objectValue(el)
		switch event {
		case "submit":
			el.more().tag, el.info.selector = "form", "form"
		case "change", "blur", "focusout": // of whatever field of the page
			el.more().selector = "input"
		}
	}
	for _, k := range []string{"target", "currentTarget", "srcElement"} {
		e.set(f, o, k, t)
	}
	return objectValue(o)
}

// listenUnknown registers a listener on something that is not known.
func (e *Engine) listenUnknown(f *activation, recv *value, name string, c call) (*value, bool) {
	if name == "addListener" {
		for _, fn := range c.arg(0).orEmpty().fns {
			e.callClosure(f, fn, call{node: c.node, args: []*value{anything, anything, anything}})
		}
		return undef, true
	}
	s, ok := c.arg(0).constant()
	if !ok || len(c.args) < 2 {
		return nil, false
	}
	if stored := ofDatabase(recv); stored != nil {
		e.callValue(f, c.arg(1), call{node: c.node, this: recv, args: []*value{taintValue(stored...)}})
		return anything, true
	}
	e.listen(f, c.node, &value{any: true}, s, argsFrom(c.args, 1)...)
	return anything, true
}
