package dashboard

import (
	"cmp"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/extwatch/extwatch/agent/store"
	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
	"github.com/extwatch/extwatch/signatures/behavior"
)

const (
	// maxFilesShown bounds the list of files: the largest real extensions have 10,000.
	maxFilesShown = 500
	// maxPictures bounds the flows that are drawn for one finding.
	maxPictures = 3
	// maxSteps is how many steps of the advice are not folded in.
	maxSteps = 6
	// maxReason bounds what a person gives as a reason.
	maxReason = 500
)

// A findingView is a finding with its flows as pictures.
type findingView struct {
	store.Finding
	Pictures []picture
	Above    bool                  // a picture of it stands with a finding before it
	Evidence []signatures.Evidence // that no picture shows
	Links    []string
}

type fileLine struct{ Path, Hash string }

type versionView struct {
	store.Version
	Changes []change // since the one before it
	First   bool     // the first that was seen
}

type oneData struct {
	Item      *item
	Findings  []findingView
	Past      []store.Finding
	Steps     []string
	MoreSteps []string // folded in: a frightened person should see the first ones
	Versions  []versionView
	Manifest  *manifests.Manifest
	Files     []fileLine
	MoreFiles int
	Decisions []store.Decision
	Can       map[string]bool // what can be decided
	Static    bool
	Reason    string // as it was given, when it could not be carried out
}

// one shows all about one extension.
func (p *Page) one(w http.ResponseWriter, r *http.Request, s *scope) { p.showOne(w, r, s, nil) }

// showOne shows an extension, and why what the person wanted could not be done.
func (p *Page) showOne(w http.ResponseWriter, r *http.Request, s *scope, failed error) {
	row, err := strconv.ParseInt(r.PathValue("row"), 10, 64)
	if err != nil {
		p.missing(w, r, s)
		return
	}
	e, code, err := s.extension(r.Context(), row)
	if errors.Is(err, errNotThere) {
		p.missing(w, r, s)
		return
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	decisions, err := s.decisions(r.Context(), &e, true)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	d := p.detail(e, code, p.language(r).does)
	d.Decisions = decisions
	now := p.cfg.Now()
	d.Item.Decided = standing(slices.DeleteFunc(slices.Clone(decisions), func(d store.Decision) bool {
		return !d.Ended.IsZero() || !d.Until.IsZero() && !d.Until.After(now)
	}), &e)
	for what, act := range p.acts() {
		d.Can[what] = act != nil && (d.Item.Gone.IsZero() || strings.HasPrefix(what, "un"))
	}
	d.Can["block"] = d.Can["block"] && d.Item.Decided != "block"
	d.Can["unblock"] = d.Can["unblock"] && d.Item.Decided == "block"
	d.Can["trust"] = d.Can["trust"] && d.Item.Decided != "trust"
	d.Can["untrust"] = d.Can["untrust"] && d.Item.Decided == "trust"
	d.Can["snooze"] = d.Can["snooze"] && d.Item.Decided == "" && d.Item.NeedsYou()
	sh := sheet{Title: "one.title", Nav: "extensions", Viewer: s.viewer, Live: true}
	if done := r.URL.Query().Get("done"); p.acts()[done] != nil && failed == nil {
		sh.Done = "done." + done
	}
	status := http.StatusOK
	if failed != nil {
		status, sh.Problem, d.Reason = http.StatusUnprocessableEntity, failed.Error(), r.PostForm.Get("reason")
	}
	sh.Data = d
	p.show(w, r, status, "extension", sh)
}

// detail works out what is shown of an extension; does says in the person's language what a step of its code does.
func (p *Page) detail(e store.Extension, code *behavior.Report, does func(string) string) *oneData {
	i := &item{Extension: e, Href: "/extensions/" + strconv.FormatInt(e.Row, 10)}
	d := &oneData{Item: i, Can: map[string]bool{}}
	drawn := map[string]bool{}
	for _, f := range i.open() {
		v := viewOf(f, code, does)
		v.Pictures = slices.DeleteFunc(v.Pictures, func(p picture) bool {
			again := drawn[p.Says]
			drawn[p.Says], v.Above = true, v.Above || again
			return again
		})
		d.Findings = append(d.Findings, v)
	}
	for _, f := range e.Findings {
		if !f.Closed.IsZero() {
			d.Past = append(d.Past, f)
		}
	}
	result := e.Result
	result.Findings = nil
	for _, f := range i.open() {
		result.Findings = append(result.Findings, f.Finding)
	}
	d.Steps = p.rules().Advice(i.known(), result).User
	if n := maxSteps; len(d.Steps) > n+1 {
		d.Steps, d.MoreSteps = d.Steps[:n:n], d.Steps[n:]
	}
	for n, v := range e.Versions {
		view := versionView{Version: v, First: n == len(e.Versions)-1 && n < maxVersions-1}
		if n+1 < len(e.Versions) {
			view.Changes = changes(&e.Versions[n+1], &v)
		}
		d.Versions = append(d.Versions, view)
	}
	if len(e.Versions) > 0 {
		d.Manifest = e.Versions[0].Manifest
		files := e.Versions[0].Files
		for _, name := range slices.Sorted(maps.Keys(files)) {
			if len(d.Files) == maxFilesShown {
				d.MoreFiles = len(files) - maxFilesShown
				break
			}
			d.Files = append(d.Files, fileLine{Path: name, Hash: files[name]})
		}
	}
	return d
}

// viewOf draws the flows of a finding: those of the code that its evidence names, or else what the evidence itself tells.
func viewOf(f store.Finding, code *behavior.Report, does func(string) string) findingView {
	v := findingView{Finding: f}
	for _, link := range f.References {
		if u, err := url.Parse(link); err == nil && u.Scheme == "https" && u.Host != "" {
			v.Links = append(v.Links, link)
		}
	}
	type place struct {
		file string
		line int
	}
	named, shown := map[place]bool{}, map[place]bool{}
	var way []behavior.Step
	for _, ev := range f.Finding.Evidence {
		if ev.Key != "flows" || ev.File == "" {
			continue
		}
		named[place{ev.File, ev.Line}] = true
		what, codeLine, _ := strings.Cut(ev.Text, ": ")
		way = append(way, behavior.Step{Place: behavior.Place{File: ev.File, Line: ev.Line}, What: what, Code: codeLine})
	}
	if code != nil {
		for n := range code.Flows {
			steps := code.Flows[n].Steps
			if len(v.Pictures) == maxPictures || len(steps) == 0 {
				continue
			}
			first, last := steps[0], steps[len(steps)-1]
			if named[place{first.File, first.Line}] && named[place{last.File, last.Line}] {
				v.Pictures = append(v.Pictures, draw(&code.Flows[n], does))
				for _, s := range steps {
					shown[place{s.File, s.Line}] = true
				}
			}
		}
	}
	if len(v.Pictures) == 0 && len(way) > 1 {
		v.Pictures = append(v.Pictures, draw(&behavior.Flow{Steps: way}, does))
		shown = named
	}
	for _, ev := range f.Finding.Evidence {
		if ev.Key != "flows" || !shown[place{ev.File, ev.Line}] {
			v.Evidence = append(v.Evidence, ev)
		}
	}
	return v
}

// decide hands a person's decision to the caller, and shows the extension again.
func (p *Page) decide(w http.ResponseWriter, r *http.Request, s *scope) {
	row, err := strconv.ParseInt(r.PathValue("row"), 10, 64)
	what := r.PathValue("what")
	if _, known := p.acts()[what]; err != nil || !known {
		p.missing(w, r, s)
		return
	}
	if err := r.ParseForm(); err != nil {
		p.refuse(w, r, http.StatusBadRequest, "refused.form")
		return
	}
	v := p.language(r)
	o := Order{Reason: strings.TrimSpace(r.PostForm.Get("reason"))}
	days, err := strconv.Atoi(cmp.Or(r.PostForm.Get("days"), "0"))
	switch {
	case o.Reason == "" && (what == "block" || what == "trust"):
		p.showOne(w, r, s, errors.New(v.text("decide.reason.missing")))
		return
	case len(o.Reason) > maxReason:
		p.showOne(w, r, s, errors.New(v.text("decide.reason.long", maxReason)))
		return
	case err != nil || days < 0 || days > 3650:
		p.refuse(w, r, http.StatusBadRequest, "refused.form")
		return
	case what == "snooze" && (days == 0 || days > 30):
		p.refuse(w, r, http.StatusBadRequest, "refused.form")
		return
	case days > 0 && (what == "trust" || what == "snooze"):
		o.Until = p.cfg.Now().Add(time.Duration(days) * 24 * time.Hour)
	}
	err = s.order(r.Context(), row, what, o)
	if errors.Is(err, errNotThere) {
		p.missing(w, r, s)
		return
	}
	if err != nil {
		p.cfg.Log.WarnContext(r.Context(), "a decision could not be carried out", "what", what, "error", err)
		p.showOne(w, r, s, err)
		return
	}
	http.Redirect(w, r, "/extensions/"+strconv.FormatInt(row, 10)+"?done="+what, http.StatusSeeOther)
}
