package watcher

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// handle looks at what an event was about. It asks the disk what is there now: the event may be old.
func (l *loop) handle(ev event) {
	if d := l.dirs[ev.path]; d != nil && ev.gone() {
		l.lost(d, ev.at)
	}
	d := l.dirs[filepath.Dir(ev.path)]
	if d == nil || d.path == ev.path {
		return
	}
	name := filepath.Base(ev.path)
	for _, u := range slices.Clone(d.uses) {
		l.entry(d, u, name, ev)
	}
}

// lost begins anew with a folder that was removed or moved away, and has perhaps come back: its watch is of no more use,
// nor are those below it, which the system moves along without a word. The watch on an extension's own folder is left to
// the event of its parent.
func (l *loop) lost(d *dir, at time.Time) {
	extension := !slices.ContainsFunc(d.uses, func(u *use) bool { return u.kind != version })
	var roots []*root
	for r := range l.roots() {
		if (r.inside || !extension) && r.within(d.path) {
			roots = append(roots, r)
		}
	}
	for _, r := range roots {
		waiting := r.waiting()
		l.disarm(r)
		if !waiting {
			l.changed(r, r.path, at)
		}
	}
	if !extension && l.dirs[d.path] == d { // the folder of an extension of a root further up
		l.drop(d)
	}
	for _, r := range roots {
		l.arm(r, true, at)
	}
}

// within reports whether the folder at path, or one below it, is watched for r.
func (r *root) within(path string) bool {
	for d := range r.dirs {
		if d.path == path || strings.HasPrefix(d.path, path+string(filepath.Separator)) {
			return true
		}
	}
	return false
}

// waiting reports whether r is missing, so that an ancestor is watched in its place.
func (r *root) waiting() bool {
	for d := range r.dirs {
		if slices.ContainsFunc(d.uses, func(u *use) bool { return u.root == r && u.kind == guard }) {
			return true
		}
	}
	return false
}

// entry handles an event of one entry of d.
func (l *loop) entry(d *dir, u *use, name string, ev event) {
	r, shown := u.root, filepath.Join(u.path, name)
	switch u.kind {
	case profile:
		if slices.Contains(r.target.Files, name) {
			l.changed(r, shown, ev.at)
		}
	case folder:
		l.changed(r, shown, ev.at)
	case await:
		if r.name == name || r.name == "" && ev.ops.Has(fsnotify.Create) && isDir(ev.path) {
			l.changed(r, shown, ev.at)
		}
	case guard:
		if _, err := os.Stat(ev.path); u.name == name && err == nil {
			l.arm(r, true, ev.at)
		}
	case arrivals:
		l.extension(d, u, name, ev)
	case version:
		l.version(u, name, ev)
	}
}

// extension handles an event of one extension's folder.
func (l *loop) extension(d *dir, u *use, name string, ev event) {
	r := u.root
	if name == staging {
		return
	}
	old := l.dirs[ev.path]
	exists := isDir(ev.path)
	if old != nil && (ev.gone() || !exists) {
		l.release(old, r)
		old = nil
	}
	switch {
	case exists && old == nil:
		l.arrival(r, d, name, true, ev.at)
	case !exists:
		// Removed; or a file or link, which Chromium never puts there. It is not followed: reading the profile tells.
		l.changed(r, filepath.Join(u.path, name), ev.at)
	}
}

// version handles an event in one extension's folder.
func (l *loop) version(u *use, name string, ev event) {
	if ev.gone() {
		delete(u.known, name)
	}
	_, known := u.known[name]
	switch exists := isDir(ev.path); {
	case exists && !known && ev.ops.Has(fsnotify.Create):
		u.know(name)
		l.arrived(u, name, ev.at)
	case !exists:
		l.changed(u.root, filepath.Join(u.path, name), ev.at)
	}
}

// isDir reports whether path is a folder, and not a link to one.
func isDir(path string) bool {
	fi, err := os.Lstat(path)
	return err == nil && fi.IsDir()
}

// renew makes all watches again and asks for everything to be read again. The watches that exist are kept unless they may
// be dead: adding one twice renews it when its folder was replaced, and removing thousands fills the system's queue.
func (l *loop) renew(now time.Time) {
	hard := l.renewHard
	l.renewHard, l.renewDue, l.renewed = false, time.Time{}, now
	l.sweepDue = now.Add(l.cfg.Sweep)
	old := l.dirs
	l.dirs, l.polled, l.limit = map[string]*dir{}, 0, nil
	if hard {
		for path := range old {
			_ = l.src.Remove(path)
		}
	}
	for r := range l.roots() {
		r.dirs = nil
		l.arm(r, false, now)
	}
	for path, d := range old {
		if l.dirs[path] == nil && !d.polled && !hard {
			_ = l.src.Remove(path)
		}
	}
	l.startPolling(now)
	l.emit(Change{Reason: Swept, At: now})
}
