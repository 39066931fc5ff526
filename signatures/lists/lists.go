// Package lists turns public lists of bad extensions into indicators, and takes no more from them than they prove.
//
// Public lists hold honest wallets, malformed and invented IDs, copies of each other, products that were hijacked for a
// week and are clean again, and tools that somebody merely dislikes. So nothing is taken that is not exactly an ID, a
// hash or a domain; nothing that is known to be good; and the verdict says how sure the list is:
//
//	malicious   the store itself says so (CONFIRM-MAL 2 or 3 of chrome-mal-ids)
//	suspicious  a report is named, that somebody can read
//	capable     all else, with the tag "weak" and why: it is listed and nobody is warned
//
// Each row names the list as its source, which the licences want, and the report in its note. What was left out is told
// with its line and reason.
//
//	format          what is read
//	chrome-mal-ids  current-list-meta.csv of github.com/mallorybowes/chrome-mal-ids; its names are not taken, since
//	                some are shifted by a row
//	extsentry       extsentry_ioc_feed.csv of extsentry.github.io; only the threat type "malicious"
//	malext          Malicious-Extensions.md or .csv of github.com/toborrm9/malicious_extension_sentry
//	stix            a STIX 2 bundle: indicators with addresses of store pages, IDs, SHA-256 hashes, domains
//	misp            a MISP event, or several
//	csv             any CSV file with a header that names its columns, or one ID in each line
package lists

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/extwatch/extwatch/signatures/indicators"
)

const (
	// maxList bounds a list in bytes: the largest public one has 3 MB.
	maxList = 64 << 20
	// maxItems bounds what one list may hold.
	maxItems = 2_000_000
	// maxNote is how much of a name or an address is kept, in bytes.
	maxNote = 200
)

// Options say what a list does not say of itself.
type Options struct {
	Campaign string    // slug for all rows; empty: the format's name, "public-list" for stix, misp and csv
	Source   string    // address of the list; empty: that of the format; must be given for stix, misp and csv
	Date     time.Time // of the list, for rows without one; zero: none
	// KnownGood returns whose a value is, when it is known to be good: a wallet's official ID, an exchange's domain.
	KnownGood func(kind indicators.Kind, value string) string
}

// A Drop is something that was left out.
type Drop struct {
	Line   int // from 1; 0 where the format has none
	Value  string
	Reason string // one of a few, so that they can be counted
	Detail string // more of it; may be empty
}

// A Result is what a list gave.
type Result struct {
	Campaign string // of all rows
	Source   string // of all rows
	Read     int    // IDs, hashes and domains that the list holds
	Rows     map[indicators.Kind][]indicators.Row
	Dropped  []Drop // in the order of the list
}

// Formats returns the names of the formats that Read knows.
func Formats() []string { return slices.Sorted(maps.Keys(formats())) }

// A format is one kind of list.
type format struct {
	read             func(*reader, []byte) error
	campaign, source string
}

func formats() map[string]format {
	return map[string]format{
		"chrome-mal-ids": {(*reader).chromeMalIDs, "chrome-mal-ids", "https://github.com/mallorybowes/chrome-mal-ids"},
		"extsentry":      {(*reader).extSentry, "extsentry", "https://extsentry.github.io/"},
		"malext":         {(*reader).malext, "malext", "https://github.com/toborrm9/malicious_extension_sentry"},
		"stix":           {(*reader).stix, "public-list", ""},
		"misp":           {(*reader).misp, "public-list", ""},
		"csv":            {(*reader).csv, "public-list", ""},
	}
}

// Read reads a list. The error says what is wrong with the list as a whole; what is wrong with a row is a Drop.
func Read(name string, data []byte, opts Options) (*Result, error) {
	f, ok := formats()[name]
	switch {
	case !ok:
		return nil, fmt.Errorf("there is no format %q; there are %s", name, strings.Join(Formats(), ", "))
	case len(data) > maxList:
		return nil, fmt.Errorf("the list has %d bytes; at most %d are read", len(data), maxList)
	}
	opts.Campaign, opts.Source = cmp.Or(opts.Campaign, f.campaign), cmp.Or(opts.Source, f.source)
	if err := (&indicators.Row{Value: "x.example", Campaign: opts.Campaign, Verdict: "capable", Source: "s"}).Check(indicators.Domain); err != nil {
		return nil, fmt.Errorf("the list cannot stand under this name: %w", err)
	}
	if opts.Source == "" {
		return nil, fmt.Errorf("a list of the format %s does not say where it is from; give its source", name)
	}
	r := &reader{opts: opts, taken: map[indicators.Kind]map[string]indicators.Row{}}
	if err := f.read(r, data); err != nil {
		return nil, err
	}
	return r.result(), nil
}

// An item is what a list says of one value, before it is judged.
type item struct {
	line                 int
	kind                 indicators.Kind
	value, name, browser string
	versions             string // as the list writes them
	date                 time.Time
	report               string   // address of a report
	sure                 bool     // the store itself says that it is malicious
	doubts               []string // why it is weak: tags
	drop                 string   // why it is to be left out
}

type reader struct {
	opts    Options
	read    int
	taken   map[indicators.Kind]map[string]indicators.Row
	dropped []Drop
}

func (r *reader) leave(i *item, reason, detail string) {
	r.dropped = append(r.dropped, Drop{i.line, clip(i.value, 80), reason, detail})
}

// KnownGood is the reason of a Drop for what is known to be good: worth telling always.
const KnownGood = "known to be good"

// The other reasons.
const (
	malformed  = "no ID, hash or domain"
	repeated   = "stands more than once"
	noVersions = "versions that cannot be read"
	notBad     = "the list does not call it malicious"
	cleaned    = "clean again, and the list does not say which versions were bad"
	tooMany    = "too many rows"
)

// take judges an item, and keeps it or tells why not.
func (r *reader) take(i item) {
	r.read++
	i.value = strings.TrimSpace(i.value)
	if i.kind != indicators.ID || !strings.Contains(i.value, "@") && !strings.HasPrefix(i.value, "{") {
		i.value = strings.ToLower(i.value)
	}
	if r.read > maxItems {
		if r.read == maxItems+1 {
			r.leave(&i, tooMany, fmt.Sprintf("at most %d are read", maxItems))
		}
		return
	}
	if i.drop != "" {
		r.leave(&i, i.drop, "")
		return
	}
	row, reason, detail := r.row(&i)
	if reason != "" {
		r.leave(&i, reason, detail)
		return
	}
	key := strings.ToLower(row.Value) + " " + strings.Join(row.Versions, " ")
	if r.taken[i.kind] == nil {
		r.taken[i.kind] = map[string]indicators.Row{}
	}
	if before, ok := r.taken[i.kind][key]; ok {
		r.leave(&i, repeated, "")
		if !surer(row, before) {
			return
		}
	}
	r.taken[i.kind][key] = row
}

// row makes a row of an item, or says why none.
func (r *reader) row(i *item) (row indicators.Row, reason, detail string) {
	row = indicators.Row{Value: i.value, Campaign: r.opts.Campaign, Verdict: "suspicious", Source: r.opts.Source}
	if i.kind == indicators.ID {
		row.Browser = cmp.Or(i.browser, "chrome")
		if i.browser == "" && indicators.IsGecko(i.value) {
			row.Browser = "firefox"
		}
		versions, ok := versionsOf(i.versions)
		if !ok {
			return row, noVersions, clip(i.versions, 80)
		}
		row.Versions = versions
	}
	report := address(i.report)
	row.Tags = slices.Compact(slices.Sorted(slices.Values(i.doubts)))
	switch {
	case i.sure && len(i.doubts) == 0:
		row.Verdict = "malicious"
	case report == "" || len(i.doubts) > 0:
		if report == "" {
			row.Tags = append(row.Tags, "no-report")
		}
		row.Verdict, row.Tags = "capable", append([]string{"weak"}, row.Tags...)
	}
	row.Note = strings.Join(slices.DeleteFunc([]string{plain(i.name), report}, func(s string) bool { return s == "" }), "; ")
	if date := i.date; !date.IsZero() {
		row.Date = date.Format(time.DateOnly)
	} else if !r.opts.Date.IsZero() {
		row.Date = r.opts.Date.Format(time.DateOnly)
	}
	if err := row.Check(i.kind); err != nil {
		return row, malformed, err.Error()
	}
	if whose := r.whose(i.kind, row.Value); whose != "" && row.Versions == nil {
		return row, KnownGood, whose
	}
	return row, "", ""
}

// whose returns who has a value that is known to be good.
func (r *reader) whose(kind indicators.Kind, value string) string {
	if name := genuine()[value]; kind == indicators.ID && name != "" {
		return name
	}
	if r.opts.KnownGood != nil {
		return r.opts.KnownGood(kind, value)
	}
	return ""
}

// genuine are widespread extensions that stood on public lists although they are none of it.
func genuine() map[string]string {
	return map[string]string{
		"cjpalhdlnbpafiamejdnhcphjbkeiagm": "uBlock Origin",
		"ghbmnnjooekpmoecnnnilnnbdlolhkhi": "Google Docs Offline",
		"nmmhkkegccagdldgiimedpiccmgmieda": "Chrome Web Store Payments",
		"pkedcjkdefgpdelpbcmbmeomcjbeemfm": "Google Cast",
		"mhjfbmdgcfjbbpaeojofohoefgiehjai": "Chrome PDF Viewer",
		"aapbdbdomjkkjkaonfhkkikfgjllcleb": "Google Translate",
		"gighmmpiobklfepjocnamgkkbiglidom": "AdBlock",
		"cfhdojbkjhnklbpkdaibdccddilifddb": "Adblock Plus",
	}
}

// surer reports whether a row says more than another for the same.
func surer(a, b indicators.Row) bool {
	rank := func(r indicators.Row) int {
		return slices.Index([]string{"capable", "suspicious", "malicious"}, r.Verdict)
	}
	return rank(a) > rank(b) || rank(a) == rank(b) && b.Note == "" && a.Note != ""
}

func (r *reader) result() *Result {
	out := &Result{Campaign: r.opts.Campaign, Source: r.opts.Source, Read: min(r.read, maxItems), Rows: map[indicators.Kind][]indicators.Row{}, Dropped: r.dropped}
	for kind, rows := range r.taken {
		for _, key := range slices.Sorted(maps.Keys(rows)) {
			out.Rows[kind] = append(out.Rows[kind], rows[key])
		}
	}
	return out
}

// address returns a link that can be opened, or nothing.
func address(text string) string {
	text = plain(text)
	if !strings.HasPrefix(text, "https://") && !strings.HasPrefix(text, "http://") || strings.ContainsAny(text, " ,\"") {
		return ""
	}
	return text
}

// plain makes a text one short line without hidden characters.
func plain(text string) string {
	text = strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) {
			return ' '
		}
		if !unicode.IsPrint(c) || c == unicode.ReplacementChar {
			return -1
		}
		return c
	}, text)
	return clip(strings.Join(strings.Fields(text), " "), maxNote)
}

// clip returns the first n bytes of text, not cutting a character in two.
func clip(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && text[n]&0xc0 == 0x80 {
		n--
	}
	return text[:n]
}
