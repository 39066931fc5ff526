package manifests

import (
	"fmt"
	"slices"

	"github.com/tidwall/gjson"
)

const (
	// MaxSize is the largest manifest that Parse reads, in bytes. The largest real ones (themes with inline images,
	// long site lists) stay below 1 MiB; browsers themselves have no limit.
	MaxSize = 8 << 20
	// maxList bounds every list of a manifest: the longest real ones, site lists of blockers, have some thousand entries.
	maxList = 10_000
	// maxProblems bounds what one manifest may say about itself in reports.
	maxProblems  = 100
	manifestName = "manifest.json"
)

// A parser fills m and writes down what it could not use.
type parser struct {
	m       *Manifest
	dropped int // problems beyond maxProblems
}

// An object is a JSON object and where it stands in the manifest ("" for the top).
type object struct {
	path    string
	members map[string]gjson.Result
}

// An entry is one value of a list.
type entry struct {
	list  string // where the list stands
	index int
	gjson.Result
}

func (e entry) path() string { return fmt.Sprintf("%s[%d]", e.list, e.index) }

// problem notes something once: some keys are looked at twice.
func (p *parser) problem(format string, args ...any) {
	problem := Problem{File: manifestName, Reason: fmt.Sprintf(format, args...)}
	switch {
	case slices.Contains(p.m.Problems, problem):
	case len(p.m.Problems) >= maxProblems:
		p.dropped++
	default:
		p.m.Problems = append(p.m.Problems, problem)
	}
}

// wrong notes a value of a type that no browser takes there. The value is left out; the rest is read.
func (p *parser) wrong(path string, r gjson.Result, want string) {
	p.problem("%s is %s, not %s; left out", path, typeName(r), want)
}

func typeName(r gjson.Result) string {
	switch {
	case r.IsObject():
		return "an object"
	case r.IsArray():
		return "a list"
	case r.Type == gjson.String:
		return "a string"
	case r.Type == gjson.Number:
		return "a number"
	case r.Type == gjson.Null:
		return "null"
	}
	return "true or false"
}

func (o object) at(key string) string {
	if o.path == "" {
		return clip(key)
	}
	return o.path + "." + clip(key)
}

// has reports whether the key is there, whatever its value.
func (o object) has(key string) bool {
	_, ok := o.members[key]
	return ok
}

// keys returns the object's keys, sorted and bounded.
func (p *parser) keys(o object) []string {
	var keys []string
	for key := range o.members {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	if len(keys) > maxList {
		p.problem("%s has %d keys; only the first %d are read", o.path, len(keys), maxList)
		keys = keys[:maxList]
	}
	return keys
}

// text returns the string under key, "" when there is none.
func (p *parser) text(o object, key string) string {
	r, ok := o.members[key]
	if !ok {
		return ""
	}
	if r.Type != gjson.String {
		p.wrong(o.at(key), r, "a string")
		return ""
	}
	return r.Str
}

// flag returns the boolean under key.
func (p *parser) flag(o object, key string) bool {
	r, ok := o.members[key]
	if ok && !r.IsBool() {
		p.wrong(o.at(key), r, "true or false")
	}
	return ok && r.Type == gjson.True
}

// object returns the object under key; its members are nil when there is none.
func (p *parser) object(o object, key string) object {
	r, ok := o.members[key]
	if !ok {
		return object{path: o.at(key)}
	}
	return p.asObject(o.at(key), r)
}

func (p *parser) asObject(path string, r gjson.Result) object {
	if !r.IsObject() {
		p.wrong(path, r, "an object")
	}
	return object{path: path, members: Object(r)}
}

// list returns the entries of the list under key.
func (p *parser) list(o object, key string) []entry {
	r, ok := o.members[key]
	if !ok {
		return nil
	}
	path := o.at(key)
	if !r.IsArray() {
		p.wrong(path, r, "a list")
		return nil
	}
	var entries []entry
	r.ForEach(func(_, value gjson.Result) bool {
		if len(entries) == maxList {
			p.problem("%s has more than %d entries; the rest is not read", path, maxList)
			return false
		}
		entries = append(entries, entry{path, len(entries), value})
		return true
	})
	return entries
}

// texts returns the strings of the list under key.
func (p *parser) texts(o object, key string) []string {
	var texts []string
	for _, e := range p.list(o, key) {
		if e.Type != gjson.String {
			p.wrong(e.path(), e.Result, "a string")
			continue
		}
		texts = append(texts, e.Str)
	}
	return texts
}

// patterns returns the strings of the list under key, noting those that are no match pattern. They are kept: what one
// browser refuses another may take.
func (p *parser) patterns(o object, key string) []string {
	texts := p.texts(o, key)
	for _, text := range texts {
		p.checkPattern(o.at(key), text)
	}
	return texts
}

func (p *parser) checkPattern(path, text string) {
	if _, err := ParsePattern(text); err != nil {
		p.problem("%s: %v", path, err)
	}
}
