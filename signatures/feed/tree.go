package feed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

var errDamaged = errors.New("not what was signed: damaged on this disk")

// A tree is a set of files that was proven, with its proof.
type tree struct {
	id       string // names the proof
	content  string // names the files
	previous string // the tree with other files that was in use before

	version     int64                // of timestamp.json
	roles       map[string]time.Time // when each expires
	expires     time.Time
	expiresRole string

	entries []entry
	files   *treeFS
	raw     map[string][]byte // by role, root included
}

// newTree makes a tree of a whole proof that began with this root.
func (d disk) newTree(pr *proof, root []byte) (*tree, error) {
	raw := maps.Clone(pr.raw)
	raw["root"] = root
	for role := range pr.set.Targets {
		if raw[role] == nil {
			return nil, fmt.Errorf("the bytes of role %s were not kept", role)
		}
	}
	if raw["timestamp"] == nil || raw["snapshot"] == nil {
		return nil, errors.New("the bytes of timestamp or snapshot were not kept")
	}
	proofs, content := sha256.New(), sha256.New()
	for _, role := range slices.Sorted(maps.Keys(raw)) {
		fmt.Fprintf(proofs, "%s %d\n", role, len(raw[role]))
		proofs.Write(raw[role])
	}
	for _, e := range pr.entries {
		fmt.Fprintf(content, "%s %s %d\n", e.path, e.hash, e.size)
	}
	t := &tree{
		content: fmt.Sprintf("%x", content.Sum(nil)),
		version: pr.set.Timestamp.Signed.Version,
		entries: pr.entries,
		files:   newTreeFS(d.path("targets"), pr.entries),
		raw:     raw,
	}
	t.id = fmt.Sprintf("%d-%x", t.version, proofs.Sum(nil)[:8])
	if !treeName.MatchString(t.id) {
		return nil, fmt.Errorf("timestamp.json has version %d", t.version)
	}
	t.roles = expiries(pr)
	for _, role := range slices.Sorted(maps.Keys(t.roles)) {
		if at := t.roles[role]; t.expiresRole == "" || at.Before(t.expires) {
			t.expires, t.expiresRole = at, role
		}
	}
	return t, nil
}

// expiries returns when each role expires.
func expiries(pr *proof) map[string]time.Time {
	at := map[string]time.Time{
		metadata.ROOT:      pr.set.Root.Signed.Expires,
		metadata.TIMESTAMP: pr.set.Timestamp.Signed.Expires,
		metadata.SNAPSHOT:  pr.set.Snapshot.Signed.Expires,
	}
	for name, m := range pr.set.Targets {
		at[name] = m.Signed.Expires
	}
	return at
}

// openTree proves a tree on disk: its metadata from the pinned root, its files by their hashes.
func (f *Feed) openTree(id string) (*tree, error) {
	dir := "trees/" + id
	limit := f.cfg.Limits.Metadata
	own, err := f.disk.read(dir+"/root.json", limit)
	if err != nil {
		return nil, err
	}
	chain, err := f.chain()
	if err != nil {
		return nil, err
	}
	// A newer root may have replaced keys since this tree was accepted. That does not make its files bad: it is proven
	// with the root of its time, if the chain holds that.
	root := chain.newest()
	if chain.holds(own) {
		root = own
	}
	pr, err := prover{limits: f.cfg.Limits, fetcher: nowhere{}, local: localRoles(f.disk.path(dir), limit), dir: f.disk.path(dir)}.
		offline(root)
	if err != nil {
		return nil, err
	}
	t, err := f.disk.newTree(pr, own)
	if err != nil {
		return nil, err
	}
	if t.id != id {
		return nil, errDamaged
	}
	return t, t.files.check()
}

// chain reads the roots that were verified before, and verifies them again.
func (f *Feed) chain() (*chain, error) {
	c, err := newChain(f.cfg.Root)
	if err != nil {
		return nil, err
	}
	for {
		data, err := f.disk.read(rootName(c.version()+1), f.cfg.Limits.Metadata)
		if err != nil || c.add(data) != nil { // the rest is fetched again
			return c, nil
		}
	}
}

func rootName(version int64) string { return fmt.Sprintf("metadata/%d.root.json", version) }

// reload takes the tree that the pointer names, when that is another one than in memory, and reports whether it did. A
// tree that can't be proven any more, or not rehearsed by a new engine, gives way to the one before it, or to none.
func (f *Feed) reload(ctx context.Context) (bool, error) {
	data, err := f.disk.read("current", maxPointer)
	if err != nil {
		return false, nil // nothing was accepted yet
	}
	p, err := parsePointer(data)
	if err != nil {
		return false, err
	}
	f.mu.Lock()
	now, bad := f.tree, f.bad
	f.mu.Unlock()
	if now != nil && now.id == p.tree || bad == p.tree {
		return false, nil
	}
	saved := f.disk.readSaved()
	t, err := f.openTree(p.tree)
	if err == nil {
		err = f.again(ctx, t, &saved)
	}
	if err != nil {
		f.mu.Lock()
		f.bad = p.tree
		f.mu.Unlock()
	}
	if err != nil && now == nil && p.previous != "" {
		if old, oldErr := f.openTree(p.previous); oldErr == nil && f.again(ctx, old, &saved) == nil {
			t, err = old, fmt.Errorf("the files before the last update are used, as the last ones can't be: %w", err)
			f.use(t, saved)
			return true, err
		}
	}
	if err != nil {
		return false, fmt.Errorf("use the feed that was kept: %w", err)
	}
	t.previous = p.previous
	f.use(t, saved)
	return true, nil
}

// again rehearses a tree from disk if that was not done with this engine.
func (f *Feed) again(ctx context.Context, t *tree, s *saved) error {
	if f.cfg.Rehearse == nil || s.Content == t.content && s.Engine == f.cfg.Engine {
		return nil
	}
	if err := f.rehearse(ctx, t); err != nil {
		return err
	}
	s.Content, s.Engine = t.content, f.cfg.Engine
	return nil
}

func (f *Feed) use(t *tree, s saved) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tree, f.saved = t, s
}

// stage writes a tree's proof, still unproven by its name.
func (d disk) stage(t *tree) error {
	dir := "trees/" + t.id + unproven
	if err := d.remove(dir); err != nil {
		return err
	}
	if err := d.mkdir(dir); err != nil {
		return err
	}
	for _, role := range slices.Sorted(maps.Keys(t.raw)) {
		if err := d.write(dir+"/"+role+".json", t.raw[role]); err != nil {
			return err
		}
	}
	return nil
}

// commit makes a staged tree the one in use. The last rename is the moment of change.
func (d disk) commit(t *tree, old *tree) error {
	dir := "trees/" + t.id
	if err := d.remove(dir); err != nil { // left by a process that died before the last rename
		return err
	}
	if err := d.rename(dir+unproven, dir); err != nil {
		return err
	}
	if old != nil {
		if t.previous = old.id; t.content == old.content {
			t.previous = old.previous
		}
	}
	p := pointer{tree: t.id, previous: t.previous}
	err := d.write("current", []byte(p.String()))
	if err != nil && d.pointer() == p {
		return nil // it was renamed; only that this will outlast a power cut is not sure
	}
	return err
}

// pointer returns what the file current says; nothing if it is missing or damaged.
func (d disk) pointer() pointer {
	data, err := d.read("current", maxPointer)
	if err != nil {
		return pointer{}
	}
	p, _ := parsePointer(data)
	return p
}

// sweep removes what the tree in use (nil: none), the one before it and the one that is on its way do not need.
func (f *Feed) sweep(t *tree) error {
	hashes := map[string]bool{}
	for _, hash := range f.wanted {
		hashes[hash] = true
	}
	p := f.disk.pointer()
	keep := []string{p.tree, p.previous}
	if t != nil {
		keep = append(keep, t.id, t.previous)
	}
	for _, id := range keep {
		for _, hash := range f.hashesOf(id) {
			hashes[hash] = true
		}
	}
	return f.disk.collect(keep, hashes)
}

// hashesOf lists the files of a tree on disk, without proving it: it only says what may stay.
func (f *Feed) hashesOf(id string) []string {
	if id == "" {
		return nil
	}
	var hashes []string
	for _, e := range f.disk.list("trees/" + id) {
		data, err := f.disk.read("trees/"+id+"/"+e.Name(), f.cfg.Limits.Metadata)
		if err != nil {
			continue
		}
		var m metadata.Metadata[metadata.TargetsType]
		if _, err := m.FromBytes(bytes.TrimSpace(data)); err != nil {
			continue // another type
		}
		for _, target := range m.Signed.Targets {
			if target != nil {
				hashes = append(hashes, fmt.Sprintf("%x", []byte(target.Hashes["sha256"])))
			}
		}
	}
	return hashes
}
