package signatures

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/extwatch/extwatch/manifests"
)

// An indicator is one exact fact: an extension ID with its bad versions, a file's hash, or a domain.
type indicator struct {
	value    string   // ID, hash or domain
	versions []string // of an ID: the bad ones; nil means all
	campaign string
	verdict  Verdict
	source   string
	note     string
}

// indicators are looked up, never searched for, so that a million of them cost as much as ten.
type indicators struct {
	ids     map[string][]*indicator
	hashes  map[string][]*indicator
	domains map[string][]*indicator
	count   int
}

// maxIndicators bounds one file: ten times all public lists together.
const maxIndicators = 50 << 20

var (
	// geckoID is what Firefox accepts: a GUID in braces, or something like an e-mail address.
	geckoID = form(`^(\{[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\}|[A-Za-z0-9._-]*@[A-Za-z0-9._-]+)$`)
	// browserForm: "chrome", "chrome edge". Told to people, not compared: an ID belongs to one store anyway.
	browserForm = form(`^[a-z]+( [a-z]+)*$`)
	versionForm = form(`^[0-9A-Za-z][0-9A-Za-z._+-]*$`)
)

// loadIndicators reads indicators/*.csv. A file that is not there holds none.
func loadIndicators(fsys fs.FS) (*indicators, []Defect) {
	x := &indicators{ids: map[string][]*indicator{}, hashes: map[string][]*indicator{}, domains: map[string][]*indicator{}}
	var defects []Defect
	for _, part := range []struct {
		file, header string
		add          func(*indicator, []string) error
	}{
		{"indicators/extensions.csv", "id,browser,versions,campaign,verdict,source,note", x.addID},
		{"indicators/files.csv", "sha256,campaign,verdict,source,note", x.addHash},
		{"indicators/domains.csv", "domain,campaign,verdict,source,note", x.addDomain},
	} {
		data, err := fs.ReadFile(fsys, part.file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			defects = append(defects, Defect{Path: part.file, Reason: reason(err)})
		default:
			defects = append(defects, x.read(part.file, data, part.header, part.add)...)
		}
	}
	return x, defects
}

func (x *indicators) read(file string, data []byte, header string, add func(*indicator, []string) error) (defects []Defect) {
	fail := func(line int, hint, format string, args ...any) {
		defects = append(defects, Defect{file, line, fmt.Sprintf(format, args...), hint})
	}
	if len(data) > maxIndicators {
		fail(0, "split it into several rulesets", "%d bytes; at most %d are read", len(data), maxIndicators)
		return defects
	}
	rd := csv.NewReader(bytes.NewReader(data))
	rd.FieldsPerRecord = -1
	rd.ReuseRecord = true
	columns := strings.Count(header, ",") + 1
	seen := map[string]bool{}
	for first := true; ; first = false {
		row, err := rd.Read()
		if errors.Is(err, io.EOF) {
			if first {
				fail(1, "", "the header %q is missing", header)
			}
			return defects
		}
		if err != nil {
			line := 0
			var parse *csv.ParseError
			if errors.As(err, &parse) {
				line, err = parse.Line, parse.Err
			}
			fail(line, "put a text with commas or quotes in quotes, and double the quotes inside", "%v", err)
			return defects
		}
		line, _ := rd.FieldPos(0)
		switch {
		case first && strings.Join(row, ",") != header:
			fail(line, "", "expected the header %q", header)
			return defects
		case first:
		case len(row) != columns:
			fail(line, "put a text with commas in quotes", "%d columns; expected %d", len(row), columns)
		default:
			key := strings.Join(row[:columns-3], ",")
			if seen[key] {
				fail(line, "delete one", "the row for %q stands twice", clip(row[0], 80))
				continue
			}
			seen[key] = true
			if err := x.row(row, columns, add); err != nil {
				fail(line, "", "%v", err)
			}
		}
	}
}

// row reads the columns that all files end with: campaign, verdict, source, note.
func (x *indicators) row(row []string, columns int, add func(*indicator, []string) error) error {
	tail := row[columns-4:]
	in := &indicator{value: row[0], campaign: tail[0], verdict: Verdict(tail[1]), source: tail[2], note: tail[3]}
	switch {
	case !slugForm().MatchString(in.campaign) || len(in.campaign) > maxName:
		return fmt.Errorf("campaign %q is no slug", clip(in.campaign, 80))
	case in.verdict != Malicious && in.verdict != Suspicious && in.verdict != Capable:
		return fmt.Errorf("verdict %q is not malicious, suspicious or capable", clip(string(in.verdict), 80))
	case in.source == "":
		return errors.New("no source")
	}
	if err := add(in, row); err != nil {
		return err
	}
	x.count++
	return nil
}

func (x *indicators) addID(in *indicator, row []string) error {
	if !manifests.ValidID(in.value) && !geckoID().MatchString(in.value) {
		return fmt.Errorf("%q is neither 32 letters a to p nor a Firefox add-on ID", clip(in.value, 80))
	}
	if !browserForm().MatchString(row[1]) {
		return fmt.Errorf("browser %q", clip(row[1], 80))
	}
	if row[2] != "*" {
		in.versions = strings.Fields(row[2])
		if len(in.versions) == 0 {
			return errors.New("no versions; write * for all")
		}
		for _, v := range in.versions {
			if !versionForm().MatchString(v) {
				return fmt.Errorf("version %q is not exact; write * or versions with spaces between", clip(v, 80))
			}
		}
	}
	key := strings.ToLower(in.value)
	x.ids[key] = append(x.ids[key], in)
	return nil
}

func (x *indicators) addHash(in *indicator, _ []string) error {
	if len(in.value) != 64 || strings.Trim(in.value, "0123456789abcdef") != "" {
		return fmt.Errorf("%q is no SHA-256 in lower case", clip(in.value, 80))
	}
	x.hashes[in.value] = append(x.hashes[in.value], in)
	return nil
}

func (x *indicators) addDomain(in *indicator, _ []string) error {
	if err := checkDomain(in.value); err != nil {
		return err
	}
	x.domains[in.value] = append(x.domains[in.value], in)
	return nil
}

// domain returns the indicators for a host or any domain above it.
func (x *indicators) domain(host string) []*indicator {
	if len(x.domains) == 0 {
		return nil
	}
	for p := host; p != ""; p = parent(p) {
		if found := x.domains[p]; found != nil {
			return found
		}
	}
	return nil
}

// campaigns returns the campaigns of all indicators, sorted.
func (x *indicators) campaigns() []string {
	set := map[string]bool{}
	for _, m := range []map[string][]*indicator{x.ids, x.hashes, x.domains} {
		for _, rows := range m {
			for _, in := range rows {
				set[in.campaign] = true
			}
		}
	}
	return sortedKeys(set)
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
	for _, in := range s.rs.indicators.ids[strings.ToLower(s.ext.ID)] {
		e := Evidence{Key: "id", Text: s.ext.ID}
		switch {
		case in.versions == nil && s.knownGood():
			// Public lists contain genuine wallets; the official ID outweighs a row for all versions.
			continue
		case in.versions != nil && !slices.Contains(in.versions, s.m.Version):
			continue
		case in.versions != nil:
			e.Text += " version " + s.m.Version
		}
		out = append(out, in.hit(e, in.verdict))
	}
	return out
}

// knownGood reports whether the extension is the official one of a wallet: its ID is, and nothing says that the
// folder was put there in another way. Unpacked and command-line extensions can claim any ID, and in Firefox every
// package can that the store has not signed.
func (s *subject) knownGood() bool {
	if s.ext.IDFromPath || s.ext.CommandLine || s.rs.catalog.official[strings.ToLower(s.ext.ID)] == nil {
		return false
	}
	switch s.ext.Origin {
	case manifests.OriginStore, manifests.OriginPolicy:
		return true
	case manifests.OriginUnknown:
		return !geckoID().MatchString(s.ext.ID)
	}
	return false
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
