package resident

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/extwatch/extwatch/agent/response"
	"github.com/extwatch/extwatch/agent/store"
	"github.com/extwatch/extwatch/signatures"
)

// A Caller is who asks, as the system says.
type Caller struct {
	Name  string
	UID   int
	Admin bool
}

// A Request asks for one thing.
type Request struct {
	Do string `json:"do"` // status, open, history, block, unblock, trust, untrust, snooze

	ID      string    `json:"id,omitempty"`      // of the extension
	Row     int64     `json:"row,omitempty"`     // instead of ID: one extension in one profile
	Browser string    `json:"browser,omitempty"` // block and unblock: only this one; "" is each in which it is
	Reason  string    `json:"reason,omitempty"`
	Until   time.Time `json:"until,omitzero"`  // trust
	To      string    `json:"to,omitempty"`    // open: the path on the page
	Skip    int       `json:"skip,omitempty"`  // history: so many that came first
	Limit   int       `json:"limit,omitempty"` // history: at most so many; 0 is all
	UID     int       `json:"uid,omitempty"`   // open, for root alone: whose browser it is, when it is not root's
}

// A Reply answers one Request. Error is a sentence for the person; what was done before it, is done.
type Reply struct {
	Error    string             `json:"error,omitempty"`
	Status   *Status            `json:"status,omitempty"`
	URL      string             `json:"url,omitempty"`
	History  []store.Extension  `json:"history,omitempty"`
	Total    int                `json:"total,omitempty"` // of the history, with what was skipped or left out
	Done     []response.Outcome `json:"done,omitempty"`
	Evidence []string           `json:"evidence,omitempty"` // packages
	Changed  int                `json:"changed,omitempty"`  // decisions made or ended
}

const (
	maxReason = 500
	// notAllowed is what a caller reads who may not.
	notAllowed = "an administrator of this computer has to do that: run it with sudo"
)

// Answer does what a caller asks for, as far as that caller may.
func (r *Resident) Answer(ctx context.Context, who Caller, q Request) Reply {
	q.Reason = cut(q.Reason, maxReason)
	var a Reply
	var err error
	switch q.Do {
	case "status":
		a.Status, err = r.status(ctx, who)
	case "open":
		a.URL, err = r.enter(who, q)
	case "history":
		a.History, err = r.history(ctx, who, q)
		a.Total = len(a.History)
		a.History = a.History[min(max(q.Skip, 0), a.Total):]
		if q.Limit > 0 {
			a.History = a.History[:min(q.Limit, len(a.History))]
		}
	case "block":
		err = r.block(ctx, who, q, &a)
	case "unblock":
		err = r.unblock(ctx, who, q, &a)
	case "trust":
		err = r.trust(ctx, who, q, &a)
	case "snooze":
		err = r.snooze(ctx, who, q, &a)
	case "untrust":
		err = r.untrust(ctx, who, q, &a)
	default:
		err = fmt.Errorf("nothing is called %q here", cut(q.Do, 20))
	}
	if err != nil {
		a.Error = err.Error()
	}
	return a
}

func (r *Resident) enter(who Caller, q Request) (string, error) {
	r.mu.Lock()
	page := r.page
	r.mu.Unlock()
	if page == nil {
		return "", errors.New("the local page is not served; see dashboard.enabled in the settings, and 'extwatch status'")
	}
	if who.Name == "" {
		return "", errors.New("your account is not known here")
	}
	if who.Admin && who.UID == 0 && q.UID > 0 {
		who.UID = q.UID
	}
	return page.Enter(who, cmp.Or(q.To, "/")), nil
}

// history tells all that is known of an extension, or of all that are there.
func (r *Resident) history(ctx context.Context, who Caller, q Request) ([]store.Extension, error) {
	var list []store.Extension
	var err error
	if q.ID != "" {
		list, err = r.db().History(ctx, q.ID)
	} else {
		list, err = r.db().Extensions(ctx, store.Query{Findings: true, Gone: true})
	}
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(x store.Extension) bool { return !who.owns(x) }), nil
}

func (c Caller) owns(x store.Extension) bool { return c.Admin || c.Name != "" && x.User == c.Name }

// meant are the extensions that a request is about and that the caller may see.
func (r *Resident) meant(ctx context.Context, who Caller, q Request) ([]store.Extension, error) {
	if q.Row == 0 && q.ID == "" {
		return nil, errors.New("say which extension: its ID is in 'extwatch scan'")
	}
	list, err := r.db().Extensions(ctx, store.Query{Row: q.Row, ID: q.ID, Findings: true})
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(x store.Extension) bool {
		return !who.owns(x) || q.Browser != "" && x.Browser != q.Browser
	})
	if len(list) == 0 {
		return nil, errors.New("there is no such extension among those that you may see; 'extwatch scan --inventory' lists them")
	}
	return list, nil
}

func (r *Resident) block(ctx context.Context, who Caller, q Request, a *Reply) error {
	list, err := r.meant(ctx, who, q)
	switch {
	case err != nil && who.Admin && q.ID != "" && q.Browser != "":
		list = []store.Extension{{ID: q.ID, Browser: q.Browser}} // before it comes
	case err != nil:
		return err
	case who.Admin:
	case !r.set().Block.ByUsers:
		return errors.New(notAllowed)
	case !slices.ContainsFunc(list, suspected):
		return errors.New("nothing speaks against this extension, and a block is for all users: " + notAllowed)
	}
	done := map[response.Target]bool{}
	var errs []error
	for _, x := range list {
		t := r.target(x)
		if done[t] {
			continue
		}
		done[t] = true
		if err := r.blockOne(ctx, who.Name, x, t, q.Reason, a); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// suspected reports whether a finding is open about an extension.
func suspected(x store.Extension) bool { return slices.ContainsFunc(x.Findings, open) }

func malicious(x store.Extension) bool {
	return slices.ContainsFunc(x.Findings, func(f store.Finding) bool { return open(f) && f.Verdict == signatures.Malicious })
}

func open(f store.Finding) bool {
	return f.Closed.IsZero() && (f.Verdict == signatures.Suspicious || f.Verdict == signatures.Malicious)
}

func (r *Resident) target(x store.Extension) response.Target {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l := r.live[x.Row]; l != nil {
		return response.TargetOf(l.profile, x.ID)
	}
	return response.Target{Browser: x.Browser, ID: x.ID}
}

// blockOne keeps evidence, blocks, and writes it down.
func (r *Resident) blockOne(ctx context.Context, by string, x store.Extension, t response.Target, reason string, a *Reply) error {
	if x.Row != 0 {
		kept, err := r.preserve(ctx, x)
		if err != nil {
			r.log.Error("keep evidence", "extension", x.ID, "error", err) // the danger does not wait for it
			r.note(ctx, store.Problem, x.User, err.Error())
		} else {
			a.Evidence = append(a.Evidence, kept)
		}
	}
	out, err := r.blocker.Block(ctx, t, by, reason)
	if err != nil {
		return err
	}
	a.Done = append(a.Done, out)
	if _, err := r.db().Decide(ctx, store.Decision{Kind: "block", ID: x.ID, Place: x.Place, Browser: x.Browser, Reason: reason, By: by}); err != nil {
		return err
	}
	a.Changed++
	r.happened(ctx, Happening{Kind: "blocked", Extension: x, By: by, Reason: reason})
	select {
	case r.wrote <- struct{}{}: // from now on, what others write beside it matters
	default:
	}
	r.log.Info("blocked", "extension", x.ID, "browser", t.Browser, "by", by, "effect", out.Effect, "policy", out.Policy)
	if out.Effect == response.Soon && r.work != nil {
		for _, after := range touches {
			time.AfterFunc(after, func() { r.touch(r.work, t) })
		}
	}
	return nil
}

// touches are when a policy is touched if the extension still runs: a Chromium that was started less than 20 s before the
// block can have missed it.
var touches = [...]time.Duration{15 * time.Second, 60 * time.Second}

func (r *Resident) touch(ctx context.Context, t response.Target) {
	r.mu.Lock()
	enabled := false
	for _, l := range r.live {
		enabled = enabled || l.ext.Enabled && response.TargetOf(l.profile, l.ext.ID) == t
	}
	r.mu.Unlock()
	blocks, err := r.blocker.Blocked()
	if !enabled || ctx.Err() != nil || err != nil || !slices.ContainsFunc(blocks, func(b response.Record) bool { return b.Target == t }) {
		return
	}
	if err := r.blocker.Touch(t); err != nil {
		r.log.Error("let the browser read its policies again", "error", err)
		return
	}
	r.log.Info("the browser has not obeyed yet and is told again", "extension", t.ID, "browser", t.Browser)
}

// preserve packs what an extension consists of, and all that is known of it.
func (r *Resident) preserve(ctx context.Context, x store.Extension) (string, error) {
	history, err := r.db().History(ctx, x.ID)
	if err != nil {
		history = []store.Extension{x}
	}
	e := response.Evidence{ID: x.ID, Name: x.Name, Version: x.Version, Path: x.Path, Facts: history}
	r.mu.Lock()
	l := r.live[x.Row]
	r.mu.Unlock()
	if l != nil && l.ext.Open != nil {
		files, err := l.ext.Open()
		if err != nil {
			r.log.Warn("open the extension for evidence", "extension", x.ID, "error", err)
		} else {
			defer files.Close()
			e.Files = files
		}
	}
	return r.blocker.Preserve(ctx, e)
}

func (r *Resident) unblock(ctx context.Context, who Caller, q Request, a *Reply) error {
	blocks, err := r.blocker.Blocked()
	if err != nil {
		return err
	}
	id := q.ID
	if id == "" {
		list, err := r.meant(ctx, who, q)
		if err != nil {
			return err
		}
		id = list[0].ID
	}
	var errs []error
	found := false
	for _, b := range blocks {
		if b.ID != id || q.Browser != "" && b.Browser != q.Browser {
			continue
		}
		found = true
		if !who.Admin && (b.By != who.Name || !r.set().Block.ByUsers) {
			errs = append(errs, fmt.Errorf("%s blocked it: %s", b.By, notAllowed))
			continue
		}
		out, err := r.blocker.Unblock(ctx, b.Target)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		a.Done = append(a.Done, out)
		r.happened(ctx, Happening{Kind: "unblocked", Extension: store.Extension{ID: id, Browser: b.Browser}, By: who.Name})
		r.log.Info("unblocked", "extension", id, "browser", b.Browser, "by", who.Name)
		errs = append(errs, r.undecide(ctx, who, a, func(d store.Decision) bool {
			return d.Kind == "block" && d.ID == id && (d.Browser == "" || d.Browser == b.Browser)
		}))
	}
	if !found {
		errs = append(errs, response.ErrNotBlocked)
	}
	return errors.Join(errs...)
}

func (r *Resident) undecide(ctx context.Context, who Caller, a *Reply, wanted func(store.Decision) bool) error {
	list, err := r.db().Decisions(ctx, "", false)
	if err != nil {
		return err
	}
	for _, d := range list {
		if wanted(d) {
			if err := r.db().Undecide(ctx, d.Row, who.Name); err != nil {
				return err
			}
			a.Changed++
		}
	}
	return nil
}
