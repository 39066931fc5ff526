package resident

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/agent/store"
	"github.com/extwatch/extwatch/signatures"
)

// A warning of something malicious stays on the screen until it is answered, and so it outlives the process that showed
// it: with buttons to which nobody answers. What is on the screens is therefore written down, and shown again in its own
// place, without a sound, after a restart or a reload. What was answered, or went by itself, is not.

// onScreenFile is the file in the service's folder.
const onScreenFile = "screens.json"

// maxOnScreen bounds what is remembered of one screen: no more than that is shown at once.
const maxOnScreen = 25

// onScreen is what one user has on the screen.
type onScreen struct {
	Place uint32  `json:"place"` // as the screen names it
	Rows  []int64 `json:"rows"`  // of extensions, oldest first
}

func (r *Resident) onScreenPath() string { return filepath.Join(r.cfg.Folder, onScreenFile) }

// recallScreens reads what was on the screens when the service ended.
func (r *Resident) recallScreens() {
	data, err := os.ReadFile(r.onScreenPath())
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var kept map[string]onScreen
	if err == nil {
		err = json.Unmarshal(data, &kept)
	}
	if err != nil {
		r.log.Warn("what was on the screens is not known", "error", err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for user, s := range kept {
		r.screen[user] = s
	}
}

// rememberScreen changes what a user has on the screen, and writes all down.
func (r *Resident) rememberScreen(user string, change func(*onScreen)) {
	r.mu.Lock()
	s := r.screen[user]
	s.Rows = slices.Clone(s.Rows)
	change(&s)
	if s.Rows = s.Rows[max(0, len(s.Rows)-maxOnScreen):]; len(s.Rows) == 0 {
		delete(r.screen, user)
	} else {
		r.screen[user] = s
	}
	data, err := json.Marshal(r.screen)
	r.mu.Unlock()
	if err == nil {
		temporary := r.onScreenPath() + ".new"
		if err = os.WriteFile(temporary, data, 0o600); err == nil {
			err = os.Rename(temporary, r.onScreenPath())
		}
	}
	if err != nil {
		r.log.Warn("what is on the screens is forgotten when the service ends", "error", err)
	}
}

// nowOnScreen adds what is malicious of what was shown.
func (r *Resident) nowOnScreen(user string, place uint32, rows []int64) {
	r.mu.Lock()
	rows = slices.DeleteFunc(slices.Clone(rows), func(row int64) bool {
		l := r.live[row]
		return l == nil || l.result.Verdict != signatures.Malicious
	})
	r.mu.Unlock()
	if len(rows) == 0 {
		return
	}
	r.rememberScreen(user, func(s *onScreen) {
		s.Place = place
		s.Rows = append(slices.DeleteFunc(s.Rows, func(row int64) bool { return slices.Contains(rows, row) }), rows...)
	})
}

// offScreen takes rows away: they were answered, or are over.
func (r *Resident) offScreen(user string, rows ...int64) {
	r.mu.Lock()
	there := slices.ContainsFunc(r.screen[user].Rows, func(row int64) bool { return slices.Contains(rows, row) })
	r.mu.Unlock()
	if there {
		r.rememberScreen(user, func(s *onScreen) {
			s.Rows = slices.DeleteFunc(s.Rows, func(row int64) bool { return slices.Contains(rows, row) })
		})
	}
}

// adopt shows again what a user has on the screen from before, once after each start of the screens.
func (r *Resident) adopt(ctx context.Context, screens Screens, u browsers.User) error {
	r.mu.Lock()
	s := r.screen[u.Name]
	done := r.adopted[u.Name] || !r.ready // before, nobody knows what is still there
	if r.ready {
		r.adopted[u.Name] = true
	}
	rows := slices.DeleteFunc(slices.Clone(s.Rows), func(row int64) bool { return r.live[row] == nil || !r.live[row].ext.Enabled })
	r.mu.Unlock()
	if done || len(rows) == 0 {
		return nil
	}
	decisions, err := r.db().Decisions(ctx, "", false)
	if err != nil {
		return err
	}
	var findings []store.Finding
	for _, row := range rows {
		list, err := r.db().Extensions(ctx, store.Query{Row: row, Findings: true})
		if err != nil {
			return err
		}
		for _, x := range list {
			for _, f := range x.Findings {
				if x.User == u.Name && open(f) && !holds(decisions, "trust", x, f) && !holds(decisions, "snooze", x, f) {
					findings = append(findings, f)
				}
			}
		}
	}
	list, err := r.warningsOf(ctx, u, findings)
	if err != nil || len(list) == 0 {
		return err
	}
	r.mu.Lock()
	for i := range list {
		r.warnings[list[i].Key].again = true
	}
	r.mu.Unlock()
	if err := screens.Adopt(u, s.Place, list...); err != nil {
		r.notShown(list)
		return err
	}
	return nil
}
