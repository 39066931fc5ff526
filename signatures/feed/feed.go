// Package feed is the agent's half of the signed feed: it fetches rules, indicators and decisions from mirrors, believes
// only what The Update Framework's client (go-tuf) verified from the pinned root, and keeps the last good files.
//
// What a mirror, a proxy or a stick offers is never believed for itself. Order, versions, thresholds, expiry, lengths and
// hashes are go-tuf's work; this package adds the transport, the bounds, the state on disk and the schedule:
//
//	mirrors -> verified (go-tuf) -> rehearsed (Config.Rehearse) -> swapped (one rename) -> Update{Changed: true}
//
// A failure at any step keeps the files that were in use. Files past their expiry stay in use too, and State says so.
//
// # A mirror
//
// A mirror is an address of a folder with the static files of a TUF repository with consistent snapshots:
//
//	metadata/{N.root.json, timestamp.json, N.snapshot.json, N.targets.json, N.<role>.json}
//	targets/<dir>/<sha256>.<file>
//	events                              optional: text/event-stream, "data: <timestamp version>" after each publish
//
// It is an https URL, an http URL (to this computer, or where Config.AllowHTTP says so), a file URL, an absolute path, or
// a path to a network share. Every mirror is asked at every poll, so a mirror that stands still does not win over one
// that is ahead. An event only says "look now"; it can't make the agent believe anything.
//
// # The folder
//
// Config.Dir belongs to this package:
//
//	metadata/  the newest metadata that was verified, and the chain of roots; what keeps a mirror from going back
//	targets/   verified files by their SHA-256, shared by the trees
//	trees/     one folder a tree: the metadata that proves it, the root version that it was proven with
//	current    names the tree in use; replaced by one rename
//	state.json times and refusals; losing it loses nothing but them
//	lock       held while a process changes the folder
//
// Names that end in .unverified are not proven yet and are removed at the next opportunity. Every file is written
// aside, synced and renamed, so a process that dies between two steps leaves the old tree or the new one. Open proves
// the tree in use again, from the pinned root to each file's hash, before it hands it out.
package feed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// Config says what to trust, where to look and how. Dir and Root are needed; the zero value of the rest is usable.
type Config struct {
	Dir     string   // the feed's own folder; made when it is missing
	Root    []byte   // the root.json that the admin pinned
	Mirrors []string // none: only what another process puts into Dir is used

	Proxy     string // URL of the proxy; "" takes the environment's, "none" takes none
	CA        []byte // certificates (PEM) to trust besides the system's
	AllowHTTP bool   // allow http to other computers: signatures hold, but who is listening learns what is fetched
	Agent     string // User-Agent; "" is "ExtWatch"
	NoEvents  bool   // event streams are not asked for: what is new waits for the next poll

	// Client replaces the client that Proxy and CA make. Its redirect policy is replaced, its time-out is kept for all but
	// the event stream.
	Client *http.Client

	// Rehearse tries the files of a new tree, for instance by running every rule's own cases. An error refuses the tree;
	// it is remembered and not tried again with the same Engine. nil accepts every verified tree.
	Rehearse func(context.Context, fs.FS) error
	// Engine names what Rehearse tries the files with. When it is another one than for the tree in use, Open rehearses that
	// tree again, and earlier refusals are forgotten.
	Engine string

	Interval time.Duration // between polls, ± 20 %; 0 is 15 minutes
	Limits   Limits

	Now  func() time.Time // nil is time.Now
	Rand func() float64   // in [0, 1), for jitter; nil is rand.Float64
	Log  *slog.Logger     // nil logs nothing

	step   func(what string) error // tests: called before each change to the disk
	noSync bool                    // tests: thousands of files, and no power cut
}

// Limits bound what a mirror, or who stole a key, can make the agent do. Zero fields take the default.
type Limits struct {
	Metadata   int64         // bytes of one metadata file; 4 MiB
	Target     int64         // bytes of one target; 64 MiB, about three times the largest published indicator segment
	Total      int64         // bytes of all targets; 256 MiB
	Targets    int           // number of targets; 4096
	Roots      int           // steps along the chain of roots in one update; 32
	Roles      int           // delegated roles; 16
	Depth      int           // delegations below the targets role; 3
	Redirects  int           // for one request; 5
	Request    time.Duration // for one request, besides a second for each 32 KiB of a target; 30 s
	Update     time.Duration // for one mirror; 10 min
	Rehearsal  time.Duration // 2 min
	HintPolls  int           // polls a minute that event streams may cause; 6
	HintSpread time.Duration // random wait before such a poll, so that a fleet doesn't come at once; 2 s
}

// ErrRefused is wrapped by the error of an Update whose files were verified but did not pass the rehearsal.
var ErrRefused = errors.New("the feed is signed properly, but its rehearsal on this machine failed")

// An Update tells what Feed.Update found.
type Update struct {
	Changed bool   // other files than before are in use
	Version int64  // of timestamp.json
	Content string // SHA-256 (hex) over the paths and hashes of the files
	Mirror  string // where it came from; "" when another process put it into the folder

	Added, Removed, Modified []string // paths, sorted

	// Ignored lists paths that a delegated role signed without being allowed to; they are not in the files.
	Ignored []string
}

// State is what status and logs tell about the feed.
type State struct {
	Version     int64     // of timestamp.json of the files in use; 0: none
	RootVersion int64     // of the newest root that was verified
	Content     string    // as in Update
	Files       int       // number of files in use
	Expires     time.Time // when the first role expires
	ExpiresRole string    // which role that is

	Checked     time.Time // the last poll
	LastSuccess time.Time // the last time that a mirror proved that the files in use are the newest ones it has
	Changed     time.Time // when the files in use were swapped in
	Mirror      string    // that LastSuccess is about

	Expired bool   // past Expires: the files are still used
	Stale   bool   // Expired, or no success for three days
	Err     error  // why the last poll failed; nil when it went well
	Refused string // why a newer feed was refused by the rehearsal; "" when none is
	Warning string // what an admin should know, the worst first; "" when all is well

	Mirrors []Mirror
}

// A Mirror is the state of one of Config.Mirrors.
type Mirror struct {
	Address string
	Tried   time.Time
	Success time.Time // the last time that it gave a current, verified answer
	Err     error     // of the last try
	Events  bool      // its event stream is connected
}

// A Feed keeps the verified files of one folder. Its methods may be called from several goroutines.
type Feed struct {
	cfg     Config
	disk    disk
	mirrors []*mirror
	busy    chan struct{} // holds one token: who has it may change the folder

	mu    sync.Mutex
	tree  *tree // in use; nil: none
	saved saved
	err   error
	root  int64  // newest verified root
	bad   string // a tree that the pointer names and that can't be used; not looked at again and again

	// Who is busy uses these:
	untidy bool     // there may be something to remove
	wanted []string // files of a tree that is not whole yet: what came of it stays for the next try
}

// Open reads the folder, proves the tree in use, and asks nobody. It fails for a Config that can't work (a root.json that
// isn't one, an address that isn't allowed, a folder that can't be made); a damaged folder is not an error: Files then has
// nothing, State says why, and the next Update brings it back.
func Open(cfg Config) (*Feed, error) {
	cfg = cfg.withDefaults()
	f := &Feed{cfg: cfg, disk: disk{root: cfg.Dir, step: cfg.step, noSync: cfg.noSync}, busy: make(chan struct{}, 1), untidy: true}
	if cfg.Dir == "" {
		return nil, errors.New("the feed needs a folder")
	}
	if _, err := newChain(cfg.Root); err != nil {
		return nil, fmt.Errorf("read the pinned root.json: %w; pin the file that the publisher's `feed init` made", err)
	}
	mirrors, err := newMirrors(cfg)
	if err != nil {
		return nil, err
	}
	f.mirrors = mirrors
	if err := f.disk.prepare(); err != nil {
		return nil, fmt.Errorf("make the feed's folder: %w", err)
	}
	chain, err := f.chain()
	if err != nil {
		return nil, err
	}
	f.root = chain.version()
	f.saved = f.disk.readSaved()
	_, f.err = f.reload(context.Background())
	return f, nil
}

// Files returns the files in use, with the paths that the publisher gave them, and whether there are any. They stay
// readable until the second change after they were handed out.
func (f *Feed) Files() (fs.FS, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tree == nil {
		return nil, false
	}
	return f.tree.files, true
}

// State returns what is known now. It asks nobody.
func (f *Feed) State() State {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := State{
		RootVersion: f.root,
		Checked:     f.saved.Checked,
		LastSuccess: f.saved.Success,
		Changed:     f.saved.Changed,
		Mirror:      f.saved.Mirror,
		Err:         f.err,
	}
	now := f.cfg.Now()
	if t := f.tree; t != nil {
		s.Version, s.Content, s.Files = t.version, t.content, len(t.entries)
		s.Expires, s.ExpiresRole = t.expires, t.expiresRole
		s.Expired = now.After(t.expires)
		s.Stale = s.Expired || now.Sub(s.LastSuccess) > staleAfter
	}
	if r, ok := f.saved.newestRefusal(f.cfg.Engine, s.Version, now); ok {
		s.Refused = r.Reason
	}
	for _, m := range f.mirrors {
		s.Mirrors = append(s.Mirrors, m.state())
	}
	s.Warning = s.warning(f.tree, now)
	return s
}

func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Interval <= 0 {
		c.Interval = 15 * time.Minute
	}
	if c.Agent == "" {
		c.Agent = "ExtWatch"
	}
	l := &c.Limits
	def(&l.Metadata, 4<<20)
	def(&l.Target, 64<<20)
	def(&l.Total, 256<<20)
	def(&l.Targets, 4096)
	def(&l.Roots, 32)
	def(&l.Roles, 16)
	def(&l.Depth, 3)
	def(&l.Redirects, 5)
	def(&l.Request, 30*time.Second)
	def(&l.Update, 10*time.Minute)
	def(&l.Rehearsal, 2*time.Minute)
	def(&l.HintPolls, 6)
	def(&l.HintSpread, 2*time.Second)
	return c
}

func def[T ~int | ~int64](value *T, other T) {
	if *value <= 0 {
		*value = other
	}
}
