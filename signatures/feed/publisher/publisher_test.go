package publisher

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/go-cmp/cmp"
)

func TestPublish(t *testing.T) {
	t.Parallel()
	s := open(t, Plan{})
	r := s.reader()
	s.wantFiles(r, map[string]string{})

	s.put("campaigns/a.yml", "a: 1\n")
	s.put("indicators/domains.csv", "domain\nx.example\ny.example\n")
	s.put("org/decisions.yml", "decisions:\n- decide: block\n  id: x\n")
	out := s.publish(Request{})
	if diff := cmp.Diff(map[string]int64{"root": 1, "targets": 2, "org": 2, "snapshot": 2, "timestamp": 2}, out.Versions); diff != "" {
		t.Error(diff)
	}
	want := []Change{{Path: "campaigns/a.yml", What: "added"},
		{Path: "indicators/domains.csv", What: "added", Added: []string{"x.example", "y.example"}},
		{Path: "org/decisions.yml", What: "added", Added: []string{"decide: block, id: x"}}}
	if diff := cmp.Diff(want, out.Changes); diff != "" {
		t.Error(diff)
	}
	files := map[string]string{"campaigns/a.yml": "a: 1\n", "indicators/domains.csv": "domain\nx.example\ny.example\n",
		"org/decisions.yml": "decisions:\n- decide: block\n  id: x\n"}
	s.wantFiles(r, files)

	// Nothing changed: only the timestamp is renewed.
	out = s.publish(Request{})
	if diff := cmp.Diff(Published{Versions: map[string]int64{"root": 1, "targets": 2, "org": 2, "snapshot": 2, "timestamp": 3}, Signed: []string{"timestamp"}}, out); diff != "" {
		t.Error(diff)
	}
	s.wantFiles(r, files)

	s.put("indicators/domains.csv", "domain\nx.example\nz.example\n")
	if err := os.Remove(filepath.Join(s.cfg.Dir, "source", "campaigns", "a.yml")); err != nil {
		t.Fatal(err)
	}
	changes, err := s.publisher().Diff(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want = []Change{{Path: "campaigns/a.yml", What: "removed"},
		{Path: "indicators/domains.csv", What: "changed", Added: []string{"z.example"}, Removed: []string{"y.example"}}}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Error(diff)
	}
	out = s.publish(Request{})
	if diff := cmp.Diff([]string{"targets", "snapshot", "timestamp"}, out.Signed); diff != "" {
		t.Error(diff)
	}
	delete(files, "campaigns/a.yml")
	files["indicators/domains.csv"] = "domain\nx.example\nz.example\n"
	s.wantFiles(r, files)
	s.wantFiles(s.reader(), files)
}

func TestInitKeepsKeysApartAndPrivate(t *testing.T) {
	t.Parallel()
	s := open(t, Plan{})
	for i, stick := range s.sticks {
		if files := keyFiles(stick); len(files) != 1 || !strings.HasPrefix(files[0], "root-") {
			t.Errorf("stick %d holds %v", i, files)
		}
	}
	if files := keyFiles(filepath.Join(s.cfg.Dir, "keys")); len(files) != 4 {
		t.Errorf("keys/ holds %v", files)
	}
	err := filepath.WalkDir(filepath.Dir(s.cfg.Dir), func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if e.IsDir() {
			if e.Name() == "keys" && runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
				t.Errorf("%s has mode %v", name, info.Mode())
			}
			return nil
		}
		if strings.HasSuffix(name, sealedExt) && runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
		data, err := os.ReadFile(name)
		if strings.Contains(string(data), "PRIVATE KEY") || strings.Contains(string(data), "four words") {
			t.Errorf("%s holds a secret", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// Daily work asks for no root key.
	s.asked = nil
	s.put("campaigns/a.yml", "a: 1\n")
	s.publish(Request{})
	for _, key := range s.asked {
		if strings.HasPrefix(key, "root") {
			t.Errorf("asked for %s", key)
		}
	}
}

func TestInitRefuses(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	full := filepath.Join(tmp, "full")
	if err := os.MkdirAll(filepath.Join(full, "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	good := func(context.Context, string, bool) ([]byte, error) { return []byte("four words put together"), nil }
	for name, tt := range map[string]struct {
		cfg  Config
		plan Plan
		want string
	}{
		"without a name":           {Config{Dir: filepath.Join(tmp, "f"), RootKeys: []string{filepath.Join(tmp, "r")}}, Plan{}, "organisation"},
		"in a folder in use":       {Config{Dir: full, RootKeys: []string{filepath.Join(tmp, "r")}}, Plan{Organisation: "x"}, "not empty"},
		"without a place for keys": {Config{Dir: filepath.Join(tmp, "f")}, Plan{Organisation: "x"}, "no place"},
		"with root keys inside":    {Config{Dir: filepath.Join(tmp, "f"), RootKeys: []string{filepath.Join(tmp, "f", "keys")}}, Plan{Organisation: "x"}, "apart"},
		"with root keys in itself": {Config{Dir: filepath.Join(tmp, "f"), RootKeys: []string{filepath.Join(tmp, "f")}}, Plan{Organisation: "x"}, "apart"},
		"a threshold too high": {Config{Dir: filepath.Join(tmp, "f"), RootKeys: []string{filepath.Join(tmp, "r")}},
			Plan{Organisation: "x", Keys: map[string]int{"root": 2}, Thresholds: map[string]int{"root": 3}}, "cannot have 2 keys of which 3 sign"},
		"a short passphrase": {Config{Dir: filepath.Join(tmp, "f"), RootKeys: []string{filepath.Join(tmp, "r")},
			Passphrase: func(context.Context, string, bool) ([]byte, error) { return []byte("secret"), nil }}, Plan{Organisation: "x"}, "shorter than 12"},
		"a KMS that is not there": {Config{Dir: filepath.Join(tmp, "f"), RootKeys: []string{filepath.Join(tmp, "r")}, Passphrase: good},
			Plan{Organisation: "x", Scrypt: minScrypt, URIs: map[string][]string{"timestamp": {"nowherekms://key"}}}, "sigstore-kms-nowherekms"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Init(t.Context(), tt.cfg, tt.plan)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("%v, want %q", err, tt.want)
			}
			if hint(t, err) == "" {
				t.Error("no hint")
			}
			if strings.Contains(err.Error(), "secret") {
				t.Error("the passphrase is told")
			}
		})
	}
}

func TestNothingIsPublishedThatIsWrong(t *testing.T) {
	t.Parallel()
	s := open(t, Plan{})
	r := s.reader()
	s.cfg.Check = func(_ context.Context, source fs.FS) []error {
		if _, err := fs.Stat(source, "campaigns/bad.yml"); err == nil {
			return []error{errors.New("campaigns/bad.yml:1: bad")}
		}
		return nil
	}
	for _, name := range []string{"campaigns/bad.yml", "notes.txt", "org/version.txt", "org/catalog/wallets.yml", "indicators/more.csv"} {
		s.put(name, "x")
		_, err := s.publisher().Publish(t.Context(), Request{})
		if err == nil || !strings.Contains(err.Error(), name) || hint(t, err) == "" {
			t.Errorf("%s: %v", name, err)
		}
		defects, err := s.publisher().Check(t.Context())
		if err != nil || len(defects) != 1 {
			t.Errorf("%s: %v, %v", name, defects, err)
		}
		os.Remove(filepath.Join(s.cfg.Dir, "source", name))
	}
	s.put("campaigns/.git/x", "not looked at")
	s.put("campaigns/a.yml~", "not looked at")
	s.publish(Request{})
	s.wantFiles(r, map[string]string{})
}

func TestPublicIsGuarded(t *testing.T) {
	t.Parallel()
	s := open(t, Plan{})
	s.put("campaigns/a.yml", "a: 1\n")
	s.publish(Request{})
	old := filepath.Join(t.TempDir(), "old")
	if err := os.CopyFS(old, os.DirFS(s.public())); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "other")
	if err := os.CopyFS(folder, os.DirFS(s.cfg.Dir)); err != nil {
		t.Fatal(err)
	}
	s.put("campaigns/a.yml", "a: 2\n")
	s.publish(Request{})
	fails := func(what, want string) {
		t.Helper()
		if _, err := s.publisher().Publish(t.Context(), Request{}); err == nil || !strings.Contains(err.Error(), want) || hint(t, err) == "" {
			t.Errorf("%s: %v, want %q", what, err, want)
		}
	}

	// Older: somebody restored a backup.
	now := s.public() + "-now"
	if err := errors.Join(os.Rename(s.public(), now), os.CopyFS(s.public(), os.DirFS(old))); err != nil {
		t.Fatal(err)
	}
	fails("an older public/", "older than what was published last")
	if err := errors.Join(os.RemoveAll(s.public()), os.Rename(now, s.public())); err != nil {
		t.Fatal(err)
	}
	s.publish(Request{})

	// Newer: another folder published to the same place.
	if err := errors.Join(os.RemoveAll(filepath.Join(folder, "public")), os.CopyFS(filepath.Join(folder, "public"), os.DirFS(s.public()))); err != nil {
		t.Fatal(err)
	}
	cfg := s.cfg
	s.cfg.Dir = folder
	if runtime.GOOS != "windows" {
		if err := chmodKeys(folder); err != nil {
			t.Fatal(err)
		}
	}
	fails("a newer public/", "somebody else has published")
	if _, err := s.publisher().Publish(t.Context(), Request{AcceptPublic: true}); err != nil {
		t.Error(err)
	}
	s.cfg = cfg

	// Altered: a file is not what the metadata says.
	files, _ := filepath.Glob(filepath.Join(s.public(), "targets", "campaigns", "*"))
	for _, f := range files {
		if err := os.WriteFile(f, []byte("a: 3\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	fails("an altered file", "not as it was published")
}

func chmodKeys(folder string) error {
	var errs []error
	for _, f := range keyFiles(filepath.Join(folder, "keys")) {
		errs = append(errs, os.Chmod(filepath.Join(folder, "keys", f), 0o600))
	}
	return errors.Join(errs...)
}

func TestTwoPublishers(t *testing.T) {
	t.Parallel()
	s := open(t, Plan{})
	l := flock.New(filepath.Join(s.cfg.Dir, "lock"))
	if ok, err := l.TryLock(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	_, err := s.publisher().Publish(t.Context(), Request{})
	if err == nil || !strings.Contains(err.Error(), "another publisher is at work") || hint(t, err) == "" {
		t.Error(err)
	}
	l.Unlock()
	s.publish(Request{})
}

func TestClockThatWentBack(t *testing.T) {
	t.Parallel()
	s := open(t, Plan{})
	s.back = time.Hour
	_, err := s.publisher().Publish(t.Context(), Request{})
	if err == nil || !strings.Contains(err.Error(), "the clock shows") || hint(t, err) == "" {
		t.Error(err)
	}
	s.back = 5 * time.Minute
	s.publish(Request{})
}

func TestWrongPassphrase(t *testing.T) {
	t.Parallel()
	s := open(t, Plan{})
	s.cfg.Passphrase = func(context.Context, string, bool) ([]byte, error) { return []byte("quite another phrase"), nil }
	_, err := s.publisher().Publish(t.Context(), Request{})
	if err == nil || !strings.Contains(err.Error(), "is wrong") || strings.Contains(err.Error(), "quite another") || hint(t, err) == "" {
		t.Error(err)
	}
}

func TestKeyFilesThatOthersCanRead(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		return // has no modes
	}
	s := open(t, Plan{})
	for _, f := range keyFiles(filepath.Join(s.cfg.Dir, "keys")) {
		if err := os.Chmod(filepath.Join(s.cfg.Dir, "keys", f), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.publisher().Publish(t.Context(), Request{})
	if err == nil || !strings.Contains(err.Error(), "others on this computer can read") || !strings.HasPrefix(hint(t, err), "chmod 600 ") {
		t.Error(err)
	}
}

// A feed that was forgotten for so long that everything but the root has expired is mended by publishing.
func TestExpired(t *testing.T) {
	t.Parallel()
	s := &shop{t: t}
	*s = *open(t, Plan{Lifetimes: map[string]time.Duration{"root": 3650 * day}})
	s.back = 0
	st, err := s.publisher().Status(t.Context())
	if err != nil || len(st.Notes) > 0 {
		t.Fatalf("%v, %v", st.Notes, err)
	}
	later := time.Now().Add(200 * day)
	s.cfg.Now = func() time.Time { return later }
	st, err = s.publisher().Status(t.Context())
	if err != nil || len(st.Notes) != 4 || !strings.Contains(strings.Join(st.Notes, " "), "role timestamp expired on") {
		t.Fatalf("%q, %v", st.Notes, err)
	}
	out := s.publish(Request{})
	if diff := cmp.Diff([]string{"targets", "org", "snapshot", "timestamp"}, out.Signed); diff != "" {
		t.Error(diff)
	}
	if out.Notes != nil {
		t.Error(out.Notes)
	}
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	s := open(t, Plan{})
	s.put("campaigns/a.yml", "broken, and not looked at")
	s.asked = nil
	out, err := s.publisher().Refresh(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"timestamp"}, out.Signed); diff != "" || len(s.asked) != 1 {
		t.Error(diff, s.asked)
	}
	s.wantFiles(s.reader(), map[string]string{})
}
