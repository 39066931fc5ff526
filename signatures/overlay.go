package signatures

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// With returns the ruleset that a feed makes of this one: its files, and those of the feed in the place of the files with
// the same path. Where both have a path, the feed's counts unless this ruleset is newer by version.txt; so a program that
// was updated after the feed does not fall back behind what it was delivered with. What the feed has below org/, its
// indicators in segments, and its decisions have paths of their own: they are always added. Version is the higher one.
//
// A rule with the name or ID of another in another file is a [Defect], as anything that Load refuses; then there is no
// ruleset, and the caller stays with the one it has. The files of the feed may be mapped into memory.
func (rs *Ruleset) With(feed fs.FS) (*Ruleset, error) {
	version, defects := loadVersion(feed)
	if len(defects) > 0 {
		return nil, joined(defects)
	}
	layers := overlay{feed, rs.files}
	if rs.version > version {
		layers = overlay{rs.files, feed}
	}
	whole, err := Load(layers)
	if err != nil {
		return nil, fmt.Errorf("join the feed with the built-in rules: %w", err)
	}
	return whole, nil
}

// An overlay is several folders as one. What the first has hides what the others have at the same path.
type overlay []fs.FS

func (o overlay) Open(name string) (fs.File, error) {
	for _, layer := range o {
		info, err := fs.Stat(layer, name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return nil, err
		case info.IsDir():
			return o.folder(name, info)
		}
		return layer.Open(name)
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// ReadFile leaves it to the layer, which may check what it reads.
func (o overlay) ReadFile(name string) ([]byte, error) {
	for _, layer := range o {
		data, err := fs.ReadFile(layer, name)
		if !errors.Is(err, fs.ErrNotExist) {
			return data, err
		}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

func (o overlay) folder(name string, info fs.FileInfo) (fs.File, error) {
	f := &overlayFolder{info: info}
	seen := map[string]bool{}
	for _, layer := range o {
		list, err := fs.ReadDir(layer, name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range list {
			if !seen[e.Name()] {
				seen[e.Name()] = true
				f.entries = append(f.entries, e)
			}
		}
	}
	slices.SortFunc(f.entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return f, nil
}

// An overlayFolder is a folder with the entries of all layers.
type overlayFolder struct {
	info    fs.FileInfo
	entries []fs.DirEntry
}

func (f *overlayFolder) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *overlayFolder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: f.info.Name(), Err: fs.ErrInvalid}
}
func (f *overlayFolder) Close() error { return nil }

func (f *overlayFolder) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		list := f.entries
		f.entries = nil
		return list, nil
	}
	if len(f.entries) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(f.entries))
	list := f.entries[:n]
	f.entries = f.entries[n:]
	return list, nil
}
