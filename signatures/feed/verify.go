package feed

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// verify lets go-tuf verify what a mirror has, and keeps what was verified even when a later step fails: from then on no
// mirror can go back behind it.
func (f *Feed) verify(ctx context.Context, m *mirror) (*proof, []byte, error) {
	chain, err := f.chain()
	if err != nil {
		return nil, nil, err
	}
	if err := f.dropDamaged(); err != nil {
		return nil, nil, localError{err}
	}
	dir := f.disk.path("metadata")
	for try := 0; ; try++ {
		p := prover{
			limits:  f.cfg.Limits,
			fetcher: &fetch{ctx: ctx, source: m.source, limits: f.cfg.Limits, got: map[string][]byte{}},
			local:   localRoles(dir, f.cfg.Limits.Metadata),
			dir:     dir,
		}
		pr, err := p.online(chain.newest(), f.cfg.Now())
		if pr == nil {
			return nil, nil, err
		}
		before := *chain.set.Root
		recovered := replaced(&before, pr.set.Root, metadata.TIMESTAMP) || replaced(&before, pr.set.Root, metadata.SNAPSHOT)
		if keepErr := f.keep(chain, pr, recovered, err == nil); keepErr != nil {
			return nil, nil, localError{keepErr}
		}
		if err == nil {
			return pr, chain.newest(), nil
		}
		if !recovered || try > 0 || ctx.Err() != nil || len(pr.roots) == f.cfg.Limits.Roots {
			return nil, nil, err
		}
	}
}

// keep writes what was verified into metadata/. When the keys of timestamp or snapshot were replaced, the old files go
// first, before the new root: who stole those keys may have signed versions so high that nothing newer could come
// (TUF specification 5.3.11).
func (f *Feed) keep(c *chain, pr *proof, recovered, whole bool) error {
	if recovered {
		for _, role := range []string{metadata.TIMESTAMP, metadata.SNAPSHOT} {
			if err := f.disk.remove("metadata/" + role + ".json"); err != nil {
				return err
			}
		}
	}
	for _, root := range pr.roots {
		if err := c.add(root); err != nil {
			return err
		}
		if err := f.disk.write(rootName(c.version()), root); err != nil {
			return err
		}
	}
	f.mu.Lock()
	f.root = c.version()
	f.mu.Unlock()
	if recovered && !whole {
		return nil // what was read of the old files must not come back
	}
	old := localRoles(f.disk.path("metadata"), f.cfg.Limits.Metadata)
	for _, role := range slices.Sorted(maps.Keys(pr.raw)) {
		if data := pr.raw[role]; string(old(role)) != string(data) {
			if err := f.disk.write("metadata/"+role+".json", data); err != nil {
				return err
			}
		}
	}
	if !whole {
		return nil
	}
	for _, e := range f.disk.list("metadata") { // of roles that are delegated to no more
		role, ok := strings.CutSuffix(e.Name(), ".json")
		if ok && !strings.HasSuffix(role, ".root") && pr.raw[role] == nil {
			if err := f.disk.remove("metadata/" + e.Name()); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropDamaged removes metadata that can't be read: go-tuf takes what it finds in its folder for readable, and would never
// get past it.
func (f *Feed) dropDamaged() error {
	local := localRoles(f.disk.path("metadata"), f.cfg.Limits.Metadata)
	for _, e := range f.disk.list("metadata") {
		role, ok := strings.CutSuffix(e.Name(), ".json")
		if !ok || strings.HasSuffix(role, ".root") {
			continue
		}
		data := local(role)
		_, err := guard(func() (any, error) {
			switch role {
			case metadata.TIMESTAMP:
				return metadata.Timestamp().FromBytes(data)
			case metadata.SNAPSHOT:
				return metadata.Snapshot().FromBytes(data)
			}
			return metadata.Targets().FromBytes(data)
		})
		if err != nil {
			if err := f.disk.remove("metadata/" + e.Name()); err != nil {
				return err
			}
		}
	}
	return nil
}
