package feed

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// treeFS shows the files of a tree, which lie on disk by their hash, under the paths that the publisher gave them.
type treeFS struct {
	dir   string // of targets/
	files map[string]entry
	dirs  map[string][]fs.DirEntry // "." and every folder, sorted by name
}

func newTreeFS(dir string, entries []entry) *treeFS {
	t := &treeFS{dir: dir, files: map[string]entry{}, dirs: map[string][]fs.DirEntry{".": nil}}
	for _, e := range entries {
		t.files[e.path] = e
		t.link(e.path, info{name: path.Base(e.path), size: e.size})
	}
	for _, list := range t.dirs {
		slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	}
	return t
}

// link adds a name to the folder above it, and that folder to the ones above.
func (t *treeFS) link(name string, e info) {
	dir := path.Dir(name)
	_, known := t.dirs[dir]
	t.dirs[dir] = append(t.dirs[dir], e)
	if !known {
		t.link(dir, info{name: path.Base(dir), dir: true})
	}
}

// Open returns a file that is also an io.ReaderAt and io.Seeker, or a folder. The content was checked against its hash
// when the tree was opened.
func (t *treeFS) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if list, ok := t.dirs[name]; ok {
		return &folder{info: info{name: path.Base(name), dir: true}, list: list, path: name}, nil
	}
	e, ok := t.files[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	f, err := os.Open(filepath.Join(t.dir, e.hash))
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &file{File: f, info: info{name: path.Base(name), size: e.size}}, nil
}

// ReadFile returns a file's content, and checks once more that it is what was signed.
func (t *treeFS) ReadFile(name string) ([]byte, error) {
	e, ok := t.files[name]
	if !ok {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
	}
	f, err := os.Open(filepath.Join(t.dir, e.hash))
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	defer f.Close()
	data := bytes.NewBuffer(make([]byte, 0, e.size+bytes.MinRead))
	if _, err := data.ReadFrom(io.LimitReader(f, e.size+1)); err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	if int64(data.Len()) != e.size || fmt.Sprintf("%x", sha256.Sum256(data.Bytes())) != e.hash {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errDamaged}
	}
	return data.Bytes(), nil
}

// check reads every file and compares its hash.
func (t *treeFS) check() error {
	for name, e := range t.files {
		if err := checkHash(filepath.Join(t.dir, e.hash), e); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func checkHash(name string, e entry) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, io.LimitReader(f, e.size+1))
	if err != nil {
		return err
	}
	if n != e.size || fmt.Sprintf("%x", sum.Sum(nil)) != e.hash {
		return errDamaged
	}
	return nil
}

type file struct {
	*os.File
	info info
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }

type folder struct {
	info info
	path string
	list []fs.DirEntry
	done int
}

func (f *folder) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *folder) Close() error               { return nil }

func (f *folder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: f.path, Err: fs.ErrInvalid}
}

func (f *folder) ReadDir(n int) ([]fs.DirEntry, error) {
	rest := f.list[f.done:]
	if n > 0 {
		if len(rest) == 0 {
			return nil, io.EOF
		}
		rest = rest[:min(n, len(rest))]
	}
	f.done += len(rest)
	return slices.Clone(rest), nil
}

// info describes a file or folder. TUF signs no time of change, so there is none.
type info struct {
	name string
	size int64
	dir  bool
}

func (i info) Name() string               { return i.name }
func (i info) Size() int64                { return i.size }
func (i info) IsDir() bool                { return i.dir }
func (i info) ModTime() time.Time         { return time.Time{} }
func (i info) Sys() any                   { return nil }
func (i info) Type() fs.FileMode          { return i.Mode().Type() }
func (i info) Info() (fs.FileInfo, error) { return i, nil }
func (i info) String() string             { return fs.FormatFileInfo(i) }

func (i info) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o555
	}
	return 0o444
}
