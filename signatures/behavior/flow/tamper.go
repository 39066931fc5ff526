package flow

import (
	"slices"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/parties"
	"github.com/tdewolff/parse/v2/js"
)

// Code that stands between a page and its server or wallet, and changes what goes through.

// announced is the path of wallets that announce themselves to pages by events (EIP-6963).
const announced = "announcedProvider"

// parsed is data whose parts are not known. It holds itself: what code changes in it, however deep, goes on with the rest.
func (e *Engine) parsed(f *activation, node js.INode, ts ...*taint) *value {
	e.tampers = true
	o := e.alloc(f, node, "parsed")
	v := &value{any: true, taints: ts, objs: []*object{o}}
	e.setRest(f, o, v)
	return v
}

// passed says whether what goes through from a page is among some values.
func (e *Engine) passed(vs []*value) bool {
	if !e.tampers {
		return false
	}
	return slices.ContainsFunc(vs, func(v *value) bool {
		return slices.ContainsFunc(v.orEmpty().objs, func(o *object) bool { return o.class == "parsed" })
	})
}

// transaction says whether a class of a library, that the code does not hold, is one of transactions: instructions are put
// into what it makes after that.
func transaction(path string) bool {
	switch path[strings.LastIndexByte(path, '.')+1:] {
	case "Transaction", "VersionedTransaction", "TransactionMessage", "TransactionBlock", "TransactionBuilder", "Psbt":
		return true
	}
	return false
}

// parsedCall is a method of such data, or of a part: what goes in stays, and what comes out may be all of it.
func (e *Engine) parsedCall(f *activation, o *object, name string, c call) *value {
	self := e.whole(f, o)
	if predicate(name) {
		return anything
	}
	if v, ok := e.iterate(f, name, c, func() *value { return self }); ok {
		return v
	}
	if ts := e.nearTaints(f, c.args); len(ts) > 0 {
		e.setRest(f, o, taintValue(ts...))
	}
	return join(self, e.unknownCall(f, self, c))
}

// requested is what a request is made from: its address, also within a Request.
func requested(address *value) []*taint {
	ts := address.allTaints()
	for _, o := range address.orEmpty().objs {
		if o.class == "Request" && o.info != nil {
			ts = joinTaints(ts, o.info.url.allTaints())
		}
	}
	return ts
}

// streamFilter is webRequest.filterResponseData of Firefox: it sees an answer in parts, and writes what the page gets.
func (e *Engine) streamFilter(f *activation, c call) *value {
	o := e.alloc(f, c.node, "StreamFilter")
	o.more().taints = []*taint{e.newTaint(f, c.node, srcResponses, "", "sees the answers to pages")}
	return objectValue(o)
}

// answerPage gives a page something in place of an answer.
func (e *Engine) answerPage(f *activation, node js.INode, v *value) {
	if v != nil {
		e.sink(f, node, sinkAnswer, nil, e.taintsIn(f, v), "gives it to the page as an answer")
	}
}

// answered is an accessor that replaces what a page reads from its XMLHttpRequest.
func (e *Engine) answered(f *activation, v, key, get *value, c call) {
	for _, o := range v.objs {
		if o.class != "XMLHttpRequest" || o.info == nil || o.info.channel != "hook" {
			continue
		}
		for _, n := range namesOf(key) {
			if n == "response" || n == "responseText" {
				e.answerPage(f, c.node, join(e.callValue(f, get.orEmpty(), call{node: c.node, this: objectValue(o)}), e.get(f, o, n)))
			}
		}
	}
}

// proxied notes a proxy for a function of the browser or for a wallet.
func (e *Engine) proxied(f *activation, p string, c call) {
	for _, h := range c.arg(1).orEmpty().objs {
		for _, k := range [...]string{"apply", "get", "construct"} {
			t := e.get(f, h, k)
			if t == nil {
				continue
			}
			wallet := e.isWallet(p + ".")
			switch {
			case k == "get" && wallet: // what it gives stands for methods of the wallet
				e.hooked(f, c.node, p, e.callValue(f, t, call{node: c.node, args: []*value{pathValue(p), anything, anything}}))
			case k == "apply" && (wallet || p == "fetch"):
				e.called(f, c.node, "hook:"+p, nil)
				for _, fn := range t.fns {
					e.startHook(f, c.node, p, fn, pathValue(p))
				}
			default:
				e.hooked(f, c.node, p, t)
			}
		}
	}
}

// awaitWallet calls the setter of a global that a wallet will set, with the wallet.
func (e *Engine) awaitWallet(f *activation, node js.INode, name string, set *value) {
	if set == nil || strings.Contains(name, ".") || !e.isWallet(name+".") {
		return
	}
	near := f.near
	e.start(f.u, func(f *activation) {
		f.near = near
		e.callValue(f, set, call{node: node, this: pathValue("window"), args: []*value{pathValue(name)}})
	})
}

// startProvider runs the methods of an object that takes a wallet's place. It may be a wallet's own: what is asked of it is
// no secret here, only what it asks another.
func (e *Engine) startProvider(f *activation, node js.INode, v *value) {
	for _, o := range v.objs {
		for _, name := range strings.Fields("request send sendAsync signTransaction signAllTransactions signAndSendTransaction") {
			for _, fn := range e.get(f, o, name).orEmpty().fns {
				key := listenKey{fn.id, "provider"}
				if e.links.listening[key] || fn.native != nil {
					continue
				}
				e.links.listening[key] = true
				near := f.near
				e.start(f.u, func(f *activation) {
					f.near = near
					q := e.parsed(f, node)
					e.callClosure(f, fn, call{node: node, this: objectValue(o), args: []*value{q, q}})
				})
			}
		}
	}
}

// anyPage says whether an address is that of whatever page is open, or what a server or a page says.
func anyPage(v *value) bool {
	return slices.ContainsFunc(v.taints, func(t *taint) bool {
		return t.source == srcTabs || t.source == srcNetwork || t.source == srcPageMessage
	})
}

// onlyUndefined says whether a value is surely nothing.
func onlyUndefined(v *value) bool {
	if v.any || len(v.objs)+len(v.paths)+len(v.fns)+len(v.taints) > 0 {
		return false
	}
	for _, a := range v.atoms {
		if a.kind != aUndefined && a.kind != aNull {
			return false
		}
	}
	return true
}

// ofSite says whether an address has no constant host: in a page, it is mostly one of the page's own site.
func (e *Engine) ofSite(f *activation, address *value) bool {
	for _, t := range e.addresses(f, address) {
		if h, ok := parties.HostOf(t); ok && h != "*" && e.parties.Of(h, f.u.site()) != behavior.Origin {
			return false
		}
	}
	return true
}
