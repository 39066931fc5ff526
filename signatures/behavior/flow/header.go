package flow

import "strings"

// forbiddenHeader says whether browsers leave out a header field that a script sets, by its name: "forbidden request
// header" of the Fetch standard. Cookies that are set so go nowhere; User-Agent is not one of them.
func forbiddenHeader(name string) bool {
	switch strings.ToLower(name) {
	case "cookie", "cookie2", "host", "origin", "referer", "content-length", "connection", "date", "te", "trailer", "upgrade", "via":
		return true
	}
	return false
}

// initTaints is what goes out with the options of fetch, without the header fields that a browser leaves out.
func (e *Engine) initTaints(f *activation, init *value) []*taint {
	if init == nil || len(init.objs) == 0 {
		return e.taintsIn(f, init)
	}
	e.searches, e.met = e.searches+1, 0
	var ts []*taint
	for _, options := range init.objs {
		headers := options.lookup("headers", 0)
		if headers == nil {
			continue
		}
		for _, o := range e.read(f, headers).orEmpty().objs {
			if o.class != "" || o.search == e.searches {
				continue
			}
			o.search = e.searches // collect does not look into it again
			e.watch(f, o)
			ts = joinTaints(ts, o.contents())
			for i, c := range o.cells {
				if !forbiddenHeader(o.keys[i]) {
					ts = e.collect(f, e.read(f, c), ts, 120, 2)
				}
			}
			if o.rest != nil {
				ts = e.collect(f, e.read(f, o.rest), ts, 120, 2)
			}
		}
	}
	return e.collect(f, init, ts, 120, 0)
}
