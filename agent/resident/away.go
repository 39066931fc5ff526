package resident

import (
	"context"
	"time"
)

// lull is how long a person whom a warning did not reach is left alone, unless they come: each attempt takes all that
// waits, and installs may come by the hundred.
const lull = 10 * time.Second

// longestPatience is how long at most who is away is not tried again for what they were tried with before, unless they come.
// Each try costs a process that waits two minutes for a desktop, and a user whose programs run without a session, such as one
// that lingers, never has one.
const longestPatience = 12 * time.Hour

// An absence is that of a person whom the last warning did not reach.
type absence struct {
	since time.Time
	more  bool // there was more to tell since

	patience time.Duration // after which it is tried again though there is no more; doubled with each try in vain
}

// wait leaves a person alone for a moment whom a warning did not reach.
func (r *Resident) wait(ctx context.Context, rep Report) {
	name, a := rep.User.Name, &absence{since: r.cfg.Now(), patience: retell}
	r.mu.Lock()
	last, before := r.away[name]
	if before {
		a.patience = min(2*last.patience, longestPatience)
	}
	r.away[name] = a
	r.mu.Unlock()
	if !before {
		r.log.Info("warnings wait", "user", name, "why", rep.Err)
	}
	time.AfterFunc(lull, func() {
		r.mu.Lock()
		again := a.more && r.away[name] == a && ctx.Err() == nil
		r.mu.Unlock()
		if again {
			r.somebody(name)
		}
	})
}

// patiently lets everybody be told whom it is time to try.
func (r *Resident) patiently() {
	now := r.cfg.Now()
	r.whoever(func(a *absence) bool { return a == nil || !now.Before(a.since.Add(a.patience)) })
}
