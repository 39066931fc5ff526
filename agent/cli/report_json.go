package cli

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
	"github.com/extwatch/extwatch/signatures/behavior"
)

// schemaVersion is the version of the JSON report. Keys are added without a new version; what is there keeps its
// meaning. Lists are never null. Text is as the extension wrote it: whoever shows it must clean it.
const schemaVersion = 1

type jsonReport struct {
	Schema     int                 `json:"schema"`
	Engine     string              `json:"engine"`
	Ruleset    *jsonRuleset        `json:"ruleset,omitempty"` // absent when nothing was judged
	Extensions []jsonExtension     `json:"extensions"`
	Problems   []manifests.Problem `json:"problems"`
	Summary    jsonSummary         `json:"summary"`
}

type jsonRuleset struct {
	Version    int `json:"version"`
	Rules      int `json:"rules"`
	Indicators int `json:"indicators"`
}

// A jsonSummary counts the extensions by verdict; without verdicts only all of them.
type jsonSummary struct {
	Extensions int     `json:"extensions"`
	Malicious  *int    `json:"malicious,omitempty"`
	Suspicious *int    `json:"suspicious,omitempty"`
	Capable    *int    `json:"capable,omitempty"`
	Clean      *int    `json:"clean,omitempty"`
	Unreadable *int    `json:"unreadable,omitempty"`
	Seconds    float64 `json:"seconds"`
}

type jsonExtension struct {
	Path            string               `json:"path,omitempty"`
	Browser         string               `json:"browser,omitempty"`
	Channel         string               `json:"channel,omitempty"`
	User            string               `json:"user,omitempty"`
	Profile         string               `json:"profile,omitempty"`
	ProfileTitle    string               `json:"profile_title,omitempty"`
	ID              string               `json:"id"`
	IDFromPath      bool                 `json:"id_from_path,omitempty"`
	Name            string               `json:"name"`
	Version         string               `json:"version"`
	Kind            string               `json:"kind,omitempty"`
	Origin          manifests.Origin     `json:"origin,omitempty"`
	FromStore       bool                 `json:"from_store"`
	Enabled         bool                 `json:"enabled"`
	Pending         bool                 `json:"pending,omitempty"`
	Disabled        []string             `json:"disabled"`
	ManifestVersion int                  `json:"manifest_version,omitempty"`
	InstalledAt     string               `json:"installed_at,omitempty"` // RFC 3339, UTC
	UpdatedAt       string               `json:"updated_at,omitempty"`
	Granted         *jsonAccess          `json:"granted,omitempty"`
	Withheld        bool                 `json:"withheld,omitempty"`
	DiskDiffers     []string             `json:"disk_differs,omitempty"`
	Unreadable      string               `json:"unreadable,omitempty"`
	Verdict         signatures.Verdict   `json:"verdict,omitempty"`
	Reach           []signatures.Reach   `json:"reach"`
	Behavior        *jsonBehavior        `json:"behavior,omitempty"` // absent when the code was not analysed
	Findings        []jsonFinding        `json:"findings"`
	Decision        *signatures.Decision `json:"decision,omitempty"`  // of the organisation
	SetAside        []jsonFinding        `json:"set_aside,omitempty"` // findings that its trust overrides
	Problems        []manifests.Problem  `json:"problems"`
}

type jsonAccess struct {
	APIs  []string `json:"apis"`
	Hosts []string `json:"hosts"`
}

// writeJSON writes the report as DESIGN's schema 1.
func writeJSON(c *console, r *report) error {
	out := jsonReport{
		Schema: schemaVersion, Engine: engineVersion,
		Extensions: make([]jsonExtension, 0, len(r.extensions)),
		Problems:   list(r.problems),
		Summary:    jsonSummary{Extensions: len(r.extensions), Seconds: r.seconds},
	}
	if r.judged {
		out.Ruleset = r.rules.info()
		n := r.counts()
		of := func(v signatures.Verdict) *int { k := n[v]; return &k }
		s := &out.Summary
		s.Malicious, s.Suspicious, s.Capable = of(signatures.Malicious), of(signatures.Suspicious), of(signatures.Capable)
		s.Clean, s.Unreadable = of(signatures.Clean), of(signatures.Unreadable)
	}
	for i := range r.extensions {
		out.Extensions = append(out.Extensions, jsonOf(&r.extensions[i].ext, &r.extensions[i].result, r.extensions[i].code))
	}
	return encode(c, out)
}

// A jsonBehavior is what the code does, in short.
type jsonBehavior struct {
	Flows    []string `json:"flows"`    // "cookies -> fetch -> collect.example"
	Contacts []string `json:"contacts"` // hosts that it talks to
	Complete bool     `json:"complete"` // false when a bound was reached or a file could not be parsed
}

func behaviorOf(code *behavior.Report) *jsonBehavior {
	j := &jsonBehavior{Flows: []string{}, Contacts: []string{}, Complete: code.Complete}
	for _, f := range code.Flows {
		j.Flows = appendNew(j.Flows, f.Source+" -> "+f.Sink+optional(" -> ", f.Host))
	}
	for _, c := range code.Contacts {
		if c.Called {
			j.Contacts = appendNew(j.Contacts, c.Host)
		}
	}
	return j
}

// encode writes indented JSON. Characters such as < are left alone: this is not HTML.
func encode(c *console, v any) error {
	e := json.NewEncoder(c.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("%w: %w", errOutput, err)
	}
	return nil
}

// jsonOf writes one extension and what is thought of it.
func jsonOf(e *manifests.Extension, res *signatures.Result, code *behavior.Report) jsonExtension {
	j := jsonExtension{
		Path: e.Path, Browser: e.Browser, Channel: e.Channel, User: e.User, Profile: e.Profile, ProfileTitle: e.ProfileTitle,
		ID: e.ID, IDFromPath: e.IDFromPath, Name: e.Name(), Version: e.Version(),
		Origin: e.Origin, FromStore: e.FromStore, Enabled: e.Enabled, Pending: e.Pending, Disabled: list(e.Disabled),
		InstalledAt: stamp(e.InstalledAt), UpdatedAt: stamp(e.UpdatedAt),
		Withheld: e.Withheld, DiskDiffers: e.DiskDiffers, Unreadable: e.Unreadable,
		Verdict: res.Verdict, Reach: make([]signatures.Reach, 0, len(res.Reach)), Findings: findingsOf(res, code),
		Problems: problemsOf(e, res),
	}
	if j.Decision = res.Decision; len(res.SetAside) > 0 {
		j.SetAside = findingsOf(&signatures.Result{Findings: res.SetAside}, code)
	}
	if code != nil {
		j.Behavior = behaviorOf(code)
	}
	if m := e.Manifest; m != nil {
		j.ManifestVersion, j.Kind = m.ManifestVersion, string(m.Kind)
	}
	if g := e.Granted; g != nil {
		j.Granted = &jsonAccess{APIs: list(g.APIs), Hosts: list(g.Hosts)}
	}
	for _, r := range res.Reach {
		r.Capabilities, r.Because = list(r.Capabilities), list(r.Because)
		j.Reach = append(j.Reach, r)
	}
	return j
}

// list makes a nil slice an empty one, so that it is written as [].
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// stamp writes a time, or nothing when it is not known.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
