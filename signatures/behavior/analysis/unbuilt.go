package analysis

import (
	"path"
	"regexp"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/flow"
)

// A folder of sources names scripts in its manifest that a build makes first. Somebody may load it built elsewhere, or
// publish it; where its scripts are to run is told by their names.

// unbuilt reports whether the manifest names a script of its contexts that is not there.
func (c *collector) unbuilt() bool {
	missing := func(name string) bool { return name != "" && c.find("", name) == "" }
	b := c.m.Background
	if missing(b.ServiceWorker) {
		return true
	}
	for _, name := range b.Scripts {
		if missing(name) {
			return true
		}
	}
	for _, s := range c.m.ContentScripts {
		for _, name := range s.JS {
			if missing(name) {
				return true
			}
		}
	}
	return false
}

// meant returns where a script of an unbuilt extension is to run, by the words of its path. Without such a word nothing
// is known: what loads it will tell.
func (c *collector) meant(name string) (unit, bool) {
	words := strings.FieldsFunc(strings.ToLower(strings.TrimSuffix(name, path.Ext(name))), func(r rune) bool { return r < 'a' || r > 'z' })
	for _, w := range words {
		switch w {
		case "background", "serviceworker", "worker":
			return unit{Script: flow.Script{Context: behavior.Background, Module: true}}, true
		case "content", "contentscript", "contentscripts":
			u := unit{Script: flow.Script{Context: behavior.Content, Module: true}}
			for _, s := range c.m.ContentScripts {
				u.Matches = union(u.Matches, s.Matches)
			}
			return u, len(u.Matches) > 0
		case "popup", "options", "sidepanel":
			return unit{Script: flow.Script{Context: behavior.Popup, Module: true}}, true
		}
	}
	return unit{}, false
}

// sources adds the scripts of an unbuilt extension whose names say where they are to run.
func (c *collector) sources() {
	if !c.unbuilt() {
		return
	}
	for _, name := range c.order {
		switch strings.ToLower(path.Ext(name)) {
		case ".js", ".mjs", ".cjs":
			if u, ok := c.meant(name); ok && !c.used[name] {
				c.addScript(name, u)
				c.needs(name, u, 0)
			}
		}
	}
}

// need finds what a module of sources is made of: require("./x"), import … from "../y", import("./z").
var need = regexp.MustCompile(`(?:\brequire\s*\(|\bfrom|\bimport\s*\(?)\s*["'](\.{1,2}/?[^"'\s]{0,200}|\.{1,2})["']`)

// needs adds the files that a module of sources names without their extension, as only bundlers can load them, where it
// runs itself.
func (c *collector) needs(name string, like unit, depth int) {
	const maxDepth, maxNeeds = 20, 200
	f := c.loaded[name]
	if f == nil || f.text == nil || depth > maxDepth {
		return
	}
	for _, m := range need.FindAllSubmatch(f.text, maxNeeds) {
		spec := string(m[1])
		for _, suffix := range [...]string{"", ".js", ".mjs", ".cjs", "/index.js", "/index.mjs", "/index.cjs"} {
			next := c.find(path.Dir(name), spec+suffix)
			if next == "" {
				continue
			}
			switch strings.ToLower(path.Ext(next)) {
			case ".js", ".mjs", ".cjs", ".jsm":
			default: // bundlers import style sheets, pictures and templates too
				if !c.hidesScript(next) {
					continue
				}
			}
			like := like
			like.doubtful = c.hidden[next]
			u := like
			u.File = next
			if c.seen[u.key()] == nil {
				c.addScript(next, like)
				c.needs(next, like, depth+1)
			}
			break
		}
	}
}
