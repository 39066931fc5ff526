package publisher

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing/fstest"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

const (
	publicName   = "public"
	metadataName = "metadata"
	targetsName  = "targets"
	rootName     = "root.json"
	stagedName   = "staged"

	// Agents read no more than this.
	maxMetadata = 4 << 20   // bytes
	maxTarget   = 60 << 20  // bytes of one file
	maxList     = 256 << 20 // bytes of a list in source/: as much as package indicators reads
	maxTargets  = 4096      // files
	maxRoots    = 200       // go-tuf's clients follow 256 from the one that they were given
)

type (
	rootMeta      = metadata.Metadata[metadata.RootType]
	targetsMeta   = metadata.Metadata[metadata.TargetsType]
	snapshotMeta  = metadata.Metadata[metadata.SnapshotType]
	timestampMeta = metadata.Metadata[metadata.TimestampType]
)

// A repository is what public/ holds, verified like a client does it from root.json on, but for what has expired: that
// is what publishing mends.
type repository struct {
	root      *rootMeta
	before    *rootMeta // the root before the last, while the change to the last is not finished; else nil
	timestamp *timestampMeta
	snapshot  *snapshotMeta
	targets   *targetsMeta
	org       *targetsMeta
}

func (r *repository) versions() map[string]int64 {
	return map[string]int64{
		roleRoot: r.root.Signed.Version, roleTimestamp: r.timestamp.Signed.Version, roleSnapshot: r.snapshot.Signed.Version,
		roleTargets: r.targets.Signed.Version, roleOrg: r.org.Signed.Version,
	}
}

// altered says that public/ is not as a publisher left it.
func altered(format string, args ...any) error {
	return refuse("restore public/ from a backup or from the web server; if somebody else can write to it, find out who did",
		"public/ is not as it was published: %w", fmt.Errorf(format, args...))
}

// read reads and verifies public/.
func (p *Publisher) read() (*repository, error) {
	pinned, err := os.ReadFile(p.path(rootName))
	if err != nil {
		return nil, fmt.Errorf("read the feed's first root: %w", err)
	}
	r := &repository{}
	if r.root, err = metadata.Root().FromBytes(pinned); err != nil {
		return nil, fmt.Errorf("read %s: %w", p.path(rootName), err)
	}
	if err := r.root.VerifyDelegate(roleRoot, r.root); err != nil {
		return nil, refuse("restore it from a backup", "%s is not signed by its own keys: %w", p.path(rootName), err)
	}
	if err := p.readRoots(r); err != nil {
		return nil, err
	}
	if open, err := p.unfinished(r); err != nil {
		return nil, err
	} else if !open {
		r.before = nil
	}
	if r.timestamp, err = readRole(p, r, roleTimestamp, "timestamp.json", metadata.Timestamp(), nil); err != nil {
		return nil, err
	}
	m := r.timestamp.Signed.Meta["snapshot.json"]
	if m == nil {
		return nil, altered("timestamp.json names no snapshot")
	}
	if r.snapshot, err = readRole(p, r, roleSnapshot, numbered(m.Version, roleSnapshot), metadata.Snapshot(), m); err != nil {
		return nil, err
	}
	if m = r.snapshot.Signed.Meta["targets.json"]; m == nil {
		return nil, altered("the snapshot names no targets.json")
	}
	if r.targets, err = readRole(p, r, roleTargets, numbered(m.Version, roleTargets), metadata.Targets(), m); err != nil {
		return nil, err
	}
	if m = r.snapshot.Signed.Meta["org.json"]; m == nil || r.targets.Signed.Delegations == nil {
		return nil, altered("the snapshot names no org.json")
	}
	name := numbered(m.Version, roleOrg)
	data, err := p.readMetadata(name)
	if err != nil {
		return nil, err
	}
	if r.org, err = verifyOrg(data, r.targets); err == nil && r.org.Signed.Version != m.Version {
		err = errors.New("another version than the snapshot's")
	}
	if err == nil {
		err = m.VerifyLengthHashes(data)
	}
	if err != nil {
		return nil, altered("%s: %w", name, err)
	}
	return r, nil
}

func verifyOrg(data []byte, by *targetsMeta) (*targetsMeta, error) {
	m, err := metadata.Targets().FromBytes(data)
	if err != nil {
		return nil, err
	}
	return m, by.VerifyDelegate(roleOrg, m)
}

// readRoots follows the chain of roots to the newest.
func (p *Publisher) readRoots(r *repository) error {
	for range maxRoots {
		data, err := p.readMetadata(numbered(r.root.Signed.Version+1, roleRoot))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		next, err := verifyRoot(r.root, data)
		if err != nil {
			return altered("%s: %w", numbered(r.root.Signed.Version+1, roleRoot), err)
		}
		r.before, r.root = r.root, next
	}
	return refuse("make a new feed", "there are more than %d roots", maxRoots)
}

// unfinished reports whether the last root is one that this folder was still publishing when it was cut off. Only then
// do the keys of the root before it count: they may have been replaced because they were stolen.
func (p *Publisher) unfinished(r *repository) (bool, error) {
	staged, err := os.ReadFile(p.path(stagedName, rootName))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the new root: %w", err)
	}
	shown, err := os.ReadFile(p.path(publicName, metadataName, numbered(r.root.Signed.Version, roleRoot)))
	return err == nil && bytes.Equal(staged, shown), nil
}

// verifyRoot verifies that a root follows another.
func verifyRoot(old *rootMeta, data []byte) (*rootMeta, error) {
	next, err := metadata.Root().FromBytes(data)
	if err != nil {
		return nil, err
	}
	if next.Signed.Version != old.Signed.Version+1 {
		return nil, fmt.Errorf("it is version %d", next.Signed.Version)
	}
	return next, errors.Join(old.VerifyDelegate(roleRoot, next), next.VerifyDelegate(roleRoot, next))
}

// readRole reads the metadata of a role that the root names. While a change of keys is not finished, what the root
// before says is believed too; the next publishing signs it anew.
func readRole[T metadata.Roles](p *Publisher, r *repository, role, name string, into *metadata.Metadata[T], want *metadata.MetaFiles) (*metadata.Metadata[T], error) {
	data, err := p.readMetadata(name)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, altered("%s is missing", name)
		}
		return nil, err
	}
	m, err := into.FromBytes(data)
	if err != nil {
		return nil, altered("%s: %w", name, err)
	}
	if err = r.root.VerifyDelegate(role, m); err != nil && r.before != nil {
		err = r.before.VerifyDelegate(role, m)
	}
	if err == nil && want != nil {
		err = want.VerifyLengthHashes(data)
	}
	if err != nil {
		return nil, altered("%s: %w", name, err)
	}
	return m, nil
}

func (p *Publisher) readMetadata(name string) ([]byte, error) {
	file := p.path(publicName, metadataName, name)
	info, err := os.Lstat(file)
	if err != nil {
		return nil, fmt.Errorf("read public/: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxMetadata {
		return nil, altered("%s is no file of metadata", name)
	}
	return os.ReadFile(file)
}

func numbered(version int64, role string) string {
	return strconv.FormatInt(version, 10) + "." + role + ".json"
}

// stored is where a target lies below public/: targets/campaigns/<sha256>.example.yml.
func stored(name string, t *metadata.TargetFiles) (string, error) {
	hash, ok := t.Hashes["sha256"]
	if !ok || len(t.Hashes) != 1 || !fs.ValidPath(name) {
		return "", altered("%q has no place", name)
	}
	return path.Join(targetsName, path.Dir(name), hex.EncodeToString(hash)+"."+path.Base(name)), nil
}

// describe is what the metadata says of a file. One hash only: clients that are given several take any for the name.
func describe(name string, data []byte) (*metadata.TargetFiles, error) {
	return metadata.TargetFile().FromBytes(name, data, "sha256")
}

// published returns the files that are published now, each as its metadata says.
func (p *Publisher) published(r *repository) (fs.FS, error) {
	files := fstest.MapFS{}
	for _, m := range []*targetsMeta{r.targets, r.org} {
		for name, t := range m.Signed.Targets {
			data, err := p.readTarget(name, t)
			if err != nil {
				return nil, err
			}
			files[name] = &fstest.MapFile{Data: data, Mode: 0o444}
		}
	}
	return files, nil
}

func (p *Publisher) readTarget(name string, t *metadata.TargetFiles) ([]byte, error) {
	at, err := stored(name, t)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(p.path(publicName, filepath.FromSlash(at)))
	if err != nil {
		return nil, altered("%w", err)
	}
	if err := t.VerifyLengthHashes(data); err != nil {
		return nil, altered("%s: %w", at, err)
	}
	return data, nil
}

// newestOrg returns the newest metadata of the role org in public/ that may take the place of the published one: the
// team that holds its key puts it there, and the next snapshot names it. What may not is said in notes.
func (p *Publisher) newestOrg(ctx context.Context, r *repository, by *targetsMeta) (newest *targetsMeta, notes []string, err error) {
	files, err := filepath.Glob(filepath.Join(escapeGlob(p.path(publicName, metadataName)), "*.org.json"))
	if err != nil {
		return nil, nil, err
	}
	newest = r.org
	for _, file := range files {
		number, _, _ := strings.Cut(filepath.Base(file), ".")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil || version <= newest.Signed.Version {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		data, err := p.readMetadata(filepath.Base(file))
		if err != nil {
			return nil, nil, err
		}
		m, err := verifyOrg(data, by)
		if err == nil {
			err = p.fitOrg(m, version)
		}
		if err != nil {
			notes = append(notes, fmt.Sprintf("%s is not used: %v", filepath.Base(file), err))
			continue
		}
		newest = m
	}
	return newest, notes, nil
}

// fitOrg says why metadata of the role org, rightly signed, cannot be used all the same.
func (p *Publisher) fitOrg(m *targetsMeta, version int64) error {
	if m.Signed.Version != version {
		return errors.New("its name tells another version")
	}
	if m.Signed.IsExpired(p.cfg.now()) {
		return errors.New("it has expired")
	}
	for name, t := range m.Signed.Targets {
		if !ofOrg(name) {
			return fmt.Errorf("it signs %s, which is not its own", name)
		}
		if _, err := p.readTarget(name, t); err != nil {
			return err
		}
	}
	return nil
}

// ofOrg reports whether a path is the role org's.
func ofOrg(name string) bool { return strings.HasPrefix(name, "org/") }

// orgPaths are what the role org may sign. A pattern's * stands for no slash.
func orgPaths() []string {
	return []string{"org/*", "org/campaigns/*", "org/techniques/*", "org/indicators/*", "org/indicators/segments/*"}
}

// keysOf returns the key IDs and the threshold of a role.
func keysOf(role string, root *rootMeta, targets *targetsMeta) (ids []string, threshold int) {
	if role != roleOrg {
		if r := root.Signed.Roles[role]; r != nil {
			return r.KeyIDs, r.Threshold
		}
		return nil, 0
	}
	for _, d := range targets.Signed.Delegations.Roles {
		if d.Name == roleOrg {
			return d.KeyIDs, d.Threshold
		}
	}
	return nil, 0
}

// same reports whether files are what the metadata says.
func same(files map[string]*metadata.TargetFiles, m *targetsMeta) bool {
	if len(files) != len(m.Signed.Targets) {
		return false
	}
	for name, t := range files {
		if have := m.Signed.Targets[name]; have == nil || have.Length != t.Length || !bytes.Equal(have.Hashes["sha256"], t.Hashes["sha256"]) {
			return false
		}
	}
	return true
}

// sign signs metadata with the keys, and checks that it has the signatures that its role needs.
func sign[T metadata.Roles](m *metadata.Metadata[T], keys []*signer) ([]byte, error) {
	m.ClearSignatures()
	var signed []string
	for _, k := range keys {
		if slices.Contains(signed, k.id) {
			continue
		}
		signed = append(signed, k.id)
		if _, err := m.Sign(k); err != nil {
			if k.err != nil {
				err = k.err
			}
			return nil, fmt.Errorf("sign with %s: %w", k.name, err)
		}
	}
	data, err := m.ToBytes(false)
	if err != nil {
		return nil, err
	}
	if len(data) > maxMetadata {
		return nil, refuse("merge small files", "the metadata has %d bytes; clients read at most %d", len(data), maxMetadata)
	}
	return data, nil
}
