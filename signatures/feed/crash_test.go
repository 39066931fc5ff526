package feed

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// killed is what a process that is killed at a step panics with. From then on no step is done, as nothing runs any more.
type killed string

// killAt returns a seam that ends the process at the n-th step, and what steps were reached.
func killAt(n int) (step func(string) error, steps *[]string) {
	steps = new([]string)
	return func(what string) error {
		if *steps = append(*steps, what); len(*steps) >= n {
			panic(killed(what))
		}
		return nil
	}, steps
}

// survive runs an update and reports whether it was killed.
func survive(t *testing.T, cfg Config) (dead bool) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			if _, dead = r.(killed); !dead {
				panic(r)
			}
		}
	}()
	f, err := Open(cfg)
	check(t, err)
	f.Update(context.Background())
	return false
}

// scenarios of the tests below: what the folder holds before, and what the mirror has then.
func crashScenarios(t *testing.T) map[string]func() (r *repo, old map[string]string, dir string) {
	return map[string]func() (*repo, map[string]string, string){
		"first": func() (*repo, map[string]string, string) {
			r := newRepo(t)
			return r, nil, t.TempDir()
		},
		"change": func() (*repo, map[string]string, string) {
			r := newRepo(t)
			f := r.client()
			r.put("version.txt", "second\n")
			r.publish()
			r.wantUpdate(f) // so that there is a tree to be removed
			old := content(t, f)
			r.rotate("timestamp")
			r.signRoot()
			r.put("campaigns/more.yml", "more")
			delete(r.content, "org/campaigns/own.yml")
			r.change()
			return r, old, f.cfg.Dir
		},
		"recovery": func() (*repo, map[string]string, string) {
			r := newRepo(t)
			f := r.client()
			old := content(t, f)
			r.timestamp.Signed.Version, r.snapshot.Signed.Version = 1<<50, 1<<50
			r.signSnapshot()
			_, err := f.Update(t.Context())
			check(t, err)
			r.timestamp.Signed.Version, r.snapshot.Signed.Version = 1, 1
			r.rotate("snapshot")
			r.signRoot()
			r.change()
			return r, old, f.cfg.Dir
		},
	}
}

// The process dies at each step in turn. The next one comes up with the old files or the new ones, and gets on.
func TestAttackKilledBetweenAnyTwoSteps(t *testing.T) {
	t.Parallel()
	for name, make := range crashScenarios(t) {
		r, old, dir := make()
		for n := 1; ; n++ {
			cfg := r.config()
			check(t, os.CopyFS(cfg.Dir, os.DirFS(dir)))
			step, steps := killAt(n)
			cfg.step = step
			dead := survive(t, cfg)
			cfg.step = nil
			wantOldOrNew(t, fmt.Sprintf("%s, killed at step %d (%s)", name, n, last(*steps)), cfg, old, r.content)
			if !dead {
				if n < 25 {
					t.Errorf("%s: only %d steps: %q", name, n, *steps)
				}
				break
			}
		}
	}
}

func last(steps []string) string {
	if len(steps) == 0 {
		return ""
	}
	return steps[len(steps)-1]
}

// wantOldOrNew opens the folder that a dead process left, and updates.
func wantOldOrNew(t *testing.T, when string, cfg Config, old, now map[string]string) {
	t.Helper()
	f, err := Open(cfg)
	if err != nil {
		t.Fatalf("%s: open: %v", when, err)
	}
	if got := content(t, f); !cmp.Equal(got, old) && !cmp.Equal(got, now) {
		t.Fatalf("%s: neither the old nor the new files: %q", when, got)
	}
	if err := f.State().Err; err != nil {
		t.Errorf("%s: %v", when, err)
	}
	if _, err := f.Update(t.Context()); err != nil {
		t.Fatalf("%s: the next update: %v", when, err)
	}
	if got := content(t, f); !cmp.Equal(got, now) {
		t.Fatalf("%s: files after the next update: %q", when, got)
	}
	wantTidy(t, when, f)
}

// wantTidy insists that nothing is left that nobody needs.
func wantTidy(t *testing.T, when string, f *Feed) {
	t.Helper()
	err := filepath.WalkDir(f.cfg.Dir, func(name string, d fs.DirEntry, err error) error {
		if strings.HasSuffix(name, unproven) {
			t.Errorf("%s: %s is left", when, name)
		}
		return err
	})
	check(t, err)
	if n := len(f.disk.list("trees")); n > 2 {
		t.Errorf("%s: %d trees are left", when, n)
	}
}

// A real process is killed, at some of the steps.
func TestAttackKill9(t *testing.T) {
	t.Parallel()
	r, old, dir := crashScenarios(t)["change"]()
	stick, root := t.TempDir(), filepath.Join(t.TempDir(), "root.json")
	r.writeTo(stick)
	check(t, os.WriteFile(root, r.pinned, 0o600))
	for n := 2; ; n += 9 {
		cfg := r.config()
		cfg.Mirrors = []string{stick}
		check(t, os.CopyFS(cfg.Dir, os.DirFS(dir)))
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childEnv+"="+strconv.Itoa(n), "FEED_DIR="+cfg.Dir, "FEED_MIRROR="+stick, "FEED_ROOT="+root,
			"FEED_TIME="+strconv.FormatInt(r.time.Unix(), 10))
		out, err := child.CombinedOutput()
		wantOldOrNew(t, fmt.Sprintf("killed at step %d", n), cfg, old, r.content)
		if err == nil {
			if n < 25 {
				t.Errorf("only %d steps", n)
			}
			return
		}
		if len(out) > 0 {
			t.Fatalf("the child failed by itself: %v\n%s", err, out)
		}
	}
}

// The disk is full from each step on: nothing can be written, renamed or made any more, only removed.
func TestAttackFullDisk(t *testing.T) {
	t.Parallel()
	r, old, dir := crashScenarios(t)["change"]()
	for n := 1; ; n++ {
		cfg := r.config()
		check(t, os.CopyFS(cfg.Dir, os.DirFS(dir)))
		steps, full := 0, false
		cfg.step = func(what string) error {
			if steps++; steps < n || strings.HasPrefix(what, "remove ") {
				return nil
			}
			full = true
			return syscall.ENOSPC
		}
		when := fmt.Sprintf("full from step %d on", n)
		f, err := Open(cfg)
		if err == nil {
			before := content(t, f)
			u, err := f.Update(t.Context())
			if got := content(t, f); err != nil && !cmp.Equal(got, before) || err == nil && !cmp.Equal(got, r.content) {
				t.Fatalf("%s: %v, and the files are %q", when, err, got)
			}
			if err != nil && (!strings.Contains(err.Error(), "on this disk") || u.Changed) {
				t.Errorf("%s: %v", when, err)
			}
		}
		cfg.step = nil
		wantOldOrNew(t, when, cfg, old, r.content)
		if !full {
			break
		}
	}
}
