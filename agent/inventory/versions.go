package inventory

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/extwatch/extwatch/manifests"
)

// A version is a folder Extensions/<id>/<version>_<n>; n counts installs of the same version.
type version struct {
	name  string
	parts []uint64
	n     uint64
}

// parseVersion reads the name of a version folder.
func parseVersion(name string) (version, bool) {
	v := version{name: name}
	dotted, n, found := strings.Cut(name, "_")
	if found {
		var err error
		if v.n, err = strconv.ParseUint(n, 10, 32); err != nil {
			return version{}, false
		}
	}
	for part := range strings.SplitSeq(dotted, ".") {
		// Chromium allows four parts of 32 bits; more is no version.
		p, err := strconv.ParseUint(part, 10, 32)
		if err != nil || len(v.parts) == 4 {
			return version{}, false
		}
		v.parts = append(v.parts, p)
	}
	return v, true
}

// compare orders versions as Chromium does, by number: 1.10 is newer than 1.9, and 1 is 1.0.
func (v version) compare(w version) int {
	for i := range max(len(v.parts), len(w.parts)) {
		var a, b uint64
		if i < len(v.parts) {
			a = v.parts[i]
		}
		if i < len(w.parts) {
			b = w.parts[i]
		}
		if a != b {
			return cmp.Compare(a, b)
		}
	}
	return cmp.Compare(v.n, w.n)
}

// sortVersions returns the version folders among names, newest first.
func sortVersions(names []string) []version {
	var list []version
	for _, name := range names {
		if v, ok := parseVersion(name); ok {
			list = append(list, v)
		}
	}
	slices.SortFunc(list, func(a, b version) int { return b.compare(a) })
	return list
}

// extensionsDir is the folder Extensions of a profile.
type extensionsDir struct {
	root *os.Root // nil when there is none, or it cannot be opened
	path string
	ids  []string // entries that are valid IDs
	lost bool     // it is there but cannot be read
}

func (h *held) openExtensions(path string, l *Listing) extensionsDir {
	x := extensionsDir{path: path}
	root, err := h.sub("Extensions")
	if errors.Is(err, fs.ErrNotExist) {
		return x
	}
	if err != nil {
		x.lost = true
		l.problem(path, err)
		return x
	}
	entries, more, err := readNames(root, ".")
	if err != nil {
		x.lost = true
		l.problem(path, err)
	}
	if more {
		l.Problems = append(l.Problems, problemAt(path, "it holds more than %d names; the rest is not read", maxNames))
	}
	x.root = root
	for _, e := range entries {
		if manifests.ValidID(e.Name()) {
			x.ids = append(x.ids, e.Name())
		}
	}
	if len(x.ids) > maxExtensions {
		l.Problems = append(l.Problems, problemAt(path, "it holds more than %d extensions; the rest is not read", maxExtensions))
		x.ids = x.ids[:maxExtensions]
	}
	return x
}

func (x extensionsDir) close() {
	if x.root != nil {
		x.root.Close()
	}
}

// versionsOf lists the folders of one ID. A folder that vanished holds none.
func (x extensionsDir) versionsOf(id string, m *memory) ([]string, error) {
	fi, err := x.root.Stat(id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !fi.IsDir() {
		return nil, errors.New("it is not a folder")
	}
	stamps := []stamp{stampOf(fi)}
	if names, ok := m.listed.get(id, stamps, m.gen); ok {
		return names, nil
	}
	entries, _, err := readNames(x.root, id)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() || e.Type()&fs.ModeSymlink != 0 {
			names = append(names, e.Name())
		}
	}
	m.listed.put(id, stamps, m.gen, names)
	return names, nil
}

// modified returns when the names in a folder of Extensions last changed; the zero time when it is not there.
func (x extensionsDir) modified(name string) time.Time {
	fi, err := x.root.Stat(name)
	if err != nil || !fi.IsDir() {
		return time.Time{}
	}
	return fi.ModTime()
}
