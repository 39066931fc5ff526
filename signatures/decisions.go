package signatures

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/indicators"
	"go.yaml.in/yaml/v3"
)

// A Decision is what an organisation thinks of one extension, from decisions.yml or org/decisions.yml.
type Decision struct {
	Action    string    `json:"action"`              // block or trust
	By        string    `json:"by"`                  // who: "your organisation", or its name
	ID        string    `json:"id"`                  // of the extension
	Browsers  []string  `json:"browsers,omitempty"`  // "chrome"; none: all
	Versions  []string  `json:"versions,omitempty"`  // exact; none: all
	Reason    string    `json:"reason"`              // one line
	Owner     string    `json:"owner"`               // whom to ask
	Until     time.Time `json:"until,omitzero"`      // when it ends; zero: never
	Overrides []string  `json:"overrides,omitempty"` // of trust: campaigns and rules that say malicious and are not to count
}

// A ruling is a decision and where it stands.
type ruling struct {
	Decision
	path string
	line int
}

const (
	actionBlock = "block"
	actionTrust = "trust"
	// organisationBlock is the rule of a finding that says nothing but that the organisation does not want it.
	organisationBlock = "organisation-block"
)

// maxDecisions bounds one file: lists longer than that are indicators.
const maxDecisions = 10_000

// decisionFiles are the files that hold decisions, in the order in which they count among equals.
func decisionFiles() []string { return []string{"org/decisions.yml", "decisions.yml"} }

// Decisions returns the decisions of the organisation in force at a time, and those that have ended and are ignored.
func (rs *Ruleset) Decisions(now time.Time) (inForce, ended []Decision) {
	for _, list := range rs.decisions {
		for _, d := range list {
			if d.ended(now) {
				ended = append(ended, d.Decision)
			} else {
				inForce = append(inForce, d.Decision)
			}
		}
	}
	order := func(a, b Decision) int { return strings.Compare(a.ID, b.ID) }
	slices.SortStableFunc(inForce, order)
	slices.SortStableFunc(ended, order)
	return inForce, ended
}

func (d *Decision) ended(now time.Time) bool { return !d.Until.IsZero() && !now.Before(d.Until) }

// loadDecisions reads the decisions, by ID in lower case.
func loadDecisions(fsys fs.FS) (map[string][]ruling, []Defect) {
	all := map[string][]ruling{}
	var defects []Defect
	for _, name := range decisionFiles() {
		if _, err := fs.Stat(fsys, name); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		d := readDocument(fsys, name)
		if d.root != nil {
			for _, dec := range d.decisions() {
				key := strings.ToLower(dec.ID)
				for i := range all[key] {
					if other := &all[key][i]; other.path == name && other.meets(&dec) {
						d.defects = append(d.defects, Defect{name, dec.line, fmt.Sprintf("%s: line %d decides of it as well", dec.ID, other.line),
							"keep one, or tell them apart by browser or versions"})
					}
				}
				all[key] = append(all[key], dec)
			}
		}
		defects = append(defects, d.defects...)
	}
	return all, defects
}

// meets reports whether there can be an extension for which both decide.
func (d *ruling) meets(e *ruling) bool {
	meet := func(a, b []string) bool {
		return len(a) == 0 || len(b) == 0 || slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
	}
	return meet(d.Browsers, e.Browsers) && meet(d.Versions, e.Versions)
}

func (d *document) decisions() (out []ruling) {
	by := Organisation
	d.mapping(d.root, "file", keys{
		"by": d.into(&by, "by"),
		"decisions": func(n *yaml.Node) {
			d.list(n, "decisions", func(n *yaml.Node) {
				if len(out) == maxDecisions {
					d.fail(n, "write IDs into org/indicators/extensions.csv", "more than %d decisions", maxDecisions)
				}
				if len(out) < maxDecisions {
					out = append(out, d.decision(n))
				}
			})
		},
	})
	if len(by) == 0 || len(by) > maxTitle {
		d.fail(d.root, "", "by: expected at most %d characters", maxTitle)
	}
	for i := range out {
		out[i].By = by
	}
	return out
}

func (d *document) decision(n *yaml.Node) ruling {
	dec := ruling{path: d.path, line: n.Line}
	d.mapping(n, "decision", keys{
		"action": func(n *yaml.Node) { dec.Action = d.oneOf(n, "action", actionBlock, actionTrust) },
		"id": func(n *yaml.Node) {
			dec.ID = d.text(n, "id")
			if !manifests.ValidID(dec.ID) && !indicators.IsGecko(dec.ID) {
				d.fail(n, "", "id: %q is neither 32 letters a to p nor a Firefox add-on ID", clip(dec.ID, 80))
			}
		},
		"browser":   d.listInto(&dec.Browsers, "browser"),
		"versions":  func(n *yaml.Node) { dec.Versions = d.versions(n) },
		"reason":    d.into(&dec.Reason, "reason"),
		"owner":     d.into(&dec.Owner, "owner"),
		"until":     func(n *yaml.Node) { dec.Until = d.endOfDay(n) },
		"overrides": func(n *yaml.Node) { dec.Overrides = d.slugs(n, "overrides") },
	})
	d.needs(n, "decision", dec.Action != "", "action", dec.ID != "", "id", dec.Reason != "", "reason", dec.Owner != "", "owner")
	for _, text := range []string{dec.Reason, dec.Owner} {
		if len([]rune(text)) > maxSnippet {
			d.fail(n, "shorten it: it stands in a warning", "decision: a text of more than %d characters", maxSnippet)
		}
	}
	switch {
	case dec.Action == actionTrust && dec.Until.IsZero() && member(n, "until") == nil:
		d.fail(n, "add until: 2027-01-31, and look at it again then", "decision: trust needs an end")
	case dec.Action == actionBlock && len(dec.Overrides) > 0:
		d.fail(n, "leave overrides out", "decision: a block overrides nothing")
	}
	return dec
}

// versions reads exact versions; "*" is refused, since leaving them out says it.
func (d *document) versions(n *yaml.Node) []string {
	out := d.texts(n, "versions")
	for _, v := range out {
		if !versionForm().MatchString(v) {
			d.fail(n, "write [\"1.2.3\"], or leave versions out for all", "versions: %q is not exact", clip(v, 80))
		}
	}
	return out
}

var versionForm = form(`^[0-9A-Za-z][0-9A-Za-z._+-]*$`)

func (d *document) slugs(n *yaml.Node, what string) []string {
	out := d.texts(n, what)
	for _, t := range out {
		if !slugForm().MatchString(t) || len(t) > maxName {
			d.fail(n, "write the slug of the campaign, as the warning tells it", "%s: %q is no slug", what, clip(t, 80))
		}
	}
	return out
}

// endOfDay reads a date; what it is written for ends with that day, in UTC.
func (d *document) endOfDay(n *yaml.Node) time.Time {
	day, err := time.Parse(time.DateOnly, d.text(n, "until"))
	if err != nil {
		d.fail(n, "write 2027-01-31", "until: %q is no date", clip(n.Value, 80))
		return time.Time{}
	}
	return day.AddDate(0, 0, 1)
}

// isDecisions reports whether a file holds decisions, not a rule.
func isDecisions(name string) bool { return slices.Contains(decisionFiles(), path.Clean(name)) }
