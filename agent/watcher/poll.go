package watcher

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// maxPolled bounds the entries of one of Target.Folders that are looked at while it is polled.
const maxPolled = 1024

// startPolling starts the polling when there is something to poll, and lets the receiver know when that is news.
func (l *loop) startPolling(now time.Time) {
	if l.degraded {
		l.degraded = false
		l.emit(Change{Reason: Swept, At: now})
	}
	switch {
	case l.polled == 0:
		l.pollDue, l.limit = time.Time{}, nil
	case l.pollDue.IsZero():
		l.pollDue = now.Add(pollEvery)
	}
}

// poll checks the folders that cannot be watched, and tries again to watch them.
func (l *loop) poll(now time.Time) {
	l.pollDue = time.Time{}
	full := false // the limit is still reached
	for _, d := range l.unwatched() {
		if l.dirs[d.path] != d {
			continue // dropped meanwhile
		}
		if !full {
			err := l.src.Add(d.path, d.uses[0].few())
			if full = isLimit(err); err == nil {
				d.polled = false
				l.polled--
			}
		}
		l.compare(d, now)
	}
	l.startPolling(now)
}

func (l *loop) unwatched() []*dir {
	var dirs []*dir
	for _, d := range l.dirs {
		if d.polled {
			dirs = append(dirs, d)
		}
	}
	return dirs
}

// compare does for a polled folder what events do for a watched one.
func (l *loop) compare(d *dir, now time.Time) {
	if !isDir(d.path) {
		for _, u := range slices.Clone(d.uses) {
			if u.kind == version {
				l.release(d, u.root)
				l.changed(u.root, u.path, now)
			}
		}
		l.lost(d, now)
		return
	}
	for _, u := range slices.Clone(d.uses) {
		stamp := u.look(d.path)
		if stamp == u.stamp {
			continue
		}
		u.stamp = stamp
		switch u.kind {
		case guard:
			if _, err := os.Stat(filepath.Join(d.path, u.name)); err == nil {
				l.arm(u.root, true, now)
			}
			continue
		case arrivals:
			l.arrivals(u.root, d, true, now)
		case version:
			l.versions(d, u, true, now)
		}
		l.changed(u.root, u.path, now)
	}
}

// look describes what matters in the folder at dir, so that two descriptions differ when something changed. A folder's
// own time changes with each entry that comes or goes.
func (u *use) look(dir string) string {
	var b strings.Builder
	see := func(path string) {
		if fi, err := os.Lstat(path); err == nil {
			fmt.Fprintf(&b, "%s\x00%v %d %d\n", path, fi.Mode(), fi.Size(), fi.ModTime().UnixNano())
		}
	}
	switch {
	case u.kind == profile:
		for _, name := range u.root.target.Files {
			see(filepath.Join(dir, name))
		}
	case u.kind == await && u.root.name != "":
		see(filepath.Join(dir, u.root.name))
	case u.kind == folder:
		see(dir)
		entries, _ := list(dir, maxPolled) // what cannot be listed looks empty
		for _, e := range entries {
			see(filepath.Join(dir, e.Name()))
		}
	default:
		see(dir)
	}
	return b.String()
}
