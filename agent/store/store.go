// Package store remembers what was seen, judged, told and decided, in one SQLite file that only its owner reads.
//
//	s, problems, err := store.Open(ctx, store.Config{Folder: "/var/lib/extwatch"})
//	outcomes, err := s.Record(ctx, observations...)          // what is new, changed, the same; what is not told yet
//	mine, err := s.Telling(ctx, "ada", "desktop", ids...)    // on disk: it is about to be shown
//	show(mine)                                               // with Finding.Key as the notification's own key
//	err = s.Told(ctx, "ada", "desktop", ids...)              // on disk: it was shown
//
// # Told once
//
// No program can show something and write that it did as one step. So telling has two marks. What has none was not shown.
// What has both was, and is never shown again. What has only the first may have been: the program died in between. It is
// given out again, with Finding.Again and the same Finding.Key, so that the receiver puts it in the place of the one
// before: the tag of a Windows toast, the identifier of a macOS notification, replaces_id in a session, the idempotency
// key of a webhook, the event ID of a log line. Thus nothing is lost, and what comes twice is known to be the same.
// For other systems [Store.Push] queues and marks as told in one transaction: there is no such gap.
//
// A finding is one rule that matched one extension in one profile, over all its versions. It is another finding, and told
// again, when its verdict becomes worse, when the extension was gone and returns, and when it is switched on.
//
// # Owner and readers
//
// One process owns the folder and writes; a second gets a [LockedError]. Any number may read beside it (Config.ReadOnly).
// With an empty Folder all is kept in memory: so an agent whose disk is full or read-only goes on by the same code.
//
// The file is checked when it is opened. A damaged one is set aside, at most three are kept, and a new one takes over
// what could still be read. That is a problem which Open returns, not an error. A file of a newer version is an error, and
// is left alone. What a row holds is checked when it is read: a damaged one is a problem beside the others.
//
// Commits survive the death of the process. Marks, decisions and deliveries also survive the loss of power, as does all
// that was recorded before them. Nothing here runs by itself: no timer, no cleaning. Call [Store.Compact] once a day.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/extwatch/extwatch/manifests"
)

const (
	// fileName is the database; SQLite puts "-wal" and "-shm" beside it.
	fileName = "extwatch.db"
	// defaultKeep is how long the timeline and versions that are gone are kept: people notice a theft late.
	defaultKeep = 400 * 24 * time.Hour
	// defaultMaxBytes: 200 users with 25 extensions each need about 20 MB with their analyses.
	defaultMaxBytes = 128 << 20
	// minBytes is what an empty store and a few profiles need.
	minBytes = 1 << 20
)

// Config says where the store is and how much it keeps.
type Config struct {
	// Folder is made if it is missing, readable by its owner alone. "" keeps everything in memory.
	Folder string
	// ReadOnly opens beside the owner; what would write is an error then.
	ReadOnly bool
	// Keep is how long the timeline, old versions and extensions that are gone are kept; 0 is 400 days. Findings and
	// decisions are kept five times as long.
	Keep time.Duration
	// MaxBytes bounds the file: Compact brings it below, and it never grows to more than twice that. 0 is 128 MiB.
	MaxBytes int64
	Now      func() time.Time // nil is time.Now
}

// A Store is an open store. Its methods may be called from many goroutines at once.
type Store struct {
	cfg  Config
	w, r *sql.DB
	lock *os.File
}

// Open opens the store, or makes it. The problems say what was found damaged; the store works nevertheless. The error says
// what to do.
func Open(ctx context.Context, cfg Config) (*Store, []manifests.Problem, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Keep <= 0 {
		cfg.Keep = defaultKeep
	}
	if cfg.MaxBytes <= 0 {
		cfg.MaxBytes = defaultMaxBytes
	}
	cfg.MaxBytes = max(cfg.MaxBytes, minBytes)
	s := &Store{cfg: cfg}
	var problems []manifests.Problem
	var err error
	switch {
	case cfg.Folder == "":
		err = s.openMemory(ctx)
	case cfg.ReadOnly:
		err = s.openReader(ctx)
	default:
		problems, err = s.openOwner(ctx)
	}
	if err != nil {
		_ = s.Close() // the first error is the one to tell
		return nil, nil, s.fail("open the store", err)
	}
	return s, problems, nil
}

// Close writes what is left to the file itself, and gives up the ownership.
func (s *Store) Close() error {
	var errs []error
	for _, db := range []*sql.DB{s.r, s.w} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close the store: %w", err)
	}
	return nil
}

func (s *Store) path() string { return filepath.Join(s.cfg.Folder, fileName) }

func (s *Store) now() int64 { return millis(s.cfg.Now()) }

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
