package feed

import (
	"context"
	"sync"
	"time"
)

// lookEvery is how often Run looks whether another process (`extwatch feed update`, a stick) changed the folder.
const lookEvery = 5 * time.Second

// Run keeps the feed up to date until ctx is done, and then returns nil: it polls with jitter, follows the mirrors' event
// streams, and notices when another process changed the folder. It calls changed, in its own goroutine, after other files
// than before came into use.
func (f *Feed) Run(ctx context.Context, changed func(Update)) error {
	h := &hints{wake: make(chan struct{}, 1), now: f.cfg.Now, most: f.cfg.Limits.HintPolls}
	var streams sync.WaitGroup
	for _, m := range f.mirrors {
		if w, ok := m.source.(*web); ok && !f.cfg.NoEvents {
			streams.Go(func() {
				f.listen(ctx, m, w, func(version int64) {
					if version != f.version() { // also when it is lower: it may have been recovered
						h.hint()
					}
				})
			})
		}
	}
	defer streams.Wait()

	fails := 0
	poll := time.NewTimer(f.spread(min(f.cfg.Limits.HintSpread, f.cfg.Interval)))
	defer poll.Stop()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
			f.look(ctx, changed)
			continue
		case <-h.wake:
			sleep(ctx, h.wait()+f.spread(f.cfg.Limits.HintSpread))
		case <-poll.C:
		}
		if ctx.Err() != nil {
			return nil
		}
		if len(f.mirrors) == 0 {
			continue // what others put into the folder is all there is
		}
		fails = f.poll(ctx, changed, fails)
		poll.Reset(f.next(fails))
	}
}

func (f *Feed) poll(ctx context.Context, changed func(Update), fails int) int {
	u, err := f.Update(ctx)
	if u.Changed && changed != nil {
		changed(u)
	}
	switch {
	case err == nil:
		return 0
	case ctx.Err() == nil:
		f.cfg.Log.Warn("feed: update", "error", err)
	}
	return fails + 1
}

// next is the time until the next poll.
func (f *Feed) next(fails int) time.Duration {
	if fails > 0 {
		return backoff(fails, f.cfg.Interval, f.cfg.Rand)
	}
	return f.cfg.Interval*4/5 + f.spread(f.cfg.Interval*2/5)
}

// look takes what another process put into the folder.
func (f *Feed) look(ctx context.Context, changed func(Update)) {
	select {
	case f.busy <- struct{}{}:
		defer func() { <-f.busy }()
	default: // an update looks itself
		return
	}
	before := f.current()
	other, err := f.reload(ctx)
	if err != nil {
		f.cfg.Log.Debug("feed: look at the folder", "error", err)
	}
	if !other {
		return
	}
	after := f.current()
	u := Update{Version: after.version, Content: after.content}
	u.compare(before, after)
	if u.Changed && changed != nil {
		changed(u)
	}
}

func (f *Feed) version() int64 {
	if t := f.current(); t != nil {
		return t.version
	}
	return 0
}

func (f *Feed) spread(most time.Duration) time.Duration {
	return time.Duration(f.cfg.Rand() * float64(most))
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
