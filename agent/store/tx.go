package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
)

// A tx is one transaction of the writer. Its statements are compiled once.
type tx struct {
	ctx   context.Context
	tx    *sql.Tx
	stmts map[string]*sql.Stmt
	packer
}

// write runs f in one transaction. A lasting one, and all before it, survives the loss of power; the others only the death
// of the process: the difference is a millisecond or many.
func (s *Store) write(ctx context.Context, step string, lasting bool, f func(*tx) error) error {
	if s.w == nil {
		return s.fail(step, errReadOnly)
	}
	return s.fail(step, s.transact(ctx, lasting, f))
}

func (s *Store) transact(ctx context.Context, lasting bool, f func(*tx) error) (err error) {
	conn, err := s.w.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	level := "PRAGMA synchronous = NORMAL"
	if lasting {
		level = "PRAGMA synchronous = FULL"
	}
	if _, err := conn.ExecContext(ctx, level); err != nil {
		return err
	}
	t, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	x := &tx{ctx: ctx, tx: t, stmts: map[string]*sql.Stmt{}}
	defer func() {
		for _, stmt := range x.stmts {
			stmt.Close()
		}
		if err != nil {
			_ = t.Rollback() // the first error is the one to tell
		}
	}()
	if err := f(x); err != nil {
		return err
	}
	return t.Commit()
}

func (x *tx) stmt(query string) (*sql.Stmt, error) {
	if s, ok := x.stmts[query]; ok {
		return s, nil
	}
	s, err := x.tx.PrepareContext(x.ctx, query)
	if err != nil {
		return nil, err
	}
	x.stmts[query] = s
	return s, nil
}

// exec returns the ID of the row that was inserted last, and how many were changed.
func (x *tx) exec(query string, args ...any) (id, n int64, err error) {
	s, err := x.stmt(query)
	if err != nil {
		return 0, 0, err
	}
	res, err := s.ExecContext(x.ctx, args...)
	if err != nil {
		return 0, 0, err
	}
	if id, err = res.LastInsertId(); err != nil {
		return 0, 0, err
	}
	n, err = res.RowsAffected()
	return id, n, err
}

// scan reads the first row, and reports whether there is one.
func (x *tx) scan(query string, args []any, into ...any) (bool, error) {
	s, err := x.stmt(query)
	if err != nil {
		return false, err
	}
	err = s.QueryRowContext(x.ctx, args...).Scan(into...)
	if err == sql.ErrNoRows {
		return false, nil
	}
	return err == nil, err
}

// each calls f for every row.
func (x *tx) each(query string, args []any, f func(*sql.Rows) error) error {
	s, err := x.stmt(query)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(x.ctx, args...)
	return eachRow(rows, err, f)
}

// blob keeps a value once and returns its row. The hash of its JSON finds it again without compressing.
func (x *tx) blob(v any) (int64, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return 0, err
	}
	return x.blobOf(text, sha256.Sum256(text))
}

func (x *tx) blobOf(text []byte, hash [sha256.Size]byte) (id int64, err error) {
	found, err := x.scan("SELECT id FROM blobs WHERE hash = ?", []any{hash[:]}, &id)
	if found || err != nil {
		return id, err
	}
	data, err := x.compress(text)
	if err != nil {
		return 0, err
	}
	id, _, err = x.exec("INSERT INTO blobs (hash, data) VALUES (?, ?)", hash[:], data)
	return id, err
}

// reader is where to read: beside the writer, or in memory by it.
func (s *Store) reader() *sql.DB {
	if s.r != nil {
		return s.r
	}
	return s.w
}

// read calls f for every row.
func (s *Store) read(ctx context.Context, query string, args []any, f func(*sql.Rows) error) error {
	rows, err := s.reader().QueryContext(ctx, query, args...)
	return eachRow(rows, err, f)
}

func eachRow(rows *sql.Rows, err error, f func(*sql.Rows) error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
