package feed

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestAttackRuleDoesNotParse(t *testing.T) {
	t.Parallel()
	attackRehearsal(t, errors.New("campaigns/first.yml:3: not YAML"))
}
func TestAttackRuleFailsItsCases(t *testing.T) {
	t.Parallel()
	attackRehearsal(t, errors.New("campaigns/first.yml: case 2: no match"))
}

// A properly signed feed that is bad is refused once, and not tried again until there is another feed or engine.
func attackRehearsal(t *testing.T, why error) {
	t.Helper()
	r := newRepo(t)
	rehearsed := 0
	rehearse := func(_ context.Context, files fs.FS) error {
		rehearsed++
		if data, err := fs.ReadFile(files, "campaigns/first.yml"); err != nil || string(data) == "bad" {
			return why
		}
		return nil
	}
	f := r.client(func(c *Config) { c.Rehearse = rehearse })
	good := r.content["campaigns/first.yml"]
	r.put("campaigns/first.yml", "bad")
	r.publish()
	for range 3 {
		if err := r.wantKept(f, why.Error()); !errors.Is(err, ErrRefused) {
			t.Fatal(err)
		}
	}
	if s := f.State(); rehearsed != 2 || !strings.Contains(s.Refused, why.Error()) || s.Version != 1 {
		t.Errorf("%d rehearsals, state %+v", rehearsed, s)
	}
	r.signTimestamp()
	cfg := f.cfg
	again, err := Open(cfg)
	check(t, err)
	r.wantKept(again)
	if rehearsed != 2 || again.State().Refused == "" {
		t.Errorf("%d rehearsals after a restart", rehearsed)
	}
	cfg.Engine = "2"
	again, err = Open(cfg)
	check(t, err)
	r.wantKept(again)
	if rehearsed != 4 {
		t.Errorf("%d rehearsals after another engine came: the kept feed and the refused one are tried again", rehearsed)
	}
	r.put("campaigns/first.yml", good)
	r.put("version.txt", "good")
	r.publish()
	r.wantUpdate(f)
	if s := f.State(); s.Refused != "" {
		t.Errorf("still refused: %s", s.Refused)
	}
}

func TestAttackRuleTakesTooLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRepo(t)
		var slow atomic.Bool
		stop := make(chan struct{})
		defer close(stop)
		var rehearsals atomic.Int64
		f := r.client(func(c *Config) {
			c.Rehearse = func(context.Context, fs.FS) error {
				rehearsals.Add(1)
				if slow.Load() {
					<-stop // it does not even look at its context
				}
				return nil
			}
		})
		slow.Store(true)
		r.change()
		for range 3 {
			if err := r.wantKept(f, "too long"); !errors.Is(err, ErrRefused) {
				t.Fatal(err)
			}
		}
		if rehearsals.Load() != 2 {
			t.Errorf("%d rehearsals", rehearsals.Load())
		}
		slow.Store(false)
		r.time = r.time.Add(retrySlow) // the machine may have been busy
		r.wantUpdate(f)
	})
}

func TestAttackRuleBreaksTheRehearsal(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	broken := false
	f := r.client(func(c *Config) {
		c.Rehearse = func(context.Context, fs.FS) error {
			if broken {
				panic("index out of range")
			}
			return nil
		}
	})
	broken = true
	r.change()
	if err := r.wantKept(f, "index out of range"); !errors.Is(err, ErrRefused) {
		t.Error(err)
	}
}
