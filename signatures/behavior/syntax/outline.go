package syntax

import (
	"maps"
	"slices"
	"strings"
)

// Most of a bundle is functions of libraries that name nothing the engine looks for. The engine does not walk through
// such a function (see heat); so the parser need not read it either. An outline is the script without their bodies.

const (
	// outlinedFrom is the size from which a script is outlined. Smaller ones are parsed as they are.
	outlinedFrom = 16 << 10
	// coldWords is how many words a function must have for its body to be left out. It makes more than smallFunction
	// nodes of it: smaller ones are helpers, through which data goes.
	coldWords = 200
	// libraryWords is from when on a function is left out even though it holds words of hidden code and of the page, as
	// long as none of them is a source, a sink or a way to other scripts.
	libraryWords = 300
	// longRow is the number of texts or numbers in a row that may be a table which hidden code is made of.
	longRow = 10
	// maxOpen bounds the signs that are open within each other.
	maxOpen = 20_000
	// coldName stands in the body of a function that was left out.
	ColdName = "extwatch$cold"
)

var coldBody = []byte("{return " + ColdName + "()}")

// curveBody stands for one that calls a method of a library for curves: a key that goes in does not come out.
var curveBody = []byte("{return " + ColdName + ".multiply()}")

// curveWords is up to how many words such a body has; the outer functions of bundles call everything.
const curveWords = 500

// coldModule is the body of a module of a bundle that was left out: nobody knows what it exports.
func coldModule(parameter []byte) []byte {
	return slices.Concat([]byte("{"), parameter, []byte(".exports="+ColdName+"()}"))
}

// An outline is a script without the bodies of cold functions.
type outline struct {
	text []byte
	cuts []cut
}

// A cut says where a body was left out.
type cut struct {
	at   int // where it would stand in the outline
	lost int // how many bytes are missing up to there and with it
}

// back returns where an offset in the outline is in the script.
func (o *outline) back(offset int) int {
	i, _ := slices.BinarySearchFunc(o.cuts, offset, func(c cut, at int) int {
		if c.at <= at {
			return -1
		}
		return 1
	})
	if i == 0 {
		return offset
	}
	return offset + o.cuts[i-1].lost
}

// outlined returns the outline of a script, or nil when it has nothing to leave out or its structure is not clear. What
// people type and what sites keep counts only where the script sees a page of the web.
func outlined(text []byte, page bool) *outline {
	s := structure{text: text, page: page, prior: ';'}
	if !s.read() || len(s.cold) == 0 {
		return nil
	}
	kept := len(text)
	for _, c := range s.cold {
		kept -= c.end - c.start - len(c.instead)
	}
	o := &outline{text: make([]byte, 0, kept+1), cuts: make([]cut, 0, len(s.cold))}
	from, lost := 0, 0
	for _, c := range s.cold {
		o.text = append(append(o.text, text[from:c.start]...), c.instead...)
		lost += c.end - c.start - len(c.instead)
		o.cuts = append(o.cuts, cut{at: len(o.text), lost: lost})
		from = c.end
	}
	o.text = append(o.text, text[from:]...)
	return o
}

// hotWords are names of sources, sinks and what joins contexts, and of what hides names.
var hotWords = WordSet("chrome browser fetch XMLHttpRequest sendBeacon WebSocket EventSource cookie cookies cookieStore localStorage sessionStorage " +
	"indexedDB clipboard clipboardData eval Function importScripts getUserMedia getDisplayMedia ethereum solana tronWeb phantom mnemonic " +
	"eth_sendTransaction signTransaction signAndSendTransaction " +
	"seedPhrase privateKey secretKey secretPhrase recoveryPhrase private_key seed_phrase postMessage onmessage sendMessage onMessage " +
	"atob fromCharCode Reflect execCommand keydown keypress keyup onkeydown onkeypress onkeyup password otp seed ajax axios $ jQuery " +
	"requestHeaders responseText captureVisibleTab executeScript webRequest FormData outerHTML insertAdjacentHTML createContextualFragment " +
	"script iframe srcdoc Image RTCPeerConnection BroadcastChannel Worker sendNativeMessage connectNative exports __webpack_require__ " +
	"subtle location geolocation globalThis setAttribute paste copy submit onChange onInput onUpdate:modelValue")

// Hot says whether a word is the name of a source, a sink or what joins contexts, or of what hides names: a function that
// holds none, and is no small one, is not worth walking through.
func Hot(word []byte) bool { return hotWords[string(word)] }

// WordSet makes a set of the words of a text.
func WordSet(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// What the outline knows of a word.
type temper uint16

const (
	hotWord temper = 1 << iota
	warmWord
	pageWord
	rootWord
	controlWord
	operatorWord
	extendsWord
	curveWord
)

// outlineWords are the words that keep a function in the outline: those of the engine, those of decoders, and the
// keywords that tell a division from a regular expression.
var outlineWords = NewWordTable(map[temper][]string{
	hotWord: append(slices.DeleteFunc(slices.Sorted(maps.Keys(hotWords)),
		func(w string) bool { return libraryUses[w] || pageUses[w] || w == "chrome" || w == "browser" }),
		"execScript", "cookieStore", "declarativeNetRequest", "fetchLater", "WebTransport", "ActiveXObject",
		"__awaiter"), // of TypeScript's helpers, which everything goes through
	warmWord:     append(slices.Sorted(maps.Keys(libraryUses)), "fromCodePoint", "WebAssembly", "Proxy", "unescape"),
	pageWord:     slices.Sorted(maps.Keys(pageUses)),
	rootWord:     {"chrome", "browser"},
	controlWord:  {"for", "while", "with", "switch", "catch"},
	operatorWord: {"return", "typeof", "case", "delete", "void", "instanceof", "new", "throw", "else", "yield", "await"},
	extendsWord:  {"extends"},
	curveWord:    slices.Sorted(maps.Keys(curveCalls)),
})

// curveCalls are methods that multiply a point of a curve or sign, of noble, elliptic, tweetnacl and bitcoin's libraries.
var curveCalls = WordSet("multiply multiplyUnsafe scalarMult scalarMultBase sign signSync signAsync signSchnorr signRecoverable " +
	"ecdsaSign schnorrSign getPublicKey getPublicKeyAsync getPublic publicKeyCreate pointFromScalar toPublicKey computePublicKey " +
	"fromPrivateKey crypto_sign crypto_sign_detached crypto_scalarmult")

// CurveCall says whether a method of this name multiplies a point of a curve, or signs.
func CurveCall(name string) bool { return curveCalls[name] }

// libraryUses are words of the engine that libraries use for themselves.
var libraryUses = WordSet("Function exports __webpack_require__ globalThis $ jQuery script iframe srcdoc Image location setAttribute " +
	"submit copy paste fromCharCode Reflect outerHTML insertAdjacentHTML createContextualFragment Worker seed phantom " +
	"postMessage onmessage responseText secretKey")

// pageUses are words that lead to sources only in pages of the web.
var pageUses = WordSet("localStorage sessionStorage indexedDB keydown keypress keyup onkeydown onkeypress onkeyup FormData execCommand geolocation")

// Signs says whether a function of this name signs, or makes a public key or an address: not one by which people sign in.
func Signs(name string) bool {
	if curveCalls[name] || strings.HasSuffix(name, "PublicKey") {
		return true
	}
	if maker, ok := strings.CutSuffix(name, "Address"); ok {
		return strings.HasSuffix(maker, "To") || maker == "to" || maker == "get" || maker == "derive" || maker == "compute"
	}
	rest, ok := strings.CutPrefix(name, "sign")
	if !ok || rest == "" {
		return false
	}
	if rest[0] == '_' {
		return rest != "_in" && rest != "_up" && rest != "_out"
	}
	if rest[0] < 'A' || rest[0] > 'Z' {
		return false
	}
	for _, how := range [...]string{"In", "Up", "Out", "On", "Off"} { // signIn, signInWithPassword; not signInput
		if after, ok := strings.CutPrefix(rest, how); ok && (after == "" || after[0] < 'a' || after[0] > 'z') {
			return false
		}
	}
	return true
}
