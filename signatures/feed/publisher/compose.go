package publisher

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// compose signs what is new in the draft, and gives the changes below public/ in the order in which they are to be
// written.
func (p *Publisher) compose(ctx context.Context, r *repository, d *draft) ([]change, error) {
	d.next, d.bytes = *r, map[string][]byte{}
	if err := p.signTargets(ctx, r, d); err != nil {
		return nil, err
	}
	if err := p.signOrg(ctx, r, d); err != nil {
		return nil, err
	}
	if err := p.signSnapshot(ctx, r, d); err != nil {
		return nil, err
	}
	if err := p.signTimestamp(ctx, r, d); err != nil {
		return nil, err
	}
	changes := append(d.targetFiles(roleTargets), d.targetFiles(roleOrg)...)
	for _, role := range []string{roleTargets, roleOrg, roleSnapshot} {
		if d.bytes[role] != nil {
			changes = append(changes, d.metadataFile(role, d.next.versions()[role]))
		}
	}
	timestamp := change{path.Join(metadataName, "timestamp.json"), d.bytes[roleTimestamp]}
	if d.staged == nil {
		return append(changes, timestamp), nil
	}
	root := change{path.Join(metadataName, numbered(d.root.Signed.Version, roleRoot)), d.staged}
	d.next.before, d.next.root = r.root, d.root
	d.signed = append(d.signed, roleRoot)
	if d.heldBy(r.root) {
		return append(changes, timestamp, root), nil
	}
	// An old key is lost: nothing can be signed by old and new. Clients that ask between the two writes find metadata
	// of the old keys under the new root, keep what they have, and ask again.
	return append(append(changes, root), timestamp), nil
}

// heldBy reports whether what is next is signed well enough for clients that know only this root.
func (d *draft) heldBy(root *rootMeta) bool {
	return root.VerifyDelegate(roleTargets, d.next.targets) == nil && root.VerifyDelegate(roleSnapshot, d.next.snapshot) == nil &&
		root.VerifyDelegate(roleTimestamp, d.next.timestamp) == nil
}

// targetFiles are the files of a role that is signed anew.
func (d *draft) targetFiles(role string) (changes []change) {
	for _, name := range slices.Sorted(maps.Keys(d.files[role])) {
		if at, err := stored(name, d.files[role][name]); err == nil {
			changes = append(changes, change{at, d.data[name]})
		}
	}
	return changes
}

func (d *draft) metadataFile(role string, version int64) change {
	return change{path.Join(metadataName, numbered(version, role)), d.bytes[role]}
}

// nextVersion is the first number after the current one that no file has: what a publisher that was cut off left
// is never written over, since a mirror may have copied it.
func (p *Publisher) nextVersion(role string, current int64) int64 {
	for v := current + 1; ; v++ {
		if _, err := os.Lstat(p.path(publicName, metadataName, numbered(v, role))); errors.Is(err, fs.ErrNotExist) || v > current+1000 {
			return v
		}
	}
}

// clone copies metadata, with what this program does not know of it.
func clone[T metadata.Roles](m *metadata.Metadata[T]) (*metadata.Metadata[T], error) {
	data, err := m.ToBytes(false)
	if err != nil {
		return nil, err
	}
	return new(metadata.Metadata[T]).FromBytes(data)
}

// signAs signs metadata for a role. While the role's keys change, the old and the new ones sign.
func signAs[T metadata.Roles](ctx context.Context, p *Publisher, d *draft, r *repository, role string, m *metadata.Metadata[T]) error {
	ids, threshold := keysOf(role, d.root, d.next.targets)
	all := slices.Clone(ids)
	before, _ := keysOf(role, r.root, r.targets)
	for _, id := range before {
		if !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	keys, err := p.signers(ctx, all, []string{p.path("keys")})
	if err != nil {
		return err
	}
	data, err := sign(m, keys)
	if err != nil {
		return err
	}
	if role == roleOrg {
		err = d.next.targets.VerifyDelegate(role, m)
	} else {
		err = d.root.VerifyDelegate(role, m)
	}
	if err != nil {
		if !p.has(ids, threshold) {
			return p.lacking(role, ids, threshold)
		}
		return fmt.Errorf("the new signature of role %s does not verify: %w", role, err)
	}
	d.bytes[role] = data
	d.signed = append(d.signed, role)
	return nil
}

func (p *Publisher) signTargets(ctx context.Context, r *repository, d *draft) error {
	files := d.files[roleTargets]
	if files == nil && d.delegations == nil && d.root.VerifyDelegate(roleTargets, r.targets) == nil {
		return nil
	}
	m, err := clone(r.targets)
	if err != nil {
		return err
	}
	lifetime, err := p.settings.lifetime(roleTargets)
	if err != nil {
		return err
	}
	m.Signed.Version = p.nextVersion(roleTargets, r.targets.Signed.Version)
	m.Signed.Expires = p.cfg.now().Add(lifetime)
	if files != nil {
		m.Signed.Targets = files
	}
	if d.delegations != nil {
		m.Signed.Delegations = d.delegations
	}
	if err := signAs(ctx, p, d, r, roleTargets, m); err != nil {
		return err
	}
	d.next.targets = m
	return nil
}

func (p *Publisher) signOrg(ctx context.Context, r *repository, d *draft) error {
	if d.bytes == nil {
		d.bytes = map[string][]byte{}
	}
	newest, notes, err := p.newestOrg(ctx, r, d.next.targets)
	if err != nil {
		return err
	}
	d.notes = append(d.notes, notes...)
	files := d.files[roleOrg]
	if files == nil {
		d.next.org = newest
		if err := d.next.targets.VerifyDelegate(roleOrg, newest); err == nil {
			return nil
		}
		files = newest.Signed.Targets // its keys have changed
	}
	m, err := clone(newest)
	if err != nil {
		return err
	}
	lifetime, err := p.settings.lifetime(roleOrg)
	if err != nil {
		return err
	}
	m.Signed.Version = p.nextVersion(roleOrg, newest.Signed.Version)
	m.Signed.Expires = p.cfg.now().Add(lifetime)
	m.Signed.Targets = files
	if err := signAs(ctx, p, d, r, roleOrg, m); err != nil {
		return err
	}
	d.next.org = m
	return nil
}

// entry is what a snapshot says of metadata, or the timestamp of the snapshot: lengths and hashes too, so that a mirror
// cannot feed a client more than there is.
func (p *Publisher) entry(role string, version int64, data []byte) (*metadata.MetaFiles, error) {
	if data == nil {
		var err error
		if data, err = p.readMetadata(numbered(version, role)); err != nil {
			return nil, err
		}
	}
	t, err := describe(role, data)
	if err != nil {
		return nil, err
	}
	return &metadata.MetaFiles{Version: version, Length: t.Length, Hashes: t.Hashes}, nil
}

func (p *Publisher) signSnapshot(ctx context.Context, r *repository, d *draft) error {
	lifetime, err := p.settings.lifetime(roleSnapshot)
	if err != nil {
		return err
	}
	late := r.snapshot.Signed.Expires.Sub(p.cfg.now()) < lifetime/2
	if d.next.targets == r.targets && d.next.org == r.org && !late && d.root.VerifyDelegate(roleSnapshot, r.snapshot) == nil {
		return nil
	}
	m, err := clone(r.snapshot)
	if err != nil {
		return err
	}
	m.Signed.Version = p.nextVersion(roleSnapshot, r.snapshot.Signed.Version)
	m.Signed.Expires = p.cfg.now().Add(lifetime)
	for role, version := range map[string]int64{roleTargets: d.next.targets.Signed.Version, roleOrg: d.next.org.Signed.Version} {
		if m.Signed.Meta[role+".json"], err = p.entry(role, version, d.bytes[role]); err != nil {
			return err
		}
	}
	if err := signAs(ctx, p, d, r, roleSnapshot, m); err != nil {
		return err
	}
	d.next.snapshot = m
	return nil
}

func (p *Publisher) signTimestamp(ctx context.Context, r *repository, d *draft) error {
	lifetime, err := p.settings.lifetime(roleTimestamp)
	if err != nil {
		return err
	}
	m, err := clone(r.timestamp)
	if err != nil {
		return err
	}
	m.Signed.Version++
	m.Signed.Expires = p.cfg.now().Add(lifetime)
	version := d.next.snapshot.Signed.Version
	if m.Signed.Meta["snapshot.json"], err = p.entry(roleSnapshot, version, d.bytes[roleSnapshot]); err != nil {
		return err
	}
	if err := signAs(ctx, p, d, r, roleTimestamp, m); err != nil {
		return err
	}
	d.next.timestamp = m
	return nil
}
