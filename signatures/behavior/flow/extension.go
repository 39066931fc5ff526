package flow

import (
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/parties"
	"github.com/tdewolff/parse/v2/js"
)

// An apiReading is a function of the extension API whose result is a source.
type apiReading struct {
	source string
	from   string // how From is found: "cookie", "key", "url", ""
	what   string
}

// readings are functions that return data, by callback and by promise.
func readings(api string) (apiReading, bool) {
	switch api {
	case "cookies.getAll", "cookies.get":
		return apiReading{srcCookies, "cookie", "reads cookies"}, true
	case "tabs.captureVisibleTab", "tabs.captureTab", "pageCapture.saveAsMHTML":
		return apiReading{srcScreenshot, "", "takes a picture of the tab"}, true
	case "desktopCapture.chooseDesktopMedia", "tabCapture.capture", "tabCapture.getMediaStreamId":
		return apiReading{srcScreenshot, "", "captures screen or tab"}, true
	case "history.search", "history.getVisits", "topSites.get", "bookmarks.getTree", "bookmarks.search", "bookmarks.get",
		"bookmarks.getRecent", "sessions.getRecentlyClosed", "sessions.getDevices":
		return apiReading{srcHistory, "", "reads the browsing history or bookmarks"}, true
	case "tabs.query", "tabs.get", "tabs.getCurrent", "tabs.getSelected", "tabs.getAllInWindow", "windows.getAll",
		"webNavigation.getAllFrames", "tabs.create", "tabs.update":
		return apiReading{srcTabs, "", "reads the addresses of tabs"}, true
	case "identity.getAuthToken":
		return apiReading{srcOAuth, "", "gets a token for the user's account at Google"}, true
	case "downloads.search", "readingList.query":
		return apiReading{srcHistory, "", "reads the list of downloads or of what to read"}, true
	case "management.getAll", "management.get":
		return apiReading{srcManagement, "", "lists the installed extensions"}, true
	case "debugger.sendCommand":
		return apiReading{srcDebugger, "key", "asks the debugger"}, true
	case "storage.local.get", "storage.sync.get", "storage.session.get", "storage.managed.get":
		return apiReading{srcStorage, "key", "reads the extension's storage"}, true
	}
	return apiReading{}, false
}

// callAPI calls a function of the extension API; p is without the "@".
func (e *Engine) callAPI(f *activation, p string, c call) *value {
	p = strings.TrimPrefix(p, "default.")
	if base, name, _ := cutLast(p); base != "" {
		switch name {
		case "call":
			c.args = argsFrom(c.args, 1)
			return e.callAPI(f, base, c)
		case "apply":
			c.args = e.sequenceAll(f, c.arg(1))
			return e.callAPI(f, base, c)
		}
	}
	if event, ok := strings.CutSuffix(p, ".addListener"); ok {
		e.called(f, c.node, p, c.args)
		e.listenAPI(f, event, c)
		return undef
	}
	switch p {
	case "runtime.getURL", "extension.getURL":
		return e.ownURL(f, c)
	case "runtime.lastError", "i18n.getMessage":
		return anything
	}
	e.called(f, c.node, p, c.args)
	if v, ok := e.channelCall(f, p, c); ok {
		return v
	}
	if p == "webRequest.filterResponseData" {
		return e.streamFilter(f, c)
	}
	e.apiSinks(f, p, c)
	if strings.HasSuffix(p, "storage.local.set") || p == "storage.sync.set" || p == "storage.session.set" {
		e.storeAll(f, c)
	}
	result := anything
	if r, ok := readings(p); ok {
		switch {
		case r.source == srcStorage:
			result = e.loadStored(f, c)
		case r.source == srcHistory && e.asksOne(f, c.arg(0)):
			result = anything.tainted(e.taintsIn(f, c.arg(0)))
		default:
			result = taintValue(e.readingTaints(f, r, c)...)
		}
	}
	if p == "tabs.executeScript" || p == "scripting.executeScript" || p == "userScripts.execute" {
		result = e.injected(f, p, c)
	}
	e.callLast(f, c, result)
	return e.promise(f, c.node, result)
}

// asksOne says whether a query for history or bookmarks is about one address: its answer says no more than whether it is
// kept.
func (e *Engine) asksOne(f *activation, query *value) bool {
	if query == nil || len(query.objs) == 0 || query.any {
		return false
	}
	for _, o := range query.objs {
		if e.get(f, o, "url") == nil {
			return false
		}
	}
	return true
}

func (e *Engine) ownURL(f *activation, c call) *value {
	var out *value
	for _, t := range c.arg(0).texts() {
		out = join(out, textValue("chrome-extension://self/"+strings.TrimPrefix(t, "/")))
	}
	if out == nil {
		return textValue("chrome-extension://self/" + parties.Gap)
	}
	return out
}

// callLast calls the callback, which is the last argument.
func (e *Engine) callLast(f *activation, c call, result *value) {
	if n := len(c.args); n > 0 && c.args[n-1] != nil {
		for _, fn := range c.args[n-1].fns {
			e.callClosure(f, fn, call{node: c.node, args: []*value{result}})
		}
		for _, p := range c.args[n-1].paths {
			if !strings.HasPrefix(p, "@") {
				e.callPath(f, p, call{node: c.node, args: []*value{result}})
			}
		}
	}
}

func (e *Engine) readingTaints(f *activation, r apiReading, c call) []*taint {
	var froms []string
	switch r.from {
	case "cookie":
		froms = e.cookieFrom(f, c.arg(0))
	case "key":
		froms = append(c.arg(0).texts(), c.arg(1).texts()...)
	}
	if len(froms) == 0 {
		froms = []string{""}
	}
	var ts []*taint
	for _, from := range froms {
		what := r.what
		if from != "" {
			what += " of " + from
		} else if r.source == srcCookies {
			what = "reads all cookies"
		}
		if kind, ok := strings.CutSuffix(from, "=*"); ok {
			what = "reads the cookies of a " + map[string]string{"url": "URL", "domain": "domain"}[kind] + " that is not constant"
		}
		ts = append(ts, e.newTaint(f, c.node, r.source, from, what))
	}
	return ts
}

// cookieFrom is what a cookie query is limited to.
func (e *Engine) cookieFrom(f *activation, query *value) []string {
	var out []string
	for _, o := range query.orEmpty().objs {
		n := len(out)
		for _, t := range e.get(f, o, "domain").texts() {
			if !strings.Contains(t, parties.Gap) {
				out = append(out, t)
			}
		}
		for _, t := range e.get(f, o, "url").texts() {
			if h, ok := parties.HostOf(t); ok && h != "*" {
				out = append(out, h)
			}
		}
		if len(out) == n {
			for _, t := range e.get(f, o, "name").texts() {
				out = append(out, "name="+t)
			}
		}
		if len(out) == n {
			for _, k := range [...]string{"url", "domain"} {
				if v := e.get(f, o, k); v != nil && len(out) == n && !onlyUndefined(v) && !anyPage(v) {
					out = append(out, k+"=*")
				}
			}
		}
	}
	if len(out) > maxAtoms {
		out = out[:maxAtoms]
	}
	return out
}

// injected runs functions that are injected into pages, and code given as text is looked at as a sink elsewhere.
func (e *Engine) injected(f *activation, p string, c call) *value {
	var result *value
	for _, a := range c.args {
		for _, o := range a.orEmpty().objs {
			if s, ok := e.get(f, o, "code").constant(); ok {
				result = join(result, e.injectedText(f, s, c))
			}
			fn := join(e.get(f, o, "func"), e.get(f, o, "function"))
			args := e.items(f, e.get(f, o, "args"))
			for _, cl := range fn.orEmpty().fns {
				result = join(result, e.await(f, e.inPage(f, cl, call{node: c.node, args: args})))
			}
		}
	}
	out := e.alloc(f, c.node, "Array")
	row := e.alloc(f, c.node, "")
	if result == nil {
		result = anything
	}
	e.set(f, row, "result", result)
	e.set(f, row, "frameId", anything)
	e.setRest(f, out, objectValue(row))
	e.setRest(f, out, result)
	return objectValue(out)
}

// injectedText runs a text as a content script. What its last expression gives is the result.
func (e *Engine) injectedText(f *activation, s string, c call) *value {
	g := *f
	g.u = e.pageUnit(f.u)
	e.evalText(&g, "eval", s, c)
	u := e.links.texts[string(behavior.Content)+s]
	if u == nil || u.AST == nil || len(u.AST.List) == 0 {
		return nil
	}
	out := e.links.results[u]
	if out == nil {
		out = e.newObject("")
		e.links.results[u] = out
		if last, ok := u.AST.List[len(u.AST.List)-1].(*js.ExprStmt); ok {
			e.start(u, func(f *activation) { e.set(f, out, "result", e.await(f, e.eval(f, last.Value))) })
		}
	}
	return e.get(f, out, "result")
}

// inPage calls a function as if it belonged to a content script: that is where it runs.
func (e *Engine) inPage(f *activation, cl *closure, c call) *value {
	if cl.native != nil || cl.u == nil {
		return anything
	}
	if cl.u.Context == behavior.Content || cl.u.Context == behavior.PageWorld {
		return e.callClosure(f, cl, c)
	}
	u := e.pageUnit(cl.u)
	moved := *cl
	moved.u = u
	moved.info = e.pageCode(cl.info, u)
	moved.env = cl.env
	return e.callClosure(f, &moved, c)
}

// pageUnit is the same source as a content script on all sites.
func (e *Engine) pageUnit(u *Script) *Script {
	if p := e.links.pages[u]; p != nil {
		return p
	}
	p := *u
	p.Context, p.Matches = behavior.Content, nil
	e.links.pages[u] = &p
	return &p
}

func (e *Engine) pageCode(info *code, u *Script) *code {
	if c := e.links.codes[info]; c != nil {
		return c
	}
	c := *info
	c.u, c.memo, c.runs, c.summary, c.result = u, nil, 0, nil, nil
	info.executed = true
	e.links.codes[info] = &c
	return &c
}

// listenAPI registers a listener of an event of the extension API.
func (e *Engine) listenAPI(f *activation, event string, c call) {
	fns := c.arg(0).orEmpty().fns
	for _, fn := range fns {
		if e.channelListener(f, event, fn, c) {
			continue
		}
		key := listenKey{fn.id, event}
		if e.links.listening[key] {
			continue
		}
		e.links.listening[key] = true
		node, from := c.node, e.urlFilter(f, c)
		near := f.near
		u := f.u
		e.start(u, func(f *activation) {
			f.near = near
			args := e.eventArgs(f, event, node, from)
			answer := e.callClosure(f, fn, call{node: node, args: args})
			if strings.HasPrefix(event, "webRequest.") {
				e.redirects(f, node, from, answer)
			}
		})
	}
}

type listenKey struct {
	id    int
	event string
}

// urlFilter is what a webRequest listener is limited to.
func (e *Engine) urlFilter(f *activation, c call) string {
	var list []string
	for _, o := range c.arg(1).orEmpty().objs {
		for _, v := range e.items(f, e.get(f, o, "urls")) {
			list = append(list, v.texts()...)
		}
	}
	if len(list) > maxAtoms {
		list = list[:maxAtoms]
	}
	return strings.Join(list, " ")
}

// eventArgs are what a listener of an event gets.
func (e *Engine) eventArgs(f *activation, event string, node js.INode, from string) []*value {
	field := func(name, source, what string) []*value {
		o := e.alloc(f, node, "details")
		e.setRest(f, o, anything)
		e.set(f, o, name, taintValue(e.newTaint(f, node, source, from, what)))
		if strings.HasPrefix(event, "webRequest") {
			e.set(f, o, "url", taintValue(e.newTaint(f, node, srcTabs, from, "sees the addresses of requests")))
		}
		return []*value{objectValue(o)}
	}
	switch event {
	case "webRequest.onBeforeSendHeaders", "webRequest.onSendHeaders":
		return field("requestHeaders", srcHeaders, "reads the headers of requests")
	case "webRequest.onBeforeRequest":
		return field("requestBody", srcRequestBody, "reads the bodies of requests")
	case "webRequest.onHeadersReceived", "webRequest.onCompleted", "webRequest.onResponseStarted":
		return field("responseHeaders", srcResponses, "reads the headers of answers")
	case "devtools.network.onRequestFinished":
		o := e.alloc(f, node, "details")
		e.setRest(f, o, taintValue(e.newTaint(f, node, srcHeaders, "", "reads the requests and headers of pages")))
		e.set(f, o, "getContent", closureValue(e.nativeFn("getContent", func(e *Engine, f *activation, k call) *value {
			v := taintValue(e.newTaint(f, k.node, srcResponses, "", "reads the answers to pages"))
			e.callLast(f, k, v)
			return e.promise(f, k.node, v)
		})))
		return []*value{objectValue(o)}
	case "cookies.onChanged":
		return field("cookie", srcCookies, "watches changes of cookies")
	case "debugger.onEvent":
		return []*value{anything, anything, taintValue(e.newTaint(f, node, srcDebugger, "", "gets events of the debugger"))}
	case "tabs.onUpdated":
		t := taintValue(e.newTaint(f, node, srcTabs, "", "watches the addresses of tabs"))
		return []*value{anything, t, t}
	case "webNavigation.onCompleted", "webNavigation.onCommitted", "webNavigation.onBeforeNavigate",
		"webNavigation.onHistoryStateUpdated", "tabs.onCreated", "webNavigation.onDOMContentLoaded":
		return field("url", srcTabs, "watches the addresses of tabs")
	case "history.onVisited":
		return field("url", srcHistory, "watches the browsing history")
	case "contextMenus.onClicked":
		return field("selectionText", srcPageText, "gets the text that the user selected")
	case "gcm.onMessage":
		return []*value{taintValue(e.newTaint(f, node, srcNetwork, "", "gets a push message"))}
	case "storage.onChanged", "storage.local.onChanged", "storage.sync.onChanged":
		return []*value{e.changes(f, node), anything}
	}
	return []*value{anything, anything, anything}
}
