package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"strings"

	sqlite3 "modernc.org/sqlite/lib"
)

// salvageTables are those whose rows are worth saving, in the order in which they refer to each other. What else there was
// is seen again, or made anew.
var salvageTables = [...]string{"blobs", "extensions", "versions", "findings", "told", "decisions", "events", "outbox", "feeds", "ticks"}

// mend gives what refers to a lost blob an empty one, so that a finding whose details are lost still counts as told. How an
// extension was judged is written anew when it is seen next; so is the manifest.
var mend = [...]string{
	"DELETE FROM versions WHERE manifest NOT IN (SELECT id FROM blobs)",
	"UPDATE versions SET files = NULL WHERE files NOT IN (SELECT id FROM blobs)",
	"UPDATE extensions SET judged = x''",
	`INSERT INTO blobs (id, hash, data) SELECT id, CAST('lost ' || id AS BLOB), x''
		FROM (SELECT result AS id FROM extensions UNION SELECT data FROM findings) WHERE id NOT IN (SELECT id FROM blobs)`,
}

// salvage takes over what can still be read of a damaged file, so that what was told is not told again, and returns how
// many rows. It never fails: what cannot be read is lost.
func (s *Store) salvage(ctx context.Context, damaged string) (rows int) {
	ctx, cancel := context.WithTimeout(ctx, salvageFor)
	defer cancel()
	old, err := openDB(damaged, 1, "mode=ro&_query_only=1")
	if err != nil {
		return 0
	}
	defer old.Close()
	if v, err := schemaOf(ctx, old); err != nil || v != newest() {
		return 0
	}
	err = s.transact(ctx, true, func(x *tx) error {
		rows = 0
		if _, err := x.tx.ExecContext(ctx, "PRAGMA defer_foreign_keys = 1"); err != nil {
			return err
		}
		for _, table := range salvageTables {
			n, err := salvageTable(x, old, table)
			if err != nil {
				return err
			}
			rows += n
		}
		for _, query := range mend {
			if _, _, err := x.exec(query); err != nil {
				return err
			}
		}
		n, err := dropBroken(x)
		rows -= n
		return err
	})
	if err != nil {
		return 0
	}
	return rows
}

// salvageTable copies rows until one cannot be read. Its error is one of writing.
func salvageTable(x *tx, old *sql.DB, table string) (n int, err error) {
	var columns []string
	err = x.each("SELECT name FROM pragma_table_info(?)", []any{table}, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		columns = append(columns, name)
		return err
	})
	if err != nil {
		return 0, err
	}
	list := strings.Join(columns, ", ")
	insert := fmt.Sprintf("INSERT OR IGNORE INTO %s (%s) VALUES (?%s)", table, list, strings.Repeat(", ?", len(columns)-1))
	for _, order := range []string{"ASC", "DESC"} { // from both ends up to what is damaged
		rows, err := old.QueryContext(x.ctx, fmt.Sprintf("SELECT %s FROM %s ORDER BY 1 %s", list, table, order))
		if err != nil {
			continue
		}
		whole := false
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			if rows.Scan(into...) != nil {
				break
			}
			if table == "blobs" && !wholeBlob(values) {
				continue
			}
			_, added, err := x.exec(insert, values...)
			if code(err) == sqlite3.SQLITE_CONSTRAINT {
				continue // a type that is not the column's, or a row twice
			}
			if err != nil {
				rows.Close()
				return n, err
			}
			n += int(added)
		}
		whole = rows.Err() == nil
		rows.Close()
		if whole {
			break
		}
	}
	return n, nil
}

// wholeBlob reports whether what a blob holds is what its hash says: it would be found by that hash again.
func wholeBlob(values []any) bool {
	hash, _ := values[1].([]byte)
	data, _ := values[2].([]byte)
	text, err := inflate(data)
	sum := sha256.Sum256(text)
	return err == nil && bytes.Equal(sum[:], hash)
}

// dropBroken removes rows that refer to rows that are missing, and returns how many.
func dropBroken(x *tx) (dropped int, err error) {
	for range len(salvageTables) { // each may break others
		type broken struct {
			table, parent string
			id            sql.NullInt64
			fk            int64
		}
		var list []broken
		err := x.each("SELECT \"table\", rowid, parent, fkid FROM pragma_foreign_key_check", nil, func(rows *sql.Rows) error {
			var b broken
			err := rows.Scan(&b.table, &b.id, &b.parent, &b.fk)
			list = append(list, b)
			return err
		})
		if err != nil || len(list) == 0 {
			return dropped, err
		}
		for _, b := range list {
			query, args := fmt.Sprintf("DELETE FROM %s WHERE rowid = ?", b.table), []any{b.id.Int64}
			if !b.id.Valid { // told has no rowid
				query, args = "DELETE FROM told WHERE finding NOT IN (SELECT id FROM findings)", nil
			}
			_, n, err := x.exec(query, args...)
			if err != nil {
				return dropped, err
			}
			dropped += int(n)
		}
	}
	return dropped, nil
}
