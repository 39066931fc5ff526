package agent

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/agent/inventory"
	"github.com/extwatch/extwatch/agent/watcher"
	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
)

const (
	// retryAfter is how long after a problem the profile is read again: the browser may have been writing. Chromium
	// removes an extension file by file within 0.2 s (measured on Chromium 156, Linux).
	retryAfter = 2 * time.Second
	// findEvery is the least time between two searches for browsers and profiles: a browser in use writes "Local State"
	// every few seconds.
	findEvery = time.Second
	// workers read the files of extensions. Two keep one giant from holding up the rest, and the machine usable.
	workers = 2
	// maxProblems bounds how many different problems are told, and how often any is from one sweep to the next: a thief
	// can make any number of them, and let them come and go.
	maxProblems = 10_000
	// maxListed bounds the problems that come with Ready and Swept.
	maxListed = 1_000
)

// A run is the state of one Run. Its goroutine owns all of it and calls Tell.
type run struct {
	*Agent
	log   *slog.Logger
	w     *watcher.Watcher
	list  lister
	rules *signatures.Ruleset

	profiles map[string]*profile // by ID
	awaits   []watcher.Await
	todo     []*profile // to be read, in this order
	lists    []*listing // being read
	listed   chan *listing
	ready    bool
	begun    time.Time    // of the run
	sweeping time.Time    // since when; zero: no sweep goes on
	asking   *watcherCall // that takes long

	told     map[manifests.Problem]bool // and has not gone away since
	telling  int                        // since the last sweep
	ofSearch map[manifests.Problem]bool // of the last search
	ofWatch  map[manifests.Problem]bool // of the watcher, when it was last asked

	jobs     []job      // extensions whose files are to be read, in this order
	working  []*reading // those that are being read
	readings chan *reading
	contents map[string]content // by path

	studies  []*study // extensions whose code is to be analysed
	studying int      // how many are being analysed
	turn     string   // the home of the user whose extension was analysed last
	studied  chan *study

	found    chan search
	finding  bool
	findTold manifests.Problem // that it takes long
	findDue  time.Time         // zero: no search is due
	lastFind time.Time
	searched bool // the first search is done

	procs   browsers.ProcessWatch
	last    []browsers.Process // when the caller lists the processes
	pollDue time.Time

	goroutines sync.WaitGroup
}

func newRun(a *Agent, w *watcher.Watcher) *run {
	m := a.cfg.Machine
	list := a.list
	if list == nil {
		list = a.cfg.List
	}
	if list == nil {
		list = inventory.NewReader(inventory.Config{OS: m.OS, Root: m.Root, Locale: a.cfg.Locale}).Read
	}
	return &run{
		Agent: a, log: a.cfg.Logger, w: w, list: list,
		rules:    a.rules.Load(),
		profiles: map[string]*profile{},
		told:     map[manifests.Problem]bool{},
		listed:   make(chan *listing),
		readings: make(chan *reading),
		contents: map[string]content{},
		studied:  make(chan *study),
		found:    make(chan search),
		begun:    time.Now(),
	}
}

func (r *run) loop(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer within(r.limits.end, r.goroutines.Wait)
	defer cancel()
	r.processesChanged() // what runs now is found by the first search
	r.pollDue = time.Now().Add(r.poll)
	r.find(ctx)
	timer := time.NewTimer(r.poll)
	defer timer.Stop()
	for ctx.Err() == nil {
		r.startJobs(ctx)
		r.startStudies(ctx)
		if r.step(ctx, timer, false) {
			continue
		}
		if p := r.next(); p != nil {
			r.read(ctx, p)
			continue
		}
		r.becomeReady()
		r.endSweep()
		r.step(ctx, timer, true)
	}
	return ctx.Err()
}

// step handles one thing that happened. Without wait it reports false when there may be none. A change on disk goes
// first: an arrival must not wait for a sweep.
func (r *run) step(ctx context.Context, timer *time.Timer, wait bool) bool {
	select {
	case ch, ok := <-r.w.C:
		if ok {
			r.change(ctx, ch)
		}
		return ok
	default:
	}
	var idle chan struct{}
	if !wait {
		idle = make(chan struct{})
		close(idle)
	}
	var answer chan []error
	if r.asking != nil {
		answer = r.asking.done
	}
	timer.Reset(time.Until(r.due()))
	select {
	case ch := <-r.w.C:
		r.change(ctx, ch)
	case s := <-r.found:
		r.machine(ctx, s)
	case l := <-r.listed:
		r.take(ctx, l)
	case problems := <-answer:
		r.watched(ctx, problems)
	case rd := <-r.readings:
		r.finished(rd)
	case s := <-r.studied:
		r.analyzed(s)
	case <-r.swapped:
		r.swap()
	case <-timer.C:
		r.tick(ctx, time.Now())
	case <-ctx.Done():
	case <-idle:
		return false
	}
	return true
}

// due is when tick has something to do.
func (r *run) due() time.Time {
	due := r.pollDue
	if !r.findDue.IsZero() && r.findDue.Before(due) {
		due = r.findDue
	}
	for _, p := range r.profiles {
		if !p.retry.IsZero() && p.retry.Before(due) {
			due = p.retry
		}
	}
	r.overdue(func(at time.Time, _ func()) {
		if at.Before(due) {
			due = at
		}
	})
	return due
}

func (r *run) tick(ctx context.Context, now time.Time) {
	r.overdue(func(due time.Time, act func()) {
		if !due.After(now) {
			act()
		}
	})
	r.blind(ctx, now)
	for _, p := range r.profiles {
		if !p.retry.IsZero() && !p.retry.After(now) {
			p.retry = time.Time{}
			r.queue(p, false, r.cfg.Now())
		}
	}
	if !r.pollDue.After(now) {
		r.pollDue = now.Add(r.poll)
		if r.processesChanged() {
			r.find(ctx)
		}
	}
	if !r.findDue.IsZero() && !r.findDue.After(now) {
		r.find(ctx)
	}
}

// change does what the watcher's news ask for.
func (r *run) change(ctx context.Context, ch watcher.Change) {
	r.log.Debug("change", "reason", ch.Reason, "target", ch.Target, "path", ch.Path)
	switch ch.Reason {
	case watcher.Swept:
		r.telling = 0
		if r.sweeping.IsZero() {
			r.sweeping = time.Now()
			for _, p := range r.profiles {
				p.unswept = true
			}
		}
		if r.asking == nil {
			r.askWatcher(ctx, r.w.Problems)
		}
		r.find(ctx)
		r.forgetContents()
		r.queueAll(ch.At)
	case watcher.Appeared:
		r.find(ctx)
	default:
		p := r.profiles[ch.Target]
		if p == nil {
			return
		}
		p.next.change = true
		if p.next.touched == nil {
			p.next.touched = map[string]bool{}
		}
		for _, folder := range ch.Folders {
			p.next.touched[folder] = true
		}
		r.queue(p, ch.Reason == watcher.Arrived, ch.At)
	}
}

// queue lets a profile be read, first of all or after the others.
func (r *run) queue(p *profile, first bool, at time.Time) {
	i := slices.Index(r.todo, p)
	if i < 0 {
		p.next.at = at
	}
	switch {
	case i >= 0 && !first:
	case first:
		if i >= 0 {
			r.todo = slices.Delete(r.todo, i, i+1)
			p.next.at = at // what is told next is the arrival
		}
		r.todo = slices.Insert(r.todo, 0, p)
	default:
		r.todo = append(r.todo, p)
	}
}

// becomeReady tells that all is read and watched, once. What was told to be stuck is not waited for. Nor is what is to be read
// once more: where sweeps follow one another faster than all can be read, something always is.
func (r *run) becomeReady() {
	if r.ready || !r.searched {
		return
	}
	for _, p := range r.profiles {
		if !p.settled && r.awaited(p, func(l *listing) bool { return l.told != manifests.Problem{} }) {
			return
		}
	}
	for _, p := range r.profiles {
		p.late = !p.read
	}
	r.ready = true
	r.cfg.Tell(r.state(Ready, r.begun))
}

// endSweep tells that a sweep is over: all profiles have been read again, but those that are stuck.
func (r *run) endSweep() {
	if r.sweeping.IsZero() || !r.ready || r.finding {
		return
	}
	for _, p := range r.profiles {
		if p.unswept && r.awaited(p, func(l *listing) bool { return l.slow }) {
			return
		}
	}
	r.cfg.Tell(r.state(Swept, r.sweeping))
	r.sweeping = time.Time{}
}

// awaited reports whether a profile is about to be read, or is being read and not passed over.
func (r *run) awaited(p *profile, passed func(*listing) bool) bool {
	if p.reading != nil {
		return !passed(p.reading)
	}
	return len(r.lists) < maxSlow && slices.Contains(r.todo, p)
}

// state counts what is watched.
func (r *run) state(kind Kind, since time.Time) Event {
	ev := Event{Kind: kind, At: r.cfg.Now(), Took: time.Since(since), Profiles: len(r.profiles)}
	browsers := map[string]bool{}
	for _, p := range r.profiles {
		browsers[p.Browser] = true
		if p.read && len(p.problems) == 0 && !p.unswept && (p.reading == nil || !p.reading.slow) {
			ev.Read = append(ev.Read, p.Profile)
		}
		for _, k := range p.known {
			if !k.beside {
				ev.Extensions++
			}
		}
	}
	ev.Browsers = len(browsers)
	for problem := range r.told {
		if len(ev.Problems) < maxListed {
			ev.Problems = append(ev.Problems, problem)
		}
	}
	slices.SortFunc(ev.Problems, func(a, b manifests.Problem) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.File, b.File), cmp.Compare(a.Reason, b.Reason))
	})
	return ev
}

// problem tells what could not be read or watched, once until untell.
func (r *run) problem(problem manifests.Problem, p browsers.Profile, at time.Time) {
	if r.told[problem] || len(r.told) > maxProblems || r.telling > maxProblems {
		return
	}
	r.told[problem] = true
	r.telling++
	if len(r.told) > maxProblems || r.telling > maxProblems {
		problem = manifests.Problem{Reason: "there are too many problems to tell of more; see what 'extwatch scan' lists"}
	}
	r.cfg.Tell(Event{Kind: Problem, At: at, Problem: problem, Profile: p})
}

// untell lets a problem be told again: it has gone away.
func (r *run) untell(problem manifests.Problem) {
	if !r.told[problem] || r.ofSearch[problem] || r.ofWatch[problem] {
		return
	}
	for _, p := range r.profiles {
		if _, ok := p.problems[problem]; ok {
			return // another profile has it too
		}
	}
	delete(r.told, problem)
}

// protect runs f and turns a panic into an error: one extension that trips a mistake of ours must not hide the others.
func (r *run) protect(what string, f func()) (err error) {
	defer func() {
		if v := recover(); v != nil {
			r.log.Error("panic", "while", what, "value", v, "stack", string(debug.Stack()))
			err = fmt.Errorf("%s: a mistake in this program: %v", what, v)
		}
	}()
	f()
	return nil
}
