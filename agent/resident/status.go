package resident

import (
	"context"
	"runtime/metrics"
	"slices"
	"time"

	"github.com/extwatch/extwatch/agent/store"
	"github.com/extwatch/extwatch/agent/updates"
	"github.com/extwatch/extwatch/signatures"
)

// A Status says whether this machine is protected.
type Status struct {
	Version    string    `json:"version"`
	Running    bool      `json:"running"` // false: what is known from the last time
	Started    time.Time `json:"started,omitzero"`
	Ready      bool      `json:"ready"` // everything has been read once, and is watched
	Feed       string    `json:"feed"`
	Rules      int       `json:"rules"`
	Indicators int       `json:"indicators"`
	RulesAt    time.Time `json:"rules_at,omitzero"` // since when they are in use

	Updates   *updates.State `json:"updates,omitempty"`    // of the organisation's feed; nil: the settings name none
	FeedError string         `json:"feed_error,omitempty"` // why the feed that the settings name is not used

	Users      int           `json:"users"`
	Browsers   int           `json:"browsers"`
	Profiles   int           `json:"profiles"`
	Extensions int           `json:"extensions"`
	Sweep      time.Time     `json:"sweep,omitzero"` // when everything was last checked
	Took       time.Duration `json:"took_ns,omitempty"`

	Malicious  int `json:"malicious"` // extensions with open findings that nobody trusts and that are not blocked
	Suspicious int `json:"suspicious"`
	Blocked    int `json:"blocked"`

	Decisions []Decided `json:"decisions,omitempty"` // of the organisation, about what is here; at most 100

	Unreadable int      `json:"unreadable"`           // places that could not be read
	Problems   []string `json:"problems,omitempty"`   // for an administrator: which, and why; at most 20
	Mistakes   []string `json:"mistakes,omitempty"`   // in the settings, and in what follows from them
	Memory     string   `json:"memory,omitempty"`     // why nothing is kept on disk
	StoreBytes int64    `json:"store_bytes"`          // of the store
	Page       bool     `json:"page"`                 // the local page is served
	HeapBytes  uint64   `json:"heap_bytes,omitempty"` // memory that the service uses for itself
	Waiting    int      `json:"waiting"`              // messages to other systems
}

// A Decided is an extension that the organisation decided of.
type Decided struct {
	Name     string              `json:"name"`
	Version  string              `json:"version"`
	Browser  string              `json:"browser"`
	User     string              `json:"user,omitempty"`
	Decision signatures.Decision `json:"decision"`
}

// Protected reports whether everything is watched.
func (s *Status) Protected() bool { return s.Running && s.Ready }

const (
	maxProblems = 20
	maxDecided  = 100
)

func (r *Resident) status(ctx context.Context, who Caller) (*Status, error) {
	h, err := r.db().Health(ctx)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	s := &Status{
		Version: r.cfg.Engine, Running: r.work != nil, Started: r.started, Ready: r.ready, Memory: r.memory, Page: r.page != nil,
		Mistakes: slices.Clone(r.mistakes), Users: len(r.users),
	}
	if r.updates != nil {
		state := r.updates.State()
		s.Updates = &state
	}
	s.FeedError = r.feedErr
	r.mu.Unlock()
	r.countWatched(s)
	s.Feed, s.Rules, s.Indicators, s.RulesAt = h.Feed, h.Rules, h.Indicators, h.FeedAt
	s.Sweep, s.Took = h.Sweep, h.Took
	if !s.Running {
		s.Browsers, s.Profiles, s.Extensions = h.Browsers, h.Profiles, h.Extensions
	}
	s.Unreadable, s.StoreBytes = len(h.Problems), h.Bytes
	for _, n := range h.Waiting {
		s.Waiting += n
	}
	for _, p := range h.Problems {
		if who.Admin && len(s.Problems) < maxProblems {
			s.Problems = append(s.Problems, p.Path+": "+p.Reason)
		}
	}
	if !who.Admin {
		s.Mistakes = nil
	} else if r.cfg.Troubles != nil {
		s.Mistakes = append(s.Mistakes, r.cfg.Troubles(r.set())...)
	}
	heap := []metrics.Sample{{Name: "/memory/classes/total:bytes"}}
	metrics.Read(heap)
	s.HeapBytes = heap[0].Value.Uint64()
	blocks, err := r.blocker.Blocked()
	if err != nil {
		return nil, err
	}
	s.Blocked = len(blocks)
	return s, r.countFindings(ctx, who, s)
}

// countWatched counts what is watched now.
func (r *Resident) countWatched(s *Status) {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := map[string]bool{}
	for _, browser := range r.profiles {
		seen[browser] = true
	}
	s.Browsers, s.Profiles, s.Extensions = len(seen), len(r.profiles), len(r.live)
}

// countFindings counts what a caller has to do something about.
func (r *Resident) countFindings(ctx context.Context, who Caller, s *Status) error {
	q := store.Query{Findings: true, Open: true}
	if !who.Admin {
		q.User = who.Name
		if q.User == "" {
			return nil
		}
	}
	list, err := r.db().Extensions(ctx, q)
	if err != nil {
		return err
	}
	decisions, err := r.db().Decisions(ctx, "", false)
	if err != nil {
		return err
	}
	for _, x := range list {
		if d := x.Result.Decision; d != nil && len(s.Decisions) < maxDecided {
			s.Decisions = append(s.Decisions, Decided{Name: x.Name, Version: x.Version, Browser: x.Browser, User: x.User, Decision: *d})
		}
		if !x.Enabled {
			continue // the browser does not run it
		}
		worst := signatures.Verdict("")
		for _, f := range x.Findings {
			if open(f) && !holds(decisions, "trust", x, f) && (worst == "" || f.Verdict.Worse(worst)) {
				worst = f.Verdict
			}
		}
		switch worst {
		case signatures.Malicious:
			s.Malicious++
		case signatures.Suspicious:
			s.Suspicious++
		}
	}
	return nil
}

// holds reports whether a decision of a kind covers a finding.
func holds(decisions []store.Decision, kind string, x store.Extension, f store.Finding) bool {
	return slices.ContainsFunc(decisions, func(d store.Decision) bool {
		return d.Kind == kind && d.ID == x.ID && d.Place == x.Place && (d.Browser == "" || d.Browser == x.Browser) &&
			(d.User == "" || d.User == x.User) && (d.Dir == "" || d.Dir == x.Dir) && (d.Rule == "" || d.Rule == f.Rule) &&
			!f.Verdict.Worse(d.UpTo)
	})
}
