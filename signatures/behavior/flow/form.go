package flow

import (
	"slices"
	"strings"

	"github.com/tdewolff/parse/v2/js"
)

// Requests by libraries of a bundle whose own way to the network is lost in them, as in axios, ky and ofetch: what tells
// them is the form of the call. What is found so is reported only where following the code finds no way to that host.

// asksByForm looks at a call of a function of the extension's own code: post("https://…", data), {url, method: "POST",
// data} and ("https://…", {method: "POST", body}), with paths where a client was made for an address.
func (e *Engine) asksByForm(f *activation, cl *closure, c call) {
	if len(c.args) == 0 || c.args[0] == nil {
		return
	}
	switch c.name {
	case "post", "put", "patch":
		if len(c.args) > 1 && len(c.args) < 5 && len(c.args[0].atoms) > 0 {
			e.formGives(f, c, e.formAddress(f, cl, c, c.args[0]), c.args[1])
		}
		return
	}
	for i, a := range c.args[:min(len(c.args), 2)] {
		for _, o := range a.orEmpty().objs {
			if o.class != "" || o.field("method") == nil || !posts(o.value("method")) {
				continue
			}
			address := c.args[0]
			if i == 0 {
				address = o.value("url")
			}
			for _, k := range [...]string{"data", "body", "json"} {
				if v := o.value(k); v != nil {
					e.formGives(f, c, e.formAddress(f, cl, c, address), v)
				}
			}
		}
	}
}

// posts says whether a value is the name of a method by which data is sent.
func posts(method *value) bool {
	return slices.ContainsFunc(method.orEmpty().texts(), func(t string) bool {
		return strings.EqualFold(t, "post") || strings.EqualFold(t, "put") || strings.EqualFold(t, "patch")
	})
}

// formAddress is an address with a host: that of the client when the call names only a path.
func (e *Engine) formAddress(f *activation, cl *closure, c call, v *value) *value {
	if v == nil {
		return nil
	}
	if placedFirst(v) {
		return v
	}
	if cl.props != nil && e.clients[cl.props] != nil {
		return e.clients[cl.props]
	}
	return e.clientAddress(c.this)
}

// clientAddress is the address that a client was made for; nil when v is none.
func (e *Engine) clientAddress(v *value) *value {
	if v == nil || len(e.clients) == 0 {
		return nil
	}
	var out *value
	for _, o := range v.objs {
		out = join(out, e.clients[o])
	}
	for _, fn := range v.fns {
		if fn.props != nil {
			out = join(out, e.clients[fn.props])
		}
	}
	return out
}

// formGives reports what such a call sends.
func (e *Engine) formGives(f *activation, c call, address, data *value) {
	if address == nil {
		return
	}
	e.guess = true
	e.give(f, c, address, "sends it to HOST", data)
	e.guess = false
}

// noteBase remembers the address of a client that code of a bundle makes of options with it, as axios.create does; what is
// not known of it is a client, too.
func (e *Engine) noteBase(f *activation, node js.INode, name string, c call, made *value) *value {
	if name != "create" && name != "extend" || len(c.args) == 0 || len(c.args) > 2 {
		return made
	}
	var base *value
	for _, o := range c.arg(0).orEmpty().objs {
		if o.class != "" || len(o.keys) > maxOptions {
			continue
		}
		for _, k := range [...]string{"baseURL", "prefixUrl", "baseUrl", "prefix"} {
			if v := o.value(k); v != nil && placedFirst(v) {
				base = join(base, v)
			}
		}
	}
	if base == nil {
		return made
	}
	for _, o := range made.orEmpty().objs {
		if o.class == "" {
			e.noteAddress(o, base)
		}
	}
	for _, fn := range made.orEmpty().fns {
		if fn.native == nil {
			e.noteAddress(e.props(fn), base)
		}
	}
	if made == nil || len(made.objs)+len(made.fns) == 0 {
		return join(made, objectValue(e.clientOf(f, node, base)))
	}
	return made
}

// known says whether following the code found the way of a flow that only the form of a call tells. What the source is
// limited to counts: a way for the cookies of one site must not hide that of another's.
func (c *collection) known(x *foundFlow) bool {
	return x.guess && slices.ContainsFunc(c.flows, func(y foundFlow) bool {
		return !y.guess && y.t.source == x.t.source && y.t.from == x.t.from && y.host == x.host
	})
}
