package feed

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/config"
	"github.com/theupdateframework/go-tuf/v2/metadata/fetcher"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/updater"
)

// Addresses that go-tuf is given; the fetcher turns them into names on a mirror.
const (
	metadataURL = "mirror:/metadata/"
	targetsURL  = "mirror:/targets/"
)

// A chain holds the roots from the pinned one on, each verified by go-tuf with the one before it.
type chain struct {
	set   *trustedmetadata.TrustedMetadata
	roots [][]byte // roots[0] is the pinned one
	first int64
}

func newChain(pinned []byte) (*chain, error) {
	if err := checkJSON(pinned); err != nil {
		return nil, err
	}
	set, err := guard(func() (*trustedmetadata.TrustedMetadata, error) { return trustedmetadata.New(pinned) })
	if err != nil {
		return nil, err
	}
	return &chain{set: set, roots: [][]byte{pinned}, first: set.Root.Signed.Version}, nil
}

func (c *chain) version() int64 { return c.set.Root.Signed.Version }
func (c *chain) newest() []byte { return c.roots[len(c.roots)-1] }

func (c *chain) add(root []byte) error {
	_, err := guard(func() (any, error) { return c.set.UpdateRoot(root) })
	if err == nil {
		c.roots = append(c.roots, root)
	}
	return err
}

// holds reports whether a root is in the chain.
func (c *chain) holds(root []byte) bool {
	return slices.ContainsFunc(c.roots, func(r []byte) bool { return bytes.Equal(r, root) })
}

// replaced reports whether the keys or the threshold of a role are others than in another root.
func replaced(a, b *metadata.Metadata[metadata.RootType], role string) bool {
	x, y := a.Signed.Roles[role], b.Signed.Roles[role]
	if x == nil || y == nil || x.Threshold != y.Threshold {
		return true
	}
	kx, ky := slices.Sorted(slices.Values(x.KeyIDs)), slices.Sorted(slices.Values(y.KeyIDs))
	return !slices.Equal(kx, ky)
}

// guard turns a panic of the verifying library on odd, signed input into an error.
func guard[T any](do func() (T, error)) (result T, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("verify: the metadata broke the verifier: %v", r)
		}
	}()
	return do()
}

// A proof is what go-tuf verified, as far as it came, with the bytes that it verified.
type proof struct {
	updater *updater.Updater
	set     trustedmetadata.TrustedMetadata
	roots   [][]byte          // newer than the chain's
	raw     map[string][]byte // by role: timestamp, snapshot, targets, delegated
	entries []entry           // sorted by path
	ignored []string
}

// An entry is one verified target.
type entry struct {
	path, hash string
	size       int64
	file       *metadata.TargetFiles
}

// A prover runs go-tuf's client.
type prover struct {
	limits  Limits
	fetcher interface {
		fetcher.Fetcher
		fetched(name string) []byte // what DownloadFile returned for it, nil if nothing
	}
	local func(role string) []byte // metadata that was verified before; nil if there is none
	dir   string                   // where that is
}

// online runs the whole workflow of the TUF specification against a mirror. The proof holds what was verified until an error.
func (p prover) online(root []byte, now time.Time) (*proof, error) { return p.run(root, now, false) }

// offline proves what is in the folder alone. Expiry is not looked at: it was when the files came.
func (p prover) offline(root []byte) (*proof, error) { return p.run(root, time.Unix(0, 0), true) }

func (p prover) run(root []byte, now time.Time, local bool) (*proof, error) {
	up, err := guard(func() (*updater.Updater, error) {
		return updater.New(&config.UpdaterConfig{
			MaxRootRotations:      int64(p.limits.Roots),
			MaxDelegations:        p.limits.Roles + 1,
			RootMaxLength:         p.limits.Metadata,
			TimestampMaxLength:    min(p.limits.Metadata, maxTimestamp),
			SnapshotMaxLength:     p.limits.Metadata,
			TargetsMaxLength:      p.limits.Metadata,
			Fetcher:               p.fetcher,
			LocalTrustedRoot:      root,
			LocalMetadataDir:      p.dir,
			RemoteMetadataURL:     metadataURL,
			RemoteTargetsURL:      targetsURL,
			DisableLocalCache:     true, // it reads the folder, and does not write: its writes would not be synced
			PrefixTargetsWithHash: true,
			UnsafeLocalMode:       local,
		})
	})
	if err != nil {
		return nil, err
	}
	up.UnsafeSetRefTime(now)
	pr := &proof{updater: up, raw: map[string][]byte{}}
	_, err = guard(func() (any, error) { return nil, up.Refresh() })
	pr.set = up.GetTrustedMetadataSet()
	if err == nil && !pr.set.Root.Signed.ConsistentSnapshot {
		err = errors.New("the repository has no consistent snapshots; the publisher must switch them on")
	}
	if err == nil {
		_, err = guard(func() (any, error) { return nil, p.walk(pr) })
	}
	p.gather(pr, now)
	return pr, err
}

// maxTimestamp bounds timestamp.json, which names one file. It is go-tuf's own default.
const maxTimestamp = 16 << 10

// gather finds the bytes of what was verified.
func (p prover) gather(pr *proof, now time.Time) {
	for v := pr.set.Root.Signed.Version; ; v-- {
		data := p.fetcher.fetched(fmt.Sprintf("metadata/%d.root.json", v))
		if data == nil {
			break
		}
		pr.roots = slices.Insert(pr.roots, 0, data)
	}
	t, s := pr.set.Timestamp, pr.set.Snapshot
	if t == nil || t.Signed.IsExpired(now) {
		return // what is not the final, valid one is not kept, as in the specification
	}
	keep(p, pr, "timestamp", "metadata/timestamp.json", t)
	meta := t.Signed.Meta["snapshot.json"]
	if s == nil || meta == nil || meta.Version != s.Signed.Version || s.Signed.IsExpired(now) {
		return
	}
	keep(p, pr, "snapshot", fmt.Sprintf("metadata/%d.snapshot.json", s.Signed.Version), s)
	for role, m := range pr.set.Targets {
		keep(p, pr, role, fmt.Sprintf("metadata/%d.%s.json", m.Signed.Version, role), m)
	}
}

// keep puts the bytes of m into the proof: those fetched or those in the folder, whichever say the same as m.
func keep[T metadata.Roles](p prover, pr *proof, role, name string, m *metadata.Metadata[T]) {
	want, err := m.ToBytes(false)
	if err != nil {
		return
	}
	for _, data := range [][]byte{p.fetcher.fetched(name), p.local(role)} {
		if data == nil {
			continue
		}
		var other metadata.Metadata[T]
		if _, err := other.FromBytes(data); err != nil {
			continue
		}
		if got, err := other.ToBytes(false); err == nil && bytes.Equal(got, want) {
			pr.raw[role] = data
			return
		}
	}
}

// walk loads the delegated roles and lists all targets, each as go-tuf resolves its path.
func (p prover) walk(pr *proof) error {
	roles, err := p.load(pr)
	if err != nil {
		return err
	}
	names, paths, total := pathSet{}, map[string]bool{}, int64(0)
	for _, role := range roles {
		for path := range pr.set.Targets[role].Signed.Targets {
			if paths[path] {
				continue
			}
			if len(paths) == p.limits.Targets {
				return fmt.Errorf("the feed has more than %d targets", p.limits.Targets)
			}
			paths[path] = true
			file, err := pr.updater.GetTargetInfo(path)
			if err != nil && isNotFound(err, path) {
				pr.ignored = append(pr.ignored, path) // signed by a role that it is not delegated to
				continue
			}
			if err != nil {
				return err
			}
			if err := names.add(path); err != nil {
				return err
			}
			e, err := p.entry(path, file)
			if err != nil {
				return err
			}
			if total += e.size; total > p.limits.Total {
				return fmt.Errorf("the feed's targets have more than %d bytes", p.limits.Total)
			}
			pr.entries = append(pr.entries, e)
		}
	}
	slices.SortFunc(pr.entries, func(a, b entry) int { return strings.Compare(a.path, b.path) })
	slices.Sort(pr.ignored)
	return nil
}

// entry checks what the agent insists on beyond TUF: one hash, so that every client asks for the same file name.
func (p prover) entry(path string, file *metadata.TargetFiles) (entry, error) {
	hash, ok := file.Hashes["sha256"]
	if !ok || len(file.Hashes) != 1 || len(hash) != 32 {
		return entry{}, fmt.Errorf("target %s: it must have one hash, a SHA-256", path)
	}
	if file.Length < 0 || file.Length > p.limits.Target {
		return entry{}, fmt.Errorf("target %s: %d bytes, and %d are allowed", path, file.Length, p.limits.Target)
	}
	file.Path = path
	return entry{path: path, hash: fmt.Sprintf("%x", []byte(hash)), size: file.Length, file: file}, nil
}

// load makes go-tuf load the delegated roles, level by level, by looking for a path that a role could sign.
func (p prover) load(pr *proof) ([]string, error) {
	loaded, level := []string{metadata.TARGETS}, []string{metadata.TARGETS}
	for depth := 0; len(level) > 0; depth++ {
		var next []string
		for _, parent := range level {
			d := pr.set.Targets[parent].Signed.Delegations
			if d == nil {
				continue
			}
			if d.SuccinctRoles != nil {
				return nil, fmt.Errorf("role %s delegates to hash bins, which this version does not read", parent)
			}
			for i := range d.Roles { // all of them first: a search for one may load another
				if err := checkDelegation(&d.Roles[i]); err != nil {
					return nil, err
				}
			}
			for i := range d.Roles {
				name := d.Roles[i].Name
				if slices.Contains(loaded, name) {
					continue
				}
				if len(loaded) > p.limits.Roles || depth == p.limits.Depth {
					return nil, fmt.Errorf("role %s: more than %d delegated roles, or deeper than %d", name, p.limits.Roles, p.limits.Depth)
				}
				ok, err := probe(pr, &d.Roles[i])
				if err != nil {
					return nil, err
				}
				if ok {
					loaded, next = append(loaded, name), append(next, name)
				}
			}
		}
		level = next
	}
	return loaded, nil
}

// probe reports whether a role was loaded. It isn't where a role before it ends the search for each of its paths.
func probe(pr *proof, role *metadata.DelegatedRole) (bool, error) {
	for _, pattern := range role.Paths {
		path := strings.ReplaceAll(pattern, "*", "~") // in no target's path
		_, err := pr.updater.GetTargetInfo(path)
		if _, ok := pr.set.Targets[role.Name]; ok {
			return true, nil
		}
		if err != nil && !isNotFound(err, path) {
			return false, fmt.Errorf("role %s: %w", role.Name, err)
		}
	}
	return false, nil
}

func checkDelegation(role *metadata.DelegatedRole) error {
	if err := checkRole(role.Name); err != nil {
		return err
	}
	if len(role.PathHashPrefixes) > 0 {
		return fmt.Errorf("role %s is delegated hash prefixes, which this version does not read", role.Name)
	}
	for _, pattern := range role.Paths {
		if strings.ContainsAny(pattern, `?[\`) {
			return fmt.Errorf("role %s is delegated %q; only * is read in a pattern", role.Name, pattern)
		}
	}
	return nil
}

// isNotFound recognises go-tuf's error for a path that no role signs, which has no type.
func isNotFound(err error, path string) bool { return err.Error() == "target "+path+" not found" }
