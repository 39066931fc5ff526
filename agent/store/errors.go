package store

import (
	"errors"
	"fmt"
	"io/fs"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// A LockedError says that another process owns the store.
type LockedError struct {
	Folder string
	PID    int // 0 when it is not known
}

func (e *LockedError) Error() string {
	who := "another process"
	if e.PID > 0 {
		who = fmt.Sprintf("process %d", e.PID)
	}
	return fmt.Sprintf("%s already watches this machine and owns %s; stop it first", who, e.Folder)
}

var (
	errReadOnly = errors.New("the store is open for reading only")
	errDamaged  = errors.New("the file is damaged")
)

// fail adds the step that failed and, where the cause is known, what to do next.
func (s *Store) fail(step string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w%s", step, err, s.hint(err))
}

func (s *Store) hint(err error) string {
	switch code(err) {
	case sqlite3.SQLITE_FULL:
		return fmt.Sprintf("; free some space on the disk of %s, or allow the store more than %d MB", s.cfg.Folder, s.cfg.MaxBytes>>20)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return fmt.Sprintf("; let the owner of the agent write in %s", s.cfg.Folder)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return "; start the agent again: it sets the damaged file aside"
	case sqlite3.SQLITE_BUSY:
		return "; try again: another program holds the file"
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "; run it with the rights of the agent's owner"
	case errors.Is(err, fs.ErrNotExist) && s.cfg.ReadOnly:
		return "; nothing is recorded until the agent has run"
	}
	return ""
}

// code is the primary result code of SQLite, or 0.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

func damaged(err error) bool {
	c := code(err)
	return c == sqlite3.SQLITE_CORRUPT || c == sqlite3.SQLITE_NOTADB || errors.Is(err, errDamaged)
}
