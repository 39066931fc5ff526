package feed

import (
	"errors"
	"fmt"
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
