package publisher

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var errKilled = errors.New("killed")

// A publisher that dies between any two writes leaves a feed that clients accept, with the old or the new files and
// never with a mixture; and the next one goes on.
func TestKilledBetweenAnyTwoWrites(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		do    func(*Publisher, *shop) error
		moved bool // the files differ after it
	}{
		"publish": {func(p *Publisher, s *shop) error {
			_, err := p.Publish(s.t.Context(), Request{})
			return err
		}, true},
		"refresh":          {func(p *Publisher, s *shop) error { _, err := p.Refresh(s.t.Context()); return err }, false},
		"rotate root":      rotation("root"),
		"rotate targets":   rotation("targets"),
		"rotate snapshot":  rotation("snapshot"),
		"rotate timestamp": rotation("timestamp"),
		"rotate org":       rotation("org"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for step := 0; ; step++ {
				if done := killedAt(t, step, tt.do, tt.moved); done {
					if step == 0 {
						t.Error("nothing was written")
					}
					return
				}
			}
		})
	}
}

func rotation(role string) struct {
	do    func(*Publisher, *shop) error
	moved bool
} {
	return struct {
		do    func(*Publisher, *shop) error
		moved bool
	}{func(p *Publisher, s *shop) error { _, err := p.Rotate(s.t.Context(), Rotation{Role: role}); return err }, false}
}

// killedAt reports whether the work has fewer steps than that.
func killedAt(t *testing.T, step int, do func(*Publisher, *shop) error, moved bool) (done bool) {
	s := open(t, Plan{})
	s.put("campaigns/a.yml", "a: 1\n")
	s.put("org/decisions.yml", "decisions: []\n")
	s.publish(Request{})
	old := map[string]string{"campaigns/a.yml": "a: 1\n", "org/decisions.yml": "decisions: []\n"}
	remembers := s.reader()
	s.wantFiles(remembers, old)
	next := old
	if moved {
		s.put("campaigns/a.yml", "a: 2\n")
		s.put("campaigns/b.yml", "b: 1\n")
		s.put("org/decisions.yml", "decisions: [] # 2\n")
		next = map[string]string{"campaigns/a.yml": "a: 2\n", "campaigns/b.yml": "b: 1\n", "org/decisions.yml": "decisions: [] # 2\n"}
	}
	n := 0
	s.cfg.wrote = func(string) error {
		if n++; n > step {
			return errKilled
		}
		return nil
	}
	err := do(s.publisher(), s)
	if done = !errors.Is(err, errKilled); done && err != nil {
		t.Fatal(err)
	}
	s.cfg.wrote = nil
	for who, r := range map[string]*reader{"new": s.reader(), "old": remembers} {
		got, err := r.update(s.public())
		if err != nil {
			t.Fatalf("killed before step %d: a client with %s memory: %v", step+1, who, err)
		}
		if !maps.Equal(got, old) && !maps.Equal(got, next) {
			t.Fatalf("killed before step %d: a client with %s memory has half: %v", step+1, who, got)
		}
	}
	s.publish(Request{})
	s.wantFiles(remembers, next)
	s.wantFiles(s.reader(), next)
	st, err := s.publisher().Status(t.Context())
	if err != nil || len(st.Notes) > 0 {
		t.Fatalf("killed before step %d: %v, %v", step+1, st.Notes, err)
	}
	if !done && step > 50 {
		t.Fatal(fmt.Sprint("no end after ", step))
	}
	return done
}

// A key is lost, so nothing can be signed by the old and the new one: between two writes a client has to wait. It keeps
// what it has, and the next publisher goes on.
func TestKilledWhileALostKeyIsReplaced(t *testing.T) {
	t.Parallel()
	s := open(t, Plan{})
	s.put("campaigns/a.yml", "a: 1\n")
	s.publish(Request{})
	files := map[string]string{"campaigns/a.yml": "a: 1\n"}
	r := s.reader()
	s.wantFiles(r, files)
	lost, _ := filepath.Glob(filepath.Join(s.cfg.Dir, "keys", "timestamp-*"))
	if err := os.Remove(lost[0]); err != nil {
		t.Fatal(err)
	}
	s.cfg.wrote = func(file string) error {
		if strings.HasSuffix(file, "timestamp.json") {
			return errKilled
		}
		return nil
	}
	if _, err := s.publisher().Rotate(t.Context(), Rotation{Role: "timestamp"}); !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
	if got, err := r.update(s.public()); err == nil {
		t.Errorf("a client took %v", got)
	}
	s.cfg.wrote = nil
	if _, err := s.publisher().Rotate(t.Context(), Rotation{Role: "targets"}); err == nil || hint(t, err) == "" {
		t.Error(err)
	}
	if _, err := s.publisher().Status(t.Context()); err != nil {
		t.Error(err)
	}
	if out, err := s.publisher().Refresh(t.Context()); err != nil || out.Versions["root"] != 2 {
		t.Fatal(out, err)
	}
	s.wantFiles(r, files)
	s.wantFiles(s.reader(), files)
	s.rotate(Rotation{Role: "targets"})
	s.wantFiles(r, files)
}
