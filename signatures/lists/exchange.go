package lists

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/indicators"
)

var (
	// storeForm is the page of an extension in a store, with or without its name in the address.
	storeForm = form(`^https?://(chromewebstore\.google\.com/detail|chrome\.google\.com/webstore/detail|microsoftedge\.microsoft\.com/addons/detail)/(?:[^/?#]+/)?([a-z]{20,40})(?:[/?#].*)?$`)
	// comparisonForm is one comparison of a STIX pattern: [url:value = 'x'].
	comparisonForm = form(`([a-zA-Z0-9_-]+):([a-zA-Z0-9_.'-]+)\s*(=|!=|<|>|IN|LIKE|MATCHES)\s*'((?:[^'\\]|\\.)*)'`)
	// strictForm finds what ties comparisons together, so that one of them alone proves nothing.
	strictForm = form(`\b(AND|NOT|FOLLOWEDBY|WITHIN|REPEATS)\b|!=`)
)

// stix reads the indicators of a STIX 2.0 or 2.1 bundle. Other objects only tell more of them.
func (r *reader) stix(data []byte) error {
	var bundle struct {
		Type    string            `json:"type"`
		Objects []json.RawMessage `json:"objects"`
	}
	if err := json.Unmarshal(data, &bundle); err != nil {
		return fmt.Errorf("read the bundle: %w", err)
	}
	if bundle.Type != "bundle" {
		return errors.New(`the list is no STIX 2 bundle: its type is not "bundle"`)
	}
	for n, raw := range bundle.Objects {
		var o stixIndicator
		if err := json.Unmarshal(raw, &o); err != nil {
			r.leave(&item{line: 0, value: fmt.Sprintf("object %d", n)}, malformed, err.Error())
			continue
		}
		if o.Type == "indicator" {
			r.stixIndicator(&o)
		}
	}
	return nil
}

type stixIndicator struct {
	Type       string   `json:"type"`
	Name       string   `json:"name"`
	Pattern    string   `json:"pattern"`
	Types      []string `json:"indicator_types"`
	Labels     []string `json:"labels"`
	ValidFrom  string   `json:"valid_from"`
	ValidUntil string   `json:"valid_until"`
	Confidence *int     `json:"confidence"`
	Revoked    bool     `json:"revoked"`
	References []struct {
		URL string `json:"url"`
	} `json:"external_references"`
}

// lowConfidence is the confidence below which STIX 2.1 speaks of "low" (appendix A: 0-29 low, 30-69 medium).
const lowConfidence = 30

func (r *reader) stixIndicator(o *stixIndicator) {
	i := item{name: o.Name, date: dateOf(o.ValidFrom)}
	for _, ref := range o.References {
		if address(ref.URL) != "" && !storeForm().MatchString(ref.URL) {
			i.report = ref.URL
			break
		}
	}
	if o.Confidence != nil && *o.Confidence < lowConfidence {
		i.doubts = append(i.doubts, "unconfirmed")
	}
	kinds := strings.Join(append(o.Types, o.Labels...), " ")
	switch {
	case o.Revoked:
		i.drop = "taken back by the list"
	case r.over(o.ValidUntil):
		i.drop = "no longer valid"
	case !strings.Contains(kinds, "malicious"):
		i.drop = notBad
	}
	found := false
	for _, m := range comparisonForm().FindAllStringSubmatch(o.Pattern, maxComparisons) {
		c := i
		if !c.compared(m[1], m[2], unescape(m[4])) {
			continue
		}
		found = true
		if m[3] != "=" || strictForm().MatchString(withoutTexts(o.Pattern)) {
			c.drop = "a pattern of several conditions"
		}
		r.take(c)
	}
	if !found {
		r.leave(&item{value: clip(o.Pattern, 80)}, "about something else", "")
	}
}

// maxComparisons bounds one pattern.
const maxComparisons = 10_000

// over reports whether a time has passed at the date of the list.
func (r *reader) over(text string) bool {
	end, err := time.Parse(time.RFC3339, text)
	return err == nil && !r.opts.Date.IsZero() && end.Before(r.opts.Date)
}

// compared sets what a comparison is about, and reports whether that is something for us.
func (i *item) compared(object, path, value string) bool {
	switch path = strings.ReplaceAll(path, "'", ""); {
	case object == "url" && path == "value":
		m := storeForm().FindStringSubmatch(value)
		if m == nil {
			return false
		}
		i.kind, i.value = indicators.ID, m[2]
		if strings.HasPrefix(m[1], "microsoftedge") {
			i.browser = "edge"
		}
	case object == "domain-name" && path == "value":
		i.kind, i.value = indicators.Domain, refang(value)
	case object == "file" && (strings.EqualFold(path, "hashes.SHA-256") || strings.EqualFold(path, "hashes.SHA256")):
		i.kind, i.value = indicators.SHA256, value
	case strings.HasSuffix(path, "extension_id"), strings.Contains(object, "extension") && (path == "id" || path == "value"):
		i.kind, i.value = indicators.ID, value
	default:
		return false
	}
	return true
}

func unescape(text string) string { return strings.NewReplacer(`\'`, `'`, `\\`, `\`).Replace(text) }

var textForm = form(`'(?:[^'\\]|\\.)*'`)

// withoutTexts returns a pattern without its constants, which may hold any word.
func withoutTexts(pattern string) string {
	var re *regexp.Regexp = textForm()
	return re.ReplaceAllString(pattern, "''")
}

// misp reads one event, or several as a server or a list of events gives them.
func (r *reader) misp(data []byte) error {
	type wrapped struct {
		Event *mispEvent `json:"Event"`
	}
	var events []wrapped
	switch data = bytes.TrimSpace(data); {
	case bytes.HasPrefix(data, []byte("[")):
		if err := json.Unmarshal(data, &events); err != nil {
			return fmt.Errorf("read the events: %w", err)
		}
	default:
		var one struct {
			wrapped
			Response []wrapped `json:"response"`
		}
		if err := json.Unmarshal(data, &one); err != nil {
			return fmt.Errorf("read the event: %w", err)
		}
		events = append(one.Response, one.wrapped)
	}
	known := false
	for _, e := range events {
		if e.Event != nil {
			known = true
			r.mispEvent(e.Event)
		}
	}
	if !known {
		return errors.New("the list holds no MISP event")
	}
	return nil
}

type mispEvent struct {
	Date       string          `json:"date"`
	Attributes []mispAttribute `json:"Attribute"`
	Objects    []struct {
		Attributes []mispAttribute `json:"Attribute"`
	} `json:"Object"`
}

type mispAttribute struct {
	Type    string `json:"type"`
	Value   string `json:"value"`
	Comment string `json:"comment"`
	Exact   any    `json:"to_ids"` // true, or "1" from old servers
	Tags    []struct {
		Name string `json:"name"`
	} `json:"Tag"`
}

func (r *reader) mispEvent(e *mispEvent) {
	var report string
	for i := range e.Attributes {
		if a := &e.Attributes[i]; a.Type == "link" && report == "" {
			report = address(a.Value)
		}
	}
	for i := range e.Attributes {
		r.mispAttribute(&e.Attributes[i], e.Date, report)
	}
	for _, o := range e.Objects {
		own := report
		for i := range o.Attributes {
			if a := &o.Attributes[i]; (a.Type == "link" || a.Type == "url") && address(a.Value) != "" && !storeForm().MatchString(a.Value) {
				own = address(a.Value)
			}
		}
		for i := range o.Attributes {
			r.mispAttribute(&o.Attributes[i], e.Date, own)
		}
	}
}

// ofExtSentry reports whether the attribute is one of ExtSentry's, whose texts are IDs, or should be.
func (a *mispAttribute) ofExtSentry() bool {
	for _, tag := range a.Tags {
		if strings.HasPrefix(tag.Name, "extsentry:") {
			return true
		}
	}
	return false
}

func (r *reader) mispAttribute(a *mispAttribute, date, report string) {
	i := item{value: a.Value, name: a.Comment, date: dateOf(date), report: report}
	exact := a.Exact == true || a.Exact == "1"
	switch value := strings.TrimSpace(a.Value); a.Type {
	case "chrome-extension-id":
		i.kind = indicators.ID
	case "text", "other", "comment", "pattern-in-file":
		// Only what can be nothing else: a text may be anything, such as an address of a person.
		if !manifests.ValidID(value) && !a.ofExtSentry() {
			return
		}
		i.kind = indicators.ID
	case "sha256":
		i.kind = indicators.SHA256
	case "domain", "hostname":
		i.kind, i.value = indicators.Domain, refang(value)
	default:
		return
	}
	if !exact {
		if i.kind != indicators.ID {
			i.drop = notBad // context, says the standard
		}
		i.doubts = append(i.doubts, "unconfirmed")
	}
	for _, tag := range a.Tags {
		if kind, ok := strings.CutPrefix(tag.Name, "extsentry:type="); ok && strings.Trim(kind, `"`) != "malicious" {
			i.drop = notBad
		}
	}
	r.take(i)
}
