package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/extwatch/extwatch/signatures"
)

// build makes a database from SQL text.
func build(t *testing.T, folder, text string) {
	t.Helper()
	path := filepath.Join(folder, fileName)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := openDB(path, 1, "mode=rw")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(text); err != nil {
		t.Fatal(err)
	}
}

// For every older schema there is a database with rows, as that version of the program left it.
func TestMigrations(t *testing.T) {
	ctx := context.Background()
	for from := 1; from < newest(); from++ {
		t.Run(fmt.Sprint(from), func(t *testing.T) {
			text, err := os.ReadFile(fmt.Sprintf("testdata/schema-%d.sql", from))
			if err != nil {
				t.Fatal(err)
			}
			folder := t.TempDir()
			build(t, folder, string(text))
			if _, _, err := Open(ctx, Config{Folder: folder, ReadOnly: true}); err == nil || !strings.Contains(err.Error(), "start the agent") {
				t.Errorf("a reader of an older schema: %v", err)
			}
			s := open(t, Config{Folder: folder})
			if v, err := schemaOf(ctx, s.w); v != newest() || err != nil {
				t.Errorf("schema %d, %v", v, err)
			}
			if err := s.Check(ctx); err != nil {
				t.Error(err)
			}
			list, err := s.History(ctx, "a")
			if err != nil || len(list) != 1 || len(list[0].Findings) != 1 || len(list[0].Versions) != 1 || len(list[0].Problems) != 0 {
				t.Fatalf("history: %+v, %v", list, err)
			}
			if f := list[0].Findings[0]; f.Rule != "theft" || f.Told.IsZero() || f.Title != "Sends cookies away" {
				t.Errorf("finding: %+v", f)
			}
			if left, err := s.Untold(ctx, "ada", "desktop"); err != nil || len(left) != 0 {
				t.Errorf("told again after the update: %v, %v", rules(left), err)
			}
			if err := s.PutAnalysis(ctx, "c", "1", Analysis{}); err != nil {
				t.Error(err)
			}
		})
	}
}

// A migrated schema is the same as a new one.
func TestMigratedIsNew(t *testing.T) {
	ctx := context.Background()
	tables := func(s *Store) (out []string) {
		rows, err := s.w.QueryContext(ctx, "SELECT name || ': ' || ifnull(sql, '') FROM sqlite_schema ORDER BY name")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var text string
			if err := rows.Scan(&text); err != nil {
				t.Fatal(err)
			}
			out = append(out, strings.Join(strings.Fields(text), " "))
		}
		return out
	}
	fresh := tables(open(t, Config{Folder: t.TempDir()}))
	for from := 1; from < newest(); from++ {
		text, err := os.ReadFile(fmt.Sprintf("testdata/schema-%d.sql", from))
		if err != nil {
			t.Fatal(err)
		}
		folder := t.TempDir()
		build(t, folder, string(text))
		if diff := cmp.Diff(fresh, tables(open(t, Config{Folder: folder}))); diff != "" {
			t.Errorf("from %d (-new +migrated):\n%s", from, diff)
		}
	}
}

func TestNewerSchema(t *testing.T) {
	folder := t.TempDir()
	fill(t, folder)
	build := func(query string) {
		db, err := openDB(filepath.Join(folder, fileName), 1, "mode=rw")
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Exec(query); err != nil {
			t.Fatal(err)
		}
	}
	build(fmt.Sprintf("PRAGMA user_version = %d", newest()+1))
	for _, readOnly := range []bool{false, true} {
		_, _, err := Open(context.Background(), Config{Folder: folder, ReadOnly: readOnly})
		if err == nil || !strings.Contains(err.Error(), "newer version of this program") {
			t.Errorf("a newer schema, read-only %t: %v", readOnly, err)
		}
	}
	build(fmt.Sprintf("PRAGMA user_version = %d", newest()))
	s := open(t, Config{Folder: folder}) // it was left alone
	if out := record(t, s, observe(ext("aa", "1"), signatures.Suspicious, finding("theft", signatures.Suspicious))); out.Kind != Same {
		t.Errorf("after it was refused: %v", out)
	}
}

// A step that fails leaves the schema as it was.
func TestMigrationIsWhole(t *testing.T) {
	ctx := context.Background()
	folder := t.TempDir()
	text, err := os.ReadFile("testdata/schema-1.sql")
	if err != nil {
		t.Fatal(err)
	}
	build(t, folder, string(text)+"CREATE TABLE ticks (x INTEGER);") // step 2 cannot make it
	if _, _, err := Open(ctx, Config{Folder: folder}); err == nil || !strings.Contains(err.Error(), "update the schema to 2") {
		t.Fatalf("a step that fails: %v", err)
	}
	db, err := openDB(filepath.Join(folder, fileName), 1, "mode=rw")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if v, err := schemaOf(ctx, db); v != 1 || err != nil {
		t.Errorf("schema %d, %v; want 1", v, err)
	}
	var n int
	if err := db.QueryRow("SELECT count(*) FROM sqlite_schema WHERE name = 'analyses'").Scan(&n); err != nil || n != 0 {
		t.Errorf("half of the step was done: %d, %v", n, err)
	}
}
