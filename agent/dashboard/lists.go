package dashboard

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/extwatch/extwatch/agent/store"
	"github.com/extwatch/extwatch/signatures"
)

const (
	// maxCards is how many warnings the first view tells in words; the list has all.
	maxCards = 12
	// recent is how many lines of the timeline the first view has, pageSize how many the timeline has at once.
	recent, pageSize = 6, 60
	// stale is when a sweep is so old that "nothing needs you" would be a promise: sweeps are hourly.
	stale = 3 * time.Hour
	// idLength is that of a Chromium ID: what is shorter may be a word of the reason.
	idLength = 32
)

// A tile is a number with where it leads.
type tile struct {
	Verdict signatures.Verdict
	Count   int
}

func verdicts() []signatures.Verdict {
	return []signatures.Verdict{signatures.Malicious, signatures.Suspicious, signatures.Unreadable, signatures.Capable, signatures.Clean}
}

func tiles(list []item) []tile {
	out := []tile{}
	for _, v := range verdicts() {
		t := tile{Verdict: v}
		for n := range list {
			if list[n].Verdict() == v {
				t.Count++
			}
		}
		out = append(out, t)
	}
	return out
}

type nowData struct {
	State  string // alert, calm, first, unknown
	Need   int    // extensions that need the person
	Cards  []item
	More   int
	Tiles  []tile
	Total  int
	Sweep  time.Time
	Events []eventLine
}

// now is the first view: how it stands, and what needs the person.
func (p *Page) now(w http.ResponseWriter, r *http.Request, s *scope) {
	list, err := s.items(r.Context(), store.Query{Findings: true})
	if err != nil {
		p.fail(w, r, err)
		return
	}
	h, err := s.health(r.Context())
	if err != nil {
		p.fail(w, r, err)
		return
	}
	events, err := s.lines(r, 0, recent)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	d := nowData{State: "calm", Tiles: tiles(list), Total: len(list), Sweep: h.Sweep, Events: events}
	for n := range list {
		if !list[n].NeedsYou() {
			continue
		}
		if at := slices.IndexFunc(d.Cards, list[n].same); at >= 0 {
			d.Cards[at].Also = append(d.Cards[at].Also, list[n])
			continue
		}
		if d.Need++; len(d.Cards) < maxCards {
			d.Cards = append(d.Cards, list[n])
		} else {
			d.More++
		}
	}
	switch {
	case len(d.Cards) > 0:
		d.State = "alert"
	case h.Sweep.IsZero():
		d.State = "first"
	case p.cfg.Now().Sub(h.Sweep) > stale:
		d.State = "unknown"
	}
	p.show(w, r, http.StatusOK, "now", sheet{Title: "nav.now", Nav: "now", Viewer: s.viewer, Live: true, Data: d})
}

// A choice is one filter of the list.
type choice struct {
	Name    string
	Chosen  string
	Options []string
}

type listData struct {
	Choices []choice
	Text    string
	Items   []item
	Total   int
}

// list shows the extensions, filtered by a form that needs no script.
func (p *Page) list(w http.ResponseWriter, r *http.Request, s *scope) {
	all, err := s.items(r.Context(), store.Query{Findings: true})
	if err != nil {
		p.fail(w, r, err)
		return
	}
	form := r.URL.Query()
	d := listData{Text: clip(100, form.Get("q")), Items: all, Total: len(all)}
	for _, by := range []struct {
		name string
		of   func(*item) string
	}{
		{"verdict", func(i *item) string { return string(i.Verdict()) }},
		{"browser", func(i *item) string { return i.Browser }},
		{"profile", func(i *item) string { return i.Where() }},
		{"user", func(i *item) string { return i.User }},
	} {
		c := choice{Name: by.name, Chosen: form.Get(by.name)}
		for n := range all {
			c.Options = append(c.Options, by.of(&all[n]))
		}
		slices.Sort(c.Options)
		c.Options = slices.Compact(c.Options)
		if by.name == "verdict" {
			c.Options = nil
			for _, v := range verdicts() {
				c.Options = append(c.Options, string(v))
			}
		}
		d.Items = filtered(d.Items, func(i *item) bool { return c.Chosen == "" || by.of(i) == c.Chosen })
		if by.name != "user" || len(c.Options) > 1 {
			d.Choices = append(d.Choices, c)
		}
	}
	if want := strings.ToLower(d.Text); want != "" {
		d.Items = filtered(d.Items, func(i *item) bool {
			return strings.Contains(strings.ToLower(i.Name+"\n"+i.ID), want)
		})
	}
	p.show(w, r, http.StatusOK, "extensions", sheet{Title: "nav.extensions", Nav: "extensions", Viewer: s.viewer, Live: true, Data: d})
}

func filtered(list []item, keep func(*item) bool) []item {
	var out []item
	for n := range list {
		if keep(&list[n]) {
			out = append(out, list[n])
		}
	}
	return out
}

// An eventLine is a line of the timeline.
type eventLine struct {
	store.Event
	Href  string
	Clock bool // it stands under its day
}

// lines are events that the viewer may see.
func (s *scope) lines(r *http.Request, before int64, n int) ([]eventLine, error) {
	events, err := s.events(r.Context(), before, n)
	if err != nil {
		return nil, err
	}
	called, err := s.called(r.Context(), events)
	if err != nil {
		return nil, err
	}
	out := make([]eventLine, len(events))
	for i, e := range events {
		out[i].Event = e
		if e.Kind == store.Decided {
			out[i].Text = strings.TrimSuffix(called.Replace(e.Text), ": ") // without a reason
		}
		if e.Extension != 0 {
			out[i].Href = "/extensions/" + strconv.FormatInt(e.Extension, 10)
		}
	}
	return out, nil
}

// called gives the extensions of decisions, which the timeline knows by their IDs, the names that people know.
func (s *scope) called(ctx context.Context, events []store.Event) (*strings.Replacer, error) {
	var pairs []string
	if slices.ContainsFunc(events, func(e store.Event) bool { return e.Kind == store.Decided }) {
		list, err := s.extensions(ctx, store.Query{Gone: true})
		if err != nil {
			return nil, err
		}
		for n := range list {
			if len(list[n].ID) >= idLength && strings.TrimSpace(list[n].Name) != "" {
				pairs = append(pairs, list[n].ID, "“"+clip(60, list[n].Name)+"”")
			}
		}
	}
	return strings.NewReplacer(pairs...), nil
}

// A day is the events of one day.
type day struct {
	Date   string
	Events []eventLine
}

type timelineData struct {
	Days  []day
	Older int64 // the ID to go on before; 0: there is no more
	Newer bool  // it does not begin with the newest
}

func (p *Page) timeline(w http.ResponseWriter, r *http.Request, s *scope) {
	before, err := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64)
	if err != nil || before < 0 {
		before = 0
	}
	events, err := s.lines(r, before, pageSize+1)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	d := timelineData{Newer: before > 0}
	if len(events) > pageSize {
		events = events[:pageSize]
		d.Older = events[pageSize-1].ID
	}
	for _, e := range events {
		date := p.language(r).day(e.At)
		if n := len(d.Days); n == 0 || d.Days[n-1].Date != date {
			d.Days = append(d.Days, day{Date: date})
		}
		last := &d.Days[len(d.Days)-1]
		e.Clock = true
		last.Events = append(last.Events, e)
	}
	p.show(w, r, http.StatusOK, "timeline", sheet{Title: "nav.timeline", Nav: "timeline", Viewer: s.viewer, Live: before == 0, Data: d})
}

type healthData struct {
	store.Health
	First bool // it was not looked at everything yet
	Stale bool
}

func (p *Page) health(w http.ResponseWriter, r *http.Request, s *scope) {
	h, err := s.health(r.Context())
	if err != nil {
		p.fail(w, r, err)
		return
	}
	d := healthData{Health: h, First: h.Sweep.IsZero()}
	d.Stale = !d.First && p.cfg.Now().Sub(h.Sweep) > stale
	p.show(w, r, http.StatusOK, "health", sheet{Title: "nav.health", Nav: "health", Viewer: s.viewer, Live: true, Data: d})
}
