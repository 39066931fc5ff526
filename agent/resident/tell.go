package resident

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/agent/store"
	"github.com/extwatch/extwatch/signatures"
)

const (
	// channel is the store's name for people's screens.
	channel = "desktop"
	// systems is its name for the outputs, which see the findings of all users.
	systems = "systems"
	// retell is when what could not be shown is tried again, beside when its user comes.
	retell = 10 * time.Minute
	// trustFor is how long the button "I trust it" holds: an extension that is sold or taken over is another one.
	trustFor = 365 * 24 * time.Hour
)

// startTelling opens the screens and outputs that the settings ask for.
func (r *Resident) startTelling(ctx context.Context) {
	s := r.set()
	var screens Screens
	var outputs Outputs
	if r.cfg.Screens != nil && s.Notify.Desktop {
		var err error
		if screens, err = r.cfg.Screens(s, func(rep Report) { r.reported(ctx, rep) }); err != nil {
			r.log.Error("nobody can be warned on their screen", "error", err)
			r.note(ctx, store.Problem, "", "nobody can be warned on their screen: "+err.Error())
		}
	}
	if r.cfg.Outputs != nil {
		outputs = r.cfg.Outputs(ctx, s, r.db())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.screens, r.outputs = screens, outputs
}

// stopTelling closes them. What was on its way to a screen is shown anew by the next.
func (r *Resident) stopTelling() {
	r.mu.Lock()
	screens, outputs := r.screens, r.outputs
	r.screens, r.outputs = nil, nil
	r.mu.Unlock()
	if screens != nil {
		screens.Close()
	}
	if outputs != nil {
		outputs.Close()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.telling)
	clear(r.adopted)
}

// somebody lets a user be told what they were not told.
func (r *Resident) somebody(user string) {
	r.mu.Lock()
	r.dirty[user] = true
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (r *Resident) everybody() { r.whoever(func(*absence) bool { return true }) }

// whoever lets those users be told of whose absence f says yes; it is nil for who is not known to be away.
func (r *Resident) whoever(f func(*absence) bool) {
	r.mu.Lock()
	users := make([]string, 0, len(r.users))
	for name := range r.users {
		if f(r.away[name]) {
			users = append(users, name)
		}
	}
	r.mu.Unlock()
	for _, name := range users {
		r.somebody(name)
	}
}

// tellPeople tells whoever is to be told.
func (r *Resident) tellPeople(ctx context.Context) {
	again := time.NewTicker(retell)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-again.C:
			r.comeBack(ctx)
			r.patiently()
		case <-r.wake:
			r.mu.Lock()
			dirty := r.dirty
			r.dirty = map[string]bool{}
			r.mu.Unlock()
			for user := range dirty {
				if err := r.tell(ctx, user); err != nil && ctx.Err() == nil {
					r.log.Error("warn a person", "user", user, "error", err)
				}
			}
		}
	}
}

// tell shows a user what they were not told of their own profiles.
func (r *Resident) tell(ctx context.Context, user string) error {
	r.mu.Lock()
	screens, u, known := r.screens, r.users[user], r.users[user].Home != ""
	level := signatures.Verdict(r.settings.Notify.Level)
	a := r.away[user]
	away := a != nil && r.cfg.Now().Sub(a.since) < lull
	if away {
		a.more = true
	}
	r.mu.Unlock()
	if screens == nil || !known || user == "" || away {
		return nil
	}
	if err := r.adopt(ctx, screens, u); err != nil {
		return err
	}
	untold, err := r.db().Untold(ctx, user, channel)
	if err != nil {
		return err
	}
	var ids []int64
	r.mu.Lock()
	for _, f := range untold {
		if !r.telling[f.ID] && !level.Worse(f.Verdict) {
			ids = append(ids, f.ID)
		}
	}
	r.mu.Unlock()
	if len(ids) == 0 {
		return nil
	}
	findings, err := r.db().Telling(ctx, user, channel, ids...)
	if err != nil {
		return err
	}
	list, err := r.warningsOf(ctx, u, findings)
	if err != nil || len(list) == 0 {
		return err
	}
	if err := screens.Show(u, list...); err != nil {
		r.notShown(list)
		return err
	}
	return nil
}

// warningsOf makes one warning for each extension, and remembers them.
func (r *Resident) warningsOf(ctx context.Context, u browsers.User, findings []store.Finding) ([]Warning, error) {
	var list []Warning
	byRow := map[int64]int{}
	for _, f := range findings {
		if i, ok := byRow[f.Extension]; ok {
			list[i].Findings = append(list[i].Findings, f)
			continue
		}
		rows, err := r.db().Extensions(ctx, store.Query{Row: f.Extension})
		if err != nil {
			return nil, err
		}
		if len(rows) == 0 {
			continue
		}
		byRow[f.Extension] = len(list)
		w := Warning{Key: keyOf(f.Extension), Extension: rows[0], Findings: []store.Finding{f}}
		r.mu.Lock()
		if l := r.live[f.Extension]; l != nil {
			w.Profile, w.Code = l.profile, l.code
		}
		r.mu.Unlock()
		list = append(list, w)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range list {
		w := &list[i]
		slices.SortStableFunc(w.Findings, func(a, b store.Finding) int {
			switch {
			case a.Verdict.Worse(b.Verdict):
				return -1
			case b.Verdict.Worse(a.Verdict):
				return 1
			}
			return 0
		})
		kept := r.warnings[w.Key]
		if kept == nil {
			kept = &warning{user: u, row: w.Extension.Row}
			r.warnings[w.Key] = kept
		}
		for _, f := range w.Findings {
			kept.ids = append(kept.ids, f.ID)
			r.telling[f.ID] = true
		}
	}
	return list, nil
}

func keyOf(row int64) string { return "extension-" + strconv.FormatInt(row, 10) }

func (r *Resident) notShown(list []Warning) {
	keys := make([]string, len(list))
	for i := range list {
		keys[i] = list[i].Key
	}
	r.takeBack(keys)
}

// takeBack lets warnings that were not shown be shown later.
func (r *Resident) takeBack(keys []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, key := range keys {
		if w := r.warnings[key]; w != nil {
			for _, id := range w.ids {
				delete(r.telling, id)
			}
			w.ids = nil
		}
	}
}

// reported takes what became of warnings.
func (r *Resident) reported(ctx context.Context, rep Report) {
	rep.User = r.known(rep.User)
	switch {
	case rep.Came:
		r.mu.Lock()
		delete(r.away, rep.User.Name)
		if rep.User.Name == "" { // not all systems say who came
			clear(r.away)
		}
		r.mu.Unlock()
		if rep.User.Name == "" {
			r.everybody()
		}
		r.somebody(rep.User.Name)
	case rep.Err != nil:
		r.takeBack(rep.Keys)
		r.mu.Lock()
		delete(r.adopted, rep.User.Name) // when they come
		r.mu.Unlock()
		r.wait(ctx, rep)
	case rep.Shown:
		r.shown(ctx, rep)
	default:
		r.chosen(ctx, rep)
	}
}

// known returns the user that a name or an ID means.
func (r *Resident) known(u browsers.User) browsers.User {
	r.mu.Lock()
	defer r.mu.Unlock()
	if k, ok := r.users[u.Name]; ok && u.Name != "" {
		return k
	}
	for _, k := range r.users {
		if k.UID == u.UID && u.UID >= 0 {
			return k
		}
	}
	return u
}

func (r *Resident) shown(ctx context.Context, rep Report) {
	var ids []int64
	var rows, all []int64
	r.mu.Lock()
	for _, key := range rep.Keys {
		if w := r.warnings[key]; w != nil && w.user.Name == rep.User.Name {
			all = append(all, w.row)
			if len(w.ids) > 0 && !w.again {
				rows = append(rows, w.row)
			}
			w.again = false
			ids = append(ids, w.ids...)
			w.ids = nil
		}
	}
	r.mu.Unlock()
	if err := r.db().Told(ctx, rep.User.Name, channel, ids...); err != nil {
		r.log.Error("write down what was told", "error", err)
		return
	}
	r.nowOnScreen(rep.User.Name, rep.Place, all)
	for _, row := range rows {
		r.happenedTo(ctx, row, Happening{Kind: "told", By: rep.User.Name})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		delete(r.telling, id)
	}
	delete(r.away, rep.User.Name)
	r.log.Info("warned", "user", rep.User.Name, "warnings", len(rep.Keys))
}

// chosen does what a person asked for in a warning, as far as they may.
func (r *Resident) chosen(ctx context.Context, rep Report) {
	caller := Caller{Name: rep.User.Name, UID: rep.User.UID}
	var rows []int64
	r.mu.Lock()
	for _, key := range rep.Keys {
		if w := r.warnings[key]; w != nil && w.user.Name == rep.User.Name { // not another's
			rows = append(rows, w.row)
		}
	}
	r.mu.Unlock()
	if rep.Choice != WhatNow {
		r.offScreen(rep.User.Name, rows...)
	}
	r.log.Info("a person chose", "user", rep.User.Name, "choice", rep.Choice, "warnings", len(rows))
	switch rep.Choice {
	case WhatNow:
		to := "/"
		if len(rows) == 1 {
			to = fmt.Sprintf("/extensions/%d", rows[0])
		}
		if r.cfg.Browse == nil {
			return
		}
		if err := r.cfg.Browse(ctx, rep.User, to); err != nil {
			r.log.Error("open the page", "user", rep.User.Name, "error", err)
			r.note(ctx, store.Problem, rep.User.Name, "the page could not be opened: "+err.Error())
		}
	case Block, Trust:
		for _, row := range rows {
			q := Request{Do: string(rep.Choice), Row: row, Reason: "chosen in the warning"}
			if rep.Choice == Trust {
				q.Until = r.cfg.Now().Add(trustFor)
			}
			if a := r.Answer(ctx, caller, q); a.Error != "" {
				r.log.Warn("what a person chose was not done", "user", rep.User.Name, "choice", rep.Choice, "why", a.Error)
				r.note(ctx, store.Problem, rep.User.Name, fmt.Sprintf("%s was not done: %s", rep.Choice, a.Error))
			}
		}
	}
}

// withdraw takes a warning from the screen: it is over.
func (r *Resident) withdraw(u browsers.User, row int64) {
	r.offScreen(u.Name, row)
	r.mu.Lock()
	screens := r.screens
	w := r.warnings[keyOf(row)]
	delete(r.warnings, keyOf(row))
	if w != nil {
		for _, id := range w.ids {
			delete(r.telling, id)
		}
	}
	r.mu.Unlock()
	if screens == nil || w == nil {
		return
	}
	if err := screens.Withdraw(u, keyOf(row)); err != nil {
		r.log.Warn("take a warning from the screen", "user", u.Name, "error", err)
	}
}

// cut bounds what a person wrote.
func cut(s string, most int) string {
	s = strings.ToValidUTF8(strings.Join(strings.Fields(s), " "), "")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}
