package flow

import (
	"bytes"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/tdewolff/parse/v2/js"
)

// A spot is a node of the tree. tdewolff's nodes have no positions; where the spot stands is found out only when it is
// reported, from the leafFinder of the node and from the literal that was seen last before it.
type spot struct {
	u    *Script
	node js.INode
	near int
}

func (e *Engine) spot(f *activation, node js.INode) spot { return spot{f.u, node, f.near} }

func (e *Engine) link(f *activation, node js.INode, prev *link, what string) *link {
	l := &link{prev: prev, at: e.spot(f, node), what: what}
	if prev != nil {
		l.n = prev.n + 1
	}
	return l
}

func (e *Engine) newTaint(f *activation, node js.INode, source, from, what string) *taint {
	e.tainted++
	return &taint{source: source, from: from, way: e.link(f, node, nil, what), home: source == srcForm && f.u.Context == behavior.Popup}
}

// via adds a step to the ways of taints.
func (e *Engine) via(f *activation, node js.INode, ts []*taint, what string) []*taint {
	if len(ts) == 0 {
		return nil
	}
	out := make([]*taint, len(ts))
	for i, t := range ts {
		if t.way.n >= maxWay || t.way.at.node == node && t.way.what == what || t.way.has(node, what) {
			out[i] = t
			continue
		}
		out[i] = &taint{t.source, t.from, e.link(f, node, t.way, what), t.home}
	}
	return out
}

func (l *link) has(node js.INode, what string) bool {
	for ; l != nil; l = l.prev {
		if l.at.node == node && l.what == what {
			return true
		}
	}
	return false
}

// steps lists a way from its start.
func (e *Engine) stepsOf(l *link) []behavior.Step {
	var out []behavior.Step
	for ; l != nil; l = l.prev {
		off := l.at.offset()
		out = append(out, behavior.Step{Place: e.placeOf(l.at), What: l.what, Code: snippet(l.at.u.Src, off)})
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// placeOf says where a spot stands; of code that is made from a text, where it is run.
func (e *Engine) placeOf(s spot) behavior.Place {
	for range 10 {
		from, ok := e.links.evals[s.u]
		if !ok {
			break
		}
		s = from
	}
	return s.u.Place(s.offset())
}

// offset finds where the node stands in the source of its script.
func (s spot) offset() int {
	if s.node == nil {
		return max(s.near, 0)
	}
	name, exact := head(s.u, s.node, 0)
	if exact >= 0 {
		return back(s.u.Src, name, exact)
	}
	if len(name) > 0 {
		if leaf := firstOffset(s.u, s.node); leaf >= 0 { // near may be past it, in an argument
			if off := back(s.u.Src, name, leaf); off != leaf {
				return off
			}
		}
		if off := forward(s.u.Src, name, s.near); off >= 0 {
			return off
		}
		if off := s.u.offset(name); off >= 0 {
			return off
		}
	}
	if off := firstOffset(s.u, s.node); off >= 0 {
		return off
	}
	return max(s.near, 0)
}

// head returns the name that the expression starts with and the exact offset of a leaf near it, or -1.
func head(u *Script, n js.INode, depth int) (name []byte, exact int) {
	if depth > 200 {
		return nil, -1
	}
	switch x := n.(type) {
	case *js.Var:
		return x.Data, -1
	case *js.LiteralExpr:
		return nil, u.offset(x.Data)
	case *js.DotExpr:
		l, ok := x.Y.(js.LiteralExpr)
		name, exact = head(u, x.X, depth+1)
		if _, call := unwrap(x.X).(*js.CallExpr); call || exact < 0 {
			if ok {
				if off := u.offset(l.Data); off >= 0 {
					if call {
						name = nil
					}
					return name, off
				}
			}
		}
		return name, exact
	case *js.IndexExpr:
		name, exact = head(u, x.X, depth+1)
		if exact < 0 {
			_, exact = head(u, x.Y, depth+1)
		}
		return name, exact
	case *js.CallExpr:
		name, exact = head(u, x.X, depth+1)
		if exact < 0 {
			exact = firstArg(u, x.Args)
		}
		return name, exact
	case *js.NewExpr:
		name, exact = head(u, x.X, depth+1)
		if exact < 0 && x.Args != nil {
			exact = firstArg(u, *x.Args)
		}
		return name, exact
	case *js.BinaryExpr:
		return head(u, x.X, depth+1)
	case *js.GroupExpr:
		return head(u, x.X, depth+1)
	}
	return nil, -1
}

// firstArg is the offset of a leaf that starts the first argument.
func firstArg(u *Script, args js.Args) int {
	if len(args.List) == 0 {
		return -1
	}
	switch x := args.List[0].Value.(type) {
	case *js.LiteralExpr:
		return u.offset(x.Data)
	case *js.TemplateExpr:
		if len(x.List) > 0 {
			return u.offset(x.List[0].Value)
		}
		return u.offset(x.Tail)
	}
	return -1
}

// back finds the name shortly before an offset.
func back(src, name []byte, off int) int {
	if len(name) == 0 {
		return off
	}
	from := max(off-200, 0)
	for end := off; end > from; {
		i := bytes.LastIndex(src[from:end], name)
		if i < 0 {
			return off
		}
		if whole(src, from+i, len(name)) {
			return from + i
		}
		end = from + i
	}
	return off
}

// forward finds the name at or after an offset.
func forward(src, name []byte, off int) int {
	const window = 4000
	off = max(off, 0)
	for at := off; at < len(src); {
		i := bytes.Index(src[at:min(len(src), off+window)], name)
		if i < 0 {
			return -1
		}
		if whole(src, at+i, len(name)) {
			return at + i
		}
		at += i + 1
	}
	return -1
}

func whole(src []byte, at, n int) bool {
	return (at == 0 || !identByte(src[at-1])) && (at+n >= len(src) || !identByte(src[at+n]))
}

func identByte(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// leafFinder finds the first leaf with a position.
type leafFinder struct {
	u     *Script
	found int
	left  int
}

func (l *leafFinder) Enter(n js.INode) js.IVisitor {
	l.left--
	if l.found >= 0 || l.left < 0 {
		return nil
	}
	switch x := n.(type) {
	case *js.LiteralExpr:
		l.found = l.u.offset(x.Data)
	case js.LiteralExpr:
		l.found = l.u.offset(x.Data)
	case *js.TemplateExpr:
		l.found = l.u.offset(x.Tail)
	}
	return l
}

func (l *leafFinder) Exit(js.INode) {}

// firstOffset is the offset of a leaf within n, -1 when there is none among its first nodes.
func firstOffset(u *Script, n js.INode) int {
	l := &leafFinder{u: u, found: -1, left: 200}
	js.Walk(l, n)
	return l.found
}

// maxSnippet bounds the code shown for a step.
const maxSnippet = 160

// snippet is the code around an offset: its line, or in a minified file what stands between the statement's ends.
func snippet(src []byte, off int) string {
	off = min(max(off, 0), len(src))
	start := bytes.LastIndexByte(src[:off], '\n') + 1
	end := len(src)
	if i := bytes.IndexByte(src[off:], '\n'); i >= 0 {
		end = off + i
	}
	if end-start > maxSnippet {
		if i := bytes.LastIndexAny(src[max(start, off-60):off], ";{}"); i >= 0 {
			start = max(start, off-60) + i + 1
		} else {
			start = max(start, off-40)
		}
		end = min(end, start+maxSnippet)
		if i := bytes.IndexByte(src[off:end], ';'); i >= 0 {
			end = off + i + 1
		}
	}
	s := strings.Join(strings.Fields(strings.ToValidUTF8(string(src[start:end]), "")), " ")
	if len(s) > maxSnippet {
		s = strings.ToValidUTF8(s[:maxSnippet], "")
	}
	return s
}
