package archive

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func TestFolderLinks(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "ext")
	write(t, top, map[string]string{"ext/manifest.json": manifest, "ext/js/a.js": "a", "secret/key": "secret"})
	for name, target := range map[string]string{
		"inside.js": filepath.Join("js", "a.js"),
		"folder":    "js",
		"out.js":    filepath.Join("..", "secret", "key"),
		"outdir":    filepath.Join("..", "secret"),
		"abs.js":    filepath.Join(top, "secret", "key"),
		"loop":      "loop",
		"ping":      "pong",
		"pong":      "ping",
		"up":        ".",
		"dangling":  "nothing",
	} {
		link(t, target, filepath.Join(dir, name))
	}
	within(t, 10*time.Second, func() {
		a := open(t, dir, Limits{})
		want := map[string]string{"manifest.json": manifest, "js/a.js": "a", "inside.js": "a"}
		if diff := cmp.Diff(want, readAll(a)); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
		for _, name := range []string{"out.js", "outdir", "abs.js"} {
			wantRefused(t, a, name, "leads out of the folder")
		}
		for _, name := range []string{"loop", "ping", "pong"} {
			wantRefused(t, a, name, "leads in a circle")
		}
		wantRefused(t, a, "outdir/key", "leads out of the folder")
		if _, err := fs.ReadFile(a, "dangling"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("dangling link: %v", err)
		}
		if data, err := fs.ReadFile(a, "folder/a.js"); err != nil || string(data) != "a" {
			t.Errorf("through a link to a folder: %q, %v", data, err)
		}
		if n := len(a.Problems()); n != 7 {
			t.Errorf("%d problems: %+v", n, a.Problems())
		}
	})
}

func TestFolderLimits(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"manifest.json": manifest, "deep/2/3/4.js": "x", "exact.js": strings.Repeat("x", 100)})
	sparse, err := os.Create(filepath.Join(dir, "sparse.js"))
	if err != nil {
		t.Fatal(err)
	}
	if err := sparse.Truncate(1 << 40); err != nil {
		t.Fatal(err)
	}
	if err := sparse.Close(); err != nil {
		t.Fatal(err)
	}
	within(t, 10*time.Second, func() {
		wantRefused(t, open(t, dir, Limits{}), "sparse.js", "more than the limit of 64 MiB")

		a := open(t, dir, Limits{FileBytes: 100, Depth: 3})
		if data, err := fs.ReadFile(a, "exact.js"); err != nil || len(data) != 100 {
			t.Errorf("a file of just the limit: %d bytes, %v", len(data), err)
		}
		readAll(a)
		wantRefused(t, a, "deep/2/3/4.js", "3 folders deep")

		a = open(t, dir, Limits{Bytes: 120})
		for range 3 { // reading again costs nothing
			if _, err := fs.ReadFile(a, "exact.js"); err != nil {
				t.Error(err)
			}
		}
		wantRefused(t, a, "manifest.json", "files together")
	})
}

func TestFolderOf64MiBManifest(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"manifest.json": "{"})
	if err := os.Truncate(filepath.Join(dir, "manifest.json"), DefaultFileBytes+1); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, open(t, dir, Limits{}), "manifest.json", "more than the limit")
}

func TestFolderManyAndDeep(t *testing.T) {
	dir := t.TempDir()
	deep := dir
	for range DefaultDepth + 10 {
		deep = filepath.Join(deep, "d")
	}
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"manifest.json": manifest}
	for i := range 100 {
		files[fmt.Sprintf("many/%d.js", i)] = "x"
	}
	write(t, dir, files)
	within(t, 10*time.Second, func() {
		a := open(t, dir, Limits{})
		readAll(a)
		wantProblem(t, a, strings.TrimSuffix(strings.Repeat("d/", DefaultDepth+1), "/"), "folders deep")

		a = open(t, dir, Limits{Files: 50})
		for range 3 { // listing again costs nothing
			list, err := fs.ReadDir(a, "many")
			if err != nil || len(list) != 50 {
				t.Errorf("%d entries, %v", len(list), err)
			}
		}
		wantProblem(t, a, "many", "more than 50 files and folders")
		if _, err := fs.ReadFile(a, "many/99.js"); err != nil {
			t.Errorf("a file that is asked for by name: %v", err)
		}
	})
}

func TestFolderNames(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"manifest.json/x": "a folder"})
	a := open(t, dir, Limits{})
	if _, err := fs.ReadFile(a, "manifest.json"); err == nil {
		t.Error("a folder is read as manifest.json")
	}
	wantProblem(t, a, "manifest.json", "folder where a file belongs")
	for name, reason := range map[string]string{
		"a\x00.js": "NUL", "../x": "not a path inside", "/etc/passwd": "not a path inside", "a/../../x": "not a path inside", "": "not a path inside",
	} {
		wantRefused(t, a, name, reason)
	}
	for _, name := range []string{"none", "none/x", "manifest.json/x/y"} {
		if _, err := a.Open(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(a.Problems()); n != 6 {
		t.Errorf("%d problems: %+v", n, a.Problems())
	}
}

// meddler is an os.Root in which somebody changes things at the worst moment.
type meddler struct {
	*os.Root
	before func(name string) error // called before each OpenFile
}

func (m meddler) OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	if err := m.before(name); err != nil {
		return nil, &fs.PathError{Op: "openat", Path: name, Err: err}
	}
	return m.Root.OpenFile(name, flag, perm)
}

func openMeddled(t *testing.T, dir string, limits Limits, before func(string) error) *Archive {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	a := newFolder(meddler{root, before}, dir, limits)
	t.Cleanup(func() { a.Close() })
	return a
}

func TestFolderNoPermission(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"manifest.json": manifest, "closed.js": "x"})
	a := openMeddled(t, dir, Limits{}, func(name string) error {
		if name == "closed.js" {
			return fs.ErrPermission
		}
		return nil
	})
	if _, err := fs.ReadFile(a, "closed.js"); !errors.Is(err, fs.ErrPermission) || errors.Is(err, ErrRefused) {
		t.Errorf("got %v", err)
	}
	if _, err := fs.ReadFile(a, "missing.js"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	wantProblem(t, a, "closed.js", "no permission")
	if got := readAll(a); len(got) != 1 || len(a.Problems()) != 1 {
		t.Errorf("read %q, problems %+v", got, a.Problems())
	}
}

// A file that takes another's place between the look and the open is looked at again.
func TestFolderSwappedBeforeOpen(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"a.js": "x", "b.js": "x"})
	path := filepath.Join(dir, "a.js")
	outside := filepath.Join(t.TempDir(), "secret")
	write(t, filepath.Dir(outside), map[string]string{"secret": "secret"})
	a := openMeddled(t, dir, Limits{}, func(name string) error {
		if name == "a.js" {
			return errors.Join(os.Remove(path), os.Symlink(outside, path))
		}
		return nil
	})
	wantRefused(t, a, "a.js", "leads out of the folder")
}

func TestFolderChangesWhileRead(t *testing.T) {
	dir := t.TempDir()
	for name, test := range map[string]struct {
		size, written int64
		want          int // bytes
		reason        string
		refused       bool
	}{
		"grows":            {10, 500, 500, "changed while", false},
		"grows over a cap": {10, 5000, 1000, "more than the limit", true},
		"shrinks":          {10, 4, 4, "changed while", false},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, "a.js")
			if err := os.WriteFile(path, make([]byte, test.size), 0o644); err != nil {
				t.Fatal(err)
			}
			a := open(t, dir, Limits{FileBytes: 1000})
			f, err := a.Open("a.js")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if err := os.Truncate(path, test.written); err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(f)
			if len(data) != test.want || errors.Is(err, ErrRefused) != test.refused {
				t.Errorf("%d bytes, %v", len(data), err)
			}
			wantProblem(t, a, "a.js", test.reason)
		})
	}
}

func TestFolderEntriesDescribeLinksThemselves(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"d/a.js": "x"})
	link(t, "a.js", filepath.Join(dir, "d", "l.js"))
	a := open(t, dir, Limits{})
	list, err := fs.ReadDir(a, "d")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range list {
		info, err := entry.Info()
		if err != nil || info.Mode().Type() != entry.Type() || info.Name() != entry.Name() {
			t.Errorf("%v: %v, %v", entry, info, err)
		}
	}
}
