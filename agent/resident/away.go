package resident

import (
	"context"
	"time"
)

// lull is how long a person whom a warning did not reach is left alone, unless they come: each attempt takes all that
// waits, and installs may come by the hundred.
const lull = 10 * time.Second

// An absence is that of a person whom the last warning did not reach.
type absence struct {
	since time.Time
	more  bool // there was more to tell since
}

// wait leaves a person alone for a moment whom a warning did not reach.
func (r *Resident) wait(ctx context.Context, rep Report) {
	name, a := rep.User.Name, &absence{since: r.cfg.Now()}
	r.mu.Lock()
	_, before := r.away[name]
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
