package agent

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"time"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/agent/inventory"
	"github.com/extwatch/extwatch/agent/watcher"
	"github.com/extwatch/extwatch/manifests"
)

// A profile is one that was found, and what is known of it.
type profile struct {
	browsers.Profile
	id       string
	order    int // in the last search
	watch    inventory.Watch
	known    map[slot]*known
	problems map[manifests.Problem]time.Time // since when each has been there
	cause    cause                           // of the reading that is taken
	next     cause                           // of the next one
	reading  *listing                        // nil: it is not being read
	read     bool                            // it has been read
	settled  bool                            // … and watched then already, or once more
	unswept  bool                            // the sweep that goes on has yet to read it
	late     bool                            // it was there at the start, but could not be read then
	retry    time.Time                       // zero: not due
}

func profileID(p browsers.Profile) string { return p.Browser + " " + p.Dir }

// missingWithin is how long a folder may take to say that it is not there.
const missingWithin = 5 * time.Second

// missing reports whether nothing is at path. What cannot be looked at is not missing.
func missing(path string) bool {
	answer := make(chan bool, 1)
	go func() {
		_, err := os.Lstat(path)
		answer <- errors.Is(err, fs.ErrNotExist)
	}()
	select {
	case gone := <-answer:
		return gone
	case <-time.After(missingWithin): // a disk that does not answer says nothing
		return false
	}
}

// processesChanged reports whether a browser was started or ended since the last call.
func (r *run) processesChanged() bool {
	list := r.cfg.Machine.Processes
	switch {
	case list != nil:
		now, err := list()
		if err != nil || reflect.DeepEqual(now, r.last) {
			return false // the search reports the error
		}
		r.last = now
		return true
	case r.cfg.Machine.Root != "":
		return false
	}
	return r.procs.Changed()
}

// find looks for browsers and profiles, aside; machine receives them.
func (r *run) find(ctx context.Context) {
	now := time.Now()
	if r.finding || !r.lastFind.IsZero() && now.Sub(r.lastFind) < findEvery {
		if !r.findDue.After(now) {
			r.findDue = now.Add(findEvery)
		}
		return
	}
	r.finding, r.findDue, r.lastFind = true, time.Time{}, now
	dirs := make(map[string]string, len(r.profiles))
	for id, p := range r.profiles {
		dirs[id] = p.Dir
	}
	r.goroutines.Go(func() {
		m, err := r.search(ctx)
		if err != nil {
			return // ctx ended
		}
		s := search{m, map[string]bool{}}
		if len(m.Problems) > 0 {
			for _, p := range m.Profiles {
				delete(dirs, profileID(p))
			}
			for id, dir := range dirs {
				s.absent[id] = missing(dir)
			}
		}
		select {
		case r.found <- s:
		case <-ctx.Done():
		}
	})
}

func (r *run) search(ctx context.Context) (m browsers.Machine, err error) {
	perr := r.protect("looking for browsers", func() {
		if r.cfg.Find != nil {
			m, err = r.cfg.Find(ctx)
		} else {
			m, err = browsers.Find(ctx, r.cfg.Machine)
		}
	})
	if perr != nil {
		m.Problems = append(m.Problems, browsers.Problem{Reason: perr.Error()})
		m.Profiles, m.Awaited = nil, nil
	}
	return m, err
}

// A search is what was found.
type search struct {
	browsers.Machine
	absent map[string]bool // profiles that were known and whose folders are missing, by ID
}

// machine takes over what a search found: it watches, then reads, what is new, and forgets what is gone.
func (r *run) machine(ctx context.Context, m search) {
	r.finding = false
	r.untell(r.findTold)
	r.findTold = manifests.Problem{}
	at := r.cfg.Now()
	before := r.ofSearch
	r.ofSearch = map[manifests.Problem]bool{}
	for _, p := range m.Problems {
		problem := manifests.Problem{Path: p.Path, Reason: p.Reason}
		r.ofSearch[problem] = true
		r.problem(problem, browsers.Profile{}, at)
	}
	for problem := range before {
		r.untell(problem)
	}
	awaited, more := make(map[watcher.Await]bool, len(r.awaits)), false
	for _, a := range r.awaits {
		awaited[a] = true
	}
	r.awaits = nil // the watcher may still look at the last ones
	for _, a := range m.Awaited {
		await := watcher.Await{Dir: a.Dir, Name: a.Name}
		r.awaits = append(r.awaits, await)
		more = more || !awaited[await]
	}
	seen := map[string]bool{}
	for i, found := range m.Profiles {
		id := profileID(found)
		seen[id] = true
		p := r.profiles[id]
		switch {
		case p == nil:
			p = &profile{
				Profile: found, id: id, watch: inventory.WatchFor(found, inventory.Listing{}),
				known: map[slot]*known{}, problems: map[manifests.Problem]time.Time{},
			}
			r.profiles[id] = p
		case reflect.DeepEqual(p.Profile, found):
			p.order = i
			continue
		default:
			p.Profile = found
		}
		p.order = i
		r.queue(p, false, at)
	}
	for id, p := range r.profiles {
		if seen[id] || len(m.Problems) > 0 && !m.absent[id] {
			continue // what cannot be found because of a problem is not gone
		}
		delete(r.profiles, id)
		r.todo = slices.DeleteFunc(r.todo, func(q *profile) bool { return q == p })
		for s := range p.known {
			r.gone(p, s, at)
		}
		for problem := range p.problems {
			r.untell(problem)
		}
	}
	r.setWatches(ctx)
	r.searched = true
	if more { // what came between the search and the watch is found by another one
		r.findDue = time.Now().Add(findEvery)
	}
}

// setWatches watches what is to be watched now.
func (r *run) setWatches(ctx context.Context) {
	if r.asking != nil {
		r.asking.again = true
		return
	}
	targets := make([]watcher.Target, 0, len(r.profiles))
	for _, p := range r.profiles {
		targets = append(targets, watcher.Target{
			ID: p.id, Dir: p.Dir, Files: p.watch.Files, Arrivals: p.watch.Arrivals, Folders: p.watch.Folders,
		})
	}
	awaits := r.awaits
	r.askWatcher(ctx, func() []error { return r.w.Set(targets, awaits) })
}

func (r *run) watchProblems(problems []error) {
	before := r.ofWatch
	r.ofWatch = map[manifests.Problem]bool{}
	for _, err := range problems {
		problem := manifests.Problem{Reason: err.Error()}
		r.ofWatch[problem] = true
		r.problem(problem, browsers.Profile{}, r.cfg.Now())
	}
	for problem := range before {
		r.untell(problem)
	}
}

// listingProblems tells the problems of a profile that have not gone away by themselves.
func (r *run) listingProblems(p *profile, problems []manifests.Problem) {
	now := time.Now()
	before := p.problems
	p.problems = make(map[manifests.Problem]time.Time, len(problems))
	for _, problem := range problems {
		since, ok := before[problem]
		if !ok {
			since = now
		}
		p.problems[problem] = since
		switch {
		case r.told[problem]:
		case now.Sub(since) >= retryAfter:
			r.problem(problem, p.Profile, p.cause.at)
		default:
			p.later(since)
		}
	}
	for problem := range before {
		r.untell(problem) // unless it is there still
	}
}

// later lets the profile be read again when what has been so since then must be told, if it still is.
func (p *profile) later(since time.Time) {
	if due := since.Add(retryAfter); p.retry.IsZero() || due.Before(p.retry) {
		p.retry = due
	}
}
