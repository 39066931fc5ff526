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
	watch    inventory.Watch
	known    map[slot]*known
	problems map[manifests.Problem]time.Time // since when each has been there
	at       time.Time                       // when what made it necessary to read it was noticed
	restamp  bool                            // look at the files of all extensions when it is read the next time
	touched  map[string]bool                 // … and at those of the extensions in these watched folders
	retry    time.Time                       // zero: not due
}

func profileID(p browsers.Profile) string { return p.Browser + " " + p.Dir }

// missing reports whether nothing is at path. What cannot be looked at is not missing.
func missing(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
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
		if r.findDue.IsZero() {
			r.findDue = now.Add(findEvery)
		}
		return
	}
	r.finding, r.findDue, r.lastFind = true, time.Time{}, now
	r.goroutines.Go(func() {
		m, err := r.search(ctx)
		if err != nil {
			return // ctx ended
		}
		select {
		case r.found <- m:
		case <-ctx.Done():
		}
	})
}

func (r *run) search(ctx context.Context) (m browsers.Machine, err error) {
	perr := r.protect("looking for browsers", func() { m, err = browsers.Find(ctx, r.cfg.Machine) })
	if perr != nil {
		m.Problems = append(m.Problems, browsers.Problem{Reason: perr.Error()})
		m.Profiles, m.Awaited = nil, nil
	}
	return m, err
}

// machine takes over what a search found: it watches, then reads, what is new, and forgets what is gone.
func (r *run) machine(ctx context.Context, m browsers.Machine) {
	r.finding = false
	at := r.cfg.Now()
	for _, p := range m.Problems {
		r.problem(manifests.Problem{Path: p.Path, Reason: p.Reason}, browsers.Profile{}, at)
	}
	r.awaits = r.awaits[:0]
	for _, a := range m.Awaited {
		r.awaits = append(r.awaits, watcher.Await{Dir: a.Dir, Name: a.Name})
	}
	seen := map[string]bool{}
	for _, found := range m.Profiles {
		id := profileID(found)
		seen[id] = true
		p := r.profiles[id]
		switch {
		case p == nil:
			p = &profile{
				Profile: found, id: id, watch: inventory.WatchFor(found, inventory.Listing{}),
				known: map[slot]*known{}, problems: map[manifests.Problem]time.Time{},
				touched: map[string]bool{},
			}
			r.profiles[id] = p
		case reflect.DeepEqual(p.Profile, found):
			continue
		default:
			p.Profile = found
		}
		r.queue(p, false, at)
	}
	for id, p := range r.profiles {
		if seen[id] || len(m.Problems) > 0 && !missing(p.Dir) {
			continue // what cannot be found because of a problem is not gone
		}
		delete(r.profiles, id)
		r.todo = slices.DeleteFunc(r.todo, func(q *profile) bool { return q == p })
		for s := range p.known {
			r.gone(p, s, at)
		}
	}
	r.setWatches()
	r.searched = true
}

// setWatches watches what is to be watched now.
func (r *run) setWatches() {
	targets := make([]watcher.Target, 0, len(r.profiles))
	for _, p := range r.profiles {
		targets = append(targets, watcher.Target{
			ID: p.id, Dir: p.Dir, Files: p.watch.Files, Arrivals: p.watch.Arrivals, Folders: p.watch.Folders,
		})
	}
	r.watchProblems(r.w.Set(targets, r.awaits))
}

func (r *run) watchProblems(problems []error) {
	for _, err := range problems {
		r.problem(manifests.Problem{Reason: err.Error()}, browsers.Profile{}, r.cfg.Now())
	}
}

// read reads a profile and does what follows.
func (r *run) read(ctx context.Context, p *profile) {
	start := time.Now()
	var l inventory.Listing
	var err error
	perr := r.protect("reading the profile "+p.Dir, func() { l, err = r.reader.Read(ctx, p.Profile) })
	switch {
	case perr != nil:
		r.problem(manifests.Problem{Path: p.Dir, Reason: perr.Error()}, p.Profile, p.at)
		return
	case err != nil:
		return // ctx ended
	}
	if watch := inventory.WatchFor(p.Profile, l); !reflect.DeepEqual(watch, p.watch) {
		// What has changed between reading and watching is found by reading once more.
		p.watch = watch
		r.setWatches()
		r.queue(p, false, p.at)
	}
	r.listingProblems(p, l.Problems)
	r.diff(p, l)
	p.restamp = false
	clear(p.touched)
	r.log.Debug("read", "profile", p.Dir, "extensions", len(l.Extensions), "problems", len(l.Problems), "took", time.Since(start))
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
			r.problem(problem, p.Profile, p.at)
		default:
			p.later(since)
		}
	}
}

// later lets the profile be read again when what has been so since then must be told, if it still is.
func (p *profile) later(since time.Time) {
	if due := since.Add(retryAfter); p.retry.IsZero() || due.Before(p.retry) {
		p.retry = due
	}
}
