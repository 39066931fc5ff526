package watcher

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/google/go-cmp/cmp"
)

// A fake is a source that a test drives. It watches nothing.
type fake struct {
	events chan fsnotify.Event
	errs   chan error

	mu      sync.Mutex
	room    int // watches that the system still allows; -1: any number
	added   []string
	removed []string
}

func newFake() *fake {
	return &fake{events: make(chan fsnotify.Event), errs: make(chan error), room: -1}
}

func (f *fake) Add(dir string, _ bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.room == 0 {
		return os.NewSyscallError("inotify_add_watch", syscall.ENOSPC)
	}
	if f.room > 0 {
		f.room--
	}
	f.added = append(f.added, dir)
	return nil
}

func (f *fake) Remove(dir string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.removed = append(f.removed, dir)
	return nil
}

func (f *fake) allow(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.room = n
}

// takeAdded returns the folders added since the last call, sorted.
func (f *fake) takeAdded() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	added := f.added
	f.added = nil
	slices.Sort(added)
	return added
}

func (f *fake) Events() <-chan fsnotify.Event { return f.events }
func (f *fake) Errors() <-chan error          { return f.errs }
func (f *fake) Close() error                  { return nil }

// received takes what is there to receive once all goroutines are idle.
func received(w *Watcher) []Change {
	var all []Change
	for {
		synctest.Wait()
		select {
		case ch := <-w.C:
			ch.At = time.Time{}
			all = append(all, ch)
		default:
			return all
		}
	}
}

func want(t *testing.T, w *Watcher, when string, changes ...Change) {
	t.Helper()
	if diff := cmp.Diff(changes, received(w)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", when, diff)
	}
}

// profileDir makes a profile with n extensions and returns its target.
func profileDir(t *testing.T, n int) Target {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	tg := Target{ID: "p", Dir: dir, Files: []string{"Preferences"}, Arrivals: filepath.Join(dir, "Extensions")}
	mkdir(t, tg.Arrivals)
	for i := range n {
		mkdir(t, filepath.Join(tg.Arrivals, fmt.Sprint("ext", i), "1.0_0"))
	}
	return tg
}

func mkdir(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestSettles(t *testing.T) {
	tg := profileDir(t, 0)
	synctest.Test(t, func(t *testing.T) {
		src := newFake()
		w := start(Config{}.withDefaults(), src, time.Now)
		defer w.Close()
		w.Set([]Target{tg}, nil)
		prefs := filepath.Join(tg.Dir, "Preferences")
		write := func() { src.events <- fsnotify.Event{Name: prefs, Op: fsnotify.Write} }

		write()
		time.Sleep(140 * time.Millisecond)
		want(t, w, "before it is quiet")
		write()
		time.Sleep(140 * time.Millisecond)
		want(t, w, "after another write")
		time.Sleep(20 * time.Millisecond)
		want(t, w, "150 ms after the last write", Change{Target: "p", Path: prefs, Reason: Changed})

		for range 24 {
			write()
			time.Sleep(80 * time.Millisecond)
		}
		want(t, w, "1.92 s of writes")
		for range 2 {
			write()
			time.Sleep(50 * time.Millisecond)
		}
		want(t, w, "patience ends after 2 s", Change{Target: "p", Path: prefs, Reason: Changed})
	})
}

func TestSlowReceiverLosesNothing(t *testing.T) {
	tg, other := profileDir(t, 0), profileDir(t, 0)
	other.ID = "q"
	synctest.Test(t, func(t *testing.T) {
		src := newFake()
		w := start(Config{}, src, time.Now)
		defer w.Close()
		w.Set([]Target{tg, other}, nil)
		send := func(path string, op fsnotify.Op) {
			src.events <- fsnotify.Event{Name: path, Op: op}
			time.Sleep(200 * time.Millisecond)
		}
		send(filepath.Join(other.Dir, "Preferences"), fsnotify.Create)
		send(filepath.Join(tg.Dir, "Preferences"), fsnotify.Create)
		version := filepath.Join(tg.Arrivals, "new", "1.0_0")
		mkdir(t, version)
		send(filepath.Dir(version), fsnotify.Create)
		for range 1000 {
			src.events <- fsnotify.Event{Name: filepath.Join(tg.Dir, "Preferences"), Op: fsnotify.Write}
		}
		time.Sleep(time.Second)
		want(t, w, "merged",
			Change{Target: "q", Path: filepath.Join(other.Dir, "Preferences"), Reason: Changed},
			Change{Target: "p", Reason: Arrived}) // in more than one place
	})
}

// What is merged while nobody receives keeps the arrival, and says which folders changed and that it was several places.
func TestMerge(t *testing.T) {
	arrived := Change{Target: "p", Path: "/v", Reason: Arrived, Folders: []string{"/a"}}
	changed := Change{Target: "p", Path: "/b/x", Reason: Changed, Folders: []string{"/b"}}
	same := Change{Target: "p", Path: "/v", Reason: Changed}
	for _, tt := range []struct {
		name string
		in   []Change
		want []Change
	}{
		{"arrived, changed", []Change{arrived, changed},
			[]Change{{Target: "p", Reason: Arrived, Folders: []string{"/a", "/b"}}}},
		{"changed, arrived", []Change{changed, arrived},
			[]Change{{Target: "p", Reason: Arrived, Folders: []string{"/b", "/a"}}}},
		{"changed, changed", []Change{changed, same},
			[]Change{{Target: "p", Reason: Changed, Folders: []string{"/b"}}}},
		{"one place", []Change{same, arrived, same}, []Change{arrived}},
		{"several, then the first", []Change{arrived, changed, same},
			[]Change{{Target: "p", Reason: Arrived, Folders: []string{"/a", "/b"}}}},
		{"others", []Change{changed, {Reason: Swept}, {Reason: Appeared, Path: "/y"}, {Reason: Swept}},
			[]Change{changed, {Reason: Swept}, {Reason: Appeared, Path: "/y"}}},
	} {
		l := newLoop(Config{}, newFake(), newQueue(), time.Now)
		for _, ch := range tt.in {
			l.emit(ch)
		}
		if diff := cmp.Diff(tt.want, l.out); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestOverflow(t *testing.T) {
	tg := profileDir(t, 1)
	synctest.Test(t, func(t *testing.T) {
		src := newFake()
		w := start(Config{}, src, time.Now)
		defer w.Close()
		w.Set([]Target{tg}, nil)
		src.takeAdded()
		time.Sleep(time.Minute)

		// It arrived unseen; one sweep, and from then on it is watched.
		mkdir(t, filepath.Join(tg.Arrivals, "unseen", "1.0_0"))
		src.errs <- fsnotify.ErrEventOverflow
		want(t, w, "overflow", Change{Reason: Swept})
		all := []string{tg.Dir, tg.Arrivals, filepath.Join(tg.Arrivals, "ext0"), filepath.Join(tg.Arrivals, "unseen")}
		if diff := cmp.Diff(all, src.takeAdded()); diff != "" {
			t.Errorf("watched after an overflow (-want +got):\n%s", diff)
		}
		if len(src.removed) > 0 {
			t.Errorf("an overflow made it remove %q; that fills the queue again", src.removed)
		}

		// A storm of errors makes one renewal in two seconds, and removes what may be dead.
		for range 100 {
			src.errs <- errors.New("ERROR_NOTIFY_ENUM_DIR")
		}
		want(t, w, "more errors at once")
		time.Sleep(2 * time.Second)
		want(t, w, "two seconds later", Change{Reason: Swept})
		if len(src.removed) != 4 {
			t.Errorf("removed %d watches after an error, want 4", len(src.removed))
		}
		version := filepath.Join(tg.Arrivals, "unseen", "1.1_0")
		mkdir(t, version)
		src.events <- fsnotify.Event{Name: version, Op: fsnotify.Create}
		want(t, w, "after it", Change{Target: "p", Path: version, Reason: Arrived})
	})
}

func TestQueueIsBounded(t *testing.T) {
	q := newQueue()
	for i := range maxQueued + 10 {
		q.add(fsnotify.Event{Name: fmt.Sprint("/a/", i), Op: fsnotify.Create}, time.Now())
	}
	events, lost, broken := q.take()
	if len(events) != maxQueued || !lost || broken {
		t.Errorf("took %d events, lost %v, broken %v; want %d, true, false", len(events), lost, broken, maxQueued)
	}
}

func TestSweepAndSleep(t *testing.T) {
	tg := profileDir(t, 0)
	synctest.Test(t, func(t *testing.T) {
		src := newFake()
		var mu sync.Mutex
		var slept time.Duration
		wall := func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			return time.Now().Add(slept)
		}
		w := start(Config{Sweep: 10 * time.Minute}, src, wall)
		defer w.Close()
		w.Set([]Target{tg}, nil)
		time.Sleep(10*time.Minute - time.Second)
		want(t, w, "before the sweep")
		time.Sleep(2 * time.Second)
		want(t, w, "at the sweep", Change{Reason: Swept})

		mu.Lock()
		slept = time.Hour // the monotonic clock stood still
		mu.Unlock()
		time.Sleep(beat)
		want(t, w, "after it slept", Change{Reason: Swept})
		time.Sleep(5 * time.Minute)
		want(t, w, "later")
	})
}

func TestProblems(t *testing.T) {
	dir := t.TempDir()
	loop := filepath.Join(dir, "loop")
	if err := os.Symlink(loop, loop); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	w, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	problems := w.Set([]Target{
		{ID: "loop", Dir: loop},
		{ID: "file", Dir: file},
		{ID: "relative", Dir: "profile"},
		{Dir: dir},
		{ID: "good", Dir: dir}, {ID: "good", Dir: dir},
	}, []Await{{Dir: "home"}})
	for _, part := range []string{"too many", "it is not a folder", "not absolute", "no ID", "same ID", "watch home"} {
		if !slices.ContainsFunc(problems, func(err error) bool { return strings.Contains(err.Error(), part) }) {
			t.Errorf("no problem says %q in %q", part, problems)
		}
	}
	if len(problems) != 6 {
		t.Errorf("%d problems, want 6: %q", len(problems), problems)
	}
}

func TestClose(t *testing.T) {
	w, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	tg := profileDir(t, 2)
	w.Set([]Target{tg}, nil)
	if _, err := install(tg.Arrivals, "aaa", "1.0_0"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond) // a change waits to be received
	for range 2 {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
	for range w.C { // closed
	}
	if problems := w.Set(nil, nil); !slices.Equal(problems, []error{errClosed}) {
		t.Errorf("Set after Close = %v", problems)
	}
	if problems := w.Problems(); problems != nil {
		t.Errorf("Problems after Close = %v", problems)
	}
}

// No install may be missed, however close together they come: whoever reads the folder at each change has seen all.
func TestThousandInstalls(t *testing.T) {
	const installs = 1000
	tg := profileDir(t, 0)
	w, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	w.Set([]Target{tg}, nil)
	var installer sync.WaitGroup
	defer installer.Wait()
	installer.Go(func() {
		for i := range installs {
			if _, err := install(tg.Arrivals, fmt.Sprintf("ext%04d", i), "1.0_0"); err != nil {
				t.Error(err)
			}
		}
	})
	seen := map[string]bool{}
	for patience := time.After(30 * time.Second); len(seen) < installs; {
		select {
		case ch := <-w.C:
			if ch.Reason != Arrived {
				continue
			}
			versions, err := filepath.Glob(filepath.Join(tg.Arrivals, "*", "*_0"))
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range versions {
				seen[v] = true
			}
		case <-patience:
			t.Fatalf("saw %d of %d installs", len(seen), installs)
		}
	}
}
