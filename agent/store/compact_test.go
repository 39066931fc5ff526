package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/extwatch/extwatch/signatures"
)

func rowsOf(t testing.TB, s *Store, table string) (n int) {
	t.Helper()
	if err := s.w.QueryRow("SELECT count(*) FROM " + table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRetention(t *testing.T) {
	ctx := context.Background()
	c := newClock()
	keep := 100 * 24 * time.Hour
	s := open(t, Config{Folder: t.TempDir(), Now: c.now, Keep: keep})
	bad := observe(ext("bad", "1"), signatures.Suspicious, finding("theft", signatures.Suspicious))
	good := observe(ext("good", "1"), signatures.Clean)
	stays := observe(ext("stays", "1"), signatures.Suspicious, finding("theft", signatures.Suspicious))
	tellAll(t, s, append(record(t, s, bad).Untold, record(t, s, stays).Untold...))
	record(t, s, good)
	if _, err := s.Decide(ctx, Decision{Kind: "trust", ID: "x", By: "root", Until: c.now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Decide(ctx, Decision{Kind: "block", ID: "y", By: "root"}); err != nil {
		t.Fatal(err)
	}
	if err := s.PutAnalysis(ctx, "c", "1", Analysis{}); err != nil {
		t.Fatal(err)
	}
	bad.Gone, good.Gone = true, true
	record(t, s, bad)
	record(t, s, good)
	compact := func(want map[string]int) {
		t.Helper()
		if err := s.Compact(ctx); err != nil {
			t.Fatal(err)
		}
		for table, n := range want {
			if got := rowsOf(t, s, table); got != n {
				t.Errorf("%s: %s has %d rows, want %d", c.now().Format(time.DateOnly), table, got, n)
			}
		}
	}
	compact(map[string]int{"extensions": 3, "findings": 2, "decisions": 2, "analyses": 1})
	c.forward(keep + time.Hour)
	compact(map[string]int{"extensions": 2, "findings": 2, "told": 2, "decisions": 2, "analyses": 0, "events": 0})
	c.forward(4*keep + time.Hour)
	compact(map[string]int{"extensions": 1, "findings": 1, "told": 1, "decisions": 1})
	if out := record(t, s, stays); out.Kind != Same || len(out.Untold) != 0 {
		t.Errorf("what stays: %+v", out)
	}
	if err := s.Check(ctx); err != nil {
		t.Error(err)
	}
}

func TestSizeIsBounded(t *testing.T) {
	ctx := context.Background()
	s := open(t, Config{Folder: t.TempDir(), MaxBytes: minBytes})
	tellAll(t, s, record(t, s, observe(ext("bad", "1"), signatures.Suspicious, finding("theft", signatures.Suspicious))).Untold)
	for i := range 60 {
		facts := make([]byte, 0, 30_000)
		for len(facts) < 25_000 {
			facts = strconv.AppendUint(facts, rand.Uint64N(9e17)+1e17, 10)
		}
		if err := s.PutAnalysis(ctx, fmt.Sprint(i), "1", Analysis{Facts: append(append([]byte{'"'}, facts...), '"')}); err != nil {
			t.Fatal(err)
		}
		o := observe(ext("grows", fmt.Sprint(i)), signatures.Clean)
		for f := range 200 {
			o.Files[fmt.Sprint(f, ".js")] = fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64())
		}
		record(t, s, o)
	}
	before, _ := s.size(ctx)
	if err := s.Compact(ctx); err != nil {
		t.Fatal(err)
	}
	after, err := s.size(ctx)
	if err != nil || before <= minBytes || after > minBytes {
		t.Errorf("%d bytes before, %d after, %v; at most %d are allowed", before, after, err, minBytes)
	}
	if n := rowsOf(t, s, "told"); n != 1 {
		t.Errorf("%d marks are left, want 1", n)
	}
	if list, err := s.History(ctx, "grows"); err != nil || len(list) != 1 || len(list[0].Versions) == 0 || list[0].Versions[0].Version != "59" {
		t.Errorf("what grows: %+v, %v", list, err)
	}
}
