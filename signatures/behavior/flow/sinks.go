package flow

import (
	"slices"
	"strconv"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/parties"
	"github.com/tdewolff/parse/v2/js"
)

// Names of sinks, as in Flow.Sink. Those up to sinkWallet have a Host.
const (
	sinkFetch       = "fetch"
	sinkXHR         = "xhr"
	sinkBeacon      = "beacon"
	sinkWebSocket   = "websocket" // send, or data in the address
	sinkEvents      = "eventsource"
	sinkImage       = "image"       // src of an image (also audio, video)
	sinkScriptSrc   = "script_src"  // src of a script element, importScripts, import()
	sinkFrame       = "iframe"      // src of a frame
	sinkLink        = "link"        // href of a link element
	sinkForm        = "form_submit" // form action and submit
	sinkNavigation  = "navigation"  // location, window.open, tabs.create, tabs.update, windows.create
	sinkHTTPClient  = "http_client" // axios, jQuery and other libraries
	sinkWebRTC      = "webrtc"
	sinkNative      = "native_message" // no host
	sinkDownload    = "download"
	sinkWallet      = "wallet_request"    // eth_sendTransaction, signTransaction, …; no host
	sinkRequestBody = "request_body"      // a wrapped fetch or XMLHttpRequest hands on something else; no host
	sinkSiteRequest = "site_request"      // a request to the site of the page, by an address without host; no host
	sinkAnswer      = "response_body"     // what a page gets in place of an answer, or of a part of it; no host
	sinkPageMessage = "page_message"      // an answer to a web page or another extension; no host
	sinkStorage     = "extension_storage" // what is typed, kept by the extension; no host

	// Reverse flows: what comes from a server, from storage or from a constant.
	sinkEval          = "eval"           // eval, Function, WebAssembly
	sinkTimerString   = "timer_string"   // setTimeout("…")
	sinkScriptText    = "script_text"    // text of a script element
	sinkHTML          = "inner_html"     // innerHTML, outerHTML, insertAdjacentHTML, document.write
	sinkOnAttribute   = "on_attribute"   // setAttribute("on…")
	sinkExecuteScript = "execute_script" // tabs.executeScript({code}), scripting.executeScript args, userScripts
	sinkDOMValue      = "dom_value"      // value or text of an element of a page (content scripts and page world)
	sinkSetClipboard  = "clipboard"
	SinkHeaderRules   = "header_rules"   // declarativeNetRequest rules
	SinkRequestRules  = "redirect_rules" // the same that send requests for one host to another; has a Host
	sinkProxy         = "proxy"
	sinkSetCookie     = "set_cookie"
	sinkPageStorage   = "page_storage" // localStorage of a page
)

// A sinkRule says which sources matter at a sink.
type sinkRule struct {
	forward bool     // data of the user that leafFinder
	reverse []string // what a server or the storage sends in
	host    bool     // the sink has a host
}

func ruleOf(sink string) sinkRule {
	remote := []string{srcNetwork, srcStorage, srcPageMessage}
	switch sink {
	case sinkEval, sinkTimerString, sinkScriptText, sinkHTML, sinkOnAttribute, sinkExecuteScript:
		return sinkRule{reverse: remote}
	case sinkDOMValue, sinkRequestBody, sinkAnswer:
		return sinkRule{reverse: []string{srcNetwork, srcStorage, srcAddress}}
	case sinkSiteRequest:
		return sinkRule{reverse: []string{srcNetwork, srcAddress}}
	case sinkSetClipboard:
		return sinkRule{reverse: []string{srcNetwork, srcStorage, srcAddress, srcWalletRequest}}
	case sinkWallet:
		return sinkRule{reverse: []string{srcNetwork, srcStorage, srcAddress, srcWalletRequest, srcSeed}}
	case SinkHeaderRules, sinkProxy, sinkSetCookie, sinkPageStorage:
		return sinkRule{reverse: []string{srcNetwork, srcStorage}}
	case SinkRequestRules:
		return sinkRule{reverse: []string{srcNetwork, srcStorage, SrcConstant}, host: true}
	case sinkNavigation, sinkFrame, sinkScriptSrc:
		return sinkRule{forward: true, reverse: []string{srcNetwork, srcStorage}, host: true}
	case sinkNative, sinkDownload, sinkPageMessage, sinkStorage:
		return sinkRule{forward: true}
	}
	return sinkRule{forward: true, host: true}
}

// private says whether a source is data of the user.
func private(source string) bool {
	switch source {
	case srcNetwork, srcStorage, srcPageMessage, srcAddress:
		return false
	}
	return true
}

func (r sinkRule) takes(source string) bool {
	return r.forward && private(source) || slices.Contains(r.reverse, source)
}

// sink reports the flows of taints into a sink. address is where it goes, for sinks with a host.
func (e *Engine) sink(f *activation, node js.INode, name string, address *value, ts []*taint, what string) {
	rule := ruleOf(name)
	hosts := []string{""}
	if rule.host {
		hosts = e.hosts(f, node, address, name)
		if len(hosts) == 0 {
			return
		}
	}
	if name == sinkDOMValue && !f.u.InPage() {
		return
	}
	for _, t := range ts {
		if !rule.takes(t.source) || homecoming(f.u, name, t) || t.source == srcScreenshot && ownAddress(address) || aimless(name, address, t) ||
			name == sinkWallet && t.source == srcNetwork && e.parties.Of(t.from, "") == behavior.RPC { // what stands on the chain
			continue
		}
		for _, h := range hosts {
			if t.source == srcOAuth && ofGoogle(h) {
				continue
			}
			party := e.parties.Of(h, t.origin())
			if h == "*" {
				if e.unfilled(f, address, name) {
					party = behavior.Stranger
				}
				e.typedIn(f, node, flowKey{t.source, t.from, name, h, f.u.File, t.home, t.way.says(sealsIt)}, address, t)
			}
			e.flow(f, node, t, flowEnd{name, h, party}, what)
		}
	}
}

// ofGoogle says whether a host is one that is asked with a token of Google.
func ofGoogle(host string) bool {
	return strings.HasSuffix(host, ".googleapis.com") || strings.HasSuffix(host, ".google.com") || host == "google.com"
}

// aimless says whether data is all that there is of the address of a picture. Nobody chose where it goes: a person typed
// or copied the address, or the engine took one value for another. A thief's begins with his host, or with what a server
// or a setting says.
func aimless(sink string, address *value, t *taint) bool {
	if sink != sinkImage || address == nil || !private(t.source) || !slices.Contains(address.taints, t) {
		return false
	}
	return !slices.ContainsFunc(address.taints, func(x *taint) bool { return !private(x.source) }) &&
		len(address.atoms)+len(address.objs)+len(address.paths) == 0
}

// homecoming says whether code is what a site itself has answered, run in pages of no other site: there the site runs
// what it likes anyway.
func homecoming(u *Script, sink string, t *taint) bool {
	if t.source != srcNetwork || sink != sinkScriptText && sink != sinkOnAttribute || !u.InPage() || len(u.Matches) == 0 {
		return false
	}
	site := parties.Registrable(t.from)
	return !slices.ContainsFunc(u.Matches, func(m string) bool {
		h, ok := parties.HostOf(strings.Replace(m, "*://", "https://", 1))
		return !ok || parties.Registrable(strings.TrimPrefix(h, "*.")) != site
	})
}

// ownAddress says whether an address is nothing but a picture: a "data:" address, which goes nowhere.
func ownAddress(address *value) bool {
	return address != nil && len(address.atoms) == 0 &&
		slices.ContainsFunc(address.taints, func(t *taint) bool { return t.source == srcScreenshot })
}

// origin is where data is from: what it was limited to, and for the storage of a page the pages of the script that read it.
func (t *taint) origin() string {
	if t.source == srcStorageToken {
		return t.from + " " + t.way.first().at.u.site()
	}
	return t.from
}

func (l *link) first() *link {
	for l.prev != nil {
		l = l.prev
	}
	return l
}

// A flowEnd is where a flow ends.
type flowEnd struct {
	sink, host string
	party      behavior.Party
}

func (e *Engine) flow(f *activation, node js.INode, t *taint, to flowEnd, what string) {
	key := flowKey{t.source, t.from, to.sink, to.host, f.u.File, t.home, t.way.says(sealsIt)}
	if e.out.flowKeys[key] || len(e.out.flows) >= keptFlows {
		return
	}
	e.out.flowKeys[key] = true
	end := e.link(f, node, t.way, strings.ReplaceAll(what, "HOST", to.hostText()))
	e.out.flows = append(e.out.flows, foundFlow{t, to.sink, to.host, to.party, f.u.Context, end, e.guess})
}

func (to flowEnd) hostText() string {
	if to.host == "*" && to.party == behavior.Stranger {
		return "a host that is still to be filled in"
	}
	return hostText(to.host)
}

func hostText(host string) string {
	if host == "*" {
		return "a host that is not constant"
	}
	return host
}

const (
	keptFlows    = 1000
	keptCalls    = 3000
	keptContacts = 1000
	maxFolded    = 500
)

type flowKey struct {
	source, from, sink, host, file string
	home, sealed                   bool
}

// A foundFlow is a flow; its places are computed when it is reported.
type foundFlow struct {
	t       *taint
	sink    string
	host    string
	party   behavior.Party
	context behavior.Context
	end     *link
	guess   bool // told by the form of a call alone
}

type foundCall struct {
	api     string
	args    []string
	context behavior.Context
	at      spot
}

// A collection holds what an engine found.
type collection struct {
	flows       []foundFlow
	flowKeys    map[flowKey]bool
	calls       []foundCall
	callKeys    map[string]bool
	contacts    []behavior.Contact
	contactKeys map[string]bool
	strings     []string
	stringKeys  map[string]bool
	addresses   map[flowKey]map[addressUse]origin
}

func (c *collection) init() {
	c.flowKeys, c.callKeys = map[flowKey]bool{}, map[string]bool{}
	c.contactKeys, c.stringKeys = map[string]bool{}, map[string]bool{}
	c.addresses = map[flowKey]map[addressUse]origin{}
}

// folded notes a constant text that the code puts together, when it says something.
func (c *collection) folded(s string) {
	if len(s) < 6 || len(s) > 2000 || len(c.strings) >= maxFolded || c.stringKeys[s] || strings.Contains(s, parties.Gap) {
		return
	}
	c.stringKeys[s] = true
	c.strings = append(c.strings, s)
}

// called notes a call of a function of the browser.
func (e *Engine) called(f *activation, node js.INode, api string, args []*value) {
	api = strings.TrimPrefix(api, "@")
	if len(e.out.calls) >= keptCalls {
		return
	}
	var texts []string
	for _, a := range args {
		e.shown = 0
		s := e.show(f, a, 0)
		if s == "{}" && api == "cookies.getAll" {
			s = e.showQuery(f, a)
		}
		if s != "" {
			texts = append(texts, behavior.Shorten(s, 600))
		}
	}
	key := api + "\x01" + strings.Join(texts, "\x01") + "\x01" + f.u.File
	if e.out.callKeys[key] {
		return
	}
	e.out.callKeys[key] = true
	e.out.calls = append(e.out.calls, foundCall{api, texts, f.u.Context, e.spot(f, node)})
}

// show is the constant part of a value as text, "" when there is none.
func (e *Engine) show(f *activation, v *value, depth int) string {
	const maxShown = 200
	if e.shown++; v == nil || depth > 5 || e.shown > maxShown {
		return ""
	}
	var alternatives []string
	for _, a := range v.atoms {
		switch {
		case a.kind == aUndefined:
		case a.kind == aString && depth > 0:
			alternatives = append(alternatives, strconv.Quote(strings.ReplaceAll(a.s, parties.Gap, "*")))
		default:
			alternatives = append(alternatives, strings.ReplaceAll(a.text(), parties.Gap, "*"))
		}
	}
	for _, o := range v.objs {
		if s := e.showObject(f, o, depth); s != "" {
			alternatives = append(alternatives, s)
		}
	}
	return strings.Join(alternatives, "|")
}

// showBody is show, with "*" for fields whose values are not constant.
func (e *Engine) showBody(f *activation, v *value, depth int) string {
	if v == nil || len(v.objs) != 1 || v.objs[0].class != "" {
		return e.show(f, v, depth)
	}
	o := v.objs[0]
	var parts []string
	for i, k := range o.keys[:min(len(o.keys), 30)] {
		if !o.cells[i].live() {
			continue
		}
		s := e.show(f, e.read(f, o.cells[i]), depth+1)
		if s == "" {
			s = `"*"`
		}
		parts = append(parts, strconv.Quote(k)+":"+s)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// showQuery is a query for cookies that is limited by what is not constant.
func (e *Engine) showQuery(f *activation, query *value) string {
	for _, from := range e.cookieFrom(f, query) {
		if name, ok := strings.CutSuffix(from, "=*"); ok {
			return `{"` + name + `":"*"}`
		}
	}
	return "{}"
}

func (e *Engine) showObject(f *activation, o *object, depth int) string {
	if o.class == "json" { // the body of a request, with the names of its fields
		return e.showBody(f, e.get(f, o, "value"), depth)
	}
	if o.class != "" && o.class != "Array" || len(o.keys) > 100 {
		return ""
	}
	var parts []string
	for _, k := range o.keys {
		if o.class == "" && o.field(k).ever != nil && len(o.field(k).ever.fns) > 0 {
			continue
		}
		s := e.show(f, e.read(f, o.field(k)), depth+1)
		switch {
		case s == "":
		case o.class == "Array":
			parts = append(parts, s)
		default:
			parts = append(parts, strconv.Quote(k)+":"+s)
		}
	}
	if o.rest != nil {
		if s := e.show(f, e.read(f, o.rest), depth+1); s != "" {
			parts = append(parts, s)
		}
	}
	if o.class == "Array" {
		return "[" + strings.Join(parts, ",") + "]"
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// Report turns what was found into places in the source.
func (e *Engine) Report() behavior.Report {
	c := &e.out
	r := behavior.Report{Contacts: c.contacts, Strings: c.strings, Complete: !e.over && !e.cut}
	for _, k := range c.calls {
		r.Calls = append(r.Calls, behavior.Call{API: k.api, Args: k.args, Context: k.context, Place: e.placeOf(k.at)})
	}
	sealed := c.sealed()
	for _, x := range c.flows {
		if sealed(&x) || c.known(&x) {
			continue
		}
		if x.host == "*" && x.party != behavior.Stranger && e.typed(flowKey{x.t.source, x.t.from, x.sink, x.host, x.end.at.u.File, x.t.home, x.end.says(sealsIt)}) {
			x.party = behavior.User
		}
		r.Flows = append(r.Flows, behavior.Flow{
			Source: x.t.source, From: x.t.from, Sink: x.sink, Host: x.host, Party: x.party, Context: x.context, Own: x.t.home, Steps: e.stepsOf(x.end),
		})
	}
	return r
}
