package feed

import (
	"errors"
	"testing"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

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
