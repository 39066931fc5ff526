package dashboard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/extwatch/extwatch/agent/store"
	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
	"github.com/extwatch/extwatch/signatures/behavior"
)

// A scope is what one viewer may see of the store. It is the only way from a request to the store: what is decided here
// holds for every view.
type scope struct {
	viewer
	page *Page
}

// maxVersions is how many versions of an extension are shown.
const maxVersions = 20

var errNotThere = errors.New("there is no such extension, or it is in somebody else's profile")

func (p *Page) scope(v viewer) *scope { return &scope{viewer: v, page: p} }

// own limits to the viewer's profiles: all for an administrator. Without a name there are none.
func (s *scope) own() (user string, any bool) {
	if s.Admin {
		return "", true
	}
	return s.User, s.User != ""
}

func (s *scope) sees(user string) bool { return s.Admin || s.User != "" && user == s.User }

// extensions returns those that the viewer may see.
func (s *scope) extensions(ctx context.Context, q store.Query) ([]store.Extension, error) {
	user, any := s.own()
	if !any || user != "" && q.User != "" && q.User != user {
		return nil, nil
	}
	if user != "" {
		q.User = user
	}
	list, err := s.page.cfg.Store.Extensions(ctx, q)
	return slices.DeleteFunc(list, func(e store.Extension) bool { return !s.sees(e.User) }), err
}

// extension returns one with all that is known of it, and what its code does if that was kept.
func (s *scope) extension(ctx context.Context, row int64) (store.Extension, *behavior.Report, error) {
	if row <= 0 {
		return store.Extension{}, nil, errNotThere
	}
	list, err := s.extensions(ctx, store.Query{Row: row, Gone: true, Versions: maxVersions, Findings: true})
	if err != nil {
		return store.Extension{}, nil, err
	}
	if len(list) != 1 {
		return store.Extension{}, nil, errNotThere
	}
	e := list[0]
	if s.page.cfg.Engine == "" || len(e.Versions) == 0 || e.Versions[0].Content == "" {
		return e, nil, nil
	}
	a, _, err := s.page.cfg.Store.GetAnalysis(ctx, e.Versions[0].Content, s.page.cfg.Engine)
	return e, a.Behavior, err
}

// decisions returns those that are, or were, about an extension in its profile.
func (s *scope) decisions(ctx context.Context, e *store.Extension, all bool) ([]store.Decision, error) {
	if !s.sees(e.User) {
		return nil, nil
	}
	list, err := s.page.cfg.Store.Decisions(ctx, e.ID, all)
	return slices.DeleteFunc(list, func(d store.Decision) bool { return !concerns(&d, e) }), err
}

// concerns reports whether a decision is about an extension, in the place where it is.
func concerns(d *store.Decision, e *store.Extension) bool {
	return d.ID == e.ID && d.Place == e.Place && (d.Browser == "" || d.Browser == e.Browser) &&
		(d.User == "" || d.User == e.User) && (d.Dir == "" || d.Dir == e.Dir)
}

func (s *scope) events(ctx context.Context, before int64, n int) ([]store.Event, error) {
	user, any := s.own()
	if !any {
		return nil, nil
	}
	return s.page.cfg.Store.Timeline(ctx, user, before, n)
}

// health returns how the agent is. Paths and numbers of other people's profiles are for administrators.
func (s *scope) health(ctx context.Context) (store.Health, error) {
	h, err := s.page.cfg.Health(ctx)
	if err != nil || s.Admin {
		return h, err
	}
	mine, err := s.extensions(ctx, store.Query{})
	if err != nil {
		return h, err
	}
	h.Problems, h.Waiting, h.Bytes, h.Open = nil, nil, 0, map[signatures.Verdict]int{}
	h.Extensions, h.Browsers, h.Profiles = len(mine), 0, 0
	browsers, profiles := map[string]bool{}, map[string]bool{}
	for i := range mine {
		browsers[mine[i].Browser], profiles[mine[i].Dir] = true, true
		for _, p := range mine[i].Problems {
			h.Problems = append(h.Problems, manifests.Problem{Path: p.Path, File: p.File, Reason: p.Reason})
		}
	}
	h.Browsers, h.Profiles = len(browsers), len(profiles)
	return h, nil
}

// ticker is whose tick boxes they are: everybody has their own accounts.
func (s *scope) ticker() string {
	if s.User == "" && s.Admin {
		return "administrator"
	}
	return s.User
}

func (s *scope) ticks(ctx context.Context, exchange string) (map[string]time.Time, error) {
	if s.ticker() == "" {
		return nil, nil
	}
	return s.page.cfg.Store.Ticks(ctx, s.ticker(), exchange)
}

func (s *scope) tick(ctx context.Context, exchange, step string, done bool) error {
	if s.ticker() == "" {
		return errNotThere
	}
	return s.page.cfg.Store.Tick(ctx, s.ticker(), exchange, step, done)
}

// order hands a decision about an extension that the viewer may see to the caller's function.
func (s *scope) order(ctx context.Context, row int64, what string, o Order) error {
	act := s.page.acts()[what]
	if act == nil {
		return fmt.Errorf("this agent cannot do that: %s", what)
	}
	list, err := s.extensions(ctx, store.Query{Row: row, Gone: true})
	if err != nil {
		return err
	}
	if row <= 0 || len(list) != 1 {
		return errNotThere
	}
	o.Extension, o.By, o.Admin = list[0], s.ticker(), s.Admin
	return act(ctx, o)
}

// acts are the decisions that the caller can carry out.
func (p *Page) acts() map[string]func(context.Context, Order) error {
	return map[string]func(context.Context, Order) error{
		"block": p.cfg.Block, "unblock": p.cfg.Unblock, "trust": p.cfg.Trust, "untrust": p.cfg.Untrust, "snooze": p.cfg.Snooze,
	}
}
