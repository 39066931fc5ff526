package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/extwatch/extwatch/manifests"
)

const (
	// maxAside is how many damaged files are kept for whoever wants to know why.
	maxAside = 3
	// asideMark stands between the file's name and the time in the name of a damaged one.
	asideMark = ".damaged-"
	// salvageFor bounds the reading of a damaged file: the agent must start.
	salvageFor = 10 * time.Second
	// busy is how long a writer or a reader waits for another. A checkpoint of a full WAL takes about a second.
	busy = 5 * time.Second
	// maxWAL is what the WAL is cut to after a checkpoint.
	maxWAL = 4 << 20
)

var magic = []byte("SQLite format 3\x00")

func (s *Store) openOwner(ctx context.Context) ([]manifests.Problem, error) {
	if err := s.prepareFolder(); err != nil {
		return nil, err
	}
	lock, err := lockFolder(s.cfg.Folder)
	if err != nil {
		return nil, err
	}
	s.lock = lock
	err = s.openChecked(ctx)
	if !damaged(err) {
		return nil, err
	}
	was := err
	aside, err := s.setAside()
	if err != nil {
		return nil, fmt.Errorf("%w; set it aside: %w", was, err)
	}
	if err := s.openChecked(ctx); err != nil {
		return nil, err
	}
	n := s.salvage(ctx, aside)
	return []manifests.Problem{{Path: aside, Reason: fmt.Sprintf(
		"the agent's memory was damaged (%v); it was set aside, and a new one took over %d of its rows", was, n)}}, nil
}

// prepareFolder makes the folder and the file, for the owner alone. SQLite gives its other files the file's mode.
func (s *Store) prepareFolder() error {
	if err := os.MkdirAll(s.cfg.Folder, 0o700); err != nil {
		return err
	}
	fi, err := os.Lstat(s.cfg.Folder)
	switch {
	case err != nil:
		return err
	case !fi.IsDir():
		return fmt.Errorf("%s is not a folder; links are not followed", s.cfg.Folder)
	}
	if err := os.Chmod(s.cfg.Folder, 0o700); err != nil {
		return err
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		name := s.path() + suffix
		fi, err := os.Lstat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return err
		case !fi.Mode().IsRegular():
			return fmt.Errorf("%s is not a regular file; move it away", name)
		}
		if err := os.Chmod(name, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// openChecked opens the file for writing and reading, brings it to the newest schema and checks it.
func (s *Store) openChecked(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			s.closeHandles()
		}
	}()
	isNew, err := s.lookAtFile()
	if err != nil {
		return err
	}
	query := "mode=rw&_txlock=immediate"
	if isNew {
		query += "&_auto_vacuum=2" // incremental. To say it again would write each time
	}
	if s.w, err = openDB(s.path(), 1, query+
		"&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=foreign_keys(1)"+
		fmt.Sprintf("&_pragma=journal_size_limit(%d)", maxWAL)); err != nil {
		return err
	}
	if err := migrate(ctx, s.w); err != nil {
		return err
	}
	if err := s.check(ctx, s.w); err != nil {
		return err
	}
	if _, err := s.w.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", 2*s.cfg.MaxBytes/pageSize)); err != nil {
		return err
	}
	s.r, err = openDB(s.path(), 2, "mode=ro&_query_only=1")
	return err
}

// lookAtFile makes the file if there is none, and refuses what SQLite would take for an empty database or delete.
func (s *Store) lookAtFile() (isNew bool, err error) {
	_, err = os.Lstat(s.path())
	isNew = errors.Is(err, fs.ErrNotExist)
	if _, err := os.Lstat(s.path() + "-wal"); err == nil && isNew {
		return false, fmt.Errorf("%w: only its log is left", errDamaged)
	}
	f, err := os.OpenFile(s.path(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return false, err
	}
	defer f.Close()
	if isNew {
		return true, nil
	}
	head := make([]byte, len(magic))
	_, err = io.ReadFull(f, head)
	switch {
	case errors.Is(err, io.EOF):
		return false, fmt.Errorf("%w: it is empty", errDamaged)
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return false, err
	case !slices.Equal(head, magic):
		return false, fmt.Errorf("%w: it is not a database", errDamaged)
	}
	return false, nil
}

func (s *Store) openReader(ctx context.Context) error {
	if _, err := os.Stat(s.path()); err != nil {
		return err
	}
	var err error
	if s.r, err = openDB(s.path(), 2, "mode=ro&_query_only=1"); err != nil {
		return err
	}
	v, err := schemaOf(ctx, s.r)
	if err == nil && v < newest() {
		err = fmt.Errorf("it was written by an older version of this program (schema %d); start the agent, which updates it", v)
	}
	return err
}

func (s *Store) openMemory(ctx context.Context) error {
	w, err := openDB("", 1, "_pragma=foreign_keys(1)")
	if err != nil {
		return err
	}
	s.w = w
	if err := migrate(ctx, w); err != nil {
		return err
	}
	_, err = w.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", 2*s.cfg.MaxBytes/pageSize))
	return err
}

// openDB opens a file, or memory when path is empty. Connections are never closed for age: memory would be lost.
func openDB(path string, conns int, query string) (*sql.DB, error) {
	query += fmt.Sprintf("&_pragma=busy_timeout(%d)&_pragma=cache_size(-1024)&_pragma=temp_store(2)&_pragma=trusted_schema(0)&_dqs=0&_defensive=1",
		busy.Milliseconds())
	dsn := "file::memory:?" + query
	if path != "" {
		abs, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		if abs = filepath.ToSlash(abs); runtime.GOOS == "windows" {
			abs = "/" + abs
		}
		dsn = (&url.URL{Scheme: "file", Path: abs, RawQuery: query}).String()
	}
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

func (s *Store) closeHandles() {
	for _, db := range []**sql.DB{&s.r, &s.w} {
		if *db != nil {
			_ = (*db).Close() // it failed already
			*db = nil
		}
	}
}

// setAside renames the damaged file, with what SQLite keeps beside it, and removes the oldest of those set aside.
func (s *Store) setAside() (string, error) {
	old, err := filepath.Glob(globEscape(s.path()+asideMark) + "*Z")
	if err != nil {
		return "", err
	}
	slices.Sort(old) // by time
	for len(old) >= maxAside {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(old[0] + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return "", err
			}
		}
		old = old[1:]
	}
	aside := s.path() + asideMark + s.cfg.Now().UTC().Format("20060102T150405.000000000Z")
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Rename(s.path()+suffix, aside+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return aside, nil
}

// globEscape makes a path a pattern that matches only itself. On Windows names hold none of these characters but "[",
// and there is no escape.
func globEscape(path string) string {
	if runtime.GOOS == "windows" {
		return strings.ReplaceAll(path, "[", "?")
	}
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

// check asks SQLite whether the file is whole.
func (s *Store) check(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, "PRAGMA quick_check(1)")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		if text != "ok" {
			return fmt.Errorf("%w: %s", errDamaged, strings.Join(strings.Fields(text), " "))
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	broken, err := db.QueryContext(ctx, "PRAGMA foreign_key_check")
	if err != nil {
		return err
	}
	defer broken.Close()
	if broken.Next() {
		return fmt.Errorf("%w: a row refers to one that is missing", errDamaged)
	}
	return broken.Err()
}

// Check looks for damage in the open store: whole pages, and rows that refer to others. It takes a second for 100 MB.
func (s *Store) Check(ctx context.Context) error {
	return s.fail("check the store", s.check(ctx, s.reader()))
}
