package flow

import (
	"slices"
	"strconv"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior/parties"
	"github.com/tdewolff/parse/v2/js"
)

func (e *Engine) dotExpr(f *activation, x *js.DotExpr) *value {
	name := e.dotName(x)
	if super(x.X) {
		return e.superMember(f, name)
	}
	if name == "constructor" && builtinMethod(x.X) {
		return e.pathNamed("Function")
	}
	o := e.eval(f, x.X)
	e.touch(f, x)
	return e.member(f, x, o, e.nameValue(name))
}

// nameValue is the text that names a member.
func (e *Engine) nameValue(name string) *value {
	v := e.names[name]
	if v == nil {
		v = textValue(name)
		e.names[name] = v
	}
	return v
}

// member reads o[key]. node is for the description of sources.
func (e *Engine) member(f *activation, node js.INode, o, key *value) *value {
	if o == nil {
		return nil
	}
	if name, ok := key.name(); ok {
		return e.property(f, node, o, name)
	}
	names := key.texts()
	if len(names) == 0 || key.any && len(key.atoms) > 0 {
		names = append(names, parties.Gap)
	}
	out := e.chosenMember(f, node, o, key)
	for _, n := range names {
		out = join(out, e.property(f, node, o, n))
	}
	if len(key.orEmpty().taints) > 0 && o.alphabet() {
		return anything.tainted(key.taints)
	}
	return out
}

// alphabet says whether a text is one of letters by which an encoder writes data: no letter stands in it twice.
func (v *value) alphabet() bool {
	return slices.ContainsFunc(v.atoms, func(a atom) bool {
		if a.kind != aString || len(a.s) < 16 || len(a.s) > 96 || strings.Contains(a.s, parties.Gap) {
			return false
		}
		for i := range len(a.s) {
			if strings.IndexByte(a.s[i+1:], a.s[i]) >= 0 {
				return false
			}
		}
		return true
	})
}

func (e *Engine) property(f *activation, node js.INode, o *value, name string) *value {
	if strings.Contains(name, parties.Gap) {
		name = parties.Gap
	}
	var out *value
	for _, p := range o.paths {
		out = join(out, e.pathMember(f, node, p, name))
	}
	for _, obj := range o.objs {
		out = join(out, e.objectMember(f, node, obj, name, o))
	}
	for _, c := range o.fns {
		out = join(out, e.functionMember(f, c, name))
	}
	if len(o.taints) > 0 {
		out = join(out, e.taintMember(f, node, o, name))
		if keptWords(o, name) || decryptedSecret(o, name) {
			out = join(out, taintValue(e.newTaint(f, node, srcSeed, name, "reads "+name)))
		}
	}
	if o.any && len(o.taints) == 0 {
		out = join(out, e.unknownMember(f, node, o, name))
	}
	if out == nil && len(o.atoms) > 0 {
		out = atomMember(o, name)
	}
	if out != nil && out.any && len(out.taints) == 0 && len(o.objs) > 0 && secretName(name) {
		out = join(out, taintValue(e.newTaint(f, node, srcSeed, name, "reads "+name))) // of what a framework keeps
	}
	return out
}

// keptWords says whether a member is the seed phrase that a wallet keeps in its storage. Other secrets that settings
// hold, such as a secretKey, are often those of a web service.
func keptWords(o *value, name string) bool {
	if !secretName(name) || !containsAny(strings.ToLower(name), "mnemonic", "seed", "phrase") {
		return false
	}
	for _, t := range o.taints {
		if t.source != srcStorage {
			return false
		}
	}
	return true
}

// decryptedSecret says whether a member is the secret of a wallet in what was just decrypted.
func decryptedSecret(o *value, name string) bool {
	switch strings.ToLower(name) {
	case "secret", "secrets", "seed", "words", "phrase":
	default:
		if !secretName(name) {
			return false
		}
	}
	return slices.ContainsFunc(o.taints, func(t *taint) bool { return t.source == srcDecrypted })
}

func atomMember(o *value, name string) *value {
	for _, a := range o.atoms {
		if a.kind != aString || a.holed() {
			continue
		}
		if name == "length" {
			return numberValue(float64(len(a.s)))
		}
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(a.s) {
			return textValue(a.s[i : i+1])
		}
	}
	if len(o.atoms) == 1 && (o.atoms[0].kind == aUndefined || o.atoms[0].kind == aNull) {
		return nil
	}
	return anything
}

// countLike are properties that say little about what they are of.
func countLike(name string) bool {
	switch name {
	case "length", "size", "byteLength", "status", "ok", "readyState", "nodeType", "tagName", "nodeName", "type":
		return true
	}
	return false
}

// taintMember is a part of tainted data: as tainted as the whole.
func (e *Engine) taintMember(f *activation, node js.INode, o *value, name string) *value {
	if countLike(name) {
		return anything
	}
	if forEverybody(name) {
		return anything.tainted(withoutSecrets(o.taints))
	}
	return taintValue(o.taints...)
}

func withoutSecrets(ts []*taint) []*taint {
	return slices.DeleteFunc(slices.Clone(ts), secretTaint)
}

func secretTaint(t *taint) bool {
	return t.source == srcSeed || t.source == srcDecrypted || t.source == srcPassword
}

// forEverybody says whether a member of what a library or the storage of a wallet gives is the half of a secret that
// everybody may have: the public key, or the address that is made of it; or a field beside it that says what it is for.
func forEverybody(name string) bool {
	switch strings.ReplaceAll(strings.ToLower(name), "_", "") {
	case "publickey", "publickeyhex", "pubkey", "pubkeyhex", "xpub", "address", "accountid", "walletaddress", "publicaddress", "classicaddress", "addresses",
		"chainid", "networkid", "network", "rpcurl", "rpid", "domain", "hostname", "derivationpath", "txid", "txhash",
		"id", "index", "label", "createdat", "updatedat", "timestamp", "symbol", "decimals", "balance", "currency", "locale", "language",
		"theme", "color", "icon", "version":
		return true
	}
	return false
}

func (e *Engine) functionMember(f *activation, c *closure, name string) *value {
	if name == "constructor" && (c.props == nil || c.props.field(name) == nil) {
		return e.pathNamed("Function")
	}
	if c.native != nil && c.props == nil {
		return anything
	}
	switch name {
	case "prototype":
		return objectValue(e.prototype(f, c))
	case "name", "length":
		return anything
	case parties.Gap:
		return join(anything, e.whole(f, e.props(c)))
	}
	k := e.props(c).lookup(name, 0)
	if k == nil {
		return e.get(f, e.props(c), name)
	}
	return e.readCell(f, k, closureValue(c))
}

// readCell reads a field, by its getter when it has one.
func (e *Engine) readCell(f *activation, c *cell, this *value) *value {
	v := e.read(f, c)
	if c.getter != nil {
		v = join(v, e.callClosure(f, c.getter, call{node: f.entry.nodeOr(c.getter), this: this}))
	}
	return v
}

func (en *entry) nodeOr(c *closure) js.INode {
	if c.info != nil {
		return c.info.node
	}
	return nil
}

func (e *Engine) objectMember(f *activation, node js.INode, o *object, name string, this *value) *value {
	if name == parties.Gap {
		v := e.whole(f, o)
		if o.class == "" || o.class == "Array" {
			for _, p := range o.protos {
				v = join(v, e.whole(f, p))
			}
		}
		return join(v, &value{any: true, taints: o.contents()})
	}
	if c := o.lookup(name, 0); c != nil && (c.ever != nil || c.getter != nil) {
		v := e.readCell(f, c, objectValue(o))
		if o.rest != nil && !c.settled() {
			v = join(v, e.unnamed(f, o, name))
		}
		return join(v, e.hostField(f, node, o, name))
	}
	if v := e.hostField(f, node, o, name); v != nil {
		e.get(f, o, name)
		return v
	}
	if o.class == "Array" && name == "length" {
		if o.rest == nil {
			e.watch(f, o)
			return numberValue(float64(o.count()))
		}
		return anything
	}
	return e.get(f, o, name)
}

func (o *object) contents() []*taint {
	if o.info == nil {
		return nil
	}
	return o.info.taints
}

// setMember stores o[key] = v.
func (e *Engine) setMember(f *activation, node js.INode, o, key, v *value) {
	if o == nil {
		return
	}
	if name, ok := key.name(); ok {
		e.setProperty(f, node, o, name, v)
		return
	}
	names := namesOf(key)
	for _, name := range names {
		e.setProperty(f, node, o, name, namedLike(v, name, names))
	}
}

// namedLike leaves out what makes code of texts where the browser calls it by another of the names: to[k] = from[k] makes
// no Function of Date.
func namedLike(v *value, name string, names []string) *value {
	if v == nil || len(v.paths) == 0 || len(names) < 2 {
		return v
	}
	other := func(p string) bool {
		p = strings.TrimPrefix(p, "window.")
		return (p == "Function" || p == "eval") && p != name && slices.Contains(names, p)
	}
	if !slices.ContainsFunc(v.paths, other) {
		return v
	}
	w := *v
	w.paths = slices.DeleteFunc(slices.Clone(v.paths), other)
	return &w
}

func (e *Engine) setProperty(f *activation, node js.INode, o *value, name string, v *value) {
	for _, p := range o.paths {
		e.setPath(f, node, p, name, v)
	}
	for _, obj := range o.objs {
		e.setField(f, node, obj, name, v)
	}
	for _, c := range o.fns {
		e.setField(f, node, e.props(c), name, v)
	}
	if o.any {
		e.setUnknown(f, node, o, name, v)
	}
}

// name is the one text that a key is.
func (v *value) name() (string, bool) {
	if v == nil || v.any || len(v.atoms) != 1 || v.atoms[0].kind != aString || v.atoms[0].holed() {
		return "", false
	}
	return v.atoms[0].s, true
}

func namesOf(key *value) []string {
	var out []string
	for _, n := range key.texts() {
		if !strings.Contains(n, parties.Gap) {
			out = append(out, n)
		}
	}
	if len(out) == 0 {
		return []string{parties.Gap}
	}
	return out
}

func (e *Engine) setField(f *activation, node js.INode, o *object, name string, v *value) {
	if e.setHostField(f, node, o, name, v) {
		return
	}
	if name == parties.Gap {
		e.setRest(f, o, v)
		return
	}
	if o.class == "Array" {
		if i, err := strconv.Atoi(name); err == nil && i > o.count()+maxItems {
			e.setRest(f, o, v)
			return
		}
	}
	c := o.lookup(name, 0)
	if c != nil && c.setter != nil {
		e.callClosure(f, c.setter, call{node: c.setter.info.node, this: objectValue(o), args: []*value{v}})
		return
	}
	if v != nil && o.class != "global" {
		for _, fn := range v.fns {
			if fn.home == nil && fn.info != nil && !fn.info.arrow {
				fn.home = o
			}
		}
	}
	e.set(f, o, name, v)
}

func (e *Engine) setKey(f *activation, o *object, key, v *value) {
	if n, ok := key.name(); ok {
		e.setField(f, nil, o, n, v)
		return
	}
	for _, n := range namesOf(key) {
		e.setField(f, nil, o, n, v)
	}
}

func (e *Engine) objectExpr(f *activation, x *js.ObjectExpr) *value {
	o := e.alloc(f, x, "")
	copies := false
	for i := range x.List {
		p := &x.List[i]
		if p.Spread {
			v := e.eval(f, p.Value)
			copies = copies || v != nil && v.any
			e.spread(f, o, v)
			continue
		}
		if m, ok := p.Value.(*js.MethodDecl); ok {
			fn := e.function(f, m)
			fn.home = o
			e.defineMethod(f, o, e.elementName(f, &m.Name), m, fn)
			continue
		}
		var key *value
		if p.Name != nil {
			if off := f.u.offset(p.Name.Literal.Data); off >= 0 {
				f.near = off
			}
			key = e.propertyName(f, p.Name)
		} else if v, ok := p.Value.(*js.Var); ok {
			key = e.nameValue(e.nameOf(v.Data))
		}
		e.setKey(f, o, key, e.eval(f, p.Value))
	}
	if copies && f.u.InPage() {
		e.copiedWallet(f, x, o)
	}
	return objectValue(o)
}

// copiedWallet looks at a copy of something that is not known, in which functions of a wallet are replaced: so are the
// features of wallets that register by events (wallet standard).
func (e *Engine) copiedWallet(f *activation, node js.INode, o *object) {
	for _, name := range [...]string{"signTransaction", "signAllTransactions", "signAndSendTransaction"} {
		if c := o.field(name); c != nil && c.ever != nil && len(c.ever.fns) > 0 {
			e.hooked(f, node, "solana."+name, c.ever)
		}
	}
}

// spread copies the fields of v into o.
func (e *Engine) spread(f *activation, o *object, v *value) {
	if v == nil {
		return
	}
	for _, src := range v.objs {
		if src == o {
			continue
		}
		e.watch(f, src)
		for _, k := range slices.Clone(src.keys) {
			c := src.field(k)
			if !c.live() {
				continue
			}
			e.set(f, o, k, e.readCell(f, c, objectValue(src)))
			if c.getter != nil && o.field(k) != nil && c.ever == nil {
				o.field(k).getter = c.getter
			}
		}
		if src.rest != nil {
			e.setRest(f, o, e.read(f, src.rest))
		}
		if src.info != nil && len(src.info.taints) > 0 {
			e.setRest(f, o, taintValue(src.info.taints...))
		}
	}
	for _, c := range v.fns {
		e.spread(f, o, objectValue(e.props(c)))
	}
	if len(v.taints) > 0 || v.any {
		e.setRest(f, o, &value{any: true, taints: v.taints})
	}
}

func (e *Engine) arrayExpr(f *activation, x *js.ArrayExpr) *value {
	if e.hides(f.u, x) {
		return anything
	}
	o := e.alloc(f, x, "Array")
	open := false
	n := 0
	for _, el := range x.List {
		if el.Value == nil {
			n++
			continue
		}
		v := e.eval(f, el.Value)
		if el.Spread {
			if items, exact := e.exactItems(f, v); exact && !open {
				for _, i := range items {
					e.set(f, o, strconv.Itoa(n), i)
					n++
				}
				continue
			}
			open = true
			v = e.element(f, v)
		}
		if open {
			e.setRest(f, o, v)
			continue
		}
		e.set(f, o, strconv.Itoa(n), v)
		n++
	}
	return objectValue(o)
}

// arrayOf makes an array of values.
func (e *Engine) arrayOf(f *activation, node js.INode, items []*value) *value {
	o := e.alloc(f, node, "Array")
	for i, v := range items {
		e.set(f, o, strconv.Itoa(i), v)
	}
	return objectValue(o)
}
