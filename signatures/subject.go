package signatures

import (
	"slices"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/indicators"
)

// A subject is one extension while it is judged. It works out each field once, when a rule asks for it.
type subject struct {
	rs       *Ruleset
	ext      *manifests.Extension
	previous *manifests.Extension
	m        *manifests.Manifest // never nil
	contents *Contents
	code     *behavior.Report // what the code does; nil: not analysed
	oldCode  *behavior.Report // what it did before the update; nil: not known

	undecided bool // as in Input
	unsure    bool // a rule asked for something that is not known yet

	known    []bool // by field
	found    [][]fact
	grouped  map[string][]record // by group of fields, once worked out
	held     *access
	reaches  []Reach
	reached  bool
	problems []manifests.Problem
}

// maxNames bounds the localized names that are read: the stores know about sixty languages.
const maxNames = 100

func (rs *Ruleset) newSubject(in Input) *subject {
	s := &subject{rs: rs, ext: in.Extension, previous: in.Previous, contents: in.Contents,
		code: in.Behavior, oldCode: in.PreviousBehavior, undecided: in.undecided, grouped: map[string][]record{},
		known: make([]bool, rs.schema.count), found: make([][]fact, rs.schema.count)}
	if s.ext == nil {
		s.ext = &manifests.Extension{}
	}
	if s.m = s.ext.Manifest; s.m == nil {
		s.m = &manifests.Manifest{}
	}
	if s.contents != nil && s.contents.ruleset != rs {
		s.contents = nil // it was searched for what another ruleset wanted
	}
	return s
}

func (s *subject) facts(f *field) []fact {
	if !s.known[f.index] {
		s.known[f.index] = true
		s.found[f.index] = f.get(s)
	}
	return s.found[f.index]
}

func (s *subject) note(reason string) {
	p := manifests.Problem{Reason: reason}
	if !slices.Contains(s.problems, p) {
		s.problems = append(s.problems, p)
	}
}

func (s *subject) names() []string {
	names := make([]string, 0, len(s.ext.Names)+1)
	if s.m.Name != "" {
		names = append(names, s.m.Name)
	}
	names = unique(append(names, s.ext.Names...))
	if len(names) > maxNames {
		s.note("more than 100 localized names; the rest was not read")
		names = names[:maxNames]
	}
	return names
}

func (s *subject) skeletons() []string {
	names := s.names()
	out := make([]string, 0, len(names))
	for _, n := range names {
		if t := s.rs.catalog.phrases.reader.skeleton(n); t != "" {
			out = append(out, t)
		}
	}
	return unique(out)
}

// updateURL is where the browser gets the next version from.
func (s *subject) updateURL() string {
	if s.m.UpdateURL != "" {
		return s.m.UpdateURL
	}
	return s.m.Gecko.UpdateURL
}

func (s *subject) granted() manifests.Access {
	if s.ext.Granted == nil {
		return manifests.Access{}
	}
	return *s.ext.Granted
}

func (s *subject) access() *access {
	if s.held == nil {
		s.held = newAccess(s.rs.catalog, s.ext, s.m)
	}
	return s.held
}

func (s *subject) reach() []Reach {
	if !s.reached {
		s.reached = true
		s.reaches = s.access().exchanges()
	}
	return s.reaches
}

func (s *subject) reachFacts() []fact {
	var out []fact
	for _, r := range s.reach() {
		because := ""
		if len(r.Because) > 0 {
			because = " (" + r.Because[0] + ")"
		}
		for _, c := range r.Capabilities {
			f := newFact("reach", r.Exchange+":"+c)
			f.evidence.Text = show(f.text + because)
			out = append(out, f)
		}
	}
	return out
}

func (s *subject) indicatorFacts() []fact {
	return slices.Concat(s.matchID(), s.matchHashes(), s.matchDomains(), s.matchContacts())
}

func (s *subject) matchHashes() []fact {
	if s.contents == nil {
		return nil
	}
	var out []fact
	for _, f := range s.contents.listed {
		for _, in := range s.rs.indicators.of(indicators.SHA256, f.sha256) {
			out = append(out, in.hit(Evidence{File: f.path, Key: "file.sha256", Text: f.sha256}, in.verdict))
		}
	}
	return out
}

func (s *subject) scriptFacts(search int) []fact {
	if s.contents == nil || search >= len(s.contents.places) {
		return nil
	}
	s.unsure = s.unsure || s.contents.unasked[search]
	var out []fact
	for _, p := range s.contents.places[search] {
		out = append(out, fact{text: p.text, folded: p.text,
			evidence: Evidence{File: p.file, Line: p.line, Column: p.column, Key: "script", Text: p.text}})
	}
	return out
}

// fileFacts returns the paths or the hashes of all files; hashes only when some rule asks for them.
func (s *subject) fileFacts(key string) []fact {
	if s.contents == nil {
		return nil
	}
	var out []fact
	for _, f := range s.contents.all {
		text := f.path
		if key == "file.sha256" {
			text = f.sha256
		}
		if text == "" {
			continue
		}
		fact := newFact(key, text)
		fact.evidence.File = show(f.path)
		out = append(out, fact)
	}
	return out
}

// gained returns what this version may touch and the one before could not.
func (s *subject) gained() []string {
	if s.previous == nil || s.previous.Manifest == nil || s.ext.Manifest == nil {
		return nil
	}
	old := s.previous.Manifest
	var out []string
	add := func(label string, now, before []string) {
		had := make(map[string]bool, len(before))
		for _, b := range before {
			had[b] = true
		}
		for _, n := range unique(now) {
			if !had[n] {
				out = append(out, label+": "+n)
			}
		}
	}
	add("permissions", s.m.Permissions, old.Permissions)
	add("host_permissions", bounded(s.m.Hosts), old.Hosts)
	add("content_scripts", bounded(scriptHosts(s.m)), scriptHosts(old))
	flat := func(reach []Reach) []string {
		var out []string
		for _, r := range reach {
			for _, c := range r.Capabilities {
				out = append(out, r.Exchange+":"+c)
			}
		}
		return out
	}
	add("reach", flat(s.reach()), flat(newAccess(s.rs.catalog, s.previous, old).exchanges()))
	if s.code != nil && s.oldCode != nil {
		add("flow", flowTexts(s.code), flowTexts(s.oldCode))
		add("contact", contactTexts(s.code), contactTexts(s.oldCode))
	}
	return out
}
