package resident

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/extwatch/extwatch/agent"
	"github.com/extwatch/extwatch/agent/response"
	"github.com/extwatch/extwatch/agent/store"
	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
)

// automaticBy is who blocks without being asked.
const automaticBy = "extwatch"

// organisationBy is who blocks because the organisation's feed says so.
const organisationBy = "organisation"

// automatic blocks what the organisation does not want, and what is malicious, when the settings ask for it and nobody said that it is trusted.
func (r *Resident) automatic(ctx context.Context, e *agent.Event, row int64) {
	if d := e.Result.Decision; d != nil && d.Action == "block" && e.Extension.Enabled && e.Extension.Origin != manifests.OriginBuiltin {
		if !r.unwanted(response.TargetOf(e.Profile, e.Extension.ID), e.Extension.Version()) {
			return // it was judged by rules that are not in use any more; the others follow
		}
		r.blockAs(ctx, organisationBy, fmt.Sprintf("%s (%s)", cut(d.Reason, 300), cut(d.Owner, 100)), e, row)
		return
	}
	if !r.set().Block.Automatic || e.Result.Verdict != signatures.Malicious || !e.Extension.Enabled ||
		e.Extension.Origin == manifests.OriginBuiltin {
		return
	}
	rows, err := r.db().Extensions(ctx, store.Query{Row: row})
	if err != nil || len(rows) == 0 {
		return
	}
	decisions, err := r.db().Decisions(ctx, e.Extension.ID, false)
	if err != nil || slices.ContainsFunc(decisions, func(d store.Decision) bool {
		return d.Kind == "trust" && d.UpTo == signatures.Malicious && d.Place == rows[0].Place
	}) {
		return
	}
	r.blockAs(ctx, automaticBy, "found to be malicious", e, row)
}

// blockAs blocks an extension that nobody has blocked yet.
func (r *Resident) blockAs(ctx context.Context, by, reason string, e *agent.Event, row int64) {
	t := response.TargetOf(e.Profile, e.Extension.ID)
	blocks, err := r.blocker.Blocked()
	if err != nil || slices.ContainsFunc(blocks, func(b response.Record) bool { return b.Target == t }) {
		return
	}
	rows, err := r.db().Extensions(ctx, store.Query{Row: row})
	if err != nil || len(rows) == 0 {
		return
	}
	var a Reply
	if err := r.blockOne(ctx, by, rows[0], t, reason, &a); err != nil {
		r.log.Error("block an extension", "extension", e.Extension.ID, "by", by, "error", err)
		r.note(ctx, store.Problem, rows[0].User, "it could not be blocked: "+err.Error())
	}
}

// unwanted reports whether the organisation's decisions of today block an extension in a browser, in any of these versions;
// without versions, those that the decisions are about.
func (r *Resident) unwanted(t response.Target, versions ...string) bool {
	inForce, _ := r.Rules().Decisions(r.cfg.Now())
	return slices.ContainsFunc(inForce, func(d signatures.Decision) bool {
		if d.Action != "block" || !strings.EqualFold(d.ID, t.ID) {
			return false
		}
		about := versions
		if len(about) == 0 {
			about = append(slices.Clone(d.Versions), "")
		}
		return slices.ContainsFunc(about, func(v string) bool { return d.Covers(t.Browser, v) })
	})
}

// release takes the organisation's blocks back that its decisions no longer ask for: of this extension, in this browser, in
// the version that is there. While its feed cannot be read, they stay: damage must not free what was blocked.
func (r *Resident) release(ctx context.Context) {
	r.releasing.Lock()
	defer r.releasing.Unlock()
	r.mu.Lock()
	versions := map[response.Target][]string{}
	for _, l := range r.live {
		t := response.TargetOf(l.profile, l.ext.ID)
		versions[t] = append(versions[t], l.ext.Version())
	}
	unread := r.feedErr != "" || r.updates != nil && r.Rules() == r.cfg.Rules
	r.mu.Unlock()
	if unread {
		return
	}
	blocks, err := r.blocker.Blocked()
	if err != nil {
		return // refresh tells it
	}
	for _, b := range blocks {
		if b.By != organisationBy || r.unwanted(b.Target, versions[b.Target]...) {
			continue
		}
		var a Reply
		err := r.unblock(ctx, Caller{Name: organisationBy, Admin: true}, Request{ID: b.ID, Browser: b.Browser}, &a)
		if err != nil {
			r.log.Error("take a block of the organisation's back", "extension", b.ID, "error", err)
			r.note(ctx, store.Problem, "", "a block of the organisation's was not taken back: "+err.Error())
		}
	}
}

// nextEnd is when the first decision of the organisation ends; zero: none does.
func (r *Resident) nextEnd() (next time.Time) {
	inForce, _ := r.Rules().Decisions(r.cfg.Now())
	for _, d := range inForce {
		if !d.Until.IsZero() && (next.IsZero() || d.Until.Before(next)) {
			next = d.Until
		}
	}
	return next
}
