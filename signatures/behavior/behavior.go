// Package behavior has the words for what the code of an extension does: which browser functions it calls, which hosts it
// names, and where what it reads flows to. The packages below it find that out; they read JavaScript and never run it in a
// browser.
package behavior

import (
	"strings"

	"github.com/extwatch/extwatch/manifests"
)

// A Place is where something stands in the code.
type Place struct {
	File   string `json:"file"`
	Line   int    `json:"line"`   // from 1
	Column int    `json:"column"` // from 1, in bytes
}

// A Context says where a script runs.
type Context string

const (
	Background   Context = "background"
	Content      Context = "content" // content script in its isolated world
	PageWorld    Context = "page"    // injected into the page's own world
	Popup        Context = "popup"   // popup, options, side panel, devtools, offscreen and other pages of the extension
	Unreferenced Context = "unreferenced"
)

// A Call is a call of a browser function, or the reading of a property, that rules may ask for.
type Call struct {
	API     string   `json:"api"`            // canonical, without the root object: "cookies.getAll", "fetch", "document.cookie"
	Args    []string `json:"args,omitempty"` // constants among the arguments, as text: {"domain":".binance.com"}
	Context Context  `json:"context"`
	Place
}

// A Flow is data that goes from a source to a sink.
type Flow struct {
	Source  string  `json:"source"`          // "cookies", "document.cookie", "password_field", … (docs/behavior.md has the list)
	From    string  `json:"from,omitempty"`  // what the source is limited to: a domain, a selector, an exchange page's pattern; "" when not known
	Sink    string  `json:"sink"`            // "fetch", "websocket", "eval", "clipboard", "dom_value", …
	Host    string  `json:"host,omitempty"`  // of the sink, when it folds to one; "*" when it is not known; "" for sinks without host
	Party   Party   `json:"party,omitempty"` // whose host it is
	Context Context `json:"context"`
	Own     bool    `json:"own,omitempty"` // form_data only: the fields are those of a page of the extension itself
	Steps   []Step  `json:"steps"`
}

// A Step is one place on the way of a flow.
type Step struct {
	Place
	What string `json:"what"`           // "reads all cookies", "JSON.stringify", "POST to collect.example"
	Code string `json:"code,omitempty"` // the source text there, at most 160 characters
}

// A Party says whose host a contacted host is.
type Party string

const (
	Own       Party = "own"       // homepage, author, update_url, externally_connectable of the extension itself
	Origin    Party = "origin"    // the site that the data came from
	Analytics Party = "analytics" // a well-known error or statistics service
	Dropbox   Party = "dropbox"   // a bot, webhook, paste, form or serverless service that anyone can open
	RPC       Party = "rpc"       // a blockchain node
	Local     Party = "local"     // this computer, or a private address of the network that it is in
	User      Party = "user"      // a host that the person typed into a page of the extension
	Stranger  Party = "stranger"
	Unknown   Party = "unknown" // the host does not fold to a constant
)

// A Contact is a host that the code talks to, or names in a URL.
type Contact struct {
	Host   string `json:"host"`
	Called bool   `json:"called"` // an argument of a network call, not only text
	Party  Party  `json:"party"`
	Place
}

// A Sign is a sign of hidden code.
type Sign struct {
	// "string_array", "undecoded", "control_flow", "hex_names", "self_defending", "jsfuck", "packed", "char_codes",
	// "long_base64" or "unparseable": docs/behavior.md says what they are
	Kind string `json:"kind"`
	Place
	Text string `json:"text,omitempty"`
}

// A Report is what the code of one extension does.
type Report struct {
	Calls       []Call              `json:"calls"`
	Flows       []Flow              `json:"flows"`
	Contacts    []Contact           `json:"contacts"`
	Strings     []string            `json:"strings,omitempty"` // constant texts that folding made, and that do not stand in the code as they are
	Obfuscation []Sign              `json:"obfuscation"`
	Complete    bool                `json:"complete"` // false when a budget ran out or a file could not be parsed
	Problems    []manifests.Problem `json:"problems,omitempty"`
}

// Shorten cuts a text of an extension to n bytes, so that it can be shown.
func Shorten(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}
