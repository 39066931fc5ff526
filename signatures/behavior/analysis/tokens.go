package analysis

import (
	"strconv"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/syntax"
	"github.com/tdewolff/parse/v2/js"
)

// What tokens tell without a syntax tree. A script that no parser reads is run by the browser all the same: the calls
// and hosts that stand in it plainly are reported, and that it could not be read is a sign by itself.

// bareCalls are functions that need no object before their name.
var bareCalls = map[string]bool{
	"fetch": true, "eval": true, "Function": true, "importScripts": true, "XMLHttpRequest": true, "WebSocket": true,
	"EventSource": true, "atob": true, "postMessage": true, "Image": true, "RTCPeerConnection": true, "Worker": true,
}

// readProperties are properties whose reading is reported as a call.
var readProperties = map[string]bool{
	"document.cookie": true, "localStorage": true, "sessionStorage": true, "ethereum": true, "solana": true, "tronWeb": true,
}

// maxTokenCalls bounds the calls of one script that tokens tell.
const maxTokenCalls = 2000

// tokenCalls returns the calls of browser functions in a script, found by its tokens.
func tokenCalls(u *unit) (calls []behavior.Call) {
	r := tokenReader{u: u, seen: map[string]int{}}
	defer func() {
		if recover() != nil { // a bug of the lexer costs the rest of this script
			calls = r.calls
		}
	}()
	l := syntax.NewLexer(syntax.PlainNames(u.text))
	for len(r.calls) < maxTokenCalls {
		t, ok := l.Next()
		if !ok {
			break
		}
		r.read(t)
	}
	r.end(syntax.Token{})
	return r.calls
}

// A tokenReader puts together names such as chrome.cookies["getAll"].
type tokenReader struct {
	u      *unit
	calls  []behavior.Call
	seen   map[string]int
	path   []string
	offset int
	state  int // 0: no name; 1: after a name; 2: after a dot; 3: after [; 4: after ["…"
	text   string
}

func (r *tokenReader) read(t syntax.Token) {
	name := js.IsIdentifierName(t.Kind) && (r.state == 2 || js.IsIdentifier(t.Kind) || t.Kind == js.ThisToken)
	switch {
	case r.state == 1 && (t.Kind == js.DotToken || t.Kind == js.OptChainToken):
		r.state = 2
	case r.state == 1 && t.Kind == js.OpenBracketToken, r.state == 2 && t.Kind == js.OpenBracketToken:
		r.state = 3
	case r.state == 2 && name:
		r.path = append(r.path, string(t.Data))
		r.state = 1
	case r.state == 3 && t.Kind == js.StringToken:
		r.text, r.state = plainString(t.Data), 4
	case r.state == 4 && t.Kind == js.CloseBracketToken:
		r.path = append(r.path, r.text)
		r.state = 1
	default:
		r.end(t)
		if name {
			r.path, r.offset, r.state = append(r.path[:0], string(t.Data)), t.Offset, 1
		}
	}
}

// end reports the name that t follows, when it is one of the browser's.
func (r *tokenReader) end(t syntax.Token) {
	path, state := r.path, r.state
	r.path, r.state = r.path[:0], 0
	if len(path) == 0 || state == 0 || len(path) > 8 {
		return
	}
	called := t.Kind == js.OpenParenToken || state == 2 && t.Kind == js.OpenParenToken
	api := browserName(path, called)
	if api == "" || r.seen[api] >= 20 {
		return
	}
	r.seen[api]++
	r.calls = append(r.calls, behavior.Call{API: api, Context: r.u.Context, Place: r.u.placeInText(r.offset)})
}

// browserName returns the canonical name of a browser function or property, or "".
func browserName(path []string, called bool) string {
	for len(path) > 1 && isGlobal(path[0]) {
		path = path[1:]
	}
	if len(path) > 2 && (path[0] == "chrome" || path[0] == "browser") {
		if called {
			return strings.Join(path[1:], ".")
		}
		return ""
	}
	whole := strings.Join(path, ".")
	if readProperties[whole] || readProperties[path[0]] {
		if readProperties[whole] {
			return whole
		}
		return path[0]
	}
	if len(path) == 1 && bareCalls[whole] && called {
		return whole
	}
	if called && path[0] == "navigator" && len(path) > 1 {
		return strings.Join(path[1:], ".")
	}
	return ""
}

func isGlobal(name string) bool {
	switch name {
	case "window", "self", "globalThis", "top", "parent", "frames", "this":
		return true
	}
	return false
}

// plainString returns the value of a string literal whose escapes are simple.
func plainString(data []byte) string {
	if len(data) < 2 {
		return ""
	}
	inner := string(data[1 : len(data)-1])
	if !strings.Contains(inner, `\`) {
		return inner
	}
	var b strings.Builder
	for len(inner) > 0 {
		if inner[0] != '\\' || len(inner) == 1 {
			b.WriteByte(inner[0])
			inner = inner[1:]
			continue
		}
		if n := map[byte]int{'x': 2, 'u': 4}[inner[1]]; n > 0 && len(inner) >= 2+n {
			if v, err := strconv.ParseUint(inner[2:2+n], 16, 32); err == nil {
				b.WriteRune(rune(v))
				inner = inner[2+n:]
				continue
			}
		}
		b.WriteByte(inner[1])
		inner = inner[2:]
	}
	return b.String()
}

// placeInText says where an offset in text stands in the file.
func (u *unit) placeInText(offset int) behavior.Place {
	plain := *u
	plain.Back = nil
	return plain.Place(offset)
}
