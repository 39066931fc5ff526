package flow

import (
	"slices"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior/markup"
	"github.com/extwatch/extwatch/signatures/behavior/parties"
	"github.com/tdewolff/parse/v2/js"
)

// Frameworks describe elements by calls: jsx("input", {placeholder: "Private key", onChange: handler}). What the function
// is called is up to minifiers; the form of the call tells. The handlers are called with an event of such a field.

// virtual looks at a call that may describe an element.
func (e *Engine) virtual(f *activation, c call) {
	if len(c.args) < 2 || len(c.args[0].orEmpty().objs) > 0 {
		return
	}
	if len(c.args[0].orEmpty().fns)+len(c.args[0].orEmpty().paths) > 0 {
		e.component(f, c)
		return
	}
	tag, ok := c.args[0].known()
	if !ok || tag.kind != aString || len(tag.s) == 0 || len(tag.s) > 10 {
		return
	}
	for i, a := range c.args[1:] {
		e.shows(f, a)
		for _, o := range a.orEmpty().objs {
			if i == 0 && o.class != "Array" {
				e.shows(f, o.value("children"))
			}
		}
	}
	for _, props := range c.args[1].orEmpty().objs {
		if tag.s == "input" || tag.s == "textarea" {
			e.virtualField(f, c.node, tag.s, props)
			continue
		}
		for i, k := range props.keys {
			if len(k) > 4 && strings.HasPrefix(k, "on") {
				e.callValue(f, &value{fns: props.cells[i].ever.orEmpty().fns}, call{node: c.node, args: []*value{anything}})
			}
		}
	}
}

// component looks at the description of a component: a function or class, and what it is given.
func (e *Engine) component(f *activation, c call) {
	props := c.args[1].orEmpty().objs
	if len(props) != 1 || props[0].class == "Array" {
		return
	}
	if names, texts, handlers := fieldProps(props[0]); len(handlers) > 0 && describeField("", names, texts, nil) != "" {
		e.virtualField(f, c.node, "field", props[0]) // an input of a library
	}
	for _, fn := range c.args[0].fns {
		switch {
		case fn.info == nil || fn.info.executed && len(props[0].keys) == 0:
		case fn.info.class != nil || fn.props != nil && fn.props.field("prototype") != nil:
			e.renderClass(f, fn, c)
		case fn.name == "" || fn.name[0] >= 'A' && fn.name[0] <= 'Z' || len(fn.name) <= 2:
			e.callClosure(f, fn, call{node: c.node, args: c.args[1:2]})
		}
	}
}

// renderClass makes an instance of a component and has it rendered.
func (e *Engine) renderClass(f *activation, fn *closure, c call) {
	if e.prototype(f, fn).lookup("render", 0) == nil {
		return
	}
	made := e.construct(f, closureValue(fn), call{node: c.node, args: c.args[1:2]})
	for _, o := range made.orEmpty().objs {
		e.callMember(f, objectValue(o), e.nameValue("render"), call{node: c.node})
	}
}

// value is what a field held, without noting who asked.
func (o *object) value(name string) *value {
	if c := o.field(name); c != nil {
		return c.ever
	}
	return nil
}

// shows notes texts that are shown in a page.
func (e *Engine) shows(f *activation, v *value) {
	const maxLabel = 140
	if v == nil {
		return
	}
	for _, t := range v.texts() {
		if len(t) < 4 || len(t) > maxLabel || strings.Contains(t, parties.Gap) || slices.Contains(e.links.shown, t) {
			continue
		}
		if e.links.shown = append(e.links.shown, t); len(e.links.shown) > markup.MaxBefore {
			e.links.shown = e.links.shown[1:]
		}
	}
	for _, o := range v.objs {
		if o.class == "Array" {
			for i := range min(len(o.cells), markup.MaxBefore) {
				if inner := o.cells[i].ever; inner != nil && len(inner.objs) == 0 {
					e.shows(f, inner)
				}
			}
		}
	}
}

// virtualField calls the handlers of a field with an event of it.
func (e *Engine) virtualField(f *activation, node js.INode, tag string, props *object) {
	names, texts, handlers := fieldProps(props)
	about := describeField(tag, names, texts, e.links.shown)
	if len(handlers) == 0 || about == "" {
		return
	}
	field := e.alloc(f, node, "element")
	field.more().tag = tag
	field.info.selector = about
	event := e.alloc(f, node, "event")
	e.setRest(f, event, anything)
	for _, k := range [...]string{"target", "currentTarget", "nativeEvent"} {
		e.set(f, event, k, objectValue(field))
	}
	for _, k := range handlers {
		v := e.get(f, props, k)
		arg := objectValue(event)
		if tag == "field" { // some hand on the value, some the event
			arg = join(arg, e.elementSource(f, node, field, "value"))
		}
		switch {
		case k == "ref":
			for _, o := range v.orEmpty().objs {
				e.set(f, o, "current", objectValue(field))
			}
			arg = objectValue(field)
		case strings.HasPrefix(k, "onUpdate:"): // Vue gives the value
			arg = e.elementSource(f, node, field, "value")
		}
		e.callValue(f, v, call{node: node, args: []*value{arg, anything}})
	}
}

// fieldProps returns the names and the texts among the properties of a field, and its handlers.
func fieldProps(props *object) (names string, texts, handlers []string) {
	for i, k := range props.keys {
		v := props.cells[i].ever.orEmpty()
		switch k {
		case "name", "id", "className", "class", "data-testid":
			names += " " + strings.Join(v.texts(), " ")
			continue
		case "placeholder", "aria-label", "ariaLabel", "label", "title":
			texts = append(texts, v.texts()...)
			continue
		}
		if len(v.fns) > 0 && strings.HasPrefix(k, "on") || k == "ref" && len(v.objs)+len(v.fns) > 0 {
			handlers = append(handlers, k)
		}
	}
	return strings.TrimSpace(names), texts, handlers
}

// describeField tells what a field of the extension's own pages is for, when that is a secret: by its names, the texts
// that it bears, or else those before it. Other fields are of no interest here.
func describeField(tag, names string, texts, shown []string) string {
	if src := fieldSource(names); src == srcSeed {
		return tag + " " + names
	}
	for _, t := range texts {
		if labelSource(t) != srcForm {
			return tag + " " + t
		}
	}
	if fieldSource(names) != srcForm || fieldSource(strings.Join(texts, " ")) != srcForm {
		return ""
	}
	if strings.Trim(strings.Join(texts, ""), "0123456789. #:") != "" && len(shown) > 1 { // it says something itself: then only its label counts
		shown = shown[len(shown)-1:]
	}
	for i := len(shown) - 1; i >= 0; i-- {
		if labelSource(shown[i]) != srcForm {
			return tag + " " + shown[i]
		}
	}
	return ""
}

// labelSource tells by a text for people whether a field is for a wallet's secret or for what one-time codes are made
// from. Such texts also warn, and speak of other phrases and codes.
func labelSource(text string) string {
	s := strings.ToLower(text)
	switch {
	case containsAny(s, "never", "don't", "do not", "not ask", "scam", "steal", "?", "email"):
		return srcForm
	case containsAny(s, "base32", "totp secret", "2fa secret", "authenticator secret", "otpauth"):
		return srcOTP
	case containsAny(s, "seed phrase", "seed word", "recovery phrase", "secret phrase", "backup phrase", "mnemonic", "private key", "12 words",
		"24 words", "12-word", "24-word", "12 or 24", "secret recovery", "keystore", "wallet phrase"):
		return srcSeed
	case strings.Contains(s, "secret key") && containsAny(s, "phrase", "wallet", "(s", "seed"): // of Stellar
		return srcSeed
	}
	return srcForm
}

// Hooks of React and what imitates it.

// hook is a call of one of React's hooks; nil when it is none.
func (e *Engine) hook(f *activation, name string, c call) *value {
	switch name {
	case "useState", "useReducer":
		return e.stateHook(f, name, c)
	case "useRef", "createRef":
		o := e.alloc(f, c.node, "")
		if c.arg(0) != nil && o.field("current") == nil {
			e.set(f, o, "current", c.arg(0))
		}
		return objectValue(o)
	case "useCallback":
		if len(c.arg(0).orEmpty().fns) > 0 {
			return c.arg(0)
		}
	case "useMemo":
		if len(c.arg(0).orEmpty().fns) > 0 {
			return e.callValue(f, c.arg(0), call{node: c.node})
		}
	case "useEffect", "useLayoutEffect":
		if len(c.arg(0).orEmpty().fns) > 0 {
			e.callValue(f, c.arg(0), call{node: c.node})
			return undef
		}
	}
	return nil
}

// stateHook is useState(first) or useReducer(step, first): the state, and a function that changes it.
func (e *Engine) stateHook(f *activation, name string, c call) *value {
	first := c.arg(0)
	var step *value
	if name == "useReducer" {
		if first, step = c.arg(1), c.arg(0); len(step.orEmpty().fns) == 0 {
			return nil
		}
	}
	state := e.alloc(f, c.node, "state")
	pair := e.alloc(f, c.node, "Array")
	if state.field("v") == nil {
		for _, fn := range first.orEmpty().fns {
			first = join(first, e.callClosure(f, fn, call{node: c.node}))
		}
		e.grow(state.ensure("v"), join(anything, first))
		e.set(f, pair, "1", closureValue(e.nativeFn("set state", func(e *Engine, f *activation, k call) *value {
			v := k.arg(0)
			old := e.get(f, state, "v")
			if step != nil {
				v = e.callValue(f, step, call{node: k.node, args: []*value{old, v}})
			} else {
				for _, fn := range v.orEmpty().fns {
					v = join(v, e.callClosure(f, fn, call{node: k.node, args: []*value{old}}))
				}
			}
			if carries(v) {
				e.grow(state.ensure("v"), v)
			}
			return undef
		})))
	}
	e.set(f, pair, "0", e.get(f, state, "v"))
	return objectValue(pair)
}

// setState is this.setState({…}) of a class of React: it becomes part of this.state.
func (e *Engine) setState(f *activation, recv *value, c call) *value {
	if len(recv.orEmpty().objs) == 0 {
		return nil
	}
	for _, o := range recv.objs {
		if o.lookup("setState", 0) != nil && o.lookup("setState", 0).ever != nil {
			return nil
		}
		old := e.get(f, o, "state")
		if len(old.orEmpty().objs) == 0 {
			old = objectValue(e.alloc(f, c.node, "state"))
			e.set(f, o, "state", old)
		}
		v := c.arg(0)
		for _, fn := range v.orEmpty().fns {
			v = join(v, e.callClosure(f, fn, call{node: c.node, args: []*value{old, anything}}))
		}
		for _, s := range old.objs {
			e.spread(f, s, &value{objs: v.orEmpty().objs, taints: v.orEmpty().taints})
		}
	}
	return undef
}

// statePair is what two names stand for that an unknown function gives at once, const [a, setA] = f(…): minifiers take
// the name of hooks that are no members. Any other use only joins values that nobody knows.
func (e *Engine) statePair(f *activation, b *js.BindingArray, v *value) *value {
	if len(b.List) != 2 || b.Rest != nil || v == nil || !v.any || len(v.objs)+len(v.taints)+len(v.atoms)+len(v.fns)+len(v.paths) > 0 {
		return v
	}
	return e.stateHook(f, "useState", call{node: b})
}
