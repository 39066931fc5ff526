package publisher

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// A Rotation is a change of a role's keys.
type Rotation struct {
	Role string
	// Keys are the IDs, or their beginnings, of the keys that go; empty: all of the role's keys. A new key takes the place
	// of each.
	Keys      []string
	Drop      bool     // no new key takes the place of Keys
	Add       int      // so many new keys besides
	Threshold int      // 0: as it was
	URIs      []string // addresses of the new keys in a KMS; new ones are made for the rest
	Folder    string   // where the new keys are put; "": keys/, and Config.RootKeys for the root's
	Renew     bool     // no key changes: the root is signed anew, with a new expiry
}

// Rotate changes the keys of a role. All but org's are named by the root, which needs root keys: those in
// Config.RootKeys sign. When these are too few, the new root waits in staged/ for Sign. Published.Waiting then says
// for what.
func (p *Publisher) Rotate(ctx context.Context, q Rotation) (Published, error) {
	return p.locked(func() (Published, error) {
		st, r, d, err := p.begin(ctx)
		if err != nil {
			return Published{}, err
		}
		if waiting, err := p.waiting(r); err != nil || waiting != nil {
			return Published{}, errors.Join(err, refuse("sign it with 'extwatch feed sign', or drop it with 'extwatch feed sign --discard'",
				"a new root waits for signatures already"))
		}
		if r.before != nil {
			return Published{}, refuse("run 'extwatch feed publish' first", "the last change of keys was interrupted")
		}
		if q.Role == roleOrg {
			return p.rotateOrg(ctx, st, r, d, q)
		}
		return p.rotateRoot(ctx, st, r, d, q)
	})
}

// Sign signs the root in staged/ with the keys in Config.RootKeys, and publishes it when it has all that it needs.
func (p *Publisher) Sign(ctx context.Context) (Published, error) {
	return p.locked(func() (Published, error) {
		st, r, d, err := p.begin(ctx)
		if err != nil {
			return Published{}, err
		}
		next, err := p.waiting(r)
		if err != nil {
			return Published{}, err
		}
		if next == nil && d.staged == nil {
			return Published{}, refuse("'extwatch feed rotate' makes one", "there is no root to sign")
		}
		if next != nil {
			if err := p.signRoot(ctx, r, next); err != nil {
				return Published{}, err
			}
		}
		return p.conclude(ctx, st, r, d, nil)
	})
}

// Discard drops the root in staged/, and the keys in keys/ that were made for it.
func (p *Publisher) Discard() error {
	_, err := p.locked(func() (Published, error) {
		r, err := p.read()
		if err != nil {
			return Published{}, err
		}
		return Published{}, p.unstage(r)
	})
	return err
}

// begin reads what Rotate and Sign start from.
func (p *Publisher) begin(ctx context.Context) (state, *repository, *draft, error) {
	st, err := p.readState()
	if err != nil {
		return st, nil, nil, err
	}
	r, err := p.read()
	if err != nil {
		return st, nil, nil, err
	}
	d := &draft{root: r.root, refresh: true}
	return st, r, d, errors.Join(p.guard(ctx, st, r, false), p.loadStaged(r, d))
}

// pick says which of a role's keys go, and how many new ones come.
func (q Rotation) pick(ids []string) (gone []string, fresh int, err error) {
	if q.Renew {
		return nil, 0, nil
	}
	if len(q.Keys) == 0 && q.Add == 0 && q.Threshold == 0 && !q.Drop {
		return ids, len(ids), nil
	}
	for _, want := range q.Keys {
		var found []string
		for _, id := range ids {
			if strings.HasPrefix(id, want) || keyName(q.Role, id) == want {
				found = append(found, id)
			}
		}
		if len(found) != 1 || len(want) < 4 {
			return nil, 0, refuse("'extwatch feed status' lists the keys", "%q does not name one key of role %s", want, q.Role)
		}
		gone = append(gone, found[0])
	}
	fresh = q.Add
	if !q.Drop {
		fresh += len(gone)
	}
	return gone, fresh, nil
}

// change makes the new keys and tells what the role has then.
func (p *Publisher) newKeys(ctx context.Context, q Rotation, ids []string, threshold int) (gone []string, keys []*newKey, n int, err error) {
	gone, fresh, err := q.pick(ids)
	if err != nil {
		return nil, nil, 0, err
	}
	if n = q.Threshold; n == 0 {
		n = threshold
	}
	if left := len(ids) - len(gone) + fresh; n < 1 || n > left || left > maxKeys || len(q.URIs) > fresh {
		return nil, nil, 0, refuse("change --threshold too, or the number of keys", "role %s cannot have %d keys of which %d sign", q.Role, left, n)
	}
	if q.Role == roleRoot && fresh > 0 && q.Folder == "" {
		if err := apart(p.cfg.RootKeys, p.cfg.Dir); err != nil {
			return nil, nil, 0, err
		}
	}
	for i := range fresh {
		uri, label := "", q.Role
		if i < len(q.URIs) {
			uri = q.URIs[i]
		}
		if fresh > 1 {
			label = fmt.Sprintf("%s %d of %d", q.Role, i+1, fresh)
		}
		k, err := p.makeKey(ctx, q.Role, label, uri)
		if err != nil {
			return nil, nil, 0, err
		}
		keys = append(keys, k)
	}
	return gone, keys, n, nil
}

// saveKeys writes new keys and opens them for signing.
func (p *Publisher) saveKeys(q Rotation, keys []*newKey) (files []string, err error) {
	for i, k := range keys {
		folder := q.Folder
		if folder == "" {
			folder = p.keyFolder(q.Role, "", i)
		}
		if err := k.save(folder); err != nil {
			return nil, err
		}
		files = append(files, filepath.Join(folder, k.file))
		p.keys[k.signer.id] = k.signer
	}
	return files, nil
}

func (p *Publisher) rotateRoot(ctx context.Context, st state, r *repository, d *draft, q Rotation) (Published, error) {
	ids, threshold := keysOf(q.Role, r.root, r.targets)
	if threshold == 0 {
		return Published{}, refuse("the roles are root, targets, org, snapshot, timestamp", "there is no role %q", q.Role)
	}
	if len(p.cfg.RootKeys) == 0 {
		return Published{}, refuse("bring the sticks and name their folders with --root-keys", "a change of keys is signed by the root keys")
	}
	rootIDs, _ := keysOf(roleRoot, r.root, r.targets)
	if here, err := p.signers(ctx, rootIDs, p.cfg.RootKeys); err != nil || len(here) == 0 {
		return Published{}, errors.Join(err, refuse("name the folders of the sticks with --root-keys", "no root key is in %s", strings.Join(p.cfg.RootKeys, ", ")))
	}
	gone, keys, n, err := p.newKeys(ctx, q, ids, threshold)
	if err != nil {
		return Published{}, err
	}
	next, err := clone(r.root)
	if err != nil {
		return Published{}, err
	}
	lifetime, err := p.settings.lifetime(roleRoot)
	if err != nil {
		return Published{}, err
	}
	next.ClearSignatures()
	next.Signed.Version++
	next.Signed.Expires = p.cfg.now().Add(lifetime)
	for _, id := range gone {
		if err := next.Signed.RevokeKey(id, q.Role); err != nil {
			return Published{}, fmt.Errorf("take a key away: %w", err)
		}
	}
	for _, k := range keys {
		if err := next.Signed.AddKey(k.public, q.Role); err != nil {
			return Published{}, fmt.Errorf("name a new key: %w", err)
		}
	}
	next.Signed.Roles[q.Role].Threshold = n
	files, err := p.saveKeys(q, keys)
	if err != nil {
		return Published{}, err
	}
	if err := p.signRoot(ctx, r, next); err != nil {
		return Published{}, err
	}
	return p.conclude(ctx, st, r, d, files)
}

// signRoot adds the signatures of all root keys at hand, old and new, and stages the root.
func (p *Publisher) signRoot(ctx context.Context, r *repository, next *rootMeta) error {
	ids, _ := keysOf(roleRoot, r.root, r.targets)
	more, _ := keysOf(roleRoot, next, r.targets)
	for _, id := range more {
		if !slices.Contains(ids, id) {
			ids = append(slices.Clone(ids), id)
		}
	}
	keys, err := p.signers(ctx, ids, p.cfg.RootKeys)
	if err != nil {
		return err
	}
	added := 0
	for _, k := range keys {
		if slices.ContainsFunc(next.Signatures, func(s metadata.Signature) bool { return s.KeyID == k.id }) {
			continue
		}
		if _, err := next.Sign(k); err != nil {
			return fmt.Errorf("sign the root with %s: %w", k.name, errors.Join(err, k.err))
		}
		added++
	}
	if added == 0 {
		return refuse("name the folder of another root key with --root-keys", "no key in %s can add a signature", strings.Join(p.cfg.RootKeys, ", "))
	}
	return p.stage(next)
}

// conclude publishes a staged root that has all its signatures, or says what it waits for.
func (p *Publisher) conclude(ctx context.Context, st state, r *repository, d *draft, files []string) (Published, error) {
	next, err := p.waiting(r)
	if err != nil {
		return Published{}, err
	}
	if next != nil {
		return Published{Versions: r.versions(), NewKeys: files, Waiting: lacksSignatures(r.root, next)}, nil
	}
	if err := p.loadStaged(r, d); err != nil {
		return Published{}, err
	}
	out, err := p.finish(ctx, st, r, d)
	out.NewKeys = files
	return out, err
}

// lacksSignatures says which signatures a new root needs still.
func lacksSignatures(old, next *rootMeta) string {
	oldIDs, oldNeed := keysOf(roleRoot, old, nil)
	newIDs, newNeed := keysOf(roleRoot, next, nil)
	if slices.Equal(slices.Sorted(slices.Values(oldIDs)), slices.Sorted(slices.Values(newIDs))) {
		return lacks(next, oldIDs, max(oldNeed, newNeed), "root keys")
	}
	parts := []string{lacks(next, oldIDs, oldNeed, "old root keys"), lacks(next, newIDs, newNeed, "new root keys")}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " and ")
}

// lacks says which signatures of so many of the keys are missing.
func lacks(m *rootMeta, ids []string, need int, what string) string {
	var missing []string
	for _, id := range ids {
		if slices.ContainsFunc(m.Signatures, func(s metadata.Signature) bool { return s.KeyID == id }) {
			need--
		} else {
			missing = append(missing, keyName(roleRoot, id))
		}
	}
	if need <= 0 {
		return ""
	}
	return fmt.Sprintf("%d more of the %s (%s)", need, what, strings.Join(missing, ", "))
}

func (p *Publisher) rotateOrg(ctx context.Context, st state, r *repository, d *draft, q Rotation) (Published, error) {
	if q.Renew {
		return Published{}, refuse("'extwatch feed publish' renews it", "only the root is renewed by itself")
	}
	ids, threshold := keysOf(roleOrg, r.root, r.targets)
	gone, keys, n, err := p.newKeys(ctx, q, ids, threshold)
	if err != nil {
		return Published{}, err
	}
	m, err := clone(r.targets)
	if err != nil {
		return Published{}, err
	}
	for _, k := range keys {
		if err := m.Signed.AddKey(k.public, roleOrg); err != nil {
			return Published{}, fmt.Errorf("name a new key: %w", err)
		}
	}
	for _, id := range gone {
		if err := m.Signed.RevokeKey(id, roleOrg); err != nil {
			return Published{}, fmt.Errorf("take a key away: %w", err)
		}
	}
	m.Signed.Delegations.Roles[0].Threshold = n
	d.delegations = m.Signed.Delegations
	files, err := p.saveKeys(q, keys)
	if err != nil {
		return Published{}, err
	}
	out, err := p.finish(ctx, st, r, d)
	if err != nil {
		return out, err
	}
	out.NewKeys = files
	return out, p.retire(&d.next)
}
