package flow

import (
	"slices"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/parties"
	"github.com/tdewolff/parse/v2/js"
)

// People who have a server of their own type its address into a page of the extension, which keeps it or hands it on. Where the address of
// a flow comes from nowhere else, it goes to the user. What a server, a page or a message says of it is no such address.

// An addressUse is one place that sends, in one run of its function.
type addressUse struct {
	node  js.INode
	entry *entry
}

// An origin is where the address came from that was used last there.
type origin struct {
	kind originKind
	keys []string // of the storage
}

type originKind uint8

const (
	fromElsewhere originKind = iota
	fromStorage              // and who put it there is not known yet
	fromField                // by the storage, or at once
)

// typedIn notes the address of a flow whose host is not constant.
func (e *Engine) typedIn(f *activation, node js.INode, key flowKey, address *value, data *taint) {
	uses := e.out.addresses[key]
	if uses == nil {
		uses = map[addressUse]origin{}
		e.out.addresses[key] = uses
	}
	uses[addressUse{node, f.entry}] = originOf(address, data)
}

func originOf(address *value, data *taint) origin {
	var o origin
	asked := false
	for _, t := range address.allTaints() {
		switch t.source {
		case srcForm, srcPassword, srcOTP:
			start := t.way.first().at
			if start.u.Context != behavior.Popup || start == data.way.first().at && len(address.allTaints()) == 1 {
				return origin{}
			}
			if t.source == data.source && t.from == data.from && start == data.way.first().at {
				continue // one place reads all fields of a form: the address may be taken for what stands beside it
			}
			asked = true
		case srcStorage:
			o.keys = append(o.keys, t.from)
		default:
			return origin{}
		}
	}
	switch {
	case len(o.keys) == 0 && !(asked && namesHost(address)):
		return origin{}
	case asked:
		o.kind = fromField
	default:
		o.kind = fromStorage
	}
	return o
}

// namesHost says whether what is not constant of an address is its beginning, or all of it: what was typed names the host.
func namesHost(address *value) bool {
	return !slices.ContainsFunc(address.atoms, func(a atom) bool {
		return a.kind == aString && strings.LastIndex(a.s, parties.Gap) > 0
	})
}

// wholeTyped says whether an address is what somebody typed into one field of the extension's own page, and nothing else:
// it tells nobody anything to ask for what is there.
func wholeTyped(address *value) bool {
	ts := address.allTaints()
	if len(ts) != 1 || len(address.atoms)+len(address.objs) > 0 {
		return false
	}
	switch ts[0].source {
	case srcForm, srcPassword, srcOTP:
		return ts[0].way.first().at.u.Context == behavior.Popup
	}
	return false
}

// typed says whether all addresses of a flow were typed in. An address that was used before the page that asks for it was
// looked at counts when it is kept under the same key.
func (e *Engine) typed(key flowKey) bool {
	var keys []string
	asked := false
	for _, o := range e.out.addresses[key] {
		if o.kind == fromElsewhere {
			return false
		}
		if o.kind == fromField {
			keys, asked = append(keys, o.keys...), true
		}
	}
	if !asked {
		return false
	}
	for _, o := range e.out.addresses[key] {
		if slices.ContainsFunc(o.keys, func(k string) bool { return !slices.Contains(keys, k) }) {
			return false
		}
	}
	return true
}

// prompted is what somebody answers to a question of the browser's own: a source when it asks for a secret.
func (e *Engine) prompted(f *activation, c call) *value {
	e.called(f, c.node, "prompt", c.args)
	for _, question := range c.arg(0).texts() {
		if src := fieldSource(question); src != srcForm {
			return taintValue(e.newTaint(f, c.node, src, "prompt: "+behavior.Shorten(strings.ReplaceAll(question, parties.Gap, "*"), 60), "asks for it in a prompt"))
		}
	}
	return anything
}
