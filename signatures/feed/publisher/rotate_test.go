package publisher

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Every role gets new keys several times, and clients with a memory of each version follow.
func TestRotateEveryRole(t *testing.T) {
	t.Parallel()
	s := open(t, Plan{})
	s.put("campaigns/a.yml", "a: 1\n")
	s.put("org/decisions.yml", "decisions: []\n")
	s.publish(Request{})
	files := map[string]string{"campaigns/a.yml": "a: 1\n", "org/decisions.yml": "decisions: []\n"}
	readers := []*reader{s.reader()}
	s.wantFiles(readers[0], files)
	root := int64(1)
	for round := range 3 {
		for _, role := range []string{"timestamp", "snapshot", "targets", "org", "root"} {
			before := s.keys(role)
			out := s.rotate(Rotation{Role: role})
			if role != "org" {
				root++
			}
			if out.Waiting != "" || out.Versions["root"] != root || len(out.NewKeys) != len(before) {
				t.Fatalf("round %d, %s: %+v", round, role, out)
			}
			for _, id := range s.keys(role) {
				if slices.Contains(before, id) {
					t.Errorf("role %s still has key %s", role, id)
				}
			}
			young := s.reader()
			readers = append(readers, young)
			for _, r := range []*reader{readers[0], readers[len(readers)/2], young} {
				s.wantFiles(r, files)
			}
		}
		s.put("campaigns/a.yml", strings.Repeat("a: 1\n", round+2))
		files["campaigns/a.yml"] = strings.Repeat("a: 1\n", round+2)
		s.publish(Request{})
	}
	for _, r := range readers {
		s.wantFiles(r, files)
	}
	if n := len(keyFiles(filepath.Join(s.cfg.Dir, "keys"))); n != 4 {
		t.Errorf("keys/ holds %d keys; old ones are to be put aside", n)
	}
	if n := len(keyFiles(filepath.Join(s.cfg.Dir, "keys", "retired"))); n != 12 {
		t.Errorf("keys/retired/ holds %d keys", n)
	}
}

// keys returns the IDs of a role's keys.
func (s *shop) keys(role string) (ids []string) {
	s.t.Helper()
	st, err := s.publisher().Status(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, r := range st.Roles {
		if r.Role == role {
			for _, k := range r.Keys {
				ids = append(ids, k.ID)
			}
		}
	}
	return ids
}

// Root keys that lie in different places sign one after the other.
func TestRootKeysSignOneByOne(t *testing.T) {
	t.Parallel()
	s := open(t, Plan{})
	r := s.reader()
	s.wantFiles(r, map[string]string{})
	s.cfg.RootKeys = s.sticks[:1]
	out := s.rotate(Rotation{Role: "root", Renew: true})
	if !strings.HasPrefix(out.Waiting, "1 more of the root keys (root-") || out.Versions["root"] != 1 {
		t.Fatalf("%+v", out)
	}
	if _, err := s.publisher().Rotate(t.Context(), Rotation{Role: "targets"}); err == nil || !strings.Contains(err.Error(), "waits for signatures already") {
		t.Error(err)
	}
	if _, err := s.publisher().Sign(t.Context()); err == nil || hint(t, err) == "" {
		t.Error(err)
	}
	s.publish(Request{}) // goes on meanwhile
	st, err := s.publisher().Status(t.Context())
	if err != nil || st.Waiting == "" {
		t.Error(st.Waiting, err)
	}
	s.cfg.RootKeys = s.sticks[2:]
	if out, err = s.publisher().Sign(t.Context()); err != nil || out.Waiting != "" || out.Versions["root"] != 2 {
		t.Fatalf("%+v, %v", out, err)
	}
	s.wantFiles(r, map[string]string{})
	if _, err := s.publisher().Sign(t.Context()); err == nil || !strings.Contains(err.Error(), "no root to sign") {
		t.Error(err)
	}
}

// One of three root keys is lost: the other two put a new one in its place.
func TestLostRootKey(t *testing.T) {
	t.Parallel()
	s := open(t, Plan{})
	r := s.reader()
	lost := strings.TrimSuffix(keyFiles(s.sticks[1])[0], sealedExt)
	if err := os.RemoveAll(s.sticks[1]); err != nil {
		t.Fatal(err)
	}
	fresh := filepath.Join(t.TempDir(), "stick-d")
	out := s.rotate(Rotation{Role: "root", Keys: []string{lost}, Folder: fresh})
	if len(keyFiles(fresh)) != 1 || out.Versions["root"] != 2 || out.Waiting != "" {
		t.Fatalf("%+v", out)
	}
	s.wantFiles(r, map[string]string{})
	// Two lost: nothing can be changed any more, and this is said.
	if err := errors.Join(os.RemoveAll(s.sticks[0]), os.RemoveAll(fresh)); err != nil {
		t.Fatal(err)
	}
	out = s.rotate(Rotation{Role: "timestamp"})
	if !strings.Contains(out.Waiting, "1 more of the root keys") {
		t.Errorf("%+v", out)
	}
	if err := s.publisher().Discard(); err != nil {
		t.Fatal(err)
	}
	if n := len(keyFiles(filepath.Join(s.cfg.Dir, "keys"))); n != 4 {
		t.Errorf("keys/ holds %d keys after the change was dropped", n)
	}
	s.publish(Request{})
	s.wantFiles(r, map[string]string{})
}

// A daily key is gone with its machine: it cannot sign its own successor.
func TestLostRoleKey(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"targets", "snapshot", "timestamp", "org"} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			s := open(t, Plan{})
			s.put("campaigns/a.yml", "a: 1\n")
			s.publish(Request{})
			r := s.reader()
			files := map[string]string{"campaigns/a.yml": "a: 1\n"}
			s.wantFiles(r, files)
			gone, _ := filepath.Glob(filepath.Join(s.cfg.Dir, "keys", role+"-*"))
			if err := os.Remove(gone[0]); err != nil {
				t.Fatal(err)
			}
			if role != "org" {
				s.put("campaigns/a.yml", "a: 2\n")
				if _, err := s.publisher().Publish(t.Context(), Request{}); err == nil || !strings.Contains(err.Error(), "role "+role+" needs 1 of 1 keys") || hint(t, err) == "" {
					t.Error(err)
				}
			}
			s.put("campaigns/a.yml", "a: 1\n")
			s.rotate(Rotation{Role: role})
			s.wantFiles(r, files)
			s.wantFiles(s.reader(), files)
			s.publish(Request{})
			s.wantFiles(r, files)
		})
	}
}

func TestThresholds(t *testing.T) {
	t.Parallel()
	s := open(t, Plan{Keys: map[string]int{"targets": 2}, Thresholds: map[string]int{"targets": 2}})
	s.put("campaigns/a.yml", "a: 1\n")
	s.publish(Request{})
	files := map[string]string{"campaigns/a.yml": "a: 1\n"}
	s.wantFiles(s.reader(), files)
	for name, tt := range map[string]struct {
		q    Rotation
		want string
	}{
		"too few keys":      {Rotation{Role: "targets", Keys: s.keys("targets")[:1], Drop: true}, "cannot have 1 keys of which 2 sign"},
		"no such key":       {Rotation{Role: "targets", Keys: []string{"0000000"}}, "does not name one key"},
		"an empty name":     {Rotation{Role: "targets", Keys: []string{""}}, "does not name one key"},
		"no such role":      {Rotation{Role: "tragets"}, "there is no role"},
		"a threshold of -1": {Rotation{Role: "targets", Threshold: -1}, "cannot have"},
	} {
		if _, err := s.publisher().Rotate(t.Context(), tt.q); err == nil || !strings.Contains(err.Error(), tt.want) || hint(t, err) == "" {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
	s.rotate(Rotation{Role: "targets", Add: 1})
	s.rotate(Rotation{Role: "targets", Keys: s.keys("targets")[:1], Drop: true, Threshold: 1})
	if got := len(s.keys("targets")); got != 2 {
		t.Errorf("%d keys", got)
	}
	s.put("campaigns/a.yml", "a: 2\n")
	s.publish(Request{})
	s.wantFiles(s.reader(), map[string]string{"campaigns/a.yml": "a: 2\n"})
}

// Another team has the key of role org, in a folder of its own, and puts what it signs into the same public/.
func TestOrgOfAnotherTeam(t *testing.T) {
	t.Parallel()
	theirs := filepath.Join(t.TempDir(), "feed")
	s := open(t, Plan{OrgKeys: filepath.Join(theirs, "keys")})
	for _, name := range []string{settingsName, rootName} {
		data, err := os.ReadFile(filepath.Join(s.cfg.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(theirs, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(s.public(), filepath.Join(theirs, "public")); err != nil {
		t.Fatal(err)
	}
	team := &shop{t: t, cfg: s.cfg}
	team.cfg.Dir, team.cfg.RootKeys = theirs, nil
	r := s.reader()

	team.put("org/decisions.yml", "decisions: []\n")
	team.put("campaigns/a.yml", "not theirs to publish\n")
	out := team.publish(Request{Role: "org"})
	if diff := cmp.Diff([]string{"org"}, out.Signed); diff != "" {
		t.Fatal(diff)
	}
	s.wantFiles(r, map[string]string{}) // not before the next snapshot
	st, err := s.publisher().Status(t.Context())
	if err != nil || len(st.Notes) != 1 || !strings.Contains(st.Notes[0], "feed refresh") {
		t.Errorf("%q, %v", st.Notes, err)
	}
	if out = team.publish(Request{Role: "org"}); out.Signed != nil {
		t.Errorf("published twice: %+v", out)
	}
	if _, err := s.publisher().Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"org/decisions.yml": "decisions: []\n"}
	s.wantFiles(r, files)
	s.put("campaigns/ours.yml", "ours: 1\n")
	files["campaigns/ours.yml"] = "ours: 1\n"
	s.publish(Request{})
	s.wantFiles(r, files)

	team.put("org/decisions.yml", "decisions: [] # 2\n")
	files["org/decisions.yml"] = "decisions: [] # 2\n"
	team.publish(Request{Role: "org"})
	s.publish(Request{})
	s.wantFiles(r, files)

	// What the role did not sign, or signed wrongly, is not shown, and said.
	forged := filepath.Join(s.public(), "metadata", "9.org.json")
	data, err := os.ReadFile(filepath.Join(s.public(), "metadata", "2.org.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range []string{string(data), strings.Replace(string(data), `"version":2`, `"version":9`, 1), "{"} {
		if err := os.WriteFile(forged, []byte(change), 0o644); err != nil {
			t.Fatal(err)
		}
		out = s.publish(Request{})
		if len(out.Notes) != 1 || !strings.HasPrefix(out.Notes[0], "9.org.json is not used: ") {
			t.Errorf("%q", out.Notes)
		}
		s.wantFiles(r, files)
	}
}

// Who stole the keys of daily work, and can write to public/ as well, achieves nothing once they are replaced: the
// publisher neither signs what they say nor takes it for its own.
func TestReplacedKeysCountNoMore(t *testing.T) {
	t.Parallel()
	s := open(t, Plan{})
	s.put("campaigns/a.yml", "a: 1\n")
	s.publish(Request{})
	stolen := filepath.Join(t.TempDir(), "feed")
	if err := os.CopyFS(stolen, os.DirFS(s.cfg.Dir)); err != nil {
		t.Fatal(err)
	}
	if err := chmodKeys(stolen); err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{"targets", "snapshot", "timestamp"} {
		s.rotate(Rotation{Role: role})
	}
	r := s.reader()
	files := map[string]string{"campaigns/a.yml": "a: 1\n"}
	s.wantFiles(r, files)

	thief := &shop{t: t, cfg: s.cfg}
	thief.cfg.Dir = stolen
	thief.put("campaigns/a.yml", "evil: 1\n")
	for range 8 {
		thief.publish(Request{})
	}
	for _, what := range []string{"targets/campaigns", "metadata"} {
		names, err := os.ReadDir(filepath.Join(stolen, "public", what))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range names {
			data, err := os.ReadFile(filepath.Join(stolen, "public", what, e.Name()))
			if err := errors.Join(err, os.WriteFile(filepath.Join(s.public(), what, e.Name()), data, 0o644)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, do := range map[string]func(*Publisher) (Published, error){
		"refresh": func(p *Publisher) (Published, error) { return p.Refresh(t.Context()) },
		"publish": func(p *Publisher) (Published, error) { return p.Publish(t.Context(), Request{AcceptPublic: true}) },
		"rotate":  func(p *Publisher) (Published, error) { return p.Rotate(t.Context(), Rotation{Role: "root"}) },
	} {
		if out, err := do(s.publisher()); err == nil || !strings.Contains(err.Error(), "not as it was published") || hint(t, err) == "" {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
	if got, err := r.update(s.public()); err == nil {
		t.Errorf("a client took %v", got)
	}
}

// The past is kept for slow readers, and not for ever.
func TestPrune(t *testing.T) {
	t.Parallel()
	s := open(t, Plan{})
	r := s.reader()
	for i := range 2 * keepVersions {
		s.put("campaigns/a.yml", strings.Repeat("a: 1\n", i+1))
		s.publish(Request{})
	}
	count := func() (metadata, targets int) {
		a, _ := filepath.Glob(filepath.Join(s.public(), "metadata", "*.targets.json"))
		b, _ := filepath.Glob(filepath.Join(s.public(), "targets", "campaigns", "*"))
		return len(a), len(b)
	}
	if m, f := count(); m != 2*keepVersions+1 || f != 2*keepVersions {
		t.Errorf("%d and %d files of a young past", m, f)
	}
	if err := os.WriteFile(filepath.Join(s.public(), "targets", temporary+"left"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(keepFor + time.Hour)
	s.cfg.Now = func() time.Time { return later }
	s.publish(Request{})
	if m, f := count(); m != keepVersions || f != keepVersions {
		t.Errorf("%d and %d files of an old past", m, f)
	}
	if _, err := os.Stat(filepath.Join(s.public(), "targets", temporary+"left")); err == nil {
		t.Error("what a crash left is still there")
	}
	s.wantFiles(r, map[string]string{"campaigns/a.yml": strings.Repeat("a: 1\n", 2*keepVersions)})
}
