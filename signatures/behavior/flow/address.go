package flow

import (
	"github.com/extwatch/extwatch/signatures/behavior/coins"
	"github.com/tdewolff/parse/v2/js"
)

// addressTaint recognises a coin address that stands in the code.
func (e *Engine) addressTaint(f *activation, node js.INode, s string) *taint {
	kind, sure := coins.Tell(s)
	if kind == "" {
		return nil
	}
	what := "holds a constant " + kind + " address"
	if sure {
		what += " with a valid checksum"
	}
	return e.newTaint(f, node, srcAddress, s, what)
}

// madeAddress recognises a coin address that pure code makes of parts or of an encoded text.
func (e *Engine) madeAddress(f *activation, node js.INode, v *value) *value {
	if v == nil || len(v.atoms) == 0 || len(v.taints) > 0 {
		return v
	}
	for _, a := range v.atoms {
		if a.kind != aString || len(a.s) < 25 || len(a.s) > 110 {
			continue
		}
		if t := e.addressTaint(f, node, a.s); t != nil {
			v = v.tainted([]*taint{t})
		}
	}
	return v
}
