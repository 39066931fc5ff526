package watcher

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/google/go-cmp/cmp"
)

func TestLimit(t *testing.T) {
	tg := profileDir(t, 3)
	tg.Folders = []string{filepath.Join(tg.Dir, "Folder")}
	mkdir(t, tg.Folders[0])
	write := func(t *testing.T, name string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		src := newFake()
		src.allow(0)
		w := start(Config{}, src, time.Now)
		defer w.Close()
		problems := w.Set([]Target{tg}, []Await{{Dir: tg.Dir, Name: "Local State"}})
		if len(problems) != 1 || !strings.Contains(problems[0].Error(), "limit") || !errors.Is(problems[0], syscall.ENOSPC) {
			t.Fatalf("problems = %q, want the limit", problems)
		}
		time.Sleep(time.Minute)
		want(t, w, "nothing happened")

		prefs := filepath.Join(tg.Dir, "Preferences")
		write(t, prefs)
		time.Sleep(pollEvery + time.Second)
		want(t, w, "preferences", Change{Target: "p", Path: tg.Dir, Reason: Changed})

		mkdir(t, filepath.Join(tg.Arrivals, "ext1", "2.0_0"))
		time.Sleep(pollEvery + time.Second)
		want(t, w, "a version", Change{Target: "p", Reason: Arrived}) // its folder changed, too

		mkdir(t, filepath.Join(tg.Arrivals, "new", "1.0_0"))
		time.Sleep(pollEvery + time.Second)
		want(t, w, "an extension", Change{Target: "p", Reason: Arrived}) // its folder changed, too

		write(t, filepath.Join(tg.Folders[0], "x"))
		write(t, filepath.Join(tg.Dir, "Local State"))
		time.Sleep(pollEvery + time.Second)
		got := received(w)
		slices.SortFunc(got, func(a, b Change) int { return strings.Compare(a.Target, b.Target) })
		if diff := cmp.Diff([]Change{{Path: tg.Dir, Reason: Appeared}, {Target: "p", Path: tg.Folders[0], Reason: Changed, Folders: tg.Folders}}, got); diff != "" {
			t.Errorf("folder and awaited entry (-want +got):\n%s", diff)
		}

		if err := os.RemoveAll(filepath.Join(tg.Arrivals, "new")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(pollEvery + time.Second)
		if got := received(w); len(got) != 1 || got[0].Target != "p" || got[0].Reason != Changed {
			t.Errorf("a removed extension: %v", got)
		}

		// There is room again: all are watched, and polling ends.
		src.allow(-1)
		time.Sleep(pollEvery + time.Second)
		if problems := w.Problems(); len(problems) > 0 {
			t.Errorf("problems with room = %q", problems)
		}
		if got := len(src.takeAdded()); got != 6 {
			t.Errorf("%d folders are watched, want 6", got)
		}
	})
}

// A limit that is reached between two calls of Set is made known by a sweep.
func TestLimitLater(t *testing.T) {
	tg := profileDir(t, 1)
	synctest.Test(t, func(t *testing.T) {
		src := newFake()
		src.allow(3)
		w := start(Config{}, src, time.Now)
		defer w.Close()
		if problems := w.Set([]Target{tg}, nil); len(problems) > 0 {
			t.Fatal(problems)
		}
		version := filepath.Join(tg.Arrivals, "new", "1.0_0")
		mkdir(t, version)
		src.events <- fsnotify.Event{Name: filepath.Dir(version), Op: fsnotify.Create}
		want(t, w, "an extension over the limit", Change{Target: "p", Path: version, Reason: Arrived}, Change{Reason: Swept})
		if problems := w.Problems(); len(problems) != 1 {
			t.Errorf("problems = %q, want one", problems)
		}
	})
}
