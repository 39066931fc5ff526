package flow

import "github.com/tdewolff/parse/v2/js"

// opens says whether a call is one by which CryptoJS decrypts: AES.decrypt(sealed, key), also of CryptoJS.AES, and of a
// module of its own, whose export bundlers call default. The code of the library reckons with numbers, in which data loses
// its way.
func (e *Engine) opens(callee *js.DotExpr, name string, c call) bool {
	if name != "decrypt" || len(c.args) < 2 {
		return false
	}
	cipher := ""
	switch x := unwrap(callee.X).(type) {
	case *js.DotExpr:
		cipher = e.dotName(x)
	case *js.Var:
		cipher = e.nameOf(x.Data)
	}
	switch cipher {
	case "AES", "DES", "TripleDES", "Rabbit", "RabbitLegacy", "RC4", "RC4Drop", "Blowfish":
		return true
	case "default":
		for _, o := range c.this.orEmpty().objs {
			if o.field("decrypt") != nil && o.field("encrypt") == nil {
				return false
			}
		}
		return true
	}
	return false
}

// opened is what such a call gives: the key is not in it.
func (e *Engine) opened(f *activation, c call) *value {
	t := e.newTaint(f, c.node, srcDecrypted, "", "decrypts something")
	return taintValue(joinTaints([]*taint{t}, e.deepTaints(f, c.arg(0)))...)
}
