package cli

import (
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progressAfter is how long a command may take before a person wants to see that it goes on.
const progressAfter = 500 * time.Millisecond

// A progress shows on stderr how far a scan is. A nil *progress shows nothing. It is safe for concurrent use.
type progress struct {
	mu    sync.Mutex
	c     *console
	start time.Time
	bar   *progressbar.ProgressBar // nil until progressAfter
	total int
}

// newProgress returns nil when nobody is watching.
func newProgress(c *console, wanted bool) *progress {
	if !wanted || !c.person {
		return nil
	}
	return &progress{c: c, start: c.now()}
}

// found says how many extensions are known of so far.
func (p *progress) found(n int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total = max(p.total, n)
	if p.bar != nil {
		p.bar.ChangeMax(p.total)
	}
}

// judged says how many of them are done.
func (p *progress) judged(n int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar == nil {
		if p.c.now().Sub(p.start) < progressAfter {
			return
		}
		p.bar = progressbar.NewOptions(p.total,
			progressbar.OptionSetWriter(p.c.err),
			progressbar.OptionSetDescription("extensions"),
			progressbar.OptionShowCount(),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionThrottle(100*time.Millisecond),
		)
	}
	p.bar.Set(n)
}

// finish takes the bar off the screen.
func (p *progress) finish() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		p.bar.Clear()
		p.bar = nil
	}
}
