package analysis

import (
	"bytes"

	"github.com/extwatch/extwatch/signatures/behavior/syntax"
)

// features say what kinds of words the bytes of a script hold, in code, strings and comments alike.
type features uint16

const (
	hasAPI      features = 1 << iota // chrome, browser
	hasNetwork                       // fetch, XMLHttpRequest, …
	hasSecret                        // cookies, clipboard, storage, page capture
	hasCode                          // eval, new Function, executeScript, …
	hasMessage                       // postMessage, sendMessage, …
	hasWallet                        // ethereum, mnemonic, …
	hasHidden                        // decoders, many escapes, names as obfuscators make them
	hasPage                          // reads or changes the page: textContent, keydown, …
	hasEscapes                       // \u or \x somewhere: names may be written with them
	hasUnicode                       // \u outside of ASCII escapes' usual places: identifiers may need normalising
	hasExports                       // export: other scripts use its functions
	usesAPI                          // chrome.cookies, browser["tabs"], document.cookie: not only a name that libraries hold too
	strongWords = hasAPI | hasNetwork | hasSecret | hasCode | hasMessage | hasWallet | hasHidden
)

// wordFeatures are the words that make a script worth parsing. Function and constructor are treated apart: nearly
// every library holds them.
var wordFeatures = syntax.NewWordTable(map[features][]string{
	hasAPI: {"chrome", "browser", "webkitURL", "msBrowser"},
	hasNetwork: {"fetch", "XMLHttpRequest", "sendBeacon", "WebSocket", "EventSource", "RTCPeerConnection", "WebTransport",
		"ajax", "axios", "sendNativeMessage", "connectNative", "Image", "ActiveXObject", "fetchLater"},
	hasSecret: {"cookie", "cookies", "cookieStore", "clipboard", "clipboardData", "localStorage", "sessionStorage", "indexedDB",
		"captureVisibleTab", "desktopCapture", "tabCapture", "pageCapture", "getUserMedia", "getDisplayMedia", "execCommand",
		"webRequest", "password", "otp", "totp", "requestHeaders", "credentials", "declarativeNetRequest", "proxy", "getSelection"},
	hasCode: {"eval", "execScript", "executeScript", "importScripts", "insertAdjacentHTML", "WebAssembly", "userScripts",
		"registerContentScripts", "createContextualFragment", "srcdoc", "outerHTML", "Reflect", "globalThis", "GeneratorFunction"},
	hasMessage: {"sendMessage", "onMessage", "postMessage", "onMessageExternal", "onConnect", "BroadcastChannel", "serviceWorker"},
	hasWallet:  {"ethereum", "solana", "tronWeb", "mnemonic", "privateKey", "seedPhrase", "recoveryPhrase", "phantom", "web3"},
	hasHidden:  {"atob", "fromCharCode", "unescape", "fromCodePoint", "JSFuck", "WScript"},
	hasPage: {"textContent", "innerText", "innerHTML", "keydown", "keyup", "keypress", "querySelector", "querySelectorAll",
		"getElementById", "MutationObserver", "FormData", "submit", "createElement", "onkeydown", "paste", "copy", "beforeinput",
		"getElementsByTagName", "getElementsByName", "setRequestHeader", "responseText", "location"},
	hasExports: {"export"},
})

// apiParts are the parts of the browser's own objects that reach accounts, pages or the network.
var apiParts = syntax.NewWordTable(map[features][]string{usesAPI: {"cookies", "tabs", "scripting", "storage", "webRequest", "debugger",
	"declarativeNetRequest", "downloads", "webNavigation", "userScripts", "proxy", "history", "management", "desktopCapture",
	"tabCapture", "pageCapture", "identity", "runtime", "extension", "windows", "offscreen", "alarms", "contextMenus",
	"permissions", "bookmarks", "contentScripts", "browsingData", "privacy", "devtools", "action", "browserAction"}})

// wordAt returns the word that begins at an offset.
func wordAt(text []byte, at int) []byte {
	end := at
	for end < len(text) && end < at+32 && syntax.InWord(text[end]) {
		end++
	}
	return text[at:end]
}

// Thresholds of what counts as hidden.
const (
	// manyEscapes per script: texts in other alphabets are escaped by minifiers too, but with \u; \x in numbers is made by
	// obfuscators.
	manyEscapes = 40
	// manyMade is how many names like _0x3f21 make a script obfuscated.
	manyMade = 20
)

// A look is what one pass over the bytes of a script found.
type look struct {
	features features
	refs     []reference
	urls     []int // offsets of "://" or ":\/\/" after a scheme that contacts a host

	files func(base []byte) bool // whether a file is called so; nil: any may be
}

// lookAt reads the bytes of a script once, without parsing them.
func lookAt(text []byte) look { return lookFor(text, nil) }

// lookFor is lookAt that notes only the references to files that there are, by their last name.
func lookFor(text []byte, files func(base []byte) bool) look {
	l := look{files: files}
	var escapes, made int
	for i := 0; i < len(text); {
		c := text[i]
		if syntax.InWord(c) {
			start := i
			for i++; i < len(text) && syntax.InWord(text[i]); i++ {
			}
			word := text[start:i]
			f := wordFeatures.Of(word)
			l.features |= f
			if f == hasAPI && i+1 < len(text) && (text[i] == '[' || text[i] == '.' && apiParts.Of(wordAt(text, i+1)) != 0) {
				l.features |= usesAPI
			}
			if f == hasSecret && bytes.HasSuffix(text[:start], []byte("document.")) && string(word) == "cookie" {
				l.features |= usesAPI
			}
			switch {
			case word[0] == '_' && len(word) > 4 && word[1] == '0' && word[2] == 'x':
				made++
			case start > 0 && text[start-1] == '.' && len(word) <= maxSuffix && i < len(text):
				if end := nameEnd(text, i); end > 0 {
					l.refer(text, i, text[end])
				}
			case len(word) == 8 && string(word) == "Function":
				l.features |= functionCall(text, start, i)
			case len(word) == 11 && string(word) == "constructor":
				l.features |= constructorCall(text, i)
			}
			continue
		}
		switch c {
		case ':':
			if i+2 < len(text) && (text[i+1] == '/' || text[i+1] == '\\') && syntax.ContactScheme(text[:i]) {
				l.urls = append(l.urls, i)
			}
		case '\\':
			if i+1 < len(text) {
				switch text[i+1] {
				case 'x':
					l.features |= hasEscapes
					escapes++
				case 'u':
					l.features |= hasEscapes | hasUnicode
				}
				i++
			}
		}
		i++
	}
	if escapes > manyEscapes || made > manyMade {
		l.features |= hasHidden
	}
	return l
}

// nameEnd returns where the quote is that ends a name of a file, 0 when there is none. A query may stand before it.
func nameEnd(text []byte, at int) int {
	if text[at] == '?' || text[at] == '#' {
		rest := text[at:min(len(text), at+maxQuery)]
		at += max(0, bytes.IndexAny(rest, "\"'`\n "))
	}
	if syntax.IsQuote(text[at]) {
		return at
	}
	return 0
}

// functionCall tells `Function(` and `new Function` from `Function.prototype`.
func functionCall(text []byte, start, end int) features {
	before := bytes.TrimRight(text[max(0, start-8):start], " \t\r\n(")
	after := bytes.TrimLeft(text[end:min(len(text), end+8)], " \t\r\n")
	if bytes.HasSuffix(before, []byte("new")) || len(after) > 0 && after[0] == '(' && !bytes.HasSuffix(before, []byte("function")) {
		return hasCode
	}
	return 0
}

// constructorCall finds `x.constructor("code")`: a call with a text, or of the constructor of a constructor.
func constructorCall(text []byte, end int) features {
	after := text[end:min(len(text), end+16)]
	after = bytes.TrimLeft(after, "\"'`] \t")
	if bytes.HasPrefix(after, []byte(".constructor")) || bytes.HasPrefix(after, []byte("[")) {
		return hasCode
	}
	if rest, ok := bytes.CutPrefix(after, []byte("(")); ok && len(rest) > 0 && syntax.IsQuote(rest[0]) {
		return hasCode
	}
	return 0
}

// worth says whether a script is worth parsing. A large one that only touches the page and has none of the words that
// lead out of it is a library; a small one may hand what it reads to a function of another script, and through what a
// small module exports may go what others read.
func (f features) worth(size int) bool {
	return size <= tinyScript || f&strongWords != 0 || f&(hasPage|hasEscapes|hasExports) != 0 && size <= smallScript
}

// worthUnreferenced is worth for a script that nothing loads. Most of them are leftovers of libraries, and most of the
// code of some extensions: a large one must do more than to hold words.
func (f features) worthUnreferenced(size int) bool {
	return f.worth(size) && (size <= smallScript || f&usesAPI != 0 || f&(hasWallet|hasNetwork) == hasWallet|hasNetwork)
}
