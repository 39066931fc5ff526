package archive

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/manifests/archive/archivetest"
)

var _ manifests.Files = (*Archive)(nil)

// inert is a small extension of our own.
var inert = fstest.MapFS{
	"manifest.json":             {Data: []byte(`{"manifest_version":3,"name":"Inert","version":"1.0"}`)},
	"bg.js":                     {Data: []byte("fetch('https://collect.example/')\n")},
	"_locales/en/messages.json": {Data: []byte(`{}`)},
}

// within fails the test when f hangs.
func within(t *testing.T, limit time.Duration, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(limit):
		t.Fatalf("still not done after %v", limit)
	}
}

// readAll walks everything and returns the contents of all that could be read.
func readAll(fsys fs.FS) map[string]string {
	got := map[string]string{}
	// A walk that meets an error goes on, as every caller's should.
	_ = fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil
		}
		if data, err := fs.ReadFile(fsys, name); err == nil {
			got[name] = string(data)
		}
		return nil
	})
	return got
}

func wantProblem(t *testing.T, a *Archive, file, reason string) {
	t.Helper()
	for _, p := range a.Problems() {
		if p.File == file && strings.Contains(p.Reason, reason) {
			return
		}
	}
	t.Errorf("no problem with file %q that says %q among %+v", file, reason, a.Problems())
}

func wantRefused(t *testing.T, a *Archive, file, reason string) {
	t.Helper()
	_, err := fs.ReadFile(a, file)
	if !errors.Is(err, ErrRefused) {
		t.Errorf("reading %q: %v, want ErrRefused", file, err)
	}
	wantProblem(t, a, shown(file), reason)
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, data := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func open(t *testing.T, path string, limits Limits) *Archive {
	t.Helper()
	a, err := Open(path, limits)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

func openBytes(t *testing.T, data []byte, limits Limits) *Archive {
	t.Helper()
	a, err := OpenReader(bytes.NewReader(data), int64(len(data)), limits)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// entry is one entry of a ZIP that a test writes itself.
type entry struct {
	zip.FileHeader
	data []byte
}

func text(name, data string) entry {
	return entry{zip.FileHeader{Name: name, Method: zip.Deflate}, []byte(data)}
}

func packZip(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range entries {
		f, err := w.CreateHeader(&e.FileHeader)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(e.data); err != nil && !strings.HasSuffix(e.Name, "/") {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Every form gives the same files, is told by what it is, and passes the standard library's test of file systems.
func TestForms(t *testing.T) {
	dir := t.TempDir()
	zipped, err := archivetest.PackZip(inert)
	if err != nil {
		t.Fatal(err)
	}
	crx3, id, err := archivetest.PackCRX3(inert, newECDSA(t))
	if err != nil {
		t.Fatal(err)
	}
	signedXPI, err := archivetest.PackZip(fstest.MapFS{"META-INF/cose.sig": {}, "manifest.json": {Data: []byte("{}")}})
	if err != nil {
		t.Fatal(err)
	}
	crx2 := packCRX2(t, newRSA(t), zipped)
	want := map[string]string{}
	files := map[string]string{"misnamed.crx": string(zipped), "addon.XPI": string(zipped), "a.zip": string(crx3), "b.crx": string(crx2), "signed": string(signedXPI)}
	for name, file := range inert {
		want[name] = string(file.Data)
		files["unpacked.crx/"+name] = string(file.Data)
	}
	write(t, dir, files)

	for name, form := range map[string]Form{
		"unpacked.crx": FormFolder, "misnamed.crx": FormZip, "addon.XPI": FormXPI,
		"a.zip": FormCRX3, "b.crx": FormCRX2, "signed": FormXPI,
	} {
		t.Run(name, func(t *testing.T) {
			a := open(t, filepath.Join(dir, name), Limits{})
			if a.Form != form {
				t.Errorf("form %q, want %q", a.Form, form)
			}
			if name == "signed" {
				return
			}
			if diff := cmp.Diff(want, readAll(a)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			if list := a.Problems(); len(list) != 0 {
				t.Errorf("problems: %+v", list)
			}
			if form == FormCRX3 && a.Signature.ID != id {
				t.Errorf("ID %s, want %s", a.Signature.ID, id)
			}
			if err := fstest.TestFS(a, "manifest.json", "bg.js", "_locales/en/messages.json"); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOpenRoot(t *testing.T) {
	dir := t.TempDir()
	zipped, err := archivetest.PackZip(inert)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, map[string]string{
		"profile/Extensions/a/1.0_0/manifest.json": "{}", "profile/a.xpi": string(zipped), "outside/manifest.json": "{}",
	})
	if err := os.Symlink(filepath.Join("..", "outside"), filepath.Join(dir, "profile", "out")); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(filepath.Join(dir, "profile"))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for name, form := range map[string]Form{"Extensions/a/1.0_0": FormFolder, "a.xpi": FormXPI} {
		a, err := OpenRoot(root, name, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fs.ReadFile(a, "manifest.json"); err != nil || a.Form != form {
			t.Errorf("%s: form %s, %v", name, a.Form, err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
	for name, want := range map[string]error{"out": ErrRefused, "out/manifest.json": ErrRefused, "../outside": ErrRefused, "none": fs.ErrNotExist} {
		if _, err := OpenRoot(root, name, Limits{}); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"text": "hello", "empty": "", "large.zip": strings.Repeat("x", 100)})
	for name, want := range map[string]struct {
		is   error
		text string
	}{
		"none":      {fs.ErrNotExist, "not there"},
		"text":      {errNotPackage, "not a .crx, .xpi or .zip package"},
		"empty":     {errNotPackage, "not a .crx, .xpi or .zip package"},
		"large.zip": {ErrRefused, "more than the limit of 99 bytes"},
	} {
		_, err := Open(filepath.Join(dir, name), Limits{Bytes: 99})
		if !errors.Is(err, want.is) || !strings.Contains(err.Error(), want.text) {
			t.Errorf("%s: %v, want %v with %q", name, err, want.is, want.text)
		}
	}
}

func TestExplain(t *testing.T) {
	for _, test := range []struct {
		err    error
		is     error
		reason string
	}{
		{&fs.PathError{Op: "openat", Path: "x", Err: fs.ErrNotExist}, fs.ErrNotExist, ""},
		{&fs.PathError{Op: "openat", Path: "x", Err: fs.ErrPermission}, fs.ErrPermission, "no permission to read it"},
		{refusal("it is a FIFO"), ErrRefused, "it is a FIFO"},
		{io.ErrNoProgress, io.ErrNoProgress, io.ErrNoProgress.Error()},
	} {
		reason, err := explain(test.err)
		if !errors.Is(err, test.is) || reason != test.reason {
			t.Errorf("explain(%v) = %v, %q; want %v, %q", test.err, err, reason, test.is, test.reason)
		}
	}
}

func TestShown(t *testing.T) {
	for name, want := range map[string]string{
		"js/bg.js":               "js/bg.js",
		"إضافة/رسائل.json":       "إضافة/رسائل.json",
		"a\nb.js":                `"a\nb.js"`,
		"gpj.\u202ecod.js":       `"gpj.\u202ecod.js"`,
		"\xff.js":                `"\xff.js"`,
		"\x1b[2J":                `"\x1b[2J"`,
		strings.Repeat("é", 200): strings.Repeat("é", 128) + "…",
	} {
		if got := shown(name); got != want {
			t.Errorf("shown(%q) = %s, want %s", name, got, want)
		}
	}
}

func TestProblemsAreBounded(t *testing.T) {
	p := &problems{}
	for i := range 10 * maxProblems {
		p.add(strings.Repeat("a", i%250+1), strings.Repeat("b", i/250))
		p.add("same", "same")
	}
	list := p.Problems()
	if len(list) != maxProblems+1 || !strings.Contains(list[maxProblems].Reason, "more problems") {
		t.Errorf("%d problems, the last is %+v", len(list), list[len(list)-1])
	}
	if slices.Index(list, list[3]) != 3 {
		t.Error("a problem is listed twice")
	}
}
