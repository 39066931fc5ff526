package agent

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/agent/inventory"
	"github.com/extwatch/extwatch/manifests"
)

// A disk that does not answer, such as a network drive or a FUSE mount whose server is gone, blocks whoever reads from
// it, and nothing can wake him. Therefore all that waits for a disk is done aside, in a goroutine of its own, and the
// loop waits only so long.
const (
	// slowAfter is how long others wait for a profile that is being read. One of 200 extensions that was never read
	// before takes a tenth of a second.
	slowAfter = 2 * time.Second
	// stuckAfter is when something that is not finished is told. A disk that wakes up, or a scanner of viruses that looks
	// at each file, costs seconds.
	stuckAfter = 30 * time.Second
	// readers is how many profiles are read at the same time: for each user a process has to start, whatever there is to read.
	readers = 4
	// maxSlow bounds the profiles that are being read at the same time because they are slow. Each may hold a thread.
	maxSlow = 32
	// filesGrace is how long after readTimeout the files of an extension count as stuck. Who can heed it ends at once.
	filesGrace = 15 * time.Second
	// maxStuck bounds the extensions whose files are stuck and that hold up no worker.
	maxStuck = 8
	// endWithin is how long Run waits for its goroutines. What is blocked in the system is left behind.
	endWithin = 2 * time.Second
	// blindEvery is how often everything is read while the watcher is stuck.
	blindEvery = time.Minute
)

// limits are the constants above; tests shorten them.
type limits struct{ slow, stuck, files, end time.Duration }

func defaultLimits() limits {
	return limits{slow: slowAfter, stuck: stuckAfter, files: readTimeout + filesGrace, end: endWithin}
}

// A cause is why a profile is read.
type cause struct {
	at      time.Time       // when it was noticed
	change  bool            // something in it changed
	restamp bool            // look at the files of all extensions
	touched map[string]bool // … and at those of the extensions in these watched folders
}

// A listing is one reading of a profile. What needs the disk is in it, for the loop must not wait for that.
type listing struct {
	profile *profile
	cause   cause
	started time.Time
	slow    bool // it is not waited for
	sweep   bool // it began after the sweep
	told    manifests.Problem

	inventory.Listing
	marks  []mark // of the extensions
	watch  inventory.Watch
	gone   bool            // the profile's folder is
	absent map[string]bool // the folders of extensions that were known and are missing
	err    error
	failed error // by a mistake of ours
}

// next returns the profile to read next, if one may be read now.
func (r *run) next() *profile {
	quick := 0
	for _, l := range r.lists {
		if !l.slow {
			quick++
		}
	}
	if len(r.todo) == 0 || quick >= readers || len(r.lists) >= maxSlow {
		return nil
	}
	i := slices.IndexFunc(r.todo, func(p *profile) bool { return p.reading == nil })
	if i < 0 {
		return nil
	}
	p := r.todo[i]
	r.todo = slices.Delete(r.todo, i, i+1)
	return p
}

// read reads a profile aside; take receives what it holds.
func (r *run) read(ctx context.Context, p *profile) {
	l := &listing{profile: p, cause: p.next, started: time.Now(), sweep: p.unswept}
	p.next, p.reading = cause{}, l
	r.lists = append(r.lists, l)
	what := p.Profile
	paths := make([]string, 0, len(p.known))
	for _, k := range p.known {
		paths = append(paths, k.ext.Path)
	}
	r.goroutines.Go(func() {
		l.failed = r.protect("reading the profile "+what.Dir, func() { l.read(ctx, r.list, what, paths) })
		select {
		case r.listed <- l:
		case <-ctx.Done():
		}
	})
}

type lister func(context.Context, browsers.Profile) (inventory.Listing, error)

func (l *listing) read(ctx context.Context, list lister, p browsers.Profile, known []string) {
	if l.gone = l.cause.change && missing(p.Dir); l.gone {
		return
	}
	if l.Listing, l.err = list(ctx, p); l.err != nil {
		return // ctx ended
	}
	l.watch = inventory.WatchFor(p, l.Listing)
	l.marks = make([]mark, len(l.Extensions))
	for i, e := range l.Extensions {
		l.marks[i] = markOf(e.Path)
	}
	if len(l.Problems) == 0 {
		return
	}
	l.absent = map[string]bool{}
	for _, path := range known {
		l.absent[path] = path == "" || missing(path)
	}
}

// take does what follows from a reading.
func (r *run) take(ctx context.Context, l *listing) {
	p := l.profile
	p.reading = nil
	p.unswept = p.unswept && !l.sweep
	r.lists = slices.DeleteFunc(r.lists, func(o *listing) bool { return o == l })
	r.untell(l.told)
	r.untell(manyProfiles())
	switch {
	case r.profiles[p.id] != p || l.err != nil: // it is gone, or ctx ended
		return
	case l.failed != nil:
		p.next.restamp = true
		r.problem(manifests.Problem{Path: p.Dir, Reason: l.failed.Error()}, p.Profile, l.cause.at)
		return
	case l.gone:
		r.find(ctx)
		return
	}
	p.cause = l.cause
	same := reflect.DeepEqual(l.watch, p.watch)
	p.settled = p.read || same
	if !same {
		// What has changed between reading and watching is found by reading once more; now, while the process that reads for
		// this user is there.
		p.watch = l.watch
		r.setWatches(ctx)
		r.queue(p, !p.read, p.cause.at)
	}
	r.listingProblems(p, l.Problems)
	r.diff(p, l)
	p.read, p.late = true, false
	r.log.Debug("read", "profile", p.Dir, "extensions", len(l.Extensions), "problems", len(l.Problems), "took", time.Since(l.started))
}

// busy returns how many jobs hold up others, and how many are stuck and do not.
func (r *run) busy() (working, stuck int) {
	for _, w := range r.working {
		if w.stuck {
			stuck++
		} else {
			working++
		}
	}
	return working, stuck
}

// startJobs reads the files of extensions, of a few at a time.
func (r *run) startJobs(ctx context.Context) {
	working, _ := r.busy()
	for ; working < workers; working++ {
		i := slices.IndexFunc(r.jobs, func(j job) bool {
			return !slices.ContainsFunc(r.working, func(w *reading) bool { return w.ext.Path == j.ext.Path })
		})
		if i < 0 {
			return
		}
		w := &reading{job: r.jobs[i], started: time.Now()}
		r.jobs = slices.Delete(r.jobs, i, i+1)
		w.rules, w.had = r.rules, r.contents[w.ext.Path]
		r.working = append(r.working, w)
		r.goroutines.Go(func() {
			if err := r.protect("reading "+w.ext.Path, func() { w.got, w.err = w.do(ctx) }); err != nil {
				w.err = err
			}
			select {
			case r.readings <- w:
			case <-ctx.Done():
			}
		})
	}
}

// watcherCall is a call of the watcher that has not returned.
type watcherCall struct {
	done    chan []error
	started time.Time
	told    manifests.Problem
	looked  time.Time // when everything was last read for want of a watcher
	again   bool      // what to watch has changed meanwhile
}

// askWatcher calls f, which waits for the watcher. When that takes long, others go on; watched receives the answer.
func (r *run) askWatcher(ctx context.Context, f func() []error) {
	call := &watcherCall{done: make(chan []error, 1), started: time.Now()}
	r.goroutines.Go(func() { call.done <- f() })
	timer := time.NewTimer(r.limits.slow)
	defer timer.Stop()
	select {
	case problems := <-call.done:
		r.watchProblems(problems)
	case <-ctx.Done():
	case <-timer.C:
		r.asking = call
	}
}

// watched deals with a late answer of the watcher. Everything is read again, as it was read before it was watched.
func (r *run) watched(ctx context.Context, problems []error) {
	call := r.asking
	r.asking = nil
	r.untell(call.told)
	r.watchProblems(problems)
	if call.again {
		r.setWatches(ctx)
	}
	r.queueAll(r.cfg.Now())
}

// queueAll lets all profiles be read, in the order in which a search finds them: the process that looks for a user's browsers
// then also reads them.
func (r *run) queueAll(at time.Time) {
	all := slices.SortedFunc(maps.Values(r.profiles), func(a, b *profile) int { return cmp.Compare(a.order, b.order) })
	for _, p := range all {
		p.next.restamp = true
		r.queue(p, false, at)
	}
}

// overdue calls f with when each thing that is done aside is waited for no longer, until f is done with it.
func (r *run) overdue(f func(due time.Time, act func())) {
	for _, l := range r.lists {
		if !l.slow {
			f(l.started.Add(r.limits.slow), func() { l.slow = true })
		}
		if l.told == (manifests.Problem{}) {
			f(l.started.Add(r.limits.stuck), func() { r.stuckProfile(l) })
		}
	}
	for _, w := range r.working {
		if w.told == (manifests.Problem{}) {
			f(w.started.Add(r.limits.files), func() { r.stuckFiles(w) })
		}
	}
	if c := r.asking; c != nil && c.told == (manifests.Problem{}) {
		f(c.started.Add(r.limits.stuck), func() { c.told = r.late("", "beginning to watch the folders", r.limits.stuck, browsers.Profile{}) })
	}
	if r.finding && r.findTold == (manifests.Problem{}) {
		f(r.lastFind.Add(r.limits.stuck), func() {
			r.findTold = r.late("", "looking for browsers", r.limits.stuck, browsers.Profile{})
		})
	}
}

func (r *run) stuckProfile(l *listing) {
	l.told = r.late(l.profile.Dir, "reading the profile", r.limits.stuck, l.profile.Profile)
	if len(r.lists) >= maxSlow {
		r.problem(manyProfiles(), browsers.Profile{}, r.cfg.Now())
	}
}

func manyProfiles() manifests.Problem {
	return manifests.Problem{Reason: fmt.Sprintf(
		"%d profiles cannot be read to the end; until one of them can be, no other is read", maxSlow)}
}

func manyFiles() manifests.Problem {
	return manifests.Problem{Reason: fmt.Sprintf(
		"the files of %d extensions cannot be read to the end; until they can be, those of others are read late or never", maxStuck)}
}

func (r *run) stuckFiles(w *reading) {
	w.told = r.late(w.ext.Path, "reading the extension's files", r.limits.files, w.known.profile.Profile)
	r.passStuck()
}

// passStuck lets others be read in place of the jobs that are overdue.
func (r *run) passStuck() {
	_, stuck := r.busy()
	if stuck < maxStuck {
		r.untell(manyFiles())
	}
	for _, w := range r.working {
		if w.told == (manifests.Problem{}) || w.stuck {
			continue
		}
		if stuck >= maxStuck {
			r.problem(manyFiles(), browsers.Profile{}, r.cfg.Now())
			return
		}
		w.stuck = true
		stuck++
	}
}

// late tells that something has not finished.
func (r *run) late(path, what string, after time.Duration, p browsers.Profile) manifests.Problem {
	problem := manifests.Problem{Path: path, Reason: fmt.Sprintf(
		"%s has not finished after %v; it goes on aside; see whether the disk or network drive still answers", what, after)}
	r.problem(problem, p, r.cfg.Now())
	return problem
}

// blind reads everything now and then while the watcher is stuck.
func (r *run) blind(ctx context.Context, now time.Time) {
	c := r.asking
	if c == nil || now.Sub(c.started) < blindEvery || now.Sub(c.looked) < blindEvery {
		return
	}
	c.looked = now
	r.find(ctx)
	r.queueAll(r.cfg.Now())
}

// within calls f and waits for it, but only so long.
func within(d time.Duration, f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

// touches reports whether the files of the extension at path are to be looked at.
func (c cause) touches(path string) bool { return c.restamp || c.touched[filepath.Clean(path)] }
