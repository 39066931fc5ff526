package signatures

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/extwatch/extwatch/signatures/indicators"
)

// An indicator is one exact fact: an extension ID with its bad versions, a file's hash, or a domain.
type indicator struct {
	value    string   // ID, hash or domain
	versions []string // of an ID: the bad ones; nil means all
	campaign string
	verdict  Verdict
	source   string
	org      bool // of the organisation's own
}

// listings are all indicators of a ruleset, in the order of who says so. They are looked up, never searched for, so that a
// million of them cost as much as ten.
type listings struct {
	ruleset []*indicators.Set // indicators/*.csv and indicators/segments
	org     []*indicators.Set // org/indicators/*.csv and org/indicators/segments
	some    [4]bool           // there are indicators of the kind
}

const (
	indicatorsFolder = "indicators"
	segmentsFolder   = "indicators/segments"
	orgFolder        = "org"
	// Organisation is what the organisation is called where it gives no name.
	Organisation = "your organisation"
)

// loadIndicators reads indicators/*.csv and indicators/segments of fsys, and the same below org/ of the ruleset itself. A
// file that is not there holds none.
func loadIndicators(fsys, org fs.FS) (*listings, []Defect) {
	x := &listings{}
	lists, defects := loadCSV(fsys, indicatorsFolder, nil)
	x.ruleset = lists
	if set, err := indicators.OpenFS(fsys, segmentsFolder); err != nil {
		defects = append(defects, Defect{Path: segmentsFolder, Reason: reason(err)})
	} else {
		x.ruleset = append(x.ruleset, set)
	}
	lists, more := loadCSV(org, path.Join(orgFolder, indicatorsFolder), func(r indicators.Row) error {
		if r.Verdict == indicators.Retracted {
			return errors.New("only the feed itself retracts indicators; trust the extension in decisions.yml")
		}
		return nil
	})
	x.org = lists
	defects = append(defects, more...)
	if set, err := indicators.OpenFS(org, path.Join(orgFolder, segmentsFolder)); err != nil {
		defects = append(defects, Defect{Path: path.Join(orgFolder, segmentsFolder), Reason: reason(err)})
	} else {
		x.org = append(x.org, set)
	}
	for _, kind := range indicators.Kinds() {
		x.some[kind] = slices.ContainsFunc(slices.Concat(x.ruleset, x.org), func(s *indicators.Set) bool { return s.Len(kind) > 0 })
	}
	return x, defects
}

// loadCSV reads the lists in a folder into one set; check may refuse rows.
func loadCSV(fsys fs.FS, folder string, check func(indicators.Row) error) (sets []*indicators.Set, defects []Defect) {
	var segments [][]byte
	for _, kind := range indicators.Kinds() {
		var rows []indicators.Row
		defects = append(defects, readCSV(fsys, folder, kind, func(r indicators.Row) error {
			rows = append(rows, r)
			if check != nil {
				return check(r)
			}
			return nil
		})...)
		if len(rows) == 0 {
			continue
		}
		segment, err := indicators.Build(kind, 1, rows)
		if err != nil {
			return nil, append(defects, Defect{Path: path.Join(folder, kind.File()), Reason: err.Error()})
		}
		segments = append(segments, segment)
	}
	if len(segments) == 0 {
		return nil, defects
	}
	set, err := indicators.Open(segments...)
	if err != nil {
		return nil, append(defects, Defect{Path: folder, Reason: err.Error()})
	}
	return []*indicators.Set{set}, defects
}

// readCSV calls each for the rows of a list.
func readCSV(fsys fs.FS, folder string, kind indicators.Kind, each func(indicators.Row) error) (defects []Defect) {
	name := path.Join(folder, kind.File())
	data, err := fs.ReadFile(fsys, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return []Defect{{Path: name, Reason: reason(err)}}
	}
	for _, m := range indicators.ReadCSV(kind, data, each) {
		defects = append(defects, Defect{name, m.Line, m.Reason, m.Hint})
	}
	return defects
}

// count returns how many indicators there are; the ruleset's own do not count when they are borrowed.
func (x *listings) count(borrowed bool) (n int) {
	sets := x.org
	if !borrowed {
		sets = slices.Concat(x.ruleset, x.org)
	}
	for _, set := range sets {
		for _, kind := range indicators.Kinds() {
			n += set.Len(kind)
		}
	}
	return n
}

// of returns the indicators for a value. Rows that the ruleset retracts do not count, nor do the retractions.
func (x *listings) of(kind indicators.Kind, value string) (out []*indicator) {
	var retracted []string
	add := func(sets []*indicators.Set, org bool) {
		for _, set := range sets {
			for _, r := range set.Lookup(kind, value) {
				if r.Verdict == indicators.Retracted {
					if !org {
						retracted = append(retracted, r.Campaign)
					}
					continue
				}
				in := &indicator{value: r.Value, versions: r.Versions, campaign: r.Campaign, verdict: Verdict(r.Verdict), source: r.Source, org: org}
				if org {
					in.source = Organisation + ": " + in.source
				}
				out = append(out, in)
			}
		}
	}
	add(x.ruleset, false)
	if len(retracted) > 0 {
		out = slices.DeleteFunc(out, func(in *indicator) bool { return slices.Contains(retracted, in.campaign) })
	}
	add(x.org, true)
	return out
}

// domain returns the indicators for a host or the nearest domain above it.
func (x *listings) domain(host string) []*indicator {
	if !x.some[indicators.Domain] {
		return nil
	}
	for p := host; p != ""; p = parent(p) {
		if found := x.of(indicators.Domain, p); found != nil {
			return found
		}
	}
	return nil
}

// lintIndicators finds campaigns without a rule, whose findings would have no steps of their own, and rows that accuse
// who is known to be good.
func (rs *Ruleset) lintIndicators(fsys fs.FS) (defects []Defect) {
	covered := map[string]bool{}
	for _, r := range rs.rules {
		covered[r.Name], covered[r.Campaign] = true, true
	}
	missing := map[string]string{}
	check := func(place string, kind indicators.Kind) func(indicators.Row) error {
		return func(r indicators.Row) error {
			if r.Verdict == indicators.Retracted {
				return nil
			}
			if !covered[r.Campaign] {
				missing[r.Campaign] = place
			}
			if whose := rs.KnownGood(kind, r.Value); whose != "" && r.Versions == nil {
				return fmt.Errorf("%s is known to be good: it belongs to %s; write the bad versions, or delete the row", r.Value, whose)
			}
			return nil
		}
	}
	for _, folder := range []string{indicatorsFolder, path.Join(orgFolder, indicatorsFolder)} {
		if rs.borrowed && folder == indicatorsFolder {
			continue
		}
		for _, kind := range indicators.Kinds() {
			defects = append(defects, readCSV(fsys, folder, kind, check(folder, kind))...)
		}
	}
	if set, err := indicators.OpenFS(fsys, segmentsFolder); err == nil { // Load has told of an error
		for _, kind := range indicators.Kinds() {
			each := check(segmentsFolder, kind)
			for r := range set.All(kind) {
				if err := each(r); err != nil {
					defects = append(defects, Defect{Path: segmentsFolder, Reason: err.Error()})
				}
			}
		}
	}
	for _, campaign := range sortedKeys(missing) {
		defects = append(defects, Defect{Path: missing[campaign], Reason: "campaign " + campaign + " has no rule",
			Hint: "write campaigns/" + campaign + ".yml with \"indicator: " + campaign + "\""})
	}
	return defects
}

// honestDomains returns the domains of the catalog and all above them, each with the one that it is or is above.
func (c *catalog) honestDomains() map[string]string {
	out := map[string]string{}
	for _, list := range []string{"exchange_domains", "wallet_domains", "webmail_domains"} {
		for _, domain := range c.placeholders[list] {
			for p := domain; p != ""; p = parent(p) {
				if out[p] == "" || p == domain {
					out[p] = domain
				}
			}
		}
	}
	return out
}

// hit makes the fact that an indicator matched.
func (in *indicator) hit(e Evidence, verdict Verdict) fact {
	e.Text = show(e.Text + " (listed by " + in.source + ")")
	capped := *in
	capped.verdict = verdict
	return fact{text: in.campaign, folded: in.campaign, evidence: e, row: &capped}
}

// matchID returns the facts of the indicators for the extension's own ID.
func (s *subject) matchID() []fact {
	// An ID made from the folder's path says nothing about who made it.
	if s.ext.IDFromPath {
		return nil
	}
	var out []fact
	for _, in := range s.rs.indicators.of(indicators.ID, strings.ToLower(s.ext.ID)) {
		e := Evidence{Key: "id", Text: s.ext.ID}
		switch {
		case in.versions == nil && s.knownGood():
			// Public lists contain genuine wallets; the official ID outweighs a row for all versions.
			continue
		case in.versions != nil && !indicators.Covers(in.versions, s.m.Version):
			continue
		case in.versions != nil:
			e.Text += " version " + s.m.Version
		}
		out = append(out, in.hit(e, in.verdict))
	}
	return out
}

// knownGood reports whether the extension is the official one of a wallet: its ID is, and nothing says that the
// folder was put there in another way.
func (s *subject) knownGood() bool {
	return s.rs.catalog.official[strings.ToLower(s.ext.ID)] != nil && s.genuine()
}

// blockListCampaigns is how many campaigns' hosts a script may name before it is taken for a block list. No theft
// shares its hosts with two others; every list of bad sites has many.
const blockListCampaigns = 3

// matchDomains returns the facts of the indicators for hosts that the extension names. Only the update address is
// believed as it is: from there the browser fetches code. To name a host elsewhere is not to contact it.
func (s *subject) matchDomains() []fact {
	var out []fact
	declared := map[string]bool{}
	named := func(key, host, text string) {
		for _, in := range s.rs.indicators.domain(host) {
			verdict := in.verdict
			if key != "update_url" {
				verdict = weaker(verdict, Suspicious)
			}
			declared[in.campaign] = true
			out = append(out, in.hit(Evidence{Key: key, Text: text}, verdict))
		}
	}
	named("update_url", hostOf(s.updateURL()), s.updateURL())
	for _, group := range []struct {
		key      string
		patterns []string
	}{
		{"host_permissions", bounded(s.m.Hosts)},
		{"content_script_hosts", bounded(scriptHosts(s.m))},
		{"externally_connectable", bounded(s.connectable())},
	} {
		for _, p := range group.patterns {
			named(group.key, strings.TrimPrefix(hostOf(p), "*."), p)
		}
	}
	for _, p := range s.m.ContentSecurityPolicy {
		for word := range strings.FieldsSeq(strings.ReplaceAll(clip(p.Value, maxFactText), ";", " ")) {
			if host := policyHost(word); host != "" {
				named("csp", host, word)
			}
		}
	}
	return append(out, s.matchScriptHosts(declared)...)
}

func (s *subject) connectable() []string {
	if c := s.m.ExternallyConnectable; c != nil {
		return c.Matches
	}
	return nil
}

// policyHost returns the host of a source in a content security policy ("https://*.x.example:443", "x.example").
func policyHost(word string) string {
	if strings.HasPrefix(word, "'") || !strings.Contains(word, ".") {
		return ""
	}
	if !strings.Contains(word, "://") {
		word = "https://" + word
	}
	return strings.TrimPrefix(hostOf(word), "*.")
}

func (s *subject) matchScriptHosts(declared map[string]bool) []fact {
	if s.contents == nil {
		return nil
	}
	var out []fact
	campaigns := map[string]bool{}
	for _, host := range sortedKeys(s.contents.hosts) {
		for _, in := range s.rs.indicators.domain(host) {
			campaigns[in.campaign] = true
			p := s.contents.hosts[host]
			out = append(out, in.hit(Evidence{File: p.file, Line: p.line, Column: p.column, Key: "script", Text: p.text}, weaker(in.verdict, Suspicious)))
		}
	}
	if len(campaigns) >= blockListCampaigns && len(declared) == 0 {
		s.note(fmt.Sprintf("the code names hosts of %d known campaigns, as lists of bad sites do; they were not counted", len(campaigns)))
		return nil
	}
	return out
}

func weaker(a, b Verdict) Verdict {
	if a.Worse(b) {
		return b
	}
	return a
}

// KnownGood returns whose a value is when the catalog knows it to be good: the wallet whose official ID it is, or the
// domain of an exchange, a wallet or a mail service that it is, or is above. Empty when it does not.
func (rs *Ruleset) KnownGood(kind indicators.Kind, value string) string {
	value = strings.ToLower(value)
	switch kind {
	case indicators.ID:
		if w := rs.catalog.official[value]; w != nil {
			return w.title
		}
	case indicators.Domain:
		return rs.catalog.honest[value]
	}
	return ""
}
