package flow

import (
	"bytes"
	"slices"

	"github.com/extwatch/extwatch/signatures/behavior/syntax"
	"github.com/tdewolff/parse/v2/js"
)

// What a library makes of a private key by a multiplication on an elliptic curve, its public key, an address or a
// signature, tells nobody the key: that is what curves are for. Wallets send such things to the nodes of their chains.
// The trace of the numbers would go through, so the functions that multiply or sign are known by the names of the
// methods that they call, which survive a minifier, in scripts that hold the constants of a curve.

// maxCurve is the number of nodes of the largest function that counts: the outer functions of bundles call everything.
const maxCurve = 800

// curveConstants are points, orders and the like, of secp256k1 and Ed25519, as libraries write them.
var curveConstants = [][]byte{
	[]byte("79be667ef9dcbbac"), []byte("79BE667EF9DCBBAC"), []byte("baaedce6af48a03b"), []byte("BAAEDCE6AF48A03B"), []byte("14551231950b75fc"),
	[]byte("55066263022277343669578718895168534326250603453777594175500187360389116729240"), []byte("432420386565659656852420866394968145599"),
	[]byte("216936d3cd6e53fe"), []byte("15112221349535400772501151409588531511454012693041857206046113283949847762202"),
	[]byte("27742317777372353535851937790883648493"), []byte("14def9dea2f79cd6"), []byte("9906,39828"), []byte("9906, 39828"), []byte("0x26b2, 0x9b94"),
	// The names of such libraries, in sources that are not built.
	[]byte("@noble/curves"), []byte("@noble/secp256k1"), []byte("@noble/ed25519"), []byte("tweetnacl"), []byte("'elliptic'"), []byte(`"elliptic"`),
	[]byte("bitcoinjs-lib"), []byte("libsodium"),
}

// curveCall says whether a call is one of a method that multiplies a point or signs.
func curveCall(x *js.CallExpr) bool {
	d, ok := unwrap(x.X).(*js.DotExpr)
	if !ok {
		return false
	}
	l, ok := d.Y.(js.LiteralExpr)
	if !ok {
		return false
	}
	of, _ := lastName(d.X)
	switch name := string(l.Data); name {
	case "mul": // this.ec.g.mul(key), G.mul(key)
		return of == "g" || of == "G"
	case "sign": // a derivation of keys by HMAC is no signature
		return of != "subtle"
	default:
		return syntax.CurveCall(name)
	}
}

// lastName is the name that an expression ends with.
func lastName(x js.IExpr) (string, bool) {
	switch x := unwrap(x).(type) {
	case *js.Var:
		return string(x.Data), true
	case *js.DotExpr:
		if l, ok := x.Y.(js.LiteralExpr); ok {
			return string(l.Data), true
		}
	}
	return "", false
}

// maxHands is how many small functions may stand between a key and the multiplication: wrappers that look at the form of
// the key and the message.
const maxHands = 3

// nearer is the smaller of two distances, of which 0 is none.
func nearer(a, b int8) int8 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// handsToCurve notes the name of a function that is near a multiplication: what names it is one step further away.
func (h *heater) handsToCurve(n js.INode, x heat) {
	if fd, ok := n.(*js.FuncDecl); ok && fd.Name != nil {
		h.nearCurve(fd.Name, x)
	}
}

// curveKept is the same for a function that a variable holds.
func (h *heater) curveKept(el js.BindingElement) {
	if v, ok := el.Binding.(*js.Var); ok && el.Default != nil {
		h.nearCurve(v, h.out[el.Default])
	}
}

func (h *heater) nearCurve(v *js.Var, x heat) {
	if x.curve > 0 && x.curve < maxHands && (x.curve == 1 && x.nodes <= maxCurve || x.nodes <= smallFunction) {
		h.curves[resolve(v)] = x.curve + 1
	}
}

// curved says whether a script holds a library for curves.
func (e *Engine) curved(u *Script) bool {
	known, ok := e.curves[u]
	if !ok {
		for _, c := range curveConstants {
			known = known || bytes.Contains(u.Src, c)
		}
		e.curves[u] = known
	}
	return known
}

// pastCurve is what a function gives that multiplies or signs, without the key that went in. A message that holds a secret
// is as readable in what is signed as it was: what more than one argument holds stays.
func (e *Engine) pastCurve(f *activation, info *code, c call, v *value) *value {
	if v == nil || info.heat.curve == 0 || info.size > maxCurve || e.tainted == 0 || !e.curved(info.u) {
		return v
	}
	if info.heat.curve > 1 && info.size > smallFunction {
		return v
	}
	args := append(c.args[:len(c.args):len(c.args)], c.this)
	if slices.Contains(args, v) {
		return v
	}
	met, told := e.keysAmong(f, args)
	if len(met) == 0 {
		return v
	}
	given := e.await(f, v)
	out := anything.tainted(withoutKeys(e.taintsOf(f, []*value{given}), told))
	for _, o := range given.orEmpty().objs {
		if slices.ContainsFunc(o.keys, secretName) { // a pair of keys, an account
			out = join(out, objectValue(o))
		}
	}
	if info.async {
		return e.promise(f, c.node, out)
	}
	return out
}

// keysAmong are the secrets that one argument holds, and those of them that several do.
func (e *Engine) keysAmong(f *activation, args []*value) (met, told []*taint) {
	for _, a := range args {
		for _, t := range e.taintsOf(f, []*value{a}) {
			switch {
			case !secretTaint(t):
			case slices.Contains(met, t):
				told = append(told, t)
			default:
				met = append(met, t)
			}
		}
	}
	return met, told
}

func withoutKeys(ts, told []*taint) []*taint {
	return slices.DeleteFunc(slices.Clone(ts), func(t *taint) bool { return secretTaint(t) && !slices.Contains(told, t) })
}

// withoutKey is the same for a function without code here that is named like one that signs: an extension that is not
// built yet has its libraries elsewhere.
func (e *Engine) withoutKey(f *activation, ts []*taint, args []*value) []*taint {
	_, told := e.keysAmong(f, args)
	return withoutKeys(ts, told)
}

// buffers says whether a function is (n) => new Uint8Array(n). Libraries for keys make all their buffers by such a one: each
// call must give one of its own, or what is put into one would come out of all.
func buffers(params *js.Params, body *js.BlockStmt) bool {
	if params == nil || body == nil || len(params.List) != 1 || params.Rest != nil || len(body.List) != 1 {
		return false
	}
	ret, ok := body.List[0].(*js.ReturnStmt)
	if !ok {
		return false
	}
	made, ok := unwrapped(ret.Value).(*js.NewExpr)
	if !ok || made.Args == nil || len(made.Args.List) != 1 || made.Args.List[0].Rest {
		return false
	}
	class, ok := made.X.(*js.Var)
	if !ok || string(class.Data) != "Uint8Array" || resolve(class).Decl != js.NoDecl {
		return false
	}
	given, ok := params.List[0].Binding.(*js.Var)
	used, is := made.Args.List[0].Value.(*js.Var)
	return ok && is && resolve(given) == resolve(used)
}
