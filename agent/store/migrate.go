package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
)

//go:embed schema/*.sql
var schema embed.FS

const (
	// appID marks the file as ours ("ExtW"): another program's database is not written to.
	appID = 0x45787457
	// pageSize is SQLite's default.
	pageSize = 4096
)

// newest is the number of the last step in schema/, which are numbered from 1.
func newest() int {
	entries, err := schema.ReadDir("schema")
	if err != nil {
		return 0 // the folder is compiled in
	}
	return len(entries)
}

// schemaOf returns the schema's number, and an error when this program does not know it.
func schemaOf(ctx context.Context, db *sql.DB) (int, error) {
	var app, version, tables int
	if err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&app); err != nil {
		return 0, err
	}
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return 0, err
	}
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return 0, err
	}
	switch {
	case app != appID && (tables > 0 || version != 0 || app != 0):
		return 0, fmt.Errorf("%w: it is the database of another program", errDamaged)
	case version > newest():
		return 0, fmt.Errorf("it was written by a newer version of this program (schema %d, this one knows %d); install that version again, or move the file away",
			version, newest())
	case version < 0:
		return 0, fmt.Errorf("%w: schema %d", errDamaged, version)
	}
	return version, nil
}

// migrate brings the schema to the newest, one step in one transaction each.
func migrate(ctx context.Context, db *sql.DB) error {
	version, err := schemaOf(ctx, db)
	if err != nil {
		return err
	}
	for ; version < newest(); version++ {
		if err := migrateOne(ctx, db, version+1); err != nil {
			return fmt.Errorf("update the schema to %d: %w", version+1, err)
		}
	}
	return nil
}

func migrateOne(ctx context.Context, db *sql.DB, to int) error {
	text, err := schema.ReadFile(fmt.Sprintf("schema/%03d.sql", to))
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to undo
	for _, step := range []string{
		string(text),
		fmt.Sprintf("PRAGMA application_id = %d", appID),
		fmt.Sprintf("PRAGMA user_version = %d", to),
	} {
		if _, err := tx.ExecContext(ctx, step); err != nil {
			return err
		}
	}
	return tx.Commit()
}
