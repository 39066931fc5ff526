package browsers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// A homeScan reads one home. It touches nothing of its scan but the fixed fields.
type homeScan struct {
	*scan
	results  // shadows the scan's
	user     User
	top      folder            // the home, links resolved
	held     []*os.Root        // to close
	seen     map[string]bool   // data folders that were read
	lastUsed map[string]string // as in scan
	counts   map[string]int    // profiles per data folder
}

func (s *scan) newHome(u User) *homeScan {
	return &homeScan{scan: s, user: u, seen: map[string]bool{}, lastUsed: map[string]string{}, counts: map[string]int{}}
}

// home reads all of one user's browsers.
func (s *scan) home(ctx context.Context, u User) *homeScan {
	h := s.newHome(u)
	defer h.close()
	if !h.enterHome() {
		return h
	}
	h.walk(ctx, h.top, s.tree)
	h.environment(ctx)
	return h
}

func (h *homeScan) close() {
	for _, r := range h.held {
		r.Close()
	}
}

// enterHome holds the home. One that does not exist is silence: service accounts have such.
func (h *homeScan) enterHome() bool {
	root := h.root
	if !below(root, h.user.Home) {
		root = ""
	}
	real, err := resolve(root, h.user.Home)
	if err == nil {
		h.top, err = openFolder(real, h.maxEntries)
	}
	if err != nil {
		if !missing(err) {
			h.problem(h.user.Home, h.reason(err))
		}
		return false
	}
	h.held = append(h.held, h.top.root)
	return true
}

// walk follows the tree through the folders that exist.
func (h *homeScan) walk(ctx context.Context, f folder, n *node) {
	if ctx.Err() != nil {
		return
	}
	names, err := h.names(f, n)
	if err != nil {
		if !missing(err) {
			h.problem(f.path, h.reason(err))
		}
		if len(names) == 0 {
			return
		}
	}
	index := make(map[string][]string, len(names))
	for _, name := range names {
		key := h.fold(name)
		index[key] = append(index[key], name)
	}
	for _, c := range n.children {
		matches := index[c.key]
		if c.glob() {
			matches = h.globbed(c, names)
		}
		entered := false
		for _, name := range matches {
			sub, ok := h.enter(f, name)
			if !ok {
				h.dangling(f, name)
				continue
			}
			entered = true
			for _, r := range c.rows {
				h.dataFolder(sub, r)
			}
			if len(c.children) > 0 {
				h.walk(ctx, sub, c)
			}
		}
		if !entered {
			h.expect(f, c)
		}
	}
}

// fewLookups is the number of children up to which looking each up is cheaper than listing the folder.
const fewLookups = 3

// names returns the names in f that n may ask for, and perhaps others.
func (h *homeScan) names(f folder, n *node) ([]string, error) {
	if h.os == onLinux && !n.hasGlob() && len(n.children) <= fewLookups {
		return h.lookUp(f, n)
	}
	names, err := f.list()
	if !errors.Is(err, errTooMany) && !errors.Is(err, fs.ErrPermission) {
		return names, err
	}
	// A folder that may be entered but not listed, or that is too large to list: the fixed names can still be tried.
	found, lookErr := h.lookUp(f, n)
	if lookErr == nil && !n.hasGlob() {
		return found, nil
	}
	names = append(names, found...)
	slices.Sort(names)
	return slices.Compact(names), err
}

func (h *homeScan) lookUp(f folder, n *node) ([]string, error) {
	var found []string
	for _, c := range n.children {
		if c.glob() {
			continue
		}
		_, err := f.entry(c.name)
		if err == nil {
			found = append(found, c.name)
		} else if !missing(err) {
			return found, err
		}
	}
	return found, nil
}

// globbed returns the names that c means. A snap keeps one folder per revision, of which "current" names the live one
// and the others are old copies.
func (h *homeScan) globbed(c *node, names []string) []string {
	if _, ok := slices.BinarySearch(names, "current"); ok && c.name == "*" {
		return []string{"current"}
	}
	var out []string
	for _, name := range names {
		if c.matches(h.fold(name)) && len(out) < maxMatches {
			out = append(out, name)
		}
	}
	return out
}

// expect notes where a folder that is not there yet may appear. Unknown names in the home itself, where people work all
// day, are left to the sweep.
func (h *homeScan) expect(f folder, c *node) {
	switch {
	case !c.glob():
		h.awaited = append(h.awaited, Await{f.path, c.name})
	case f.path != h.top.path:
		h.awaited = append(h.awaited, Await{f.path, ""})
	}
}

// enter returns the folder of an entry, following it if it is a link that may be followed. What is no folder is
// silence.
func (h *homeScan) enter(f folder, name string) (folder, bool) {
	fi, err := f.entry(name)
	if err != nil {
		if !missing(err) {
			h.problem(filepath.Join(f.path, name), h.reason(err))
		}
		return folder{}, false
	}
	if fi.IsDir() {
		return f.join(name), true
	}
	if fi.Mode()&(fs.ModeSymlink|fs.ModeIrregular) == 0 {
		return folder{}, false
	}
	link := filepath.Join(f.path, name)
	real, err := resolve(h.root, link)
	if err != nil {
		if !missing(err) {
			h.problem(link, "is a link that cannot be followed: "+h.reason(err))
		}
		return folder{}, false
	}
	sub, ok := h.at(real, link)
	if ok && !below(h.top.path, real) {
		h.problem(link, fmt.Sprintf("is a link that leads out of the home, to %s; read all the same, since this user may read that", real))
	}
	return sub, ok
}

// dangling tells of a link on the way to a browser's data that leads nowhere: the data may be on a disk that is not
// mounted. (Elsewhere such links are usual: Chromium's locks are.)
func (h *homeScan) dangling(f folder, name string) {
	link := filepath.Join(f.path, name)
	fi, err := f.entry(name)
	if err != nil || fi.Mode()&fs.ModeSymlink == 0 {
		return
	}
	if _, err := resolve(h.root, link); err != nil && missing(err) {
		h.problem(link, "is a link that leads nowhere; is a disk not mounted?")
	}
}

// at returns the folder with the real path real, which was reached by from. A file is silence.
func (h *homeScan) at(real, from string) (folder, bool) {
	if h.top.root != nil && below(h.top.path, real) {
		rel, err := filepath.Rel(h.top.path, real)
		if err != nil {
			return folder{}, false
		}
		fi, err := h.top.root.Lstat(rel)
		if err != nil && !missing(err) {
			h.problem(from, h.reason(err))
		}
		return folder{path: real, root: h.top.root, rel: rel, max: h.top.max}, err == nil && fi.IsDir()
	}
	if fi, err := os.Lstat(real); err != nil || !fi.IsDir() {
		if err != nil && !missing(err) {
			h.problem(from, h.reason(err))
		}
		return folder{}, false
	}
	sub, err := openFolder(real, h.maxEntries)
	if err != nil {
		if !missing(err) {
			h.problem(from, h.reason(err))
		}
		return folder{}, false
	}
	h.held = append(h.held, sub.root)
	fi, err := sub.root.Stat(".")
	if err != nil || !h.mayRead(fi, real) {
		h.problem(from, fmt.Sprintf("leads to %s, outside the home and not this user's own; not read, lest we read for someone what he may not", real))
		return folder{}, false
	}
	return sub, true
}

// mayRead decides whether a folder outside the user's home, which the user named by a link, a profiles.ini or a command
// line, is read. Without special rights we see only what our own user may see, so following is safe. With them,
// following would show the user's "profiles" with the content of other people's folders: so the folder must be owned
// by the very user (root's own links are root's business). On Windows the owner of a folder is often a group, which
// proves nothing; there no folder in another user's home is read.
//
// fi describes the opened folder, not its name, so that it cannot be exchanged after the decision.
func (h *homeScan) mayRead(fi fs.FileInfo, real string) bool {
	if !h.privileged || h.user.UID == 0 {
		return true
	}
	if uid, known := owner(fi); known {
		return uid == h.user.UID
	}
	return !slices.ContainsFunc(h.all, func(u User) bool {
		return u.Home != h.user.Home && below(h.fold(filepath.Clean(u.Home)), h.fold(real))
	})
}

// dataFolder reads the profiles of one browser.
func (h *homeScan) dataFolder(f folder, r row) {
	if key := h.fold(f.path); h.seen[key] {
		return
	} else {
		h.seen[key] = true
	}
	switch r.layout {
	case geckoRoot:
		h.gecko(f, r)
	case safariBox:
		h.safari(f, r)
	default:
		h.chromium(f, r)
	}
}

// open lists a data folder, and notes it as one to watch. It returns false if the folder cannot be read.
func (h *homeScan) open(f folder, r row) ([]string, bool) {
	names, err := f.list()
	if err != nil {
		h.problem(f.path, h.reason(err))
		if !errors.Is(err, errTooMany) {
			return nil, false
		}
	}
	h.data = append(h.data, Await{f.path, ""}, Await{f.path, r.layout.index()})
	return names, true
}

// add notes a profile. It returns false when the data folder has more of them than we list.
func (h *homeScan) add(data folder, r row, name, display string, dir string) bool {
	if h.counts[data.path]++; h.counts[data.path] > maxProfiles {
		h.problem(data.path, fmt.Sprintf("has more than %d profiles; the others are not read", maxProfiles))
		return false
	}
	h.profiles = append(h.profiles, Profile{
		Browser: r.browser, Title: r.title + r.base.suffix(), Channel: r.channel, Family: r.layout.family(), User: h.user,
		Name: name, Display: display, DataDir: data.path, Dir: dir,
	})
	return true
}

// safari notes Safari's one profile. Its container can be seen but not entered without Full Disk Access, even by root.
func (h *homeScan) safari(f folder, r row) {
	if _, err := f.list(); err != nil && !errors.Is(err, errTooMany) {
		h.problem(f.path, h.reason(err))
	}
	h.add(f, r, "Default", "", f.path)
}
