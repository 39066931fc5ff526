package flow

import "strings"

// CommonJS modules of Node: sources that a build would bundle. Each sees require, module and exports of its own.

// commonName is one of those names in a script that was loaded as a module and is no ECMAScript module; nil otherwise.
func (e *Engine) commonName(f *activation, name string) *value {
	switch name {
	case "module", "exports", "require":
	default:
		return nil
	}
	if !f.u.Module {
		return nil
	}
	m := e.modules[moduleKey(f.u)]
	if m == nil {
		return nil
	}
	switch name {
	case "module":
		return objectValue(e.commonOf(m))
	case "exports":
		return objectValue(m.exports)
	}
	if m.require == nil {
		u := f.u
		m.require = e.nativeFn("require", func(e *Engine, f *activation, c call) *value {
			var out *value
			for _, spec := range c.arg(0).texts() {
				out = join(out, e.requiredFile(f, u, spec))
			}
			return out
		})
	}
	return closureValue(m.require)
}

// requiredFile is what require gives for a file of the package, or anything.
func (e *Engine) requiredFile(f *activation, from *Script, spec string) *value {
	if strings.HasSuffix(spec, "webextension-polyfill") {
		return pathValue("@")
	}
	g := *f
	g.u = from
	exports := e.exportsOf(&g, spec)
	if exports == nil {
		if library(spec) {
			return pathValue(spec)
		}
		if spec == "socket.io-client" {
			return pathValue("io")
		}
		return anything
	}
	for _, m := range e.modules {
		if m.exports == exports {
			return join(e.get(f, e.commonOf(m), "exports"), objectValue(exports))
		}
	}
	return objectValue(exports)
}

// commonOf is what module stands for.
func (e *Engine) commonOf(m *moduleState) *object {
	if m.common == nil {
		m.common = e.newObject("")
		c := m.common.ensure("exports")
		e.grow(c, objectValue(m.exports))
		c.now = c.ever
	}
	return m.common
}
