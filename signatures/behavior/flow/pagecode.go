package flow

import (
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/parties"
	"github.com/tdewolff/parse/v2/js"
)

// Code and addresses that stand in texts which a script puts into a page.

// unknownPart stands in code for a part that is not known: within a text it is a word, elsewhere a variable.
const unknownPart = "__unknown__"

// pageScript looks at code that a script gives to the page to run: the text of a script element, a javascript: address.
// What a content script hands over runs in the world of the page.
func (e *Engine) pageScript(f *activation, node js.INode, v *value) {
	const maxTexts = 4
	for i, s := range v.texts() {
		if i == maxTexts {
			return
		}
		if len(s) < 8 || !strings.ContainsAny(s, "(=") {
			continue
		}
		g := *f
		if f.u.InPage() {
			g.u = e.worldUnit(f.u)
		}
		e.evalText(&g, "eval", strings.ReplaceAll(s, parties.Gap, unknownPart), call{node: node})
	}
}

// worldUnit is the source of a content script as a script of the page itself.
func (e *Engine) worldUnit(u *Script) *Script {
	if u.Context == behavior.PageWorld {
		return u
	}
	if w := e.links.worlds[u]; w != nil {
		return w
	}
	w := *u
	w.Context, w.World = behavior.PageWorld, "MAIN"
	e.links.worlds[u] = &w
	return &w
}

// htmlAddress looks at HTML that a script writes: one element whose address has the data in it sends it, as the address of an
// element that code makes does. Where more stands in the text it cannot be told what goes into the address.
func (e *Engine) htmlAddress(f *activation, node js.INode, v *value) {
	if v == nil || len(v.taints) == 0 {
		return
	}
	for _, s := range v.texts() {
		tag, address := lonelyAddress(s)
		if address == "" {
			continue
		}
		d := &details{tag: tag, own: true}
		e.setSource(f, node, d, textValue(address).tainted(v.taints))
	}
}

// lonelyAddress returns the tag and the src of HTML that begins with an element and whose only gaps are in that src.
func lonelyAddress(s string) (tag, address string) {
	s = strings.TrimSpace(s)
	for _, t := range [...]string{"img", "script", "iframe"} {
		if len(s) > len(t)+1 && s[0] == '<' && strings.EqualFold(s[1:1+len(t)], t) {
			tag = t
		}
	}
	i := strings.Index(s, "src=")
	if tag == "" || i < 0 || strings.Contains(s[:i], parties.Gap) {
		return "", ""
	}
	rest := s[i+len("src="):]
	end := strings.IndexAny(rest, " >")
	if rest != "" && (rest[0] == '"' || rest[0] == '\'') {
		quote := rest[:1]
		rest = rest[1:]
		end = strings.Index(rest, quote)
	}
	if end < 0 {
		end = len(rest)
	}
	if address = rest[:end]; !strings.Contains(address, parties.Gap) || strings.Contains(rest[end:], parties.Gap) {
		return "", ""
	}
	return tag, address
}

// styleAddress looks at a style: the address of a picture in it has the data that the browser sends when it loads it.
func (e *Engine) styleAddress(f *activation, node js.INode, v *value) {
	if v == nil || len(v.taints) == 0 {
		return
	}
	for _, s := range v.texts() {
		for rest := s; ; {
			_, after, ok := strings.Cut(rest, "url(")
			if !ok {
				break
			}
			address, next, _ := strings.Cut(after, ")")
			if address = strings.Trim(address, "\"' "); strings.Contains(address, parties.Gap) {
				e.setSource(f, node, &details{tag: "img", own: true}, textValue(address).tainted(v.taints))
			}
			rest = next
		}
	}
}

// formAction is a form of the page whose address a script changes: what people type into it goes there.
const formAction = "form[action]"

func (e *Engine) turnForm(f *activation, node js.INode, d *details, v *value) {
	e.sink(f, node, sinkForm, v, v.taints, "makes it the address of a form at HOST")
	if d.own || !f.u.InPage() || len(v.taints) > 0 {
		return
	}
	for _, t := range v.texts() {
		if h, ok := parties.HostOf(t); ok && h != "*" {
			at := e.newTaint(f, node, srcForm, formAction, "changes where a form of the page goes")
			e.sink(f, node, sinkForm, textValue(t), []*taint{at}, "sends what is typed into it to HOST")
		}
	}
}

// socketClient is the client of socket.io: io("https://…"), whose messages go to that host. nil when the call is another.
func (e *Engine) socketClient(f *activation, p string, c call) *value {
	switch p {
	case "io", "io.connect", "io.io", "io.default":
	default:
		return nil
	}
	for _, t := range c.arg(0).texts() {
		if _, ok := parties.HostOf(t); ok {
			return e.newSocket(f, "WebSocket", c)
		}
	}
	return nil
}
