package flow

import (
	"bytes"
	"slices"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior/parties"
)

// isWallet says whether a path is a wallet's object in the page.
func (e *Engine) isWallet(p string) bool {
	p = strings.TrimPrefix(p, "window.")
	for _, w := range []string{"ethereum.", "solana.", "phantom.", "web3.", "tronWeb.", "tronLink.", "okxwallet.", "BinanceChain.", "keplr.", announced + "."} {
		if strings.HasPrefix(p, w) {
			return true
		}
	}
	return false
}

// walletCall is a request to a wallet in the page.
func (e *Engine) walletCall(f *activation, p string, c call) *value {
	e.called(f, c.node, p, c.args)
	if _, name, _ := cutLast(p); name == "on" || name == "addListener" {
		e.callBack(f, c, anything)
		return undef
	}
	ts := e.taintsIn(f, c.args...)
	if strings.HasPrefix(p, announced) { // libraries for pages ask it for what servers and pages tell them
		ts = slices.DeleteFunc(slices.Clone(ts), func(t *taint) bool { return t.source != srcAddress && t.source != srcWalletRequest })
	}
	e.sink(f, c.node, sinkWallet, nil, ts, "asks the wallet to sign or send")
	return e.promise(f, c.node, anything)
}

// transfer looks at a transaction that code makes by a library. Its receivers are written on the chain for all to read:
// Safery, a wallet in Chrome's store, sent small amounts to addresses that were made of the words of the seed phrase.
// https://socket.dev/blog/malicious-chrome-extension-exfiltrates-seed-phrases
func (e *Engine) transfer(f *activation, name string, c call) {
	switch name {
	case "sendTransaction", "signTransaction", "signAndSendTransaction", "signAndExecuteTransaction", "transferObjects", "transfer":
	default:
		return
	}
	var ts []*taint
	args := c.args
	if name == "transfer" && len(args) >= 3 && len(args[2].orEmpty().objs) == 0 {
		args = args[1:] // of the sender's key, to somebody, so much
	}
	for _, a := range args {
		for _, o := range a.orEmpty().objs {
			for _, field := range [...]string{"to", "recipient", "toPubkey"} {
				if cell := o.field(field); cell != nil && cell.ever != nil {
					ts = joinTaints(ts, cell.ever.taints)
				}
			}
		}
		if name == "transferObjects" || name == "transfer" {
			ts = joinTaints(ts, a.orEmpty().taints)
		}
	}
	ts = slices.DeleteFunc(slices.Clone(ts), func(t *taint) bool { return t.source != srcSeed })
	if len(ts) > 0 {
		e.sink(f, c.node, sinkWallet, nil, ts, "sends coins to an address that is made of it")
	}
}

// libraryCall is a call of jQuery or axios.
func (e *Engine) libraryCall(f *activation, p string, c call) (*value, bool) {
	switch p {
	case "$", "jQuery":
		if len(c.arg(0).orEmpty().fns) > 0 { // $(function…)
			e.callBack(f, c, pathValue("$"))
			return anything, true
		}
		return e.selectElement(f, c, "element"), true
	case "$.ajax", "jQuery.ajax", "axios", "axios.request":
		return e.clientOptions(f, p, c), true
	case "$.post", "jQuery.post", "$.get", "jQuery.get", "$.getJSON", "jQuery.getJSON", "axios.post", "axios.get", "axios.put",
		"axios.patch", "axios.delete", "$.getScript", "jQuery.getScript":
		e.called(f, c.node, p, c.args)
		v := e.request(f, c.node, sinkHTTPClient, c.arg(0), e.taintsIn(f, argsFrom(c.args, 1)...), "sends it to HOST")
		if strings.HasSuffix(p, "getScript") {
			e.sink(f, c.node, sinkScriptSrc, c.arg(0), c.arg(0).allTaints(), "loads a script from HOST")
		}
		e.callLast(f, c, v)
		return e.promise(f, c.node, v), true
	case "axios.create":
		return pathValue("axios"), true
	case "$.each", "jQuery.each", "$.map":
		el := e.element(f, c.arg(0))
		e.callValue(f, c.arg(1), call{node: c.node, args: []*value{anything, el}, this: el})
		return undef, true
	case "$.extend", "jQuery.extend":
		for _, src := range argsFrom(c.args, 1) {
			for _, o := range c.arg(0).orEmpty().objs {
				e.spread(f, o, src)
			}
		}
		return c.arg(0), true
	}
	return nil, false
}

// clientOptions is $.ajax({url, data, success}) and axios({url, data}).
func (e *Engine) clientOptions(f *activation, p string, c call) *value {
	e.called(f, c.node, p, c.args)
	options := c.arg(0)
	address := options
	if len(options.texts()) > 0 {
		options = c.arg(1)
	}
	var url, done *value
	for _, o := range options.orEmpty().objs {
		url = join(url, e.get(f, o, "url"))
		if base := e.get(f, o, "baseURL"); base != nil {
			url = e.concat(f, base, url)
		}
		done = join(done, join(e.get(f, o, "success"), e.get(f, o, "complete")))
	}
	if url != nil {
		address = url
	}
	v := e.request(f, c.node, sinkHTTPClient, address, e.taintsIn(f, options), "sends it to HOST")
	if done != nil && len(done.fns) > 0 {
		e.callValue(f, done, call{node: c.node, args: []*value{v, anything, anything}})
	}
	return e.promise(f, c.node, v)
}

// clientCall recognises the client of an unknown library: post("https://…", data).
func (e *Engine) clientCall(f *activation, c call) {
	switch c.name {
	case "post", "put", "patch", "request", "get", "ajax", "send", "fetch", "sendBeacon", "upload", "load", "add", "addAll":
	default:
		return
	}
	for _, t := range c.arg(0).texts() {
		if h, ok := parties.HostOf(t); ok && h != "*" {
			e.called(f, c.node, "http_client."+c.name, c.args)
			e.sink(f, c.node, sinkHTTPClient, c.arg(0), joinTaints(c.arg(0).taints, e.taintsIn(f, argsFrom(c.args, 1)...)), "sends it to HOST")
			return
		}
	}
}

// apiSinks are functions of the extension API that send, open or change something.
func (e *Engine) apiSinks(f *activation, p string, c call) {
	data := func() []*taint { return e.taintsIn(f, c.args...) }
	option := func(arg int, name string) *value {
		var v *value
		for _, o := range c.arg(arg).orEmpty().objs {
			v = join(v, e.get(f, o, name))
		}
		if v == nil && len(c.arg(arg).allTaints()) > 0 {
			return taintValue(c.arg(arg).taints...)
		}
		return v
	}
	switch p {
	case "tabs.create", "windows.create":
		if u := option(0, "url"); u != nil {
			e.sink(f, c.node, sinkNavigation, u, e.taintsIn(f, u), "opens HOST in a tab")
		}
	case "tabs.update":
		u := option(0, "url") // tabs.update({url}), tabs.update(id, {url})
		if len(c.args) > 1 && len(c.arg(1).orEmpty().fns) == 0 {
			u = option(1, "url")
		}
		if u != nil {
			e.sink(f, c.node, sinkNavigation, u, e.taintsIn(f, u), "sends a tab to HOST")
		}
	case "runtime.setUninstallURL":
		e.sink(f, c.node, sinkNavigation, c.arg(0), c.arg(0).allTaints(), "opens HOST when it is removed")
	case "downloads.download":
		e.sink(f, c.node, sinkDownload, nil, data(), "saves it as a file")
		if u := option(0, "url"); u != nil && len(u.taints) > 0 && placedFirst(u) {
			e.sink(f, c.node, sinkLink, u, u.taints, "loads HOST with it in the address")
		}
	case "notifications.create", "notifications.update":
		for i := range c.args {
			for _, k := range [...]string{"iconUrl", "imageUrl"} {
				if u := option(i, k); u != nil && len(u.taints) > 0 && placedFirst(u) {
					e.sink(f, c.node, sinkImage, u, u.taints, "loads an image from HOST with it in the address")
				}
			}
		}
	case "tabs.executeScript", "scripting.executeScript", "userScripts.register", "userScripts.execute":
		code := join(option(1, "code"), join(option(0, "code"), option(0, "js")))
		for _, o := range c.arg(0).orEmpty().objs {
			for _, v := range e.items(f, e.get(f, o, "js")) {
				for _, k := range v.orEmpty().objs {
					code = join(code, e.get(f, k, "code"))
				}
			}
		}
		e.sink(f, c.node, sinkExecuteScript, nil, e.taintsIn(f, code), "runs it as code in a page")
		if s, ok := code.constant(); ok {
			e.injectedText(f, s, c)
		}
	case "declarativeNetRequest.updateDynamicRules", "declarativeNetRequest.updateSessionRules":
		e.sink(f, c.node, SinkHeaderRules, nil, data(), "makes network rules of it")
		e.netRules(f, c)
	case "proxy.settings.set":
		e.sink(f, c.node, sinkProxy, nil, data(), "sets the proxy")
	case "cookies.set":
		e.sink(f, c.node, sinkSetCookie, nil, data(), "sets a cookie")
	}
}

// placedFirst says whether an address begins with a constant host: what follows is what the code tells that host.
func placedFirst(address *value) bool {
	for _, t := range address.texts() {
		if h, ok := parties.HostOf(t); ok && h != "*" {
			return true
		}
	}
	return false
}

// readsXSRF says whether this is the function by which axios reads one cookie of a page: that which the page's own server
// sets against forged requests (lib/helpers/cookies.js). Nothing else in a bundle gets at it.
func (f *activation) readsXSRF() bool {
	if f.fn == nil || f.fn.home == nil || !bytes.Contains(f.u.Src, []byte("xsrfCookieName")) {
		return false
	}
	for _, name := range [...]string{"read", "write", "remove"} {
		if f.fn.home.field(name) == nil {
			return false
		}
	}
	return true
}
