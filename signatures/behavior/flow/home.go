package flow

import (
	"bytes"
	"slices"

	"github.com/tdewolff/parse/v2/js"
)

// argument is the expression that stands as an argument of a call, nil when there is none.
func argument(node js.INode, i int) js.IExpr {
	c, ok := node.(*js.CallExpr)
	if !ok || i >= len(c.Args.List) || slices.ContainsFunc(c.Args.List[:i+1], func(a js.Arg) bool { return a.Rest }) {
		return nil
	}
	return c.Args.List[i].Value
}

// homeward leaves out the cookies that go to the very address that they were asked for, as a manager of scripts does
// that sends a request on behalf of a page: chrome.cookies.getAll({url: d.url}, …) and xhr.open("GET", d.url). Both must
// be the same expression of a variable that is never changed, and no server or setting may have a say in it.
func homeward(to js.IExpr, address *value, data []*taint) []*taint {
	name, of := spelled(to)
	if of == nil || slices.ContainsFunc(address.allTaints(), func(t *taint) bool { return t.source == srcNetwork || t.source == srcStorage }) {
		return data
	}
	return slices.DeleteFunc(slices.Clone(data), func(t *taint) bool {
		if t.source != srcCookies {
			return false
		}
		start := t.way.first().at
		query, ok := argument(start.node, 0).(*js.ObjectExpr)
		if !ok {
			return false
		}
		for _, p := range query.List {
			if p.Name == nil || p.Name.IsComputed() || string(p.Name.Literal.Data) != "url" {
				continue
			}
			asked, v := spelled(p.Value)
			return v == of && asked == name && !assigned(start.u.Src, name)
		}
		return false
	})
}

// spelled is a variable, or a property of one, as it is written; of is nil for everything else.
func spelled(x js.IExpr) (name string, of *js.Var) {
	switch x := x.(type) {
	case *js.Var:
		of = resolve(x)
		return string(of.Data), of
	case *js.DotExpr:
		l, ok := x.Y.(js.LiteralExpr)
		if !ok || x.Optional {
			return "", nil
		}
		if name, of = spelled(x.X); of == nil {
			return "", nil
		}
		return name + "." + string(l.Data), of
	}
	return "", nil
}

// assigned says whether a text of a script seems to give what is spelled so, or a variable before its dots, another
// value than that of its declaration as a constant or a parameter.
func assigned(src []byte, name string) bool {
	for i := range len(name) + 1 {
		if i < len(name) && name[i] != '.' {
			continue
		}
		part := []byte(name[:i])
		for at := 0; ; {
			j := bytes.Index(src[at:], part)
			if j < 0 {
				break
			}
			at += j + len(part)
			if start := at - len(part); start > 0 && identByte(src[start-1]) || bytes.HasSuffix(bytes.TrimRight(src[:start], " \t\n"), []byte("const")) {
				continue
			}
			rest := bytes.TrimLeft(src[at:min(len(src), at+20)], " \t\n")
			if bytes.HasPrefix(rest, []byte("=")) && !bytes.HasPrefix(rest, []byte("==")) && !bytes.HasPrefix(rest, []byte("=>")) {
				return true
			}
		}
	}
	return false
}

// atHome says whether an address is written as one of the page's own site: location.origin + "/api".
func atHome(x js.IExpr) bool {
	for range 50 {
		switch y := unwrapped(x).(type) {
		case *js.BinaryExpr:
			if y.Op != js.AddToken {
				return false
			}
			x = y.X
			continue
		case *js.TemplateExpr:
			if y.Tag != nil || len(y.List) == 0 || string(y.List[0].Value) != "`${" {
				return false
			}
			x = y.List[0].Expr
			continue
		case *js.DotExpr:
			name, _ := lastName(y)
			of, _ := lastName(y.X)
			return name == "origin" && of == "location"
		}
		return false
	}
	return false
}

func unwrapped(x js.IExpr) js.IExpr {
	if x == nil {
		return nil
	}
	return unwrap(x)
}

// onlyJSON is the regular expression by which json2.js, and what is made like it, looks at a text before it evaluates it:
// nothing is left of it then that could be called.
var onlyJSON = []byte(`^[\],:{}\s]*$`)

// parsesJSON says whether eval stands where JSON.parse does in old libraries: eval("(" + text + ")"), right after that test.
func parsesJSON(u *Script, node js.INode, args []*value) bool {
	b, ok := unwrapped(argument(node, 0)).(*js.BinaryExpr)
	if !ok || len(args) != 1 || b.Op != js.AddToken || !bytes.Contains(u.Src, onlyJSON) {
		return false
	}
	l, ok := unwrapped(b.Y).(*js.LiteralExpr)
	if !ok || string(unquoted(l.Data)) != ")" {
		return false
	}
	const reach = 500
	off := u.offset(l.Data)
	if off < 0 {
		return false
	}
	before := u.Src[max(0, off-reach):off]
	return bytes.Contains(before, []byte(".test(")) && bytes.Count(before, []byte(".replace(")) >= 3
}
