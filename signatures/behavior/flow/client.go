package flow

import (
	"slices"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior/parties"
	"github.com/tdewolff/parse/v2/js"
)

// Clients of libraries and services: what is made with an address, and what is then given to its methods, which send it
// there. What their code does inside is often dropped as a library's, or lost in it.

// services are libraries that send to a place of their own, or to one that they are told when they start. All of them
// are known by the name that their pages on how to start give them.
var services = map[string]string{
	"Sentry":    "https://sentry.io/",
	"posthog":   "https://i.posthog.com/",
	"mixpanel":  "https://mixpanel.com/",
	"amplitude": "https://amplitude.com/",
	"Rollbar":   "https://rollbar.com/",
	"Bugsnag":   "https://bugsnag.com/",
	"LogRocket": "https://logrocket.io/",
	"DD_LOGS":   "https://datadoghq.com/",
	"gtag":      "https://google-analytics.com/",
	"emailjs":   "https://api.emailjs.com/",
	"Email":     "https://smtpjs.com/",
	"firebase":  "https://firestore.googleapis.com/",
	"AWS":       "https://amazonaws.com/",
	"Pusher":    "https://pusher.com/",
	"Ably":      "https://ably.io/",
}

// serviceCall is a call of one of them; nil when it is none.
func (e *Engine) serviceCall(f *activation, p string, c call) *value {
	root, _, _ := strings.Cut(p, ".")
	home, ok := services[root]
	if !ok {
		return nil
	}
	known := e.pathObject("service:" + root)
	if told := e.told(f, c); told != nil {
		e.set(f, known, "address", told)
	}
	address := e.get(f, known, "address")
	if address == nil {
		address = textValue(home)
	}
	e.give(f, c, address, "hands it to a service at HOST")
	o := e.clientOf(f, c.node, address)
	o.info.tag = "service"
	return join(e.unknownCall(f, nil, c), objectValue(o))
}

// told is the address among the arguments of a call that starts a client: the first one, or one among its options. nil
// when there is none that is constant.
func (e *Engine) told(f *activation, c call) *value {
	if len(c.args) == 0 {
		return nil
	}
	first := c.arg(0)
	if v := placed(first); v != nil {
		return v
	}
	for _, a := range c.args[:min(len(c.args), 2)] {
		for _, o := range a.orEmpty().objs {
			if o.class != "" || len(o.keys) > maxOptions {
				continue
			}
			for _, k := range o.keys {
				switch k {
				case "url", "uri", "baseURL", "baseUrl", "endpoint", "serverURL", "serverUrl", "databaseURL", "dsn", "api_host", "brokerURL", "host":
					if v := placed(e.get(f, o, k)); v != nil {
						return v
					}
				}
			}
		}
	}
	return nil
}

// maxOptions bounds the options that are looked through for an address: what has more is data.
const maxOptions = 40

// placed is a value that is nothing but an address with a constant host.
func placed(v *value) *value {
	if v == nil || len(v.atoms) == 0 || len(v.taints) > 0 {
		return nil
	}
	for _, t := range v.texts() {
		if h, ok := parties.HostOf(t); !ok || h == "*" {
			return nil
		}
	}
	return v
}

// clientOf is the client for an address, the same for each place that makes it.
func (e *Engine) clientOf(f *activation, node js.INode, address *value) *object {
	o := e.alloc(f, node, "client")
	o.more().url = join(o.info.url, address)
	return o
}

// starts says whether a call makes a client by its name: other calls with addresses are requests and links.
func starts(c call) bool {
	if c.isNew {
		return true
	}
	switch c.name {
	case "io", "connect", "init", "withUrl", "post", "put", "patch":
		return true
	}
	return strings.HasPrefix(c.name, "create") && c.name != "createElement"
}

// clientMade is what a call of something that is not known gives, when it was told an address: perhaps a client.
func (e *Engine) clientMade(f *activation, c call, result *value) *value {
	if !starts(c) {
		return result
	}
	if address := e.told(f, c); address != nil {
		e.hosts(f, c.node, address, sinkHTTPClient)
		return join(result, objectValue(e.clientOf(f, c.node, address)))
	}
	return result
}

// clientMethod is a method of a client: what it is given goes to its address.
func (e *Engine) clientMethod(f *activation, o *object, name string, c call) *value {
	if o.more().tag == "service" || sending(name) {
		e.give(f, c, o.info.url, "gives it to a library that sends it to HOST")
	}
	return join(e.unknownCall(f, nil, c), objectValue(o))
}

// sending says whether a method of that name sends what it is given. What is made of a key to sign with goes out, too,
// and tells nothing of the key.
func sending(name string) bool {
	switch name {
	case "emit", "publish", "push", "insert", "upsert", "save", "post", "put", "patch", "request", "mutate", "invoke", "query", "rpc", "trigger",
		"capture", "track", "putObject", "upload", "write", "log", "_rpcRequest":
		return true
	}
	return strings.HasPrefix(name, "send") && !strings.Contains(name, "ransaction") && name != "sendAsync"
}

// give is a call that sends data, all that it is given when nothing else is said.
func (e *Engine) give(f *activation, c call, address *value, what string, data ...*value) {
	if data == nil {
		data = c.args
	}
	ts := slices.DeleteFunc(slices.Clone(e.taintsIn(f, data...)), func(t *taint) bool { return !private(t.source) })
	if len(ts) > 0 {
		e.sink(f, c.node, sinkHTTPClient, address, ts, what)
	}
}

// noteClient remembers what code of a bundle made of an address. Its own way to the network is often lost in it.
func (e *Engine) noteClient(c call, made *value) {
	if made == nil || len(made.objs) == 0 || len(c.args) == 0 || len(c.args) > 4 {
		return
	}
	address := placed(c.arg(0))
	if address == nil || !strings.Contains(address.atoms[0].s, "://") {
		return
	}
	for _, o := range made.objs {
		if o.class == "" && len(o.protos) > 0 {
			e.noteAddress(o, address)
		}
	}
}

// noteAddress remembers an address that a client was made for.
func (e *Engine) noteAddress(client *object, address *value) {
	if e.clients == nil {
		e.clients = map[*object]*value{}
	}
	e.clients[client] = join(e.clients[client], address)
}

// reports is a method by which Sentry's client takes what it sends: bundlers change the names of its functions, which
// call methods of these names.
func reports(name string) bool {
	switch name {
	case "captureMessage", "captureException", "captureEvent", "addBreadcrumb", "setExtra", "setExtras":
		return true
	}
	return false
}

// handedOver looks at a call of a method that sends, of an object that was made with an address.
func (e *Engine) handedOver(f *activation, recv *value, name string, c call) {
	if reports(name) && len(recv.paths) == 0 {
		known := e.pathObject("service:Sentry")
		address := e.get(f, known, "address")
		if address == nil {
			address = textValue(services["Sentry"])
		}
		e.give(f, c, address, "reports it to HOST")
		return
	}
	if !sending(name) {
		return
	}
	if address := e.clientAddress(recv); address != nil {
		e.guess = true
		e.give(f, c, address, "gives it to a library that sends it to HOST")
		e.guess = false
	}
}

// startsReports notes the address that Sentry is told when it starts, whatever bundlers call the function.
func (e *Engine) startsReports(f *activation, c call) {
	for _, o := range c.arg(0).orEmpty().objs {
		if o.class == "" && len(o.keys) <= maxOptions && o.field("dsn") != nil {
			if v := placed(e.get(f, o, "dsn")); v != nil {
				e.set(f, e.pathObject("service:Sentry"), "address", v)
			}
		}
	}
}
