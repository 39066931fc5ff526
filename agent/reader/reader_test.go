//go:build unix

package reader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/agent/inventory"
	"github.com/extwatch/extwatch/agent/sandbox"
	"github.com/extwatch/extwatch/manifests"
)

const (
	child1 = "read"  // this test program runs as a reader
	child2 = "stray" // … as one that answers nonsense
	id     = "abcdefghijklmnopabcdefghijklmnop"
)

func TestMain(m *testing.M) {
	switch os.Args[len(os.Args)-1] {
	case child1:
		if _, err := sandbox.Enter(sandbox.Policy{Read: true, Root: true}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if err := Serve(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case child2:
		fmt.Print("what is this, a poem? it has more than sixteen bytes")
	default:
		os.Exit(m.Run())
	}
}

// home makes a home with one Chromium profile, which belongs to uid when this is root, and gives it to others to pass through.
func home(t *testing.T, uid int) browsers.User {
	t.Helper()
	dir := t.TempDir()
	ext := filepath.Join(dir, ".config/chromium/Default/Extensions", id, "1.0_0")
	for name, text := range map[string]string{
		filepath.Join(ext, "manifest.json"):                                 `{"manifest_version": 3, "name": "Notes", "version": "1.0", "background": {"service_worker": "bg.js"}, "host_permissions": ["https://a.example/*"]}`,
		filepath.Join(ext, "bg.js"):                                         "console.log(1)\n",
		filepath.Join(ext, "big.js"):                                        strings.Repeat("0123456789", chunk/4),
		filepath.Join(dir, ".config/chromium/Local State"):                  `{"profile": {"info_cache": {"Default": {"name": "Person 1"}}}}`,
		filepath.Join(dir, ".config/chromium/Default/Preferences"):          `{"extensions": {"settings": {}}}`,
		filepath.Join(dir, ".config/chromium/Default/Extensions/.readme"):   "",
		filepath.Join(dir, ".config/chromium/Default/Extensions/Temp/note"): "",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if os.Geteuid() != 0 {
		return browsers.User{Name: "me", Home: dir, UID: os.Getuid()}
	}
	err := filepath.WalkDir(dir, func(p string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(p, uid, uid)
	})
	if err != nil {
		t.Fatal(err)
	}
	for d := filepath.Dir(dir); d != filepath.Dir(d); d = filepath.Dir(d) {
		if fi, err := os.Stat(d); err == nil && fi.Mode().Perm()&1 == 0 {
			if err := os.Chmod(d, fi.Mode().Perm()|0o11); err != nil {
				t.Fatal(err)
			}
		}
	}
	return browsers.User{Name: "ada", Home: dir, UID: uid}
}

func readers(t *testing.T, mode string, users ...browsers.User) *Readers {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 { // the child is another user: where go test puts its programs it may not go
		data, err := os.ReadFile(exe)
		if err != nil {
			t.Fatal(err)
		}
		dir, err := os.MkdirTemp("", "extwatch-reader-")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		exe = filepath.Join(dir, "reader")
		if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(exe, data, 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	r := New(Config{
		Command: []string{exe, mode}, patience: 20 * time.Second,
		Machine: browsers.Config{OS: "linux", Users: users, Processes: func() ([]browsers.Process, error) { return nil, nil }},
	})
	t.Cleanup(r.Close)
	return r
}

func only(t *testing.T, r *Readers) browsers.Profile {
	t.Helper()
	m, err := r.Find(t.Context())
	if err != nil || len(m.Profiles) != 1 || len(m.Problems) != 0 {
		t.Fatalf("found %+v, %v", m, err)
	}
	return m.Profiles[0]
}

// A child tells the same as the code that it runs.
func TestSame(t *testing.T) {
	u := home(t, 1501)
	r := readers(t, child1, u)
	p := only(t, r)
	if p.Display != "Person 1" || p.User != u {
		t.Errorf("profile %+v", p)
	}
	got, err := r.Read(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	want, err := inventory.NewReader(inventory.Config{OS: "linux"}).Read(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	ignore := cmpopts.IgnoreFields(manifests.Extension{}, "Open")
	if d := cmp.Diff(want, got, ignore, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("not what the inventory tells: %s", d)
	}
	if len(got.Extensions) != 1 || got.Extensions[0].Open == nil {
		t.Fatalf("%+v", got)
	}
	files, err := got.Extensions[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	if err := fstest.TestFS(files, "manifest.json", "bg.js", "big.js"); err != nil {
		t.Error(err)
	}
	data, err := fs.ReadFile(files, "big.js")
	if err != nil || len(data) != 10*(chunk/4) || !strings.HasPrefix(string(data), "0123456789") {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	if _, err := fs.ReadFile(files, "none.js"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// What the user may not read is not read for them, whoever we are.
func TestRights(t *testing.T) {
	u := home(t, 1501)
	ext := filepath.Join(u.Home, ".config/chromium/Default/Extensions", id, "1.0_0")
	secret := filepath.Join(t.TempDir(), "shadow")
	if err := os.WriteFile(secret, []byte("root:x"), 0o600); err != nil {
		t.Fatal(err)
	}
	mode := os.FileMode(0o600) // root's, in the user's folder
	if os.Geteuid() != 0 {
		mode = 0
	}
	if err := os.WriteFile(filepath.Join(ext, "mine.js"), []byte("1"), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(ext, "link.js")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(ext, "pipe.js"), 0o666); err != nil {
		t.Fatal(err)
	}
	r := readers(t, child1, u)
	l, err := r.Read(t.Context(), only(t, r))
	if err != nil || len(l.Extensions) != 1 {
		t.Fatalf("%+v, %v", l, err)
	}
	files, err := l.Extensions[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	for _, name := range []string{"mine.js", "link.js", "pipe.js"} {
		if data, err := fs.ReadFile(files, name); err == nil {
			t.Errorf("%s was read: %q", name, data)
		}
	}
	if data, err := fs.ReadFile(files, "bg.js"); err != nil || len(data) == 0 {
		t.Errorf("the rest is not read: %v", err)
	}
	if len(files.Problems()) == 0 {
		t.Error("what was not read is no problem")
	}
}

// A child that is killed is replaced; what it was reading says so.
func TestKilled(t *testing.T) {
	u := home(t, 1501)
	r := readers(t, child1, u)
	p := only(t, r)
	l, err := r.Read(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	c := r.children[u.Home]
	r.mu.Unlock()
	c.kill()
	<-c.ended
	if _, err := l.Extensions[0].Open(); !errors.Is(err, errEnded) {
		t.Errorf("opening with a child that is gone: %v", err)
	}
	if l, err := r.Read(t.Context(), p); err != nil || len(l.Extensions) != 1 || len(l.Problems) != 0 {
		t.Errorf("after it was replaced: %+v, %v", l, err)
	}
}

// A child that has nothing to do ends, and another takes the next request.
func TestIdle(t *testing.T) {
	u := home(t, 1501)
	r := readers(t, child1, u)
	p := only(t, r)
	r.mu.Lock()
	c := r.children[u.Home]
	r.mu.Unlock()
	c.rest()
	<-c.ended
	if l, err := r.Read(t.Context(), p); err != nil || len(l.Problems) != 0 {
		t.Errorf("%+v, %v", l, err)
	}
}

// Of many users' children only a few stay, and what was listed long ago can be opened all the same.
func TestManyUsers(t *testing.T) {
	var users []browsers.User
	for range mostChildren + 4 {
		users = append(users, home(t, 1501))
	}
	r := readers(t, child1, users...)
	m, err := r.Find(t.Context())
	if err != nil || len(m.Profiles) != len(users) {
		t.Fatalf("found %d profiles, %v", len(m.Profiles), err)
	}
	var all []manifests.Extension
	for _, p := range m.Profiles {
		l, err := r.Read(t.Context(), p)
		if err != nil || len(l.Extensions) != 1 || len(l.Problems) != 0 {
			t.Fatalf("%s: %+v %v", p.Dir, l, err)
		}
		all = append(all, l.Extensions...)
	}
	for _, x := range all {
		f, err := x.Open()
		if err != nil {
			t.Fatalf("open %s: %v", x.Path, err)
		}
		if data, err := fs.ReadFile(f, "bg.js"); err != nil || len(data) == 0 {
			t.Errorf("read: %q %v", data, err)
		}
		f.Close()
	}
	alive := 0
	for _, c := range r.children {
		if c.alive() {
			alive++
		}
	}
	if alive > mostChildren {
		t.Errorf("%d children stay", alive)
	}
}

func TestNonsense(t *testing.T) {
	u := home(t, 1501)
	r := readers(t, child2, u)
	m, err := r.Find(t.Context())
	if err != nil || len(m.Profiles) != 0 || len(m.Problems) != 1 || m.Problems[0].Path != u.Home {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestHangs(t *testing.T) {
	u := home(t, 1501)
	r := readers(t, child1, u)
	r.cfg.patience = 50 * time.Millisecond
	killed := make(chan struct{})
	r.cfg.start = func(c *child) error {
		_, in := io.Pipe() // nobody reads, nobody answers
		out, closing := io.Pipe()
		c.stop = func() { closing.Close(); in.CloseWithError(io.ErrClosedPipe) }
		go func() { <-c.ended; close(killed) }()
		c.run(&sink{}, out, func() error { return nil })
		return nil
	}
	m, err := r.Find(t.Context())
	if err != nil || len(m.Problems) != 1 || !strings.Contains(m.Problems[0].Reason, "took more than") {
		t.Errorf("%+v, %v", m, err)
	}
	<-killed
}

// A sink takes everything.
type sink struct{}

func (*sink) Write(p []byte) (int, error) { return len(p), nil }
func (*sink) Close() error                { return nil }

func TestEnds(t *testing.T) {
	u := home(t, 1501)
	r := readers(t, child1, u)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Find(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := r.Read(ctx, browsers.Profile{User: u}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
