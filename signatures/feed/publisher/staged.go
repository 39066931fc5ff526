package publisher

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// staged returns the root in staged/, or nil.
func (p *Publisher) staged(r *repository) (*rootMeta, []byte, error) {
	data, err := os.ReadFile(p.path(stagedName, rootName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the new root: %w", err)
	}
	m, err := metadata.Root().FromBytes(data)
	if err != nil || m.Signed.Version > r.root.Signed.Version+1 {
		return nil, nil, refuse("drop it with 'extwatch feed sign --discard'", "the root in staged/ does not follow the published one: %w", err)
	}
	if m.Signed.Version <= r.root.Signed.Version {
		return nil, nil, nil // it is shown; finish puts it away
	}
	return m, data, nil
}

// waiting returns the root in staged/ when it lacks signatures.
func (p *Publisher) waiting(r *repository) (*rootMeta, error) {
	m, data, err := p.staged(r)
	if err != nil || m == nil {
		return nil, err
	}
	if _, err := verifyRoot(r.root, data); err != nil {
		return m, nil
	}
	return nil, nil
}

// loadStaged puts a new root that has all signatures into the draft.
func (p *Publisher) loadStaged(r *repository, d *draft) error {
	m, data, err := p.staged(r)
	if err != nil || m == nil {
		return err
	}
	if next, err := verifyRoot(r.root, data); err == nil {
		d.root, d.staged = next, data
	}
	return nil
}

func (p *Publisher) stage(m *rootMeta) error {
	data, err := m.ToBytes(false)
	if err == nil {
		err = os.MkdirAll(p.path(stagedName), 0o755)
	}
	if err == nil {
		err = replace(p.path(stagedName, rootName), data, 0o644)
	}
	if err != nil {
		return fmt.Errorf("put the new root into staged/: %w", err)
	}
	return nil
}

// unstage ends a change of keys: the files of keys that no role has any more are put aside.
func (p *Publisher) unstage(r *repository) error {
	if err := p.retire(r); err != nil {
		return err
	}
	if err := os.Remove(p.path(stagedName, rootName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("tidy staged/: %w", err)
	}
	return nil
}

func (p *Publisher) retire(r *repository) error {
	for _, file := range keyFiles(p.path("keys")) {
		used := false
		for _, role := range allRoles() {
			ids, _ := keysOf(role, r.root, r.targets)
			used = used || slices.ContainsFunc(ids, func(id string) bool { return strings.Contains(file, "-"+short(id)+".") })
		}
		if used {
			continue
		}
		if err := os.MkdirAll(p.path("keys", "retired"), 0o700); err != nil {
			return fmt.Errorf("put an old key aside: %w", err)
		}
		if err := os.Rename(p.path("keys", file), p.path("keys", "retired", file)); err != nil {
			return fmt.Errorf("put an old key aside: %w", err)
		}
	}
	return nil
}
