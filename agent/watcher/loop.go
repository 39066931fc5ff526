package watcher

import (
	"slices"
	"time"
)

const (
	// beat is how often the clocks are compared, to notice that the machine slept.
	beat = time.Minute
	// jump is how much more than beat may pass on the wall clock before it counts as sleep. A machine under load, or one
	// whose clock is being set, is late by less; a sweep too many does no harm.
	jump = 20 * time.Second
	// pollEvery is how often folders are checked that cannot be watched.
	pollEvery = 5 * time.Second
	// calm is the least time between two renewals after errors: each of them lists every folder.
	calm = 2 * time.Second
)

// A loop holds all that the watcher knows. Only the goroutine that runs it touches it. It never waits for the receiver of
// changes.
type loop struct {
	cfg  Config
	src  source
	q    *queue
	wall func() time.Time

	targets map[string]*target
	awaits  map[Await]*root
	refused []error // targets that Set could not take
	dirs    map[string]*dir
	placed  map[string]map[*root]struct{} // the roots for which a folder is watched, by that folder's parent
	limit   error                         // why some folders are polled
	polled  int                           // how many
	// degraded is set when polling had to begin and the receiver does not know it.
	degraded bool

	again    []event // to be handled after what is being done
	settling map[key]settling
	out      []Change

	sweepDue, beatDue time.Time
	lastWall          time.Time
	pollDue           time.Time // zero: nothing to poll
	renewDue          time.Time // zero: nothing to renew
	renewHard         bool
	renewed           time.Time
}

// A key says which changes are merged.
type key struct {
	target string
	reason Reason
}

// settling is a change that waits until nothing more happens.
type settling struct {
	first, last time.Time
	path        string
	folders     []string
}

func (s settling) due(cfg Config) time.Time {
	quiet, late := s.last.Add(cfg.Quiet), s.first.Add(cfg.Patience)
	if late.Before(quiet) {
		return late
	}
	return quiet
}

func newLoop(cfg Config, src source, q *queue, wall func() time.Time) *loop {
	return &loop{
		cfg: cfg, src: src, q: q, wall: wall,
		targets:  map[string]*target{},
		awaits:   map[Await]*root{},
		dirs:     map[string]*dir{},
		placed:   map[string]map[*root]struct{}{},
		settling: map[key]settling{},
	}
}

func (l *loop) run(c chan<- Change, cmds <-chan func(), stop <-chan struct{}) {
	now := time.Now()
	l.sweepDue, l.beatDue, l.lastWall = now.Add(l.cfg.Sweep), now.Add(beat), l.wall().Round(0)
	timer := time.NewTimer(time.Until(l.next()))
	defer timer.Stop()
	for {
		var send chan<- Change
		var head Change
		if len(l.out) > 0 {
			send, head = c, l.out[0]
		}
		select {
		case <-l.q.wake:
			l.drain()
		case cmd := <-cmds:
			cmd()
		case <-timer.C:
			l.tick(time.Now())
		case send <- head:
			l.out = l.out[1:]
		case <-stop:
			return
		}
		l.settleUp()
		timer.Reset(time.Until(l.next()))
	}
}

// next is when there is something to do even if nothing happens.
func (l *loop) next() time.Time {
	due := l.sweepDue
	for _, t := range []time.Time{l.beatDue, l.pollDue, l.renewDue} {
		if !t.IsZero() && t.Before(due) {
			due = t
		}
	}
	for _, s := range l.settling {
		if t := s.due(l.cfg); t.Before(due) {
			due = t
		}
	}
	return due
}

func (l *loop) tick(now time.Time) {
	for k, s := range l.settling {
		if s.due(l.cfg).After(now) {
			continue
		}
		delete(l.settling, k)
		l.emit(Change{Target: k.target, Path: s.path, Reason: k.reason, At: s.first, Folders: s.folders})
	}
	swept := !l.sweepDue.After(now)
	if !l.beatDue.After(now) {
		l.beatDue = now.Add(beat)
		// Round strips the monotonic reading, which stands still while the machine sleeps.
		wall := l.wall().Round(0)
		swept = swept || wall.Sub(l.lastWall) > beat+jump
		l.lastWall = wall
	}
	due := !l.renewDue.IsZero() && !l.renewDue.After(now)
	if swept || due {
		l.renew(now)
	}
	if !l.pollDue.IsZero() && !l.pollDue.After(now) {
		l.poll(now)
	}
}

// drain looks at what the events were about.
func (l *loop) drain() {
	events, lost, broken := l.q.take()
	if lost {
		now := time.Now()
		l.renewHard = l.renewHard || broken
		if now.Sub(l.renewed) >= calm {
			l.renew(now)
		} else if l.renewDue.IsZero() {
			l.renewDue = l.renewed.Add(calm)
		}
	}
	for _, ev := range events {
		l.handle(ev)
	}
}

// settleUp does what the last step left to do.
func (l *loop) settleUp() {
	for range maxTries {
		events := l.again
		l.again = nil
		for _, ev := range events {
			l.handle(ev)
		}
	}
	l.startPolling(time.Now())
}

// settle delays a change until nothing more of it happens.
func (l *loop) settle(k key, path string, at time.Time, folders ...string) {
	s, ok := l.settling[k]
	switch {
	case !ok:
		s = settling{first: at, path: path}
	case s.path != path:
		s.path = ""
	}
	s.last, s.folders = at, union(s.folders, folders)
	l.settling[k] = s
}

func (l *loop) changed(r *root, path string, at time.Time) {
	if r.target == nil {
		l.settle(key{"", Appeared}, path, at)
		return
	}
	if r.kind == folder {
		l.settle(key{r.target.ID, Changed}, path, at, r.path)
		return
	}
	l.settle(key{r.target.ID, Changed}, path, at)
}

// union adds to a what b has and a has not.
func union(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}

// emit queues a change for delivery, merged with one that still waits.
func (l *loop) emit(ch Change) {
	for i := range l.out {
		old := &l.out[i]
		if old.Target != ch.Target || ch.Target == "" && old.Reason != ch.Reason {
			continue
		}
		folders := union(old.Folders, ch.Folders)
		path := old.Path
		if path != ch.Path {
			path = "" // more than one place
		}
		if old.Reason == Changed && ch.Reason == Arrived {
			*old = ch
		}
		old.Path, old.Folders = path, folders
		return
	}
	l.out = append(l.out, ch)
}
