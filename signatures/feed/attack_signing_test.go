package feed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// The attacks of this file are those on signatures, versions and time. In each the attacker controls the mirror; what else
// he has is said there. The agent must keep what it has, and work again when the attack ends.

func (r *repo) change() {
	r.put("version.txt", fmt.Sprintf("after %d\n", r.timestamp.Signed.Version))
	r.publish()
}

func TestAttackUnsigned(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"timestamp.json", "2.snapshot.json", "2.targets.json", "2.org.json"} {
		r := newRepo(t)
		f := r.client()
		r.change()
		honest := r.save()
		data := string(r.files["metadata/"+name])
		i := strings.Index(data, `"signatures":[`)
		r.files["metadata/"+name] = []byte(data[:i] + `"signatures":[]` + data[strings.Index(data[i:], "]")+i+1:])
		if err := r.wantKept(f); !errors.Is(err, &metadata.ErrUnsignedMetadata{}) {
			t.Errorf("%s: %v", name, err)
		}
		r.files = honest
		r.wantUpdate(f)
	}
}

func TestAttackUnknownKey(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"timestamp", "snapshot", "targets", "org"} {
		r := newRepo(t)
		f := r.client()
		r.keys[role] = []signature.Signer{newKey(t)}
		r.change()
		if err := r.wantKept(f, "not signed by the keys"); !errors.Is(err, &metadata.ErrUnsignedMetadata{}) {
			t.Errorf("%s: %v", role, err)
		}
	}
}

// The thief has the old key of a role that the root replaced.
func TestAttackRevokedKey(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"timestamp", "snapshot", "targets"} {
		r := newRepo(t)
		f := r.client()
		stolen := r.rotate(role)
		r.signRoot()
		r.change()
		r.wantUpdate(f)
		right := r.keys[role]
		r.keys[role] = []signature.Signer{stolen}
		r.change()
		if err := r.wantKept(f); !errors.Is(err, &metadata.ErrUnsignedMetadata{}) {
			t.Errorf("%s: %v", role, err)
		}
		r.keys[role] = right
		r.change()
		r.wantUpdate(f)
	}
}

// The thief has one of two keys.
func TestAttackTooFewKeys(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"root", "timestamp", "snapshot", "targets"} {
		r := newRepo(t)
		if role != "root" {
			r.addKey(role, newKey(t))
			r.root.Signed.Roles[role].Threshold = 2
			r.signRoot()
			r.change()
		}
		f := r.client()
		r.keys[role] = r.keys[role][:1]
		if role == "root" {
			r.rotate("targets")
			r.signRoot()
		}
		r.change()
		if err := r.wantKept(f, "got 1, want 2"); !errors.Is(err, &metadata.ErrUnsignedMetadata{}) {
			t.Errorf("%s: %v", role, err)
		}
	}
}

// One key is named twice, or signs twice, to count for two.
func TestAttackOneKeyCountedTwice(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.root.Signed.Roles["timestamp"].Threshold = 2
	r.root.Signed.Roles["timestamp"].KeyIDs = append(r.root.Signed.Roles["timestamp"].KeyIDs, r.root.Signed.Roles["timestamp"].KeyIDs[0])
	r.signRoot()
	r.change()
	f := r.open()
	r.wantKept(f)
	_, err := r.timestamp.Sign(r.keys["timestamp"][0])
	check(t, err)
	r.files["metadata/timestamp.json"], err = r.timestamp.ToBytes(false)
	check(t, err)
	r.wantKept(f)
}

func TestAttackTimestampRollback(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	old := r.save()
	r.change()
	f := r.client()
	now := r.files
	r.files = old
	if err := r.wantKept(f, "tries to turn the feed back"); !errors.Is(err, &metadata.ErrBadVersionNumber{}) {
		t.Error(err)
	}
	r.files = now
	if _, err := f.Update(t.Context()); err != nil {
		t.Errorf("after the attack: %v", err)
	}
}

// The thief has the timestamp key: a newer timestamp that names the old snapshot.
func TestAttackSnapshotRollback(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.change()
	f := r.client()
	r.timestamp.Signed.Meta["snapshot.json"] = metadata.MetaFile(1)
	r.signTimestamp()
	if err := r.wantKept(f, "snapshot"); !errors.Is(err, &metadata.ErrBadVersionNumber{}) {
		t.Error(err)
	}
}

// The thief has the keys of timestamp and snapshot: a newer snapshot that names the old targets.
func TestAttackTargetsRollback(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"targets.json", "org.json"} {
		r := newRepo(t)
		r.change()
		f := r.client()
		r.snapshot.Signed.Version++
		r.snapshot.Signed.Meta[role] = metadata.MetaFile(1)
		store(r, number(r.snapshot.Signed.Version)+".snapshot.json", r.snapshot, r.keys["snapshot"]...)
		r.timestamp.Signed.Meta["snapshot.json"] = metadata.MetaFile(r.snapshot.Signed.Version)
		r.signTimestamp()
		if err := r.wantKept(f, role); !errors.Is(err, &metadata.ErrBadVersionNumber{}) {
			t.Errorf("%s: %v", role, err)
		}
	}
}

// The newest root is offered under a later number, and an old root under the next one.
func TestAttackRootRollback(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.rotate("timestamp")
	r.signRoot()
	r.change()
	f := r.client()
	for _, old := range []string{"metadata/1.root.json", "metadata/2.root.json"} {
		r.files["metadata/3.root.json"] = r.files[old]
		if err := r.wantKept(f, "expected 3"); !errors.Is(err, &metadata.ErrBadVersionNumber{}) {
			t.Errorf("%s: %v", old, err)
		}
		if v := f.State().RootVersion; v != 2 {
			t.Errorf("root version %d", v)
		}
	}
}

// The mirror stands still. Nobody can tell that from a publisher without news, until the timestamp expires.
func TestAttackFreeze(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	f := r.client()
	frozen := r.save()
	r.change()
	honest := r.save()
	r.files = frozen
	r.time = r.time.Add(47 * time.Hour)
	if u, err := f.Update(t.Context()); err != nil || u.Changed {
		t.Fatalf("before the expiry: %+v, %v", u, err)
	}
	r.time = r.time.Add(2 * time.Hour)
	if err := r.wantKept(f, "stands still"); !errors.Is(err, &metadata.ErrExpiredMetadata{}) {
		t.Error(err)
	}
	if s := f.State(); !s.Expired || !s.Stale || s.ExpiresRole != "timestamp" || s.Version != 1 {
		t.Errorf("state: %+v", s)
	}
	r.files = honest
	r.timestamp.Signed.Expires = r.in(2)
	r.signTimestamp()
	r.wantUpdate(f)
	if s := f.State(); s.Expired || s.Stale {
		t.Errorf("state after the attack: %+v", s)
	}
}

// Parts of two versions are put together: each signed properly, never published together.
func TestAttackMixAndMatch(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"snapshot", "targets", "org"} {
		r := newRepo(t)
		f := r.client()
		r.change()
		r.files["metadata/2."+role+".json"] = r.files["metadata/1."+role+".json"]
		r.wantKept(f, "don't belong together")
	}
	r := newRepo(t)
	f := r.client()
	r.change()
	r.files[hashed("version.txt", r.content["version.txt"])] = r.files[hashed("version.txt", "2026.11.01\n")]
	r.wantKept(f, "not what was signed")
}

// The thief has the keys of timestamp and snapshot, and signs versions so high that nothing newer can come. The admin
// replaces the keys, and goes on with the usual versions.
func TestAttackFastForwardAndRecovery(t *testing.T) {
	t.Parallel()
	for _, replace := range [][]string{{"timestamp", "snapshot"}, {"timestamp"}, {"snapshot"}} {
		r := newRepo(t)
		f := r.client()
		timestamp, snapshot := r.timestamp.Signed.Version, r.snapshot.Signed.Version
		r.timestamp.Signed.Version, r.snapshot.Signed.Version = 1<<50, 1<<50
		r.signSnapshot()
		if u, err := f.Update(t.Context()); err != nil || u.Changed || u.Version != 1<<50+1 {
			t.Fatalf("fast-forward: %+v, %v", u, err)
		}
		r.timestamp.Signed.Version, r.snapshot.Signed.Version = timestamp, snapshot
		r.change()
		r.wantKept(f, "older files")
		for _, role := range replace {
			r.rotate(role)
		}
		r.signRoot()
		r.change()
		r.wantUpdate(f)
		if v := f.State().Version; v != timestamp+2 {
			t.Errorf("%v replaced: version %d", replace, v)
		}
	}
}

func TestRootRotation(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	early, late := r.client(), r.open()
	r.addKey("root", newKey(t)) // 2: a third key, and all three are needed
	r.root.Signed.Roles["root"].Threshold = 3
	r.signRoot()
	lost := r.dropKey("root", 0) // 3: the first key is taken back, two of two
	r.root.Signed.Roles["root"].Threshold = 2
	r.signRoot(lost)
	for range 5 { // 4 to 8: all other keys, one after the other
		r.rotate("targets")
		r.rotate("timestamp")
		r.rotate("snapshot")
		r.signRoot()
	}
	r.change()
	r.wantUpdate(early)
	r.wantUpdate(late)
	if v := late.State().RootVersion; v != 8 {
		t.Errorf("root version %d", v)
	}
	again, err := Open(late.cfg)
	check(t, err)
	wantFiles(t, again, r.content)

	// The key that was taken back, with one that is good, can't sign the next one.
	good := r.keys["root"]
	r.keys["root"] = []signature.Signer{lost, good[0]}
	r.signRoot()
	r.change()
	r.wantKept(early, "got 1, want 2")

	// The admin pins the newest root on a new machine.
	delete(r.files, "metadata/9.root.json")
	r.pinned = r.files["metadata/8.root.json"]
	r.client()
}

// More roots than are followed in one update: each update comes a bit farther.
func TestAttackEndlessRoots(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	for range 9 {
		r.rotate("timestamp")
		r.signRoot()
	}
	r.change()
	f := r.open(func(c *Config) { c.Limits.Roots = 4 })
	for _, version := range []int64{5, 9} {
		r.wantKept(f)
		if v := f.State().RootVersion; v != version {
			t.Fatalf("root version %d; want %d", v, version)
		}
	}
	r.wantUpdate(f)
}

func TestAttackExpiredRoles(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"root", "timestamp", "snapshot", "targets", "org"} {
		r := newRepo(t)
		f := r.client()
		yesterday := r.in(-1)
		switch role {
		case "root":
			r.root.Signed.Expires = yesterday
			r.signRoot()
		case "timestamp":
			r.timestamp.Signed.Expires = yesterday
		case "snapshot":
			r.snapshot.Signed.Expires = yesterday
		case "targets":
			r.targets.Signed.Expires = yesterday
		case "org":
			r.org.Signed.Expires = yesterday
		}
		r.change()
		if err := r.wantKept(f, "expired", role); !errors.Is(err, &metadata.ErrExpiredMetadata{}) {
			t.Errorf("%s: %v", role, err)
		}
		fresh := r.open()
		if _, err := fresh.Update(t.Context()); !errors.Is(err, &metadata.ErrExpiredMetadata{}) {
			t.Errorf("%s, first update: %v", role, err)
		}
	}
}

// Every role expires in turn while the mirror is gone: the files stay in use, also after a restart.
func TestExpiredFilesAreStillUsed(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	f := r.client()
	r.answer = serveNothing
	for _, days := range []int{1, 3, 10, 100, 400, 4000} {
		r.time = r.time.AddDate(0, 0, days)
		r.wantKept(f)
		if s := f.State(); s.Expired != (days > 2) || s.Stale != (days > 2) {
			t.Errorf("after %d days: %+v", days, s)
		}
	}
}

// A clock that was wrong when the feed came or was looked at does no lasting harm.
func TestClock(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	f := r.client()
	right := r.time
	for _, wrong := range []time.Time{{}, time.Unix(0, 0), right.AddDate(-5, 0, 0), right.AddDate(20, 0, 0)} {
		r.time = wrong
		_, err := f.Update(t.Context())
		if late := wrong.After(right); (err != nil) != late || late && !strings.Contains(err.Error(), "clock") {
			t.Errorf("%v: %v", wrong, err)
		}
		again, err := Open(f.cfg)
		check(t, err)
		wantFiles(t, again, r.content)
		again.State()
		r.time = right
		r.put("version.txt", wrong.String())
		r.publish()
		r.wantUpdate(f)
	}
}

// The thief has the delegated role's key, and signs rules that are none of its business.
func TestAttackDelegatedRoleOutsideItsPaths(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	f := r.client()
	r.fill(r.targets, func(name string) bool { return !strings.HasPrefix(name, "org/") })
	for _, name := range []string{"version.txt", "decisions.yml", "campaigns/first.yml", "campaigns/evil.yml", "org/a/b/c.yml", "../evil"} {
		r.target(r.org, name, "evil")
	}
	r.target(r.org, "org/decisions.yml", "fine")
	r.sign()
	r.put("org/decisions.yml", "fine")
	u := r.wantUpdate(f)
	if diff := cmp.Diff([]string{"../evil", "campaigns/evil.yml", "decisions.yml", "org/a/b/c.yml"}, u.Ignored); diff != "" {
		t.Errorf("ignored (-want +got):\n%s", diff)
	}
}

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
	r := newRepo(t)
	var slow bool
	stop := make(chan struct{})
	defer close(stop)
	rehearsals := 0
	f := r.client(func(c *Config) {
		c.Limits.Rehearsal = 20 * time.Millisecond
		c.Rehearse = func(context.Context, fs.FS) error {
			rehearsals++
			if slow {
				<-stop // it does not even look at its context
			}
			return nil
		}
	})
	slow = true
	r.change()
	for range 3 {
		if err := r.wantKept(f, "too long"); !errors.Is(err, ErrRefused) {
			t.Fatal(err)
		}
	}
	if rehearsals != 2 {
		t.Errorf("%d rehearsals", rehearsals)
	}
	slow = false
	r.time = r.time.Add(retrySlow) // the machine may have been busy
	r.wantUpdate(f)
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
