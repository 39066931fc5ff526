package watcher

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// A kind says what a watched folder is watched for.
type kind uint8

const (
	profile  kind = iota // Target.Dir
	arrivals             // Target.Arrivals
	version              // one extension's folder in arrivals, where versions appear
	folder               // one of Target.Folders
	await                // Await.Dir
	guard                // the nearest existing ancestor of a folder that is missing
)

// A root is a folder that Set asked for.
type root struct {
	kind    kind
	target  *target // nil for an Await
	path    string  // as Set gave it
	name    string  // Await.Name
	at      string  // the folder that is watched for it: where path leads, or the nearest existing ancestor
	inside  bool    // one of Target.Folders below Target.Arrivals
	dirs    map[*dir]struct{}
	problem error
}

// A dir is a watched folder, under the path that links lead to: the system gives one watch to one folder, however many
// paths it has.
type dir struct {
	path   string
	uses   []*use
	polled bool // cannot be watched
}

// A use is a reason to watch a dir.
type use struct {
	kind  kind
	root  *root
	path  string              // the dir as the caller knows it
	name  string              // guard: the entry that is waited for
	known map[string]struct{} // version: folders that were reported
	stamp string              // what it looked like, while it is polled
}

const (
	// maxArrivals bounds the extension folders that are watched in one profile. People have under 200; the rest of a
	// folder that someone stuffed is left to the sweep, so that it cannot use up the watches of all others.
	maxArrivals = 4096
	// maxVersions bounds what is listed in the folder of one extension. Chromium keeps two or three versions.
	maxVersions = 1024
	// maxTries bounds how often a missing folder is looked for while its ancestors come and go.
	maxTries = 16
)

var errNotFolder = errors.New("it is not a folder")

// arm begins to watch r, or its nearest existing ancestor when it is missing. With announce, what is there is reported.
func (l *loop) arm(r *root, announce bool, at time.Time) {
	r.problem = nil
	for range maxTries {
		l.disarm(r)
		real, err := resolve(r.path)
		if err == nil {
			var d *dir
			if d, err = l.use(real, &use{kind: r.kind, root: r, path: r.path}); err == nil {
				l.place(r, real)
				l.found(r, d, announce, at)
				return
			}
		}
		if !errors.Is(err, fs.ErrNotExist) {
			r.problem = err
			return
		}
		if r.inside || l.guard(r) {
			return
		}
	}
	r.problem = errors.New("it came and went while being looked at")
}

// resolve follows links, as the browser does, and insists on a folder.
func resolve(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		real = path // some Windows volumes and reparse points cannot be resolved, and yet be opened
	}
	fi, err := os.Stat(real)
	if err == nil && !fi.IsDir() {
		err = errNotFolder
	}
	return real, err
}

// guard watches the nearest existing ancestor of r for the entry that leads to r. It reports false when that entry came
// to exist meanwhile: try again.
func (l *loop) guard(r *root) bool {
	for path := r.path; ; {
		parent, name := filepath.Dir(path), filepath.Base(path)
		if parent == path {
			r.problem = fs.ErrNotExist
			return true
		}
		real, err := resolve(parent)
		if err == nil {
			_, err = l.use(real, &use{kind: guard, root: r, path: parent, name: name})
		}
		switch {
		case err == nil:
			l.place(r, real)
			// A link that leads nowhere exists, and r still does not: waiting for a change of the link is right then.
			_, err := os.Stat(filepath.Join(real, name))
			return err != nil
		case !errors.Is(err, fs.ErrNotExist):
			r.problem = err
			return true
		}
		path = parent
	}
}

// use watches the folder at path, which has no links in it, for u.
func (l *loop) use(path string, u *use) (*dir, error) {
	d := l.dirs[path]
	if d == nil {
		d = &dir{path: path}
		err := l.src.Add(path, u.few())
		switch {
		case isLimit(err):
			l.degraded = l.degraded || l.limit == nil
			l.limit, d.polled = err, true
			l.polled++
		case err != nil:
			return nil, err
		}
		l.dirs[path] = d
		if !u.few() {
			l.unheard(path)
		}
	}
	d.uses = append(d.uses, u)
	if u.root.dirs == nil {
		u.root.dirs = map[*dir]struct{}{}
	}
	u.root.dirs[d] = struct{}{}
	if d.polled {
		u.stamp = u.look(path)
	}
	return d, nil
}

// few says that little happens in the folder, and that nothing below it is watched.
func (u *use) few() bool { return u.kind == version || u.root.inside }

// unheard finds watched folders in path that are gone. fsnotify leaves out the removal of a folder when its parent is
// watched too, whose own event tells it; but a parent that is watched only since a moment ago has none.
func (l *loop) unheard(path string) {
	for r := range l.placed[path] {
		if !isDir(r.at) {
			l.again = append(l.again, event{r.at, fsnotify.Remove, time.Now()})
		}
	}
}

// place notes which folder is watched for r; "" is none.
func (l *loop) place(r *root, at string) {
	if r.at != "" {
		parent := filepath.Dir(r.at)
		delete(l.placed[parent], r)
		if len(l.placed[parent]) == 0 {
			delete(l.placed, parent)
		}
	}
	r.at = at
	if at == "" {
		return
	}
	parent := filepath.Dir(at)
	if l.placed[parent] == nil {
		l.placed[parent] = map[*root]struct{}{}
	}
	l.placed[parent][r] = struct{}{}
}

// disarm takes back all that is watched for r.
func (l *loop) disarm(r *root) {
	l.place(r, "")
	for d := range r.dirs {
		l.release(d, r)
	}
}

// release ends r's use of d, and the watch with its last use.
func (l *loop) release(d *dir, r *root) {
	delete(r.dirs, d)
	d.uses = slices.DeleteFunc(d.uses, func(u *use) bool { return u.root == r })
	if len(d.uses) == 0 {
		l.drop(d)
	}
}

// drop ends the watch of d, which may have ended by itself.
func (l *loop) drop(d *dir) {
	if l.dirs[d.path] == d {
		delete(l.dirs, d.path)
	}
	if d.polled {
		l.polled--
		return
	}
	_ = l.src.Remove(d.path) // fails when the folder is gone, and with it the watch
}

// found does what is due when r exists and is watched.
func (l *loop) found(r *root, d *dir, announce bool, at time.Time) {
	if announce && r.kind == profile {
		l.settle(key{"", Appeared}, r.path, at)
	}
	if announce {
		l.changed(r, r.path, at)
	}
	if r.kind == arrivals {
		l.arrivals(r, d, announce, at)
	}
}

// arrivals watches the extension folders in d that are not yet watched.
func (l *loop) arrivals(r *root, d *dir, announce bool, at time.Time) {
	entries, err := list(d.path, maxArrivals+1)
	if err != nil {
		r.problem = err
		return
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		if old, ok := l.dirs[filepath.Join(d.path, e.Name())]; ok {
			if _, ok := r.dirs[old]; ok {
				continue
			}
		}
		l.arrival(r, d, e.Name(), announce, at)
	}
}

// staging is the folder in which Chromium puts together what it then moves to its place. Watching it only costs.
const staging = "Temp"

// arrival watches one extension's folder, then lists it: the version may have come before the watch.
func (l *loop) arrival(r *root, d *dir, name string, announce bool, at time.Time) {
	if name == staging {
		return
	}
	if len(r.dirs) > maxArrivals {
		r.problem = fmt.Errorf("it holds more than %d folders; changes in the rest are found when the preferences name them, or by the sweep", maxArrivals)
		if announce {
			l.changed(r, filepath.Join(r.path, name), at)
		}
		return
	}
	u := &use{kind: version, root: r, path: filepath.Join(r.path, name)}
	d, err := l.use(filepath.Join(d.path, name), u)
	switch {
	case err == nil && (announce || d.polled):
		l.versions(d, u, announce, at)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		r.problem = err
		l.changed(r, u.path, at)
	case err != nil: // gone again
		l.changed(r, u.path, at)
	}
}

// versions lists the folder of one extension.
func (l *loop) versions(d *dir, u *use, announce bool, at time.Time) {
	entries, err := list(d.path, maxVersions)
	if err != nil {
		if announce {
			l.changed(u.root, u.path, at)
		}
		return
	}
	for _, e := range entries {
		if _, ok := u.known[e.Name()]; ok || !e.IsDir() {
			continue
		}
		u.know(e.Name())
		if announce {
			l.arrived(u, e.Name(), at)
		}
	}
}

func (u *use) know(name string) {
	if u.known == nil || len(u.known) >= maxVersions {
		u.known = map[string]struct{}{} // reporting one again does no harm
	}
	u.known[name] = struct{}{}
}

func (l *loop) arrived(u *use, name string, at time.Time) {
	if r := u.root.target.roots[place{folder, filepath.Join(u.path, name)}]; r != nil && r.at == "" {
		l.arm(r, false, at) // it had gone
	}
	l.emit(Change{Target: u.root.target.ID, Path: filepath.Join(u.path, name), Reason: Arrived, At: at})
}

// list reads at most n entries of a folder, in the system's order.
func list(path string, n int) ([]os.DirEntry, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(n)
	if len(entries) > 0 || err == nil || errors.Is(err, io.EOF) {
		return entries, nil
	}
	return nil, err
}
