package store

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/extwatch/extwatch/signatures"
)

func TestModes(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a", "state with % and ?#")
	if runtime.GOOS == "windows" {
		folder = filepath.Join(t.TempDir(), "a", "state with %")
	}
	s := open(t, Config{Folder: folder})
	record(t, s, observe(ext("a", "1"), signatures.Clean))
	if runtime.GOOS == "windows" {
		return // Windows has access lists instead
	}
	for name, want := range map[string]os.FileMode{
		"": 0o700, fileName: 0o600, fileName + "-wal": 0o600, fileName + "-shm": 0o600, lockName: 0o600,
	} {
		fi, err := os.Stat(filepath.Join(folder, name))
		if err != nil {
			t.Error(err)
		} else if fi.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", fi.Name(), fi.Mode().Perm(), want)
		}
	}
	s.Close()
	for _, name := range []string{folder, filepath.Join(folder, fileName)} {
		if err := os.Chmod(name, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	open(t, Config{Folder: folder})
	for name, want := range map[string]os.FileMode{"": 0o700, fileName: 0o600} {
		if fi, err := os.Stat(filepath.Join(folder, name)); err != nil || fi.Mode().Perm() != want {
			t.Errorf("%s is not made tight again: %v, %v", name, fi.Mode(), err)
		}
	}
}

func TestOneOwner(t *testing.T) {
	folder := t.TempDir()
	s := open(t, Config{Folder: folder})
	_, _, err := Open(context.Background(), Config{Folder: folder})
	var locked *LockedError
	if !errors.As(err, &locked) || locked.PID != os.Getpid() || locked.Folder != folder {
		t.Fatalf("a second owner: %v", err)
	}
	s.Close()
	open(t, Config{Folder: folder})
}

func TestReadBesideOwner(t *testing.T) {
	ctx := context.Background()
	folder := t.TempDir()
	if _, _, err := Open(ctx, Config{Folder: folder, ReadOnly: true}); err == nil || !strings.Contains(err.Error(), "until the agent has run") {
		t.Errorf("reading what is not there: %v", err)
	}
	s := open(t, Config{Folder: folder})
	r := open(t, Config{Folder: folder, ReadOnly: true})
	for _, id := range []string{"a", "b"} {
		record(t, s, observe(ext(id, "1"), signatures.Clean))
		if list, err := r.History(ctx, id); err != nil || len(list) != 1 {
			t.Errorf("the reader sees %v, %v", list, err)
		}
	}
	if _, err := r.Record(ctx, observe(ext("c", "1"), signatures.Clean)); !errors.Is(err, errReadOnly) {
		t.Errorf("the reader writes: %v", err)
	}
	s.Close()
	if list, err := r.History(ctx, "a"); err != nil || len(list) != 1 {
		t.Errorf("after the owner ended, the reader sees %v, %v", list, err)
	}
	r.Close()
	r = open(t, Config{Folder: folder, ReadOnly: true})
	if list, err := r.History(ctx, "a"); err != nil || len(list) != 1 {
		t.Errorf("without an owner, a reader sees %v, %v", list, err)
	}
}

func TestFolderErrors(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	inPlace := filepath.Join(dir, "state")
	if err := os.MkdirAll(filepath.Join(inPlace, fileName), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, folder := range map[string]string{
		"a file": file, "below a file": filepath.Join(file, "x"), "a folder in the file's place": inPlace,
	} {
		if _, _, err := Open(ctx, Config{Folder: folder}); err == nil {
			t.Errorf("%s was opened", name)
		}
	}
	if runtime.GOOS != "windows" { // links need rights there
		link := filepath.Join(dir, "link")
		if err := os.Symlink(t.TempDir(), link); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Open(ctx, Config{Folder: link}); err == nil || !strings.Contains(err.Error(), "links are not followed") {
			t.Errorf("a link: %v", err)
		}
	}
}

// What a full disk does is what a full store does.
func TestFull(t *testing.T) {
	ctx := context.Background()
	s := open(t, Config{Folder: t.TempDir(), MaxBytes: 1})
	noise := make([]byte, 200<<10)
	var err error
	for i := 0; err == nil && i < 100; i++ {
		for j := range noise {
			noise[j] = byte(rand.Uint32())
		}
		_, err = s.Push(ctx, Delivery{Channel: "webhook", Key: string(rune('a' + i)), Payload: noise})
	}
	if err == nil || !strings.Contains(err.Error(), "free some space") {
		t.Fatalf("a full disk: %v", err)
	}
	if _, err := s.Health(ctx); err != nil {
		t.Errorf("reading a full store: %v", err)
	}
	if err := s.Check(ctx); err != nil {
		t.Errorf("a full store: %v", err)
	}
}

func TestMemory(t *testing.T) {
	s := open(t, Config{})
	o := observe(ext("a", "1"), signatures.Suspicious, finding("theft", signatures.Suspicious))
	tellAll(t, s, record(t, s, o).Untold)
	if out := record(t, s, o); out.Kind != Same || len(out.Untold) != 0 {
		t.Errorf("in memory: %+v", out)
	}
	if err := s.Compact(context.Background()); err != nil {
		t.Error(err)
	}
}

// fill makes a store with some of everything, told, and closes it.
func fill(t testing.TB, folder string) {
	t.Helper()
	ctx := context.Background()
	s := open(t, Config{Folder: folder})
	for i := range 60 {
		id := strings.Repeat(string(rune('a'+i%16)), 2+i/16)
		out := record(t, s, observe(ext(id, "1"), signatures.Suspicious, finding("theft", signatures.Suspicious)))
		tellAll(t, s, out.Untold)
	}
	if _, err := s.Decide(ctx, Decision{Kind: "block", ID: "aa", By: "root"}); err != nil {
		t.Fatal(err)
	}
	if err := s.PutAnalysis(ctx, "c", "1", Analysis{Facts: []byte(`{"a":1}`)}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestDamaged(t *testing.T) {
	template := t.TempDir()
	fill(t, template)
	whole, err := os.ReadFile(filepath.Join(template, fileName))
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	garbage := func(from, to int) []byte {
		b := bytes.Clone(whole)
		for i := from; i < to; i++ {
			b[i] = byte(rng.Uint32())
		}
		return b
	}
	tests := map[string][]byte{
		"zero length":        {},
		"short":              whole[:7],
		"header only":        whole[:100],
		"one page":           whole[:pageSize],
		"half":               whole[:len(whole)/2/pageSize*pageSize],
		"torn page":          whole[:len(whole)-pageSize/2],
		"wrong magic":        append([]byte("SQLite format 2\x00"), whole[16:]...),
		"text":               []byte(strings.Repeat("not a database\n", 1000)),
		"garbage first page": garbage(100, pageSize),
		"garbage pages":      garbage(5*pageSize, 12*pageSize),
		"garbage everywhere": garbage(pageSize, len(whole)),
	}
	for name, data := range tests {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			folder := t.TempDir()
			if err := os.WriteFile(filepath.Join(folder, fileName), data, 0o600); err != nil {
				t.Fatal(err)
			}
			s, problems, err := Open(ctx, Config{Folder: folder})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if len(problems) != 1 || !strings.HasPrefix(problems[0].Path, filepath.Join(folder, fileName+asideMark)) {
				t.Fatalf("problems: %v", problems)
			}
			kept, err := os.ReadFile(problems[0].Path)
			if err != nil || !bytes.Equal(kept, data) {
				t.Errorf("what was set aside is not what was there: %d bytes, %v", len(kept), err)
			}
			record(t, s, observe(ext("new", "1"), signatures.Clean))
			if err := s.Check(ctx); err != nil {
				t.Error(err)
			}
			t.Log(problems[0].Reason)
		})
	}
}

// Of a file whose first rows are whole, what was told is not told again.
func TestSalvage(t *testing.T) {
	ctx := context.Background()
	folder := t.TempDir()
	fill(t, folder)
	db, err := openDB(filepath.Join(folder, fileName), 1, "mode=rw")
	if err != nil {
		t.Fatal(err)
	}
	// A row that refers to nothing is damage as well.
	for _, query := range []string{
		"PRAGMA foreign_keys = 0", "DELETE FROM extensions WHERE ext_id = 'aa'", "UPDATE blobs SET data = x'00' WHERE id = 1",
	} {
		if _, err := db.Exec(query); err != nil {
			t.Fatal(err)
		}
	}
	db.Close()
	s, problems, err := Open(ctx, Config{Folder: folder})
	if err != nil || len(problems) != 1 {
		t.Fatal(problems, err)
	}
	defer s.Close()
	if err := s.Check(ctx); err != nil {
		t.Fatal(err)
	}
	again := 0
	for _, id := range []string{"aa", "bb", "cc", "dddd"} {
		again += len(record(t, s, observe(ext(id, "1"), signatures.Suspicious, finding("theft", signatures.Suspicious))).Untold)
	}
	if again != 1 { // the one that was lost
		t.Errorf("%d of 4 are told again", again)
	}
	if list, err := s.History(ctx, "bb"); err != nil || len(list) != 1 || len(list[0].Problems) != 0 || len(list[0].Versions) != 1 {
		t.Errorf("what was lost is not written anew: %+v, %v", list, err)
	}
	if list, err := s.Decisions(ctx, "aa", false); err != nil || len(list) != 1 {
		t.Errorf("decisions: %v, %v", list, err)
	}
}

func TestAsideIsBounded(t *testing.T) {
	folder := t.TempDir()
	c := newClock()
	for range maxAside + 2 {
		if err := os.WriteFile(filepath.Join(folder, fileName), []byte("garbage"), 0o600); err != nil {
			t.Fatal(err)
		}
		s, problems, err := Open(context.Background(), Config{Folder: folder, Now: c.now})
		if err != nil || len(problems) != 1 {
			t.Fatal(problems, err)
		}
		s.Close()
		c.forward(time.Second)
	}
	old, err := filepath.Glob(filepath.Join(folder, "*"+asideMark+"*"))
	if err != nil || len(old) != maxAside {
		t.Errorf("set aside: %v, %v", old, err)
	}
}

func TestNothingRuns(t *testing.T) {
	before := goleak.IgnoreCurrent()
	s := open(t, Config{Folder: t.TempDir()})
	record(t, s, observe(ext("a", "1"), signatures.Clean))
	// database/sql keeps one goroutine for each handle, which waits for a request and has no timer.
	goleak.VerifyNone(t, before, goleak.IgnoreAnyFunction("database/sql.(*DB).connectionOpener"))
	s.Close()
	goleak.VerifyNone(t, before)
}
