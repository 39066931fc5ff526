package flow

import (
	"slices"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior/parties"
)

// unfilled says whether an address is a place that whoever installs the code has to fill in: "YOUR_WEBHOOK", "<server>",
// nothing at all. The code then does to that place what it would do to a stranger's host.
func (e *Engine) unfilled(f *activation, address *value, sink string) bool {
	if address == nil {
		return false
	}
	if a, ok := address.known(); ok && a.kind == aString && (a.s == "" || a.s[0] == '?' && !f.u.InPage()) {
		return sends(sink)
	}
	return slices.ContainsFunc(address.texts(), func(t string) bool { return fillIn(t, f.u.InPage()) })
}

// sends says whether a sink is a request that code makes for its own sake. An empty address of a picture or a form means
// the page itself.
func sends(sink string) bool {
	switch sink {
	case sinkFetch, sinkXHR, sinkBeacon, sinkWebSocket, sinkHTTPClient:
		return true
	}
	return false
}

// fillIn says whether a text asks for an address rather than being one. What a build fills in ("__API__", "%API%",
// "{{api}}") asks nobody. In a page, a word alone may be a path of its site.
func fillIn(s string, page bool) bool {
	const longest = 60
	_, after, scheme := strings.Cut(s, "://")
	if scheme {
		s = after
	}
	if i := strings.IndexAny(s, "/?#"); i >= 0 && !strings.HasPrefix(s, "<") {
		scheme = true // it is the first part of a longer address
		s = s[:i]
	} else if i = strings.IndexByte(s, '>'); scheme && i > 0 && s[0] == '<' {
		s = s[:i+1] // without its port and what follows
	}
	if s = strings.TrimSpace(s); s == "" || len(s) > longest || strings.Contains(s, parties.Gap) {
		return false
	}
	bracketed := s[0] == '<' && s[len(s)-1] == '>' || s[0] == '[' && s[len(s)-1] == ']'
	if strings.Contains(s, ".") && !bracketed {
		return false
	}
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return r < 'a' || r > 'z' })
	whole := strings.Join(words, "")
	if !containsAny(whole, "hook", "url", "server", "domain", "endpoint", "host", "api", "link", "address", "here") &&
		!(scheme && slices.Contains(words, "ip")) {
		return false
	}
	return bracketed || asks(s, words, whole) ||
		!page && !scheme && (strings.HasSuffix(whole, "webhook") || strings.HasSuffix(whole, "webhookurl"))
}

// asks says whether the words of an address tell somebody to put another in their place.
func asks(s string, words []string, whole string) bool {
	if strings.HasPrefix(whole, "your") || strings.HasSuffix(whole, "here") && len(words) > 1 ||
		strings.HasSuffix(whole, "webhookhere") || strings.HasSuffix(whole, "urlhere") {
		return true
	}
	told := len(words) > 2 || s == strings.ToUpper(s) // not a path such as "change-address"
	return slices.ContainsFunc(words, func(w string) bool {
		switch w {
		case "your", "placeholder", "changeme":
			return true
		case "change", "insert", "replace", "enter", "put", "paste":
			return told
		}
		return false
	})
}
