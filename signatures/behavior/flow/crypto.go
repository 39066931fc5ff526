package flow

import (
	"slices"

	"github.com/extwatch/extwatch/signatures/behavior"
)

// What leaves a browser encrypted with a key that is made of what its user typed into a page of the extension itself can
// be read by the user alone: wallets, password managers and authenticators keep such copies on their makers' servers.
// Whoever sends what was typed there, too, in whatever form, can make the key himself.

const (
	makesKey = "makes a key of it"
	sealsIt  = "encrypts it with a key made of what was typed"
)

func (e *Engine) cryptoCall(f *activation, name string, c call) (*value, bool) {
	switch name {
	case "subtle.encrypt", "subtle.wrapKey":
		what := "encrypts it"
		if slices.ContainsFunc(e.taintsIn(f, c.arg(1)), func(t *taint) bool { return ofOwner(t) && t.way.says(makesKey) }) {
			what = sealsIt
		}
		return e.promise(f, c.node, anything.tainted(e.via(f, c.node, e.taintsOf(f, argsFrom(c.args, 2)), what))), true
	case "subtle.digest":
		return e.promise(f, c.node, anything.tainted(e.via(f, c.node, e.taintsOf(f, c.args), "makes a digest of it"))), true
	case "subtle.sign":
		return e.promise(f, c.node, anything.tainted(e.via(f, c.node, e.signed(f, c), "makes a digest of it"))), true
	case "subtle.decrypt":
		t := e.newTaint(f, c.node, srcDecrypted, "", "decrypts something")
		ts := e.taintsOf(f, argsFrom(c.args, 2)) // the key is not in what it opens
		if len(c.args) < 3 {
			ts = e.taintsOf(f, c.args)
		}
		return e.promise(f, c.node, taintValue(joinTaints([]*taint{t}, ts)...)), true
	case "subtle.deriveKey":
		return e.promise(f, c.node, anything.tainted(e.via(f, c.node, e.taintsOf(f, argsFrom(c.args, 1)), makesKey))), true
	case "subtle.importKey", "subtle.exportKey", "subtle.deriveBits":
		return e.promise(f, c.node, anything.tainted(e.taintsOf(f, c.args))), true
	}
	return anything, true
}

// signed is what a signature holds of what it is made of: the key does not come out of it again. Requests to storage
// services are signed so. What is signed may be half of it: keys of wallets are made by signing a seed with a constant.
func (e *Engine) signed(f *activation, c call) []*taint {
	ts := e.taintsOf(f, argsFrom(c.args, 2))
	for _, t := range e.taintsOf(f, []*value{c.arg(1)}) {
		if t.source != srcSeed {
			ts = joinTaints(ts, []*taint{t})
		}
	}
	return ts
}

// says whether a way has a step of these words.
func (l *link) says(what string) bool {
	for ; l != nil; l = l.prev {
		if l.what == what {
			return true
		}
	}
	return false
}

// ofOwner says whether data was typed into a page of the extension itself.
func ofOwner(t *taint) bool {
	return (t.source == srcForm || t.source == srcPassword) && t.way.first().at.u.Context == behavior.Popup
}

// sealed says which flows carry only what the user can read. None do when something that was typed leaves otherwise.
func (c *collection) sealed() func(x *foundFlow) bool {
	open := slices.ContainsFunc(c.flows, func(x foundFlow) bool {
		return ofOwner(x.t) && x.host != "" && !x.end.says(sealsIt)
	})
	return func(x *foundFlow) bool { return !open && x.end.says(sealsIt) }
}
