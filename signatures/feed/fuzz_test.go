package feed

import (
	"bytes"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func FuzzPath(f *testing.F) {
	for _, s := range []string{"version.txt", "org/campaigns/a.yml", "../x", "/x", "a//b", "A/b", "a/B", "a", "a/b/c", ".", "a\x00"} {
		f.Add(s, "a/b")
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		names := pathSet{}
		var entries []entry
		for _, name := range []string{one, two} {
			if names.add(name) != nil {
				continue
			}
			if !fs.ValidPath(name) || !filepath.IsLocal(filepath.FromSlash(name)) || strings.ContainsAny(name, "\\:%?#\x00 ") {
				t.Fatalf("%q was let through", name)
			}
			entries = append(entries, entry{path: name, hash: "none"})
		}
		if len(entries) == 2 && strings.EqualFold(one, two) {
			t.Fatalf("%q and %q were both let through", one, two)
		}
		tree := newTreeFS(t.TempDir(), entries)
		n := 0
		err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				n++
			}
			return err
		})
		if err != nil || n != len(entries) {
			t.Fatalf("%q, %q: %d files, %v", one, two, n, err)
		}
	})
}

func FuzzPointer(f *testing.F) {
	f.Add([]byte("tree 12-0123456789abcdef\n"))
	f.Add([]byte("tree 12-0123456789abcdef\nprevious 9-fedcba9876543210\n"))
	f.Add([]byte("tree ../../etc\n"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parsePointer(data)
		if err == nil && p.String() != string(data) {
			t.Fatalf("%q is read as %q", data, p.String())
		}
		if strings.ContainsAny(p.tree+p.previous, "/\\.") {
			t.Fatalf("%q names %+v", data, p)
		}
	})
}

func FuzzState(f *testing.F) {
	f.Add([]byte(`{"format":1,"checked":"2026-11-01T08:00:00Z","refusals":[{"content":"a","engine":"1","version":3,"slow":true}]}`))
	f.Add([]byte(`{"format":2}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := parseSaved(data)
		if err != nil {
			return
		}
		now := time.Unix(1e9, 0)
		s.refuse(refusal{Content: "new", Engine: "1", At: now})
		if r, ok := s.refused("new", "1", now); !ok || r.Content != "new" || len(s.Refusals) > maxRefusals {
			t.Fatalf("%q: %+v", data, s)
		}
		if d := (disk{root: t.TempDir(), noSync: true}); d.writeSaved(s) == nil {
			if again := d.readSaved(); len(again.Refusals) != len(s.Refusals) {
				t.Fatalf("%q: written %+v, read %+v", data, s, again)
			}
		}
	})
}

func FuzzEvents(f *testing.F) {
	f.Add([]byte("data: 7\n\n: alive\r\n\r\ndata: 8\r\r"))
	f.Add([]byte("data: 7\ndata: 8\n\n"))
	f.Add(bytes.Repeat([]byte("x"), 3000))
	f.Fuzz(func(t *testing.T, data []byte) {
		whole, single := newEvents(bytes.NewReader(data)), newEvents(oneByte{bytes.NewReader(data)})
		for range len(data) + 1 {
			a, errA := whole.next()
			b, errB := single.next()
			if a != b || (errA == nil) != (errB == nil) || a < 0 || errA == nil && a == 0 {
				t.Fatalf("%q: %d, %v; byte by byte: %d, %v", data, a, errA, b, errB)
			}
			if errA != nil {
				return
			}
		}
		t.Fatalf("%q: no end", data)
	})
}

type oneByte struct{ r io.Reader }

func (o oneByte) Read(p []byte) (int, error) { return o.r.Read(p[:min(1, len(p))]) }

func FuzzMetadata(f *testing.F) {
	f.Add([]byte(`{"signed":{"a":1,"A":2},"signatures":[]}`))
	f.Add([]byte(`{"signed":{"_type":"root"}}`))
	f.Add([]byte(`<html>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		err := checkJSON(data)
		if twice := checkJSON(append(append([]byte(`{"a":`), data...), `,"A":1}`...)); err == nil && twice == nil {
			t.Fatalf("%q", data)
		}
		newChain(data)
	})
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{"https://mirror.example/feed", "file:///C:/feed", `\\server\share`, "file://server/share/feed", "/media/stick"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, goos := range []string{"linux", "windows"} {
			u, dir, err := parseAddress(s, goos)
			if err == nil && (u == nil) != (dir != "") {
				t.Fatalf("%q: %v and %q", s, u, dir)
			}
		}
	})
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ address, goos, want string }{
		{"https://mirror.example/feed", "linux", "https://mirror.example/feed"},
		{"https://mirror.example:8443", "windows", "https://mirror.example:8443"},
		{"http://127.0.0.1/feed", "darwin", "http://127.0.0.1/feed"},
		{"/media/stick/feed", "linux", "/media/stick/feed"},
		{"file:///media/stick/feed", "linux", "/media/stick/feed"},
		{"file://localhost/media/stick", "darwin", "/media/stick"},
		{"file://server/share/feed", "linux", ""},
		{"file://server/share/feed", "windows", `\\server\share\feed`},
		{"file:///C:/feed", "windows", `C:\feed`},
		{`C:\feed`, "windows", `C:\feed`},
		{`C:feed`, "windows", ""},
		{`\\server\share\feed`, "windows", `\\server\share\feed`},
		{`\\server\share\feed`, "linux", ""},
		{"feed", "linux", ""},
		{"./feed", "linux", ""},
		{"ftp://mirror.example", "linux", ""},
		{"javascript:x", "linux", ""},
		{"", "linux", ""},
	} {
		u, got, err := parseAddress(c.address, c.goos)
		if u != nil {
			got = u.String()
		}
		if got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%s on %s: %q, %v; want %q", c.address, c.goos, got, err, c.want)
		}
	}
}

// A password in an address is used, and not told.
func TestPasswordIsNotTold(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.files = map[string][]byte{}
	f := r.open(func(c *Config) { c.Mirrors = []string{"https://user:secret@mirror.example/feed"} })
	_, err := f.Update(t.Context())
	if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(f.State().Mirrors[0].Address, "secret") {
		t.Errorf("%v, %+v", err, f.State().Mirrors)
	}
}

// A rules loader reads the tree like any other fs.FS.
func TestTreeOfNothing(t *testing.T) {
	t.Parallel()
	if err := fstest.TestFS(newTreeFS(t.TempDir(), nil)); err != nil {
		t.Error(err)
	}
}
