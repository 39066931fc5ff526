package resident

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/extwatch/extwatch/agent/store"
	"github.com/extwatch/extwatch/signatures"
)

// trust writes down that what was found so far in an extension is to be told no more. What is malicious can be trusted by
// an administrator only.
func (r *Resident) trust(ctx context.Context, who Caller, q Request, a *Reply) error {
	list, err := r.meant(ctx, who, q)
	if err != nil {
		return err
	}
	if q.Reason == "" {
		return errors.New("say why you trust it")
	}
	if !who.Admin && slices.ContainsFunc(list, malicious) {
		return errors.New("it is known to be malicious: " + notAllowed)
	}
	done := map[store.Decision]bool{}
	for _, x := range list {
		d := store.Decision{Kind: "trust", ID: x.ID, Place: x.Place, Browser: q.Browser, Reason: q.Reason, By: who.Name, Until: q.Until}
		if !who.Admin {
			d.User = who.Name
		}
		if q.Row != 0 {
			d.Browser, d.User, d.Dir = x.Browser, x.User, x.Dir
		}
		if who.Admin {
			d.UpTo = signatures.Malicious
		}
		if done[d] {
			continue
		}
		done[d] = true
		if _, err := r.db().Decide(ctx, d); err != nil {
			return err
		}
		a.Changed++
		r.happened(ctx, Happening{Kind: "trusted", Extension: x, By: who.Name, Reason: q.Reason})
		r.mu.Lock()
		w := r.warnings[keyOf(x.Row)]
		r.mu.Unlock()
		if w != nil {
			r.withdraw(w.user, x.Row)
		}
	}
	return nil
}

// maxSnooze bounds how long a warning can be put off.
const maxSnooze = 30 * 24 * time.Hour

// snooze puts what was found in one extension off: it is told again later. What gets worse is told regardless.
func (r *Resident) snooze(ctx context.Context, who Caller, q Request, a *Reply) error {
	list, err := r.meant(ctx, who, q)
	if err != nil {
		return err
	}
	if now := r.cfg.Now(); !q.Until.After(now) || q.Until.After(now.Add(maxSnooze)) {
		return errors.New("it can be put off by a month at most")
	}
	for _, x := range list {
		d := store.Decision{Kind: "snooze", ID: x.ID, Place: x.Place, Browser: x.Browser, User: x.User, Dir: x.Dir, Reason: cmp.Or(q.Reason, "later"), By: who.Name,
			Until: q.Until, UpTo: x.Result.Verdict}
		if _, err := r.db().Decide(ctx, d); err != nil {
			return err
		}
		a.Changed++
		r.mu.Lock()
		w := r.warnings[keyOf(x.Row)]
		r.mu.Unlock()
		if w != nil {
			r.withdraw(w.user, x.Row)
		}
		r.rememberScreen(x.User, func(s *onScreen) { s.Rows = append(s.Rows, x.Row) }) // it comes back
	}
	return nil
}

// comeBack lets those warnings be shown again whose time has come.
func (r *Resident) comeBack(ctx context.Context) {
	decisions, err := r.db().Decisions(ctx, "", false)
	if err != nil {
		r.log.Error("look for what was put off", "error", err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for user, s := range r.screen {
		for _, row := range s.Rows {
			l := r.live[row]
			if l == nil || r.warnings[keyOf(row)] != nil {
				continue // gone, or on the screen
			}
			x := store.Extension{ID: l.ext.ID, Browser: l.ext.Browser, User: user, Dir: l.profile.Dir, Row: row}
			if !slices.ContainsFunc(decisions, func(d store.Decision) bool {
				return d.Kind == "snooze" && d.ID == x.ID && d.Browser == x.Browser && d.User == x.User && d.Dir == x.Dir
			}) {
				delete(r.adopted, user)
			}
		}
	}
}

func (r *Resident) untrust(ctx context.Context, who Caller, q Request, a *Reply) error {
	list, err := r.meant(ctx, who, q)
	if err != nil {
		return err
	}
	err = r.undecide(ctx, who, a, func(d store.Decision) bool {
		return d.Kind != "block" && (who.Admin || d.User == who.Name && who.Name != "") &&
			slices.ContainsFunc(list, func(x store.Extension) bool { return d.ID == x.ID && d.Place == x.Place })
	})
	if err == nil && a.Changed == 0 {
		err = errors.New("nobody said that it is trusted, or only an administrator may take that back")
	}
	r.everybody()
	return err
}
