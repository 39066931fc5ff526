package feed

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestUpdate(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	f := r.open()
	if _, ok := f.Files(); ok {
		t.Fatal("files before the first update")
	}
	u := r.wantUpdate(f)
	want := Update{Changed: true, Version: 1, Content: u.Content, Mirror: address,
		Added: []string{"campaigns/first.yml", "org/campaigns/own.yml", "version.txt"}}
	if diff := cmp.Diff(want, u); diff != "" {
		t.Errorf("first update (-want +got):\n%s", diff)
	}

	if u, err := f.Update(t.Context()); err != nil || u.Changed || u.Version != 1 {
		t.Errorf("nothing new: %+v, %v", u, err)
	}

	r.put("campaigns/first.yml", "title: changed\n")
	r.put("campaigns/second.yml", "title: second\n")
	delete(r.content, "org/campaigns/own.yml")
	r.publish()
	u = r.wantUpdate(f)
	want = Update{Changed: true, Version: 2, Content: u.Content, Mirror: address, Added: []string{"campaigns/second.yml"},
		Modified: []string{"campaigns/first.yml"}, Removed: []string{"org/campaigns/own.yml"}}
	if diff := cmp.Diff(want, u); diff != "" {
		t.Errorf("second update (-want +got):\n%s", diff)
	}

	again, err := Open(f.cfg)
	check(t, err)
	wantFiles(t, again, r.content)
	s := again.State()
	if s.Version != 2 || s.RootVersion != 1 || s.Files != 3 || s.Expires != r.in(2) || s.ExpiresRole != "timestamp" || s.Stale || s.Err != nil ||
		!s.LastSuccess.Equal(r.time) || !s.Changed.Equal(r.time) || s.Mirror != address {
		t.Errorf("state after a restart: %+v", s)
	}
}

func TestFilesAreAFileSystem(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.put("indicators/segments/1-extensions.seg", strings.Repeat("x", 5000))
	r.put("empty.txt", "")
	r.publish()
	files, _ := r.client().Files()
	if err := fstest.TestFS(files, "version.txt", "campaigns/first.yml", "org/campaigns/own.yml", "empty.txt"); err != nil {
		t.Fatal(err)
	}
	open, err := files.Open("indicators/segments/1-extensions.seg")
	check(t, err)
	defer open.Close()
	at, ok := open.(interface {
		ReadAt([]byte, int64) (int, error)
	})
	if !ok {
		t.Fatal("a file has no ReadAt")
	}
	if n, err := at.ReadAt(make([]byte, 10), 4000); n != 10 || err != nil {
		t.Errorf("ReadAt: %d, %v", n, err)
	}
}

// Only the timestamp is signed anew each day: that moves the expiry, and is no change.
func TestRenewedTimestamp(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	rehearsals := 0
	f := r.client(func(c *Config) { c.Rehearse = func(context.Context, fs.FS) error { rehearsals++; return nil } })
	r.put("version.txt", "2026.11.02\n")
	r.publish()
	r.wantUpdate(f)
	for day := range 5 {
		r.time = r.time.AddDate(0, 0, 1)
		r.timestamp.Signed.Expires = r.in(2)
		r.signTimestamp()
		u, err := f.Update(t.Context())
		if err != nil || u.Changed || u.Version != int64(3+day) {
			t.Fatalf("day %d: %+v, %v", day, u, err)
		}
		if s := f.State(); s.Expires != r.in(2) || s.Expired {
			t.Fatalf("day %d: expires %v", day, s.Expires)
		}
	}
	if rehearsals != 2 {
		t.Errorf("%d rehearsals", rehearsals)
	}
	if n := len(f.disk.list("trees")); n != 2 {
		t.Errorf("%d trees on disk; want the one in use and the one with other files before it", n)
	}
}

func TestFilesStayReadable(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	f := r.client()
	files, _ := f.Files()
	for i := range 4 {
		r.put("campaigns/first.yml", strings.Repeat("x", i+1))
		r.publish()
		r.wantUpdate(f)
		if _, err := fs.ReadFile(files, "campaigns/first.yml"); (err == nil) != (i < 1) {
			t.Errorf("after change %d: %v", i+1, err)
		}
		if n := len(f.disk.list("targets")); n > 4 {
			t.Errorf("after change %d: %d files are kept", i+1, n)
		}
	}
}

func TestSecondProcess(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	service := r.client()
	r.put("version.txt", "2\n")
	r.publish()
	byHand, err := Open(service.cfg)
	check(t, err)
	r.wantUpdate(byHand)
	u := r.wantUpdate(service)
	if u.Mirror != "" || !cmp.Equal(u.Modified, []string{"version.txt"}) {
		t.Errorf("the service took over: %+v", u)
	}

	unlock, err := byHand.lock(t.Context())
	check(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
	defer cancel()
	if _, err := service.Update(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while another process updates: %v", err)
	}
	unlock()
	if _, err := service.Update(t.Context()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestStick(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	stick := t.TempDir()
	r.writeTo(stick)
	for _, a := range []string{stick, "file://" + filepath.ToSlash(stick)} {
		f := r.client(func(c *Config) { c.Mirrors = []string{a} })
		check(t, os.Remove(filepath.Join(stick, "metadata", "timestamp.json")))
		r.wantKept(f, "404")
		r.writeTo(stick)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	for name, change := range map[string]func(*Config){
		"no root":         func(c *Config) { c.Root = nil },
		"root is a page":  func(c *Config) { c.Root = []byte("<html>") },
		"root is changed": func(c *Config) { c.Root = []byte(strings.Replace(string(c.Root), `"version":1`, `"version":2`, 1)) },
		"root is targets": func(c *Config) { c.Root = r.files["metadata/1.targets.json"] },
		"http":            func(c *Config) { c.Mirrors = []string{"http://mirror.example/feed"} },
		"another scheme":  func(c *Config) { c.Mirrors = []string{"ftp://mirror.example/feed"} },
		"relative":        func(c *Config) { c.Mirrors = []string{"feed"} },
		"query":           func(c *Config) { c.Mirrors = []string{"https://mirror.example/feed?x=1"} },
		"no host":         func(c *Config) { c.Mirrors = []string{"https:///feed"} },
		"too many":        func(c *Config) { c.Mirrors = make([]string, 9) },
		"proxy":           func(c *Config) { c.Client, c.Proxy = nil, "proxy" },
		"CA":              func(c *Config) { c.Client, c.CA = nil, []byte("no certificate") },
		"no folder":       func(c *Config) { c.Dir = "" },
		"folder can't be": func(c *Config) {
			c.Dir = filepath.Join(c.Dir, "file", "feed")
			os.WriteFile(filepath.Dir(c.Dir), nil, 0o600)
		},
	} {
		cfg := r.config()
		change(&cfg)
		if _, err := Open(cfg); err == nil {
			t.Errorf("%s: no error", name)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNoMirror(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	f := r.open(func(c *Config) { c.Mirrors = nil })
	if _, err := f.Update(t.Context()); !errors.Is(err, errNoMirror) {
		t.Error(err)
	}
}

func TestWarning(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	f := r.open()
	want := func(part string) {
		t.Helper()
		if w := f.State().Warning; part == "" && w != "" || !strings.Contains(w, part) {
			t.Errorf("the warning is %q; it should say %q", w, part)
		}
	}
	want("")
	r.answer = serveNothing
	f.Update(t.Context())
	want("no feed is in use yet")
	r.answer = nil
	r.time = r.time.Add(time.Minute)
	r.wantUpdate(f)
	want("")
	r.time = r.time.Add(40 * time.Hour)
	want("role timestamp of the feed expires on 2026-11-03")
	r.time = r.time.Add(10 * time.Hour)
	want("past its expiry (timestamp, 2026-11-03")
	r.timestamp.Signed.Expires = r.in(40)
	r.snapshot.Signed.Expires = r.in(40)
	r.signSnapshot()
	_, err := f.Update(t.Context())
	check(t, err)
	want("")
	r.time = r.time.Add(80 * time.Hour)
	want("no mirror has answered properly since 2026-11-03")
	r.time = r.in(20)
	_, err = f.Update(t.Context())
	check(t, err)
	want("")
	r.targets.Signed.Expires = r.in(13)
	r.sign()
	_, err = f.Update(t.Context())
	check(t, err)
	want("role targets of the feed expires")
}
