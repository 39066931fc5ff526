package signatures

import (
	"slices"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior"
	"go.yaml.in/yaml/v3"
)

// behaviorKeys read what the code of a case is said to do, so that a rule can be proven without writing the code.
func (d *document) behaviorKeys(rc *ruleCase) keys {
	report := func() *behavior.Report {
		if rc.given == nil {
			rc.given = &behavior.Report{Complete: true}
		}
		return rc.given
	}
	each := func(read func(*yaml.Node)) func(*yaml.Node) {
		return func(n *yaml.Node) {
			nodes := []*yaml.Node{n}
			if n.Kind == yaml.SequenceNode {
				nodes = n.Content
			}
			for _, n := range nodes {
				read(n)
			}
		}
	}
	return keys{
		"flows":    each(func(n *yaml.Node) { report().Flows = append(report().Flows, d.givenFlow(n)) }),
		"calls":    each(func(n *yaml.Node) { report().Calls = append(report().Calls, d.givenCall(n)) }),
		"contacts": each(func(n *yaml.Node) { report().Contacts = append(report().Contacts, d.givenContact(n)) }),
		"strings":  func(n *yaml.Node) { report().Strings = d.texts(n, "strings") },
		"obfuscation": func(n *yaml.Node) {
			for _, kind := range d.texts(n, "obfuscation") {
				report().Obfuscation = append(report().Obfuscation, behavior.Sign{Kind: kind, Place: givenPlace()})
			}
		},
		"complete": func(n *yaml.Node) { report().Complete = d.flag(n, "complete") },
	}
}

// givenPlace is where a given flow or call is said to stand.
func givenPlace() behavior.Place { return behavior.Place{File: "script.js", Line: 1, Column: 1} }

// givenFlow reads "source -> sink -> host", or a mapping with its parts.
func (d *document) givenFlow(n *yaml.Node) behavior.Flow {
	f := behavior.Flow{Context: behavior.Background}
	if n.Kind == yaml.MappingNode {
		var party, context string
		d.mapping(n, "flows", keys{
			"source": d.into(&f.Source, "source"), "from": d.into(&f.From, "from"), "sink": d.into(&f.Sink, "sink"),
			"host":    d.into(&f.Host, "host"),
			"own":     func(n *yaml.Node) { f.Own = d.flag(n, "own") },
			"party":   func(n *yaml.Node) { party = d.oneOf(n, "party", parties()[:9]...) },
			"context": func(n *yaml.Node) { context = d.oneOf(n, "context", contexts()...) },
		})
		f.Party = behavior.Party(party)
		if context != "" {
			f.Context = behavior.Context(context)
		}
	} else {
		words := strings.Split(d.text(n, "flows"), " -> ")
		if len(words) < 2 || len(words) > 3 {
			d.fail(n, "write \"cookies -> fetch -> collect.example\", or {source: …, sink: …, host: …}", "flows: expected a source and a sink")
			return f
		}
		f.Source, f.Sink = words[0], words[1]
		if len(words) == 3 {
			f.Host = words[2]
		}
	}
	f.Party = givenParty(f.Host, f.Party)
	f.Steps = []behavior.Step{{Place: givenPlace(), What: "reads " + f.Source}, {Place: givenPlace(), What: f.Sink + " " + f.Host}}
	return f
}

// givenParty is whose host it is when the case does not say.
func givenParty(host string, p behavior.Party) behavior.Party {
	switch {
	case p != "" || host == "":
		return p
	case host == "*":
		return behavior.Unknown
	}
	return behavior.Stranger
}

// givenCall reads the name of a function, or a mapping with its parts.
func (d *document) givenCall(n *yaml.Node) behavior.Call {
	c := behavior.Call{Context: behavior.Background, Place: givenPlace()}
	if n.Kind != yaml.MappingNode {
		c.API = d.text(n, "calls")
		return c
	}
	var context string
	d.mapping(n, "calls", keys{"api": d.into(&c.API, "api"), "args": d.listInto(&c.Args, "args"),
		"context": func(n *yaml.Node) { context = d.oneOf(n, "context", contexts()...) }})
	if context != "" {
		c.Context = behavior.Context(context)
	}
	return c
}

// givenContact reads a host that is contacted, or a mapping with its parts.
func (d *document) givenContact(n *yaml.Node) behavior.Contact {
	c := behavior.Contact{Called: true, Place: givenPlace()}
	if n.Kind != yaml.MappingNode {
		c.Host = d.text(n, "contacts")
	} else {
		var party string
		d.mapping(n, "contacts", keys{"host": d.into(&c.Host, "host"),
			"called": func(n *yaml.Node) { c.Called = d.flag(n, "called") },
			"party":  func(n *yaml.Node) { party = d.oneOf(n, "party", parties()[:9]...) }})
		c.Party = behavior.Party(party)
	}
	c.Party = givenParty(c.Host, c.Party)
	return c
}

// withGiven adds what a case gives to what its files do.
func withGiven(r behavior.Report, given *behavior.Report) *behavior.Report {
	if given == nil {
		return &r
	}
	r.Flows = slices.Concat(r.Flows, given.Flows)
	r.Calls = slices.Concat(r.Calls, given.Calls)
	r.Contacts = slices.Concat(r.Contacts, given.Contacts)
	r.Strings = slices.Concat(r.Strings, given.Strings)
	r.Obfuscation = slices.Concat(r.Obfuscation, given.Obfuscation)
	r.Complete = r.Complete && given.Complete
	return &r
}
