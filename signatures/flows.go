package signatures

import (
	"slices"
	"strconv"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior"
)

// A record is one flow, call or contact: the facts of its parts, by the name of the field. Lines of one selection
// that ask for the same group of fields must hold for one record together.
type record struct {
	whole fact              // what a finding shows
	parts map[string]string // field → text; no entry: it has no value
	facts map[string][]fact // the one of each part that was asked for
}

// maxRecords bounds the flows, calls or contacts that one selection looks at. A person's code has some hundred; the
// analysis has its own bound, above this one.
const maxRecords = 5000

// A sameRecord is the lines of one selection that ask for the same group of fields.
type sameRecord struct {
	group string
	items []*item
}

func (e *sameRecord) eval(s *subject) (bool, []fact) {
	records := s.records(e.group)
	if len(records) == 0 {
		// "flows|exists: false" holds for an extension without any, once it was analysed.
		return s.code != nil && e.holds(s, record{}), nil
	}
	var facts []fact
	for _, r := range records {
		if e.holds(s, r) {
			if facts = append(facts, r.whole); len(facts) == maxFacts {
				break
			}
		}
	}
	return len(facts) > 0, facts
}

func (e *sameRecord) holds(s *subject, r record) bool {
	for _, it := range e.items {
		ok, _ := it.match(s, func() []fact {
			name := it.field.name
			text, ok := r.parts[name]
			if !ok {
				return nil
			}
			known, ok := r.facts[name]
			if !ok {
				known = []fact{newFact(name, text)}
				r.facts[name] = known
			}
			return known
		})
		if !ok {
			return false
		}
	}
	return true
}

// records returns the flows, calls or contacts, worked out once.
func (s *subject) records(group string) []record {
	if s.code == nil {
		return nil
	}
	if found, ok := s.grouped[group]; ok {
		return found
	}
	var out []record
	switch group {
	case "flow":
		for i := range s.code.Flows[:min(len(s.code.Flows), maxRecords)] {
			out = append(out, s.flowRecord(&s.code.Flows[i]))
		}
	case "call":
		for i := range s.code.Calls[:min(len(s.code.Calls), maxRecords)] {
			out = append(out, callRecord(&s.code.Calls[i]))
		}
	case "contact":
		for i := range s.code.Contacts[:min(len(s.code.Contacts), maxRecords)] {
			out = append(out, s.contactRecord(&s.code.Contacts[i]))
		}
	}
	for i := range out {
		out[i].facts = map[string][]fact{}
	}
	s.grouped[group] = out
	return out
}

func flowText(f *behavior.Flow) string {
	text := f.Source + " -> " + f.Sink
	if f.Host != "" {
		text += " -> " + f.Host
	}
	return text
}

func flowTexts(r *behavior.Report) []string {
	var out []string
	for i := range r.Flows[:min(len(r.Flows), maxRecords)] {
		out = append(out, flowText(&r.Flows[i]))
	}
	return out
}

func contactTexts(r *behavior.Report) []string {
	var out []string
	for _, c := range r.Contacts[:min(len(r.Contacts), maxRecords)] {
		if c.Called {
			out = append(out, c.Host)
		}
	}
	return out
}

func (s *subject) flowRecord(f *behavior.Flow) record {
	r := record{whole: newFact("flows", flowText(f)), parts: parts(
		"flows", flowText(f), "flow.source", f.Source, "flow.from", f.From, "flow.sink", f.Sink, "flow.host", f.Host,
		"flow.party", s.party(f.Host, f.Party), "flow.context", string(f.Context), "flow.own", strconv.FormatBool(f.Own),
		"flow.exchange", s.flowExchange(f), "flow.page", s.flowPage(f))}
	steps := f.Steps
	if len(steps) > maxEvidence {
		// Where it begins and where it ends matter most.
		steps = slices.Concat(steps[:maxEvidence/2], steps[len(steps)-maxEvidence/2:])
	}
	for _, step := range steps {
		text := step.What
		if step.Code != "" {
			text += ": " + step.Code
		}
		r.whole.path = append(r.whole.path, Evidence{File: show(step.File), Line: step.Line, Column: step.Column, Key: "flows", Text: show(text)})
	}
	return r
}

// parts makes the parts of a record of names and texts in turn; an empty text is no value.
func parts(pairs ...string) map[string]string {
	out := make(map[string]string, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out[pairs[i]] = pairs[i+1]
		}
	}
	return out
}

func callRecord(c *behavior.Call) record {
	args := strings.Join(c.Args, ", ")
	whole := newFact("calls", c.API)
	whole.evidence = Evidence{File: show(c.File), Line: c.Line, Column: c.Column, Key: "calls", Text: show(c.API + "(" + args + ")")}
	return record{whole: whole, parts: parts("calls", c.API, "call.args", args, "call.context", string(c.Context))}
}

func (s *subject) contactRecord(c *behavior.Contact) record {
	whole := newFact("contacts", c.Host)
	whole.evidence = Evidence{File: show(c.File), Line: c.Line, Column: c.Column, Key: "contacts", Text: show(c.Host)}
	return record{whole: whole, parts: parts("contacts", c.Host, "contact.called", strconv.FormatBool(c.Called),
		"contact.party", s.party(c.Host, c.Party))}
}

// party refines whose host it is by what the catalog knows: what a stranger's code sends to an exchange is not lost.
func (s *subject) party(host string, p behavior.Party) string {
	if p == behavior.Stranger {
		switch {
		case len(s.exchangesIn(host)) > 0:
			return "exchange"
		case under(strings.ToLower(host), s.rs.catalog.placeholders["wallet_domains"]):
			return "wallet"
		}
	}
	return string(p)
}

func under(host string, domains []string) bool {
	return slices.ContainsFunc(domains, func(d string) bool { return host == d || strings.HasSuffix(host, "."+d) })
}

// flowExchange returns the exchanges that the source is limited to, with spaces between: those that `from` names, or
// else those that the match patterns of the content script name in which the source stands.
func (s *subject) flowExchange(f *behavior.Flow) string {
	found := s.exchangesIn(f.From)
	if len(found) == 0 {
		for _, m := range s.sourcePatterns(f) {
			found = append(found, s.exchangesIn(hostOf(m))...)
		}
	}
	slices.Sort(found)
	return strings.Join(slices.Compact(found), " ")
}

// flowPage tells which page of an exchange the source is limited to.
func (s *subject) flowPage(f *behavior.Flow) string {
	for _, pattern := range slices.Concat(strings.FieldsFunc(clip(f.From, maxFactText), patternBreak), s.sourcePatterns(f)) {
		c, ok := s.rs.catalog.sites.cover(pattern)
		if !ok {
			continue
		}
		for i := range s.rs.catalog.sites.sites {
			site := &s.rs.catalog.sites.sites[i]
			named := func(g page) bool { return g.namedBy(c) }
			switch {
			case slices.ContainsFunc(site.apiKeys, named):
				return "api_keys"
			case slices.ContainsFunc(site.withdrawal, named):
				return "withdrawal"
			}
		}
	}
	return ""
}

func patternBreak(r rune) bool { return r == ' ' || r == ',' }

// sourcePatterns returns the match patterns of the content script in which the flow begins.
func (s *subject) sourcePatterns(f *behavior.Flow) []string {
	var out []string
	if len(f.Steps) == 0 {
		return nil
	}
	for i := range s.m.ContentScripts {
		c := &s.m.ContentScripts[i]
		if slices.ContainsFunc(c.JS, func(js string) bool { return strings.TrimPrefix(js, "/") == f.Steps[0].File }) {
			out = append(out, bounded(c.Matches)...)
		}
	}
	return out
}

// exchangesIn returns the slugs of the exchanges whose domains stand in a text: a host, a match pattern, a URL, an
// object such as {"domain":".binance.com"}.
func (s *subject) exchangesIn(text string) []string {
	var out []string
	words := strings.FieldsFunc(strings.ToLower(clip(text, maxFactText)), func(r rune) bool {
		return r != '.' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
	})
	for _, w := range words {
		for p := strings.Trim(w, "."); strings.Contains(p, "."); p = parent(p) {
			for _, i := range s.rs.catalog.sites.exact[p] {
				if site := &s.rs.catalog.sites.sites[i]; !site.mail {
					out = append(out, site.slug)
				}
			}
		}
	}
	return out
}

// behaviorFields come from the analysis of the code; until it has run they have no value, so a rule that asks for
// them does not match.
func behaviorFields() []field {
	part := func(group, name string) field {
		return field{name: name, kind: kindList, group: group, get: func(*subject) []fact { return nil }}
	}
	called := part("contact", "contact.called").only("true", "false")
	called.kind = kindFlag
	own := part("flow", "flow.own").only("true", "false")
	own.kind = kindFlag
	return []field{
		part("flow", "flows"),
		part("flow", "flow.source"),
		part("flow", "flow.from"),
		part("flow", "flow.exchange"),
		part("flow", "flow.page").only("api_keys", "withdrawal"),
		part("flow", "flow.sink"),
		part("flow", "flow.host"),
		part("flow", "flow.party").only(parties()...),
		part("flow", "flow.context").only(contexts()...),
		own,
		part("call", "calls"),
		part("call", "call.args"),
		part("call", "call.context").only(contexts()...),
		part("contact", "contacts"),
		called,
		part("contact", "contact.party").only(parties()...),
		list("strings", func(s *subject) []string {
			if s.code == nil {
				return nil
			}
			return s.code.Strings
		}),
		{name: "obfuscation", kind: kindList, get: (*subject).obfuscationFacts},
		{name: "complete", kind: kindFlag, words: []string{"true", "false"}, get: func(s *subject) []fact {
			if s.code == nil {
				return nil
			}
			return []fact{newFact("complete", strconv.FormatBool(s.code.Complete))}
		}},
	}
}

func parties() []string {
	return []string{string(behavior.Own), string(behavior.Origin), string(behavior.Analytics), string(behavior.Dropbox),
		string(behavior.RPC), string(behavior.Stranger), string(behavior.Unknown), string(behavior.Local), string(behavior.User),
		"exchange", "wallet"}
}

func contexts() []string {
	return []string{string(behavior.Background), string(behavior.Content), string(behavior.PageWorld),
		string(behavior.Popup), string(behavior.Unreferenced)}
}

func (s *subject) obfuscationFacts() []fact {
	if s.code == nil {
		return nil
	}
	var out []fact
	for _, o := range s.code.Obfuscation {
		f := newFact("obfuscation", o.Kind)
		text := o.Kind
		if o.Text != "" {
			text += ": " + o.Text
		}
		f.evidence = Evidence{File: show(o.File), Line: o.Line, Column: o.Column, Key: "obfuscation", Text: show(text)}
		out = append(out, f)
	}
	return out
}

// matchContacts returns the facts of the indicators for hosts that the code talks to. To contact the host of a
// campaign is proof; to name it is not. Code that seems to talk to hosts of many campaigns is a list after all.
func (s *subject) matchContacts() []fact {
	if s.code == nil {
		return nil
	}
	var out []fact
	campaigns := map[string]bool{}
	for _, c := range s.code.Contacts[:min(len(s.code.Contacts), maxRecords)] {
		if !c.Called {
			continue
		}
		for _, in := range s.rs.indicators.domain(strings.ToLower(c.Host)) {
			campaigns[in.campaign] = true
			out = append(out, in.hit(Evidence{File: show(c.File), Line: c.Line, Column: c.Column, Key: "contacts", Text: c.Host}, in.verdict))
		}
	}
	if len(campaigns) >= blockListCampaigns {
		return nil
	}
	return out
}
