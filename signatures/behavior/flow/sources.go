package flow

import (
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/parties"
	"github.com/tdewolff/parse/v2/js"
)

// Names of sources, as in Flow.Source.
const (
	srcCookies       = "cookies"          // chrome.cookies; From: domain, host of the url, or "name=…"
	srcDocCookie     = "document.cookie"  // From: match patterns of the content script
	srcHeaders       = "request_headers"  // webRequest onBeforeSendHeaders/onSendHeaders; From: url filter
	srcRequestBody   = "request_body"     // webRequest onBeforeRequest, and bodies seen by a fetch/XHR hook
	srcResponses     = "page_responses"   // answers seen by a fetch/XHR hook in the page's world, webRequest response headers
	srcDebugger      = "debugger"         // chrome.debugger results and events
	srcStorageToken  = "storage_token"    // localStorage, sessionStorage, indexedDB of a page; From: key
	srcPassword      = "password_field"   // From: selector
	srcOTP           = "otp_field"        // From: selector
	srcSeed          = "seed_input"       // mnemonic, seed phrase, private key; From: selector
	srcForm          = "form_data"        // values of other inputs, FormData of a form, submit events; From: selector or patterns
	srcKeys          = "key_events"       // From: event type
	srcClipboard     = "clipboard"        // read of the clipboard, paste events, copied selection
	srcPageText      = "page_text"        // text or HTML of a page; From: match patterns
	srcScreenshot    = "screenshot"       // captureVisibleTab, desktopCapture, tabCapture, getDisplayMedia
	srcHistory       = "history"          // history, bookmarks, topSites
	srcTabs          = "tab_urls"         // addresses and titles of tabs, navigation events
	srcManagement    = "management"       // list of installed extensions
	srcGeolocation   = "geolocation"      //
	srcAddress       = "constant_address" // a coin address that stands in the code; From: the address
	SrcConstant      = "constant"         // what stands in a rule file, or in the answer of a listener
	srcNetwork       = "network"          // an answer from a server; From: its host. Only for reverse flows
	srcStorage       = "storage"          // chrome.storage; From: key. Only for reverse flows
	srcPageMessage   = "page_message"     // window message event; only for reverse flows
	srcMail          = "mail"             // an answer of a mail service: From: its host
	srcSiteAnswers   = "site_answers"     // what a site answers to a request that carries the user's session; From: its host or match patterns
	srcOAuth         = "oauth_token"      // identity.getAuthToken
	srcDecrypted     = "decrypted"        // what crypto.subtle.decrypt gave
	srcWalletRequest = "wallet_request"   // arguments of a wrapped wallet provider
)

// besideSecret says whether a selector is of a field that stands beside one for a secret: what it is to be called, where in
// the order it stands.
func besideSecret(s string) bool {
	name, simple := strings.CutPrefix(s, "#")
	if !simple || strings.ContainsAny(name, " .#[>") {
		return false
	}
	for _, of := range [...]string{"-label", "_label", "-name", "_name", "-index", "_index", "-count", "-length", "-path"} {
		if strings.HasSuffix(name, of) {
			return true
		}
	}
	return false
}

// fieldSource tells by words in a selector or name what an input holds.
func fieldSource(selector string) string {
	s := strings.ReplaceAll(strings.ToLower(selector), "passphrase", "password")
	switch {
	case besideSecret(s):
		return srcForm
	case containsAny(s, "base32", "totp secret", "2fa secret", "authenticator secret", "otpauth"):
		return srcOTP
	case containsAny(s, "mnemonic", "seed", "phrase", "private-key", "privatekey", "private_key", "private key", "privkey", "recovery",
		"keystore", "secret key (s", "12 words", "24 words", "12-word", "24-word", "12 or 24", "secret words"):
		return srcSeed
	case containsAny(s, "passw", "pwd", "passcode"):
		return srcPassword
	case containsAny(s, "otp", "2fa", "mfa", "authenticator", "one-time", "verification", "verify-code", "verifycode", "sms", "auth-code",
		"authcode", "twofactor", "two-factor", "security-code", "emailcode", "email-code", "googlecode", "google-code"):
		return srcOTP
	}
	return srcForm
}

// serviceKey says whether a field of a page of the extension hides the key to a service, which its user has from there:
// it is named so, and nothing but its type makes it one for passwords. Keys of exchanges come with a secret.
func serviceKey(selector string) bool {
	named := false
	for _, w := range strings.Fields(strings.ToLower(selector)) {
		switch {
		case containsAny(w, "apikey", "api-key", "api_key"):
			named = true
		case w == "password" || strings.HasSuffix(w, `[type="password"]`):
			continue
		}
		if containsAny(w, "passw", "pwd", "passcode", "secret") {
			return false
		}
	}
	return named
}

func containsAny(s string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// secretName says whether a variable or field of that name holds a wallet's secret.
func secretName(name string) bool {
	if name != "" && 'A' <= name[0] && name[0] <= 'Z' && name != strings.ToUpper(name) {
		return false // of a class: PrivateKey.fromWif(…)
	}
	switch strings.ToLower(strings.ReplaceAll(name, "_", "")) {
	case "mnemonic", "mnemonics", "mnemonicphrase", "mnemonicwords", "seedphrase", "seedwords", "secretphrase", "recoveryphrase",
		"secretrecoveryphrase", "privatekey", "privkey", "secretkey", "seedkey":
		return true
	}
	return false
}

// codeSecretName says whether a variable or field of that name holds what one-time codes are made from.
func codeSecretName(name string) bool {
	switch strings.ToLower(strings.ReplaceAll(name, "_", "")) {
	case "totpsecret", "otpsecret", "totpseed", "otpseed", "totpkey", "otpauth", "otpauthurl", "twofactorsecret", "twofasecret", "mfasecret":
		return true
	}
	return false
}

// propertySource is the taint of a property of an object of the browser, nil when it is none.
func (e *Engine) propertySource(f *activation, node js.INode, p, name string) *value {
	full := p + "." + name
	switch full {
	case "document.cookie":
		if f.readsXSRF() {
			return anything
		}
		e.called(f, node, full, nil)
		return taintValue(e.newTaint(f, node, srcDocCookie, f.u.site(), "reads document.cookie"))
	case "location.href", "document.URL", "document.location.href", "location.search", "location.hash":
		if f.u.InPage() {
			return taintValue(e.newTaint(f, node, srcTabs, f.u.site(), "reads the address of the page"))
		}
		return anything
	case "location.hostname", "location.host", "location.origin", "location.pathname", "document.title", "document.referrer",
		"navigator.userAgent", "navigator.language", "navigator.platform", "document.readyState", "location.protocol":
		return anything
	case "document.forms":
		o := e.alloc(f, node, "elements")
		o.more().selector = "form"
		return objectValue(o)
	case "navigator.clipboard", "document.body", "document.documentElement", "document.head", "document.activeElement":
		return nil
	}
	if p == "localStorage" || p == "sessionStorage" || p == "window.localStorage" {
		if name == "length" {
			return anything
		}
		switch name {
		case "getItem", "setItem", "removeItem", "clear", "key":
			return nil
		}
		return e.storageItem(f, node, p, textValue(name))
	}
	if isElementPath(p) || strings.HasPrefix(p, "document.") && isElementPath("document."+strings.TrimPrefix(p, "document.")) {
		return e.elementSource(f, node, nil, name)
	}
	return nil
}

// elementSource is the taint of a property of an element, nil when it is none. o is nil for document.body and its like.
func (e *Engine) elementSource(f *activation, node js.INode, o *object, name string) *value {
	d := &details{}
	if o != nil {
		d = o.more()
	}
	if d.own && d.tag != "textarea" && d.tag != "input" && d.tag != "form" {
		return nil
	}
	switch name {
	case "files":
		src := fieldSource(d.selector)
		if src != srcSeed {
			src = srcForm
		}
		from := d.selector
		if from == "" {
			from = "file"
		}
		return taintValue(e.newTaint(f, node, src, from, "reads a file that is chosen in a field"))
	case "value":
		src := fieldSource(d.selector)
		if src == srcPassword && !f.u.InPage() && serviceKey(d.selector) {
			src = srcForm
		}
		from := d.selector
		if d.own && src == srcForm {
			if text := o.label(); text != "" {
				src, from = labelSource(text), strings.TrimSpace(from+" "+text)
			}
		}
		if from == "" && f.u.InPage() {
			from = f.u.site()
		}
		what := "reads the value of a field"
		if d.selector != "" {
			what += " " + behavior.Shorten(d.selector, 60)
		}
		return taintValue(e.newTaint(f, node, src, from, what))
	case "innerText", "textContent", "innerHTML", "outerHTML", "outerText", "documentElement":
		if !f.u.InPage() {
			if fieldSource(d.selector) == srcSeed {
				return taintValue(e.newTaint(f, node, srcSeed, d.selector, "reads the text of "+behavior.Shorten(d.selector, 60)))
			}
			return anything
		}
		what := "reads the text of the page"
		if d.selector != "" {
			what = "reads the text of " + behavior.Shorten(d.selector, 60)
		}
		return taintValue(e.newTaint(f, node, srcPageText, f.u.site(), what))
	}
	return nil
}

// cookieStore is the newer way to the cookies of a page. That against forged requests is no session.
func (e *Engine) cookieStore(f *activation, p string, c call) *value {
	if p == "cookieStore.set" {
		e.called(f, c.node, "document.cookie=", nil)
		e.sink(f, c.node, sinkSetCookie, nil, e.taintsIn(f, c.args...), "sets a cookie of the page")
		return e.promise(f, c.node, undef)
	}
	if name, ok := c.arg(0).constant(); ok && containsAny(strings.ToLower(name), "csrf", "xsrf") {
		return e.promise(f, c.node, anything)
	}
	e.called(f, c.node, "document.cookie", nil)
	return e.promise(f, c.node, taintValue(e.newTaint(f, c.node, srcDocCookie, f.u.site(), "reads the cookies of the page")))
}

// storageItem is a value in localStorage or sessionStorage: of a page, or of the extension itself.
func (e *Engine) storageItem(f *activation, node js.INode, p string, key *value) *value {
	if p != "localStorage" && p != "sessionStorage" {
		return anything
	}
	name, _ := key.constant()
	if !f.u.InPage() {
		v := anything
		if name != "" {
			v = join(v, e.get(f, e.pathObject(p), name))
		}
		return v.tainted([]*taint{e.newTaint(f, node, srcStorage, name, "reads the extension's "+p)})
	}
	what := "reads " + p + " of the page"
	if name != "" {
		what = "reads " + name + " from " + p + " of the page"
	}
	t := e.newTaint(f, node, srcStorageToken, name, what)
	e.called(f, node, p+".getItem", []*value{key})
	return taintValue(t)
}

// storePage stores in localStorage or sessionStorage.
func (e *Engine) storePage(f *activation, node js.INode, key string, v *value) {
	if f.u.InPage() {
		e.sink(f, node, sinkPageStorage, nil, e.taintsIn(f, v), "writes it to the page's storage")
		return
	}
	if key != parties.Gap && v != nil {
		e.set(f, e.pathObject("localStorage"), key, v)
	}
}
