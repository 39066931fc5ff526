package inventory

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/manifests"
)

const (
	// Twice the deepest tree of a developer's machine; it also bounds how many folders are held open.
	maxWalkDepth = 64
	// A home folder of a developer has some 300,000; a server with 200 homes about two million.
	maxWalkFolders = 5_000_000
)

// ReadPath lists the extensions at path: an unpacked extension, a package (.crx .xpi .zip), a profile, or a folder that
// holds many of them at any depth. found is called for each as it is found, one call at a time and in no fixed order.
//
// Inside a folder, a manifest.json counts when it is one of an extension, a package when it holds one, and of several
// versions in an ID folder the newest. Links are not followed, other than path itself. Nothing found this way is
// Enabled, except in a profile. The error wraps fs.ErrNotExist when there is nothing at path, or that of ctx.
func (r *Reader) ReadPath(ctx context.Context, path string, found func(manifests.Extension)) ([]manifests.Problem, error) {
	given, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", path, err)
	}
	fi, err := os.Stat(given)
	if err != nil {
		return nil, fmt.Errorf("opening what is to be read: %w", err)
	}
	top, err := filepath.EvalSymlinks(given)
	if err != nil {
		return nil, fmt.Errorf("opening what is to be read: %w", err)
	}
	w := &walk{r: r, ctx: ctx, found: found, slots: make(chan struct{}, runtime.GOMAXPROCS(0)-1)}
	if fi.IsDir() {
		w.top, w.shown = top, given
		root, err := openFolderAt(top)
		if err != nil {
			return nil, fmt.Errorf("opening the folder: %w", err)
		}
		w.folder(place{root: root, rel: ".", named: true})
	} else {
		w.top, w.shown = filepath.Dir(top), filepath.Dir(given)
		root, err := openFolderAt(w.top)
		if err != nil {
			return nil, fmt.Errorf("opening the folder of the package: %w", err)
		}
		w.pack(root, filepath.Base(top), true)
		root.Close()
	}
	w.wg.Wait()
	if err := ctx.Err(); err != nil {
		return w.problems, fmt.Errorf("reading %s: %w", path, err)
	}
	return w.problems, nil
}

// A walk is one ReadPath under way.
type walk struct {
	r          *Reader
	ctx        context.Context
	top, shown string // the folder that is walked: as opened, as the caller named it

	slots   chan struct{} // one for each further goroutine that may run
	wg      sync.WaitGroup
	folders atomic.Int64

	mu       sync.Mutex // guards found and problems
	found    func(manifests.Extension)
	problems []manifests.Problem
}

// A place is a folder of the walk, held open.
type place struct {
	root  *os.Root
	rel   string // below the walk's top, slash-separated
	depth int
	named bool // it is what the caller named
}

func (w *walk) path(rel string) string { return filepath.Join(w.shown, filepath.FromSlash(rel)) }

func (w *walk) problem(rel string, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.problems = append(w.problems, manifests.Problem{Path: w.path(rel), Reason: text})
}

// spawn runs fn beside the walk if a processor is free, else here.
func (w *walk) spawn(fn func()) {
	select {
	case w.slots <- struct{}{}:
		w.wg.Go(func() {
			defer func() { <-w.slots }()
			fn()
		})
	default:
		fn()
	}
}

// folder looks for extensions in a folder, and closes it.
func (w *walk) folder(p place) {
	defer p.root.Close()
	if w.ctx.Err() != nil {
		return
	}
	if n := w.folders.Add(1); n > maxWalkFolders {
		if n == maxWalkFolders+1 {
			w.problem(".", fmt.Sprintf("it holds more than %d folders; the rest is not read", maxWalkFolders))
		}
		return
	}
	entries, more, err := readNames(p.root, ".")
	if err != nil {
		w.problem(p.rel, reason(err))
	}
	if more {
		w.problem(p.rel, fmt.Sprintf("it holds more than %d names; the rest is not read", maxNames))
	}
	if has(entries, manifestName) && w.unpacked(p.root, ".", p.rel, "", p.named) {
		return
	}
	if family, ok := profileFamily(entries, p.named); ok {
		w.profile(p.rel, family)
		return
	}
	if w.versions(p, entries) {
		return
	}
	w.children(p, entries)
}

// children descends into the folders and opens the packages of a folder.
func (w *walk) children(p place, entries []fs.DirEntry) {
	for _, e := range entries {
		name, rel := e.Name(), path.Join(p.rel, e.Name())
		switch {
		case e.IsDir() && p.depth >= maxWalkDepth:
			w.problem(rel, fmt.Sprintf("it lies more than %d folders deep and is not read", maxWalkDepth))
		case e.IsDir():
			root, err := openFolder(p.root, name)
			if err != nil {
				w.problem(rel, reason(err))
				continue
			}
			w.spawn(func() { w.folder(place{root: root, rel: rel, depth: p.depth + 1}) })
		case e.Type().IsRegular() && isPackageName(name):
			w.pack(p.root, rel, false)
		}
	}
}

// unpacked reads the extension in dir of root, which is rel below the top. layoutID is the ID of the folder that its
// version lies in, or "". It reports false when there is none: another file has the name, and the caller did not name
// the folder.
func (w *walk) unpacked(root *os.Root, dir, rel, layoutID string, named bool) bool {
	f, err := w.r.readFolder(nil, "", root, dir, false)
	if err != nil || !named && !f.extension {
		return false
	}
	if f.manifest != nil && !f.extension {
		f.manifest, f.unreadable = nil, manifestName+" has neither a manifest_version nor a name and a version: it is not one of a browser extension"
	}
	x := manifests.Extension{Path: w.path(rel), Origin: manifests.OriginUnknown}
	f.apply(&x)
	x.ID, x.IDFromPath = f.ownID(w.r.os, x.Path)
	if layoutID != "" && (f.manifest == nil || f.manifest.Key == "") {
		x.ID, x.IDFromPath = layoutID, false
	} else if layoutID != "" && x.ID != layoutID {
		x.Problems = append(x.Problems, manifests.Problem{
			File: manifestName, Reason: fmt.Sprintf("its key makes the ID %s, but its folder is named %s", x.ID, layoutID),
		})
	}
	w.emit(x, rel)
	return true
}

// versions reads an ID folder with version folders, as in a browser's Extensions: the newest that can be read, and any
// newer one as unreadable. It reports false when the folder is none.
func (w *walk) versions(p place, entries []fs.DirEntry) bool {
	id := filepath.Base(w.path(p.rel))
	if !manifests.ValidID(id) {
		return false
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	any := false
	for _, v := range sortVersions(names) {
		fi, err := p.root.Stat(path.Join(v.name, manifestName))
		if err != nil {
			continue
		}
		readable := fi.Mode().IsRegular() && fi.Size() <= maxManifest
		if w.unpacked(p.root, v.name, path.Join(p.rel, v.name), id, false) {
			any = true
			if readable {
				return true
			}
		}
	}
	return any
}

// pack reads the package rel, whose folder is root.
func (w *walk) pack(root *os.Root, rel string, named bool) {
	if w.ctx.Err() != nil {
		return
	}
	own, err := openFolder(root, ".") // the walk may be done with root before the package is read
	if err != nil {
		w.problem(rel, reason(err))
		return
	}
	w.spawn(func() {
		defer own.Close()
		w.packed(own, rel, named)
	})
}

func (w *walk) packed(root *os.Root, rel string, named bool) {
	f := w.r.readPackage(nil, "", root, path.Base(rel))
	// Most .zip files are not extensions; nothing else carries the other names.
	if zip := strings.EqualFold(path.Ext(rel), ".zip"); !named && zip && !f.extension {
		return
	}
	if f.manifest != nil && !f.extension {
		f.manifest, f.unreadable = nil, manifestName+" has neither a manifest_version nor a name and a version: it is not one of a browser extension"
	}
	x := manifests.Extension{Path: w.path(rel), Origin: manifests.OriginUnknown, FromStore: f.fromStore}
	f.apply(&x)
	x.ID, x.IDFromPath = f.ownID(w.r.os, x.Path)
	w.emit(x, rel)
}

// emit tells the caller of an extension.
func (w *walk) emit(x manifests.Extension, rel string) {
	top := w.top
	x.Open = func() (manifests.Files, error) {
		return openFiles(func() (*os.Root, error) { return openFolderAt(top) }, rel)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.found(x)
}

// profile reads a whole profile.
func (w *walk) profile(rel string, family browsers.Family) {
	dir := w.path(rel)
	p := browsers.Profile{Family: family, Name: filepath.Base(dir), DataDir: filepath.Dir(dir), Dir: dir, User: browsers.User{UID: -1}}
	l, err := w.r.Read(w.ctx, p)
	if err != nil {
		return // ctx ended
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.problems = append(w.problems, l.Problems...)
	for _, x := range l.Extensions {
		w.found(x)
	}
}

// profileFamily tells a profile by the names in it. Deep in a tree one name is not enough: editors have an
// extensions.json and macOS a Preferences of their own.
func profileFamily(entries []fs.DirEntry, named bool) (browsers.Family, bool) {
	switch {
	case has(entries, "Secure Preferences"),
		has(entries, "Preferences") && (named || has(entries, "Extensions")):
		return browsers.Chromium, true
	case has(entries, "extensions.json") && (named || has(entries, "prefs.js") || has(entries, "addonStartup.json.lz4")):
		return browsers.Gecko, true
	}
	return "", false
}

func has(entries []fs.DirEntry, name string) bool {
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == name })
}

func isPackageName(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".crx", ".xpi", ".zip":
		return true
	}
	return false
}
