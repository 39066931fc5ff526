// Package publisher makes and keeps a feed: the signed repository (TUF, The Update Framework) from which agents fetch
// rules, indicators and decisions.
//
// A feed is one folder. Init makes it in a root ceremony, which is the only time that the root keys are written:
//
//	feed.yml         who publishes, and for how long each role's signature holds
//	root.json        the first root: agents are given this file, and trust nothing else
//	keys/            the keys of daily work, each encrypted with a passphrase, or the address of a key in a KMS
//	source/          what its author edits: rules, indicators, decisions; org/ holds those of the role org
//	public/          static files for any web server, bucket or file share; nothing else of the folder is ever served
//	published/       source/ as it was published last, for telling what has changed
//	staged/          a new root that lacks signatures still
//	state.json       the versions published last, so that an older or a foreign public/ is noticed
//
// Five roles sign. The root keys say which keys the others have, and live on media in a drawer (Config.RootKeys). The
// role targets signs everything outside org/, the delegated role org what is below it, snapshot and timestamp sign
// which of their versions belong together and are current. Readers never see half of an update: files are written
// before the metadata that names them, each by a rename, and timestamp.json, the only file that is ever written anew, last.
// When a role gets new keys, its metadata is signed by the old and the new ones before the new root is shown, so that
// each step by itself is a repository that clients accept.
//
// All trust decisions, signatures and encodings are go-tuf's; keys are encrypted by age. Nothing here knows what a rule
// is: Config.Check and Config.Prepare are the places where the program plugs that in.
package publisher

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// The roles of a feed.
const (
	roleRoot      = "root"
	roleTargets   = "targets"
	roleOrg       = "org"
	roleSnapshot  = "snapshot"
	roleTimestamp = "timestamp"
)

// allRoles are in the order in which they are shown.
func allRoles() []string {
	return []string{roleRoot, roleTargets, roleOrg, roleSnapshot, roleTimestamp}
}

// Config says where a feed is, and how its publisher asks and judges.
type Config struct {
	Dir      string   // the feed's folder
	RootKeys []string // folders that hold root keys, such as mounted sticks; only Init, Rotate and Sign look there

	Now func() time.Time // nil: time.Now

	// Passphrase returns the passphrase of a key, named like its file ("targets-1a2b3c4d5e6f"). fresh asks for one
	// that is to be set, for the key named by its role and, of several, its number ("root 2 of 3"); it has at least 12 bytes. It is called once for a key, and twice more while what
	// it returns is wrong.
	Passphrase func(ctx context.Context, key string, fresh bool) ([]byte, error)

	// Check says what is wrong with source/; anything keeps Publish from publishing. Nil: nothing is checked.
	Check func(ctx context.Context, source fs.FS) []error

	// Prepare makes the files that are published of those in source/: path to contents. published holds what is
	// published now, by the same paths. Paths below org/ belong to the role org. Nil: source/ as it is.
	Prepare func(ctx context.Context, source, published fs.FS) (map[string][]byte, error)

	wrote func(file string) error // tests: called before each change below public/; an error stops there, as a crash does
}

func (c Config) now() time.Time {
	if c.Now == nil {
		return time.Now().UTC().Truncate(time.Second)
	}
	return c.Now().UTC().Truncate(time.Second)
}

// A Refusal is an error that says what to do next.
type Refusal struct {
	Err  error
	Hint string // one sentence; may be empty
}

func (r *Refusal) Error() string { return r.Err.Error() }
func (r *Refusal) Unwrap() error { return r.Err }

func refuse(hint, format string, args ...any) error {
	return &Refusal{Err: fmt.Errorf(format, args...), Hint: hint}
}

// A Publisher holds a feed's folder. Its methods are for one goroutine; another process that wants the folder for
// writing meanwhile is refused.
type Publisher struct {
	cfg      Config
	settings settings
	keys     map[string]*signer // by key ID, opened so far
}

// Open opens a feed's folder that Init made.
func Open(cfg Config) (*Publisher, error) {
	s, err := readSettings(filepath.Join(cfg.Dir, settingsName))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, refuse("'extwatch feed init DIR' makes one; --dir names it", "%s is not a feed's folder: it has no %s", cfg.Dir, settingsName)
		}
		return nil, err
	}
	return &Publisher{cfg: cfg, settings: s, keys: map[string]*signer{}}, nil
}

func (p *Publisher) path(names ...string) string {
	return filepath.Join(append([]string{p.cfg.Dir}, names...)...)
}

// Organisation is who publishes, as given to Init.
func (p *Publisher) Organisation() string { return p.settings.Organisation }

// lock keeps other publishers out until the function that it returns is called. The kernel frees the lock of a process
// that dies.
func (p *Publisher) lock() (func(), error) {
	l := flock.New(p.path("lock"), flock.SetPermissions(0o600))
	ok, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the feed's folder: %w", err)
	}
	if !ok {
		return nil, refuse("wait until it is done", "another publisher is at work in %s", p.cfg.Dir)
	}
	return func() { l.Unlock() }, nil
}

// source opens source/, beneath which nothing leads out.
func (p *Publisher) source() (*os.Root, error) {
	root, err := os.OpenRoot(p.path("source"))
	if err != nil {
		return nil, fmt.Errorf("open the folder source: %w", err)
	}
	return root, nil
}
