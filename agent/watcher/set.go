package watcher

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A target is a Target with the folders that are watched for it.
type target struct {
	Target
	roots map[place]*root
}

type place struct {
	kind kind
	path string
}

func (t Target) equal(u Target) bool {
	return t.Dir == u.Dir && t.Arrivals == u.Arrivals &&
		slices.Equal(t.Files, u.Files) && slices.Equal(t.Folders, u.Folders)
}

func (t Target) places() map[place]bool {
	places := map[place]bool{}
	if t.Dir != "" {
		places[place{profile, filepath.Clean(t.Dir)}] = true
	}
	if t.Arrivals != "" {
		places[place{arrivals, filepath.Clean(t.Arrivals)}] = true
	}
	for _, f := range t.Folders {
		places[place{folder, filepath.Clean(f)}] = true
	}
	return places
}

// arrives reports whether path lies below t's folder of arrivals.
func (t Target) arrives(path string) bool {
	return t.Arrivals != "" && strings.HasPrefix(path, filepath.Clean(t.Arrivals)+string(filepath.Separator))
}

func (t Target) check() error {
	if t.ID == "" {
		return fmt.Errorf("watch %s: the target has no ID", t.Dir)
	}
	for p := range t.places() {
		if !filepath.IsAbs(p.path) {
			return fmt.Errorf("watch %s: the path is not absolute", p.path)
		}
	}
	return nil
}

// set makes targets and awaits the watched ones.
func (l *loop) set(targets []Target, awaits []Await) []error {
	now := time.Now()
	l.refused = nil
	wanted := map[string]bool{}
	for _, t := range targets {
		if err := t.check(); err != nil {
			l.refused = append(l.refused, err)
			continue
		}
		if wanted[t.ID] {
			l.refused = append(l.refused, fmt.Errorf("watch %s: another target has the same ID", t.Dir))
			continue
		}
		wanted[t.ID] = true
		l.setTarget(t, now)
	}
	for id, t := range l.targets {
		if wanted[id] {
			continue
		}
		for _, r := range t.roots {
			l.disarm(r)
		}
		delete(l.targets, id)
		l.forget(id)
	}
	l.setAwaits(awaits, now)
	l.degraded = false // the returned problems say it
	l.startPolling(now)
	return l.problems()
}

func (l *loop) setTarget(t Target, now time.Time) {
	old := l.targets[t.ID]
	if old != nil && old.equal(t) {
		return
	}
	if old == nil {
		old = &target{roots: map[place]*root{}}
		l.targets[t.ID] = old
	}
	t.Files, t.Folders = slices.Clone(t.Files), slices.Clone(t.Folders)
	old.Target = t
	places := t.places()
	for p, r := range old.roots {
		if !places[p] {
			l.disarm(r)
			delete(old.roots, p)
		}
	}
	// What tells most goes first, in case the system's limit is near.
	sorted := slices.SortedFunc(maps.Keys(places), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), strings.Compare(a.path, b.path))
	})
	for _, p := range sorted {
		if old.roots[p] == nil {
			r := &root{kind: p.kind, target: old, path: p.path, inside: p.kind == folder && t.arrives(p.path)}
			old.roots[p] = r
			l.arm(r, false, now)
		}
	}
}

func (l *loop) setAwaits(awaits []Await, now time.Time) {
	wanted := map[Await]bool{}
	for _, a := range awaits {
		if !filepath.IsAbs(a.Dir) {
			l.refused = append(l.refused, fmt.Errorf("watch %s: the path is not absolute", a.Dir))
			continue
		}
		a.Dir = filepath.Clean(a.Dir)
		wanted[a] = true
		if l.awaits[a] == nil {
			r := &root{kind: await, path: a.Dir, name: a.Name}
			l.awaits[a] = r
			l.arm(r, false, now)
		}
	}
	for a, r := range l.awaits {
		if !wanted[a] {
			l.disarm(r)
			delete(l.awaits, a)
		}
	}
}

// forget drops what has not been delivered about a target that is no longer wanted.
func (l *loop) forget(id string) {
	delete(l.settling, key{id, Changed})
	l.out = slices.DeleteFunc(l.out, func(c Change) bool { return c.Target == id })
}

func (l *loop) roots() iter.Seq[*root] {
	return func(yield func(*root) bool) {
		for _, t := range l.targets {
			for _, r := range t.roots {
				if !yield(r) {
					return
				}
			}
		}
		for _, r := range l.awaits {
			if !yield(r) {
				return
			}
		}
	}
}

// problems lists what cannot be watched, in a stable order.
func (l *loop) problems() []error {
	problems := slices.Clone(l.refused)
	for r := range l.roots() {
		if r.problem != nil {
			problems = append(problems, fmt.Errorf("watch %s: %w", r.path, r.problem))
		}
	}
	if l.polled > 0 {
		problems = append(problems, fmt.Errorf("the system's limit is reached, so some folders are checked every %v instead of being watched; %s: %w",
			pollEvery, remedy(runtime.GOOS), l.limit))
	}
	slices.SortFunc(problems, func(a, b error) int {
		return strings.Compare(a.Error(), b.Error())
	})
	return problems
}
