package store

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
)

const (
	benchUsers = 200
	benchEach  = 25
)

// profiles are those of many users with the same extensions, one of which is bad.
func profiles() [][]Observation {
	out := make([][]Observation, benchUsers)
	for u := range out {
		for i := range benchEach {
			e := ext(fmt.Sprintf("extension%02d", i), "1.0")
			e.User = fmt.Sprintf("user%03d", u)
			e.Manifest.ContentScripts = []manifests.ContentScript{{Matches: []string{"*://*.binance.com/*"}, JS: []string{"content.js"}}}
			o := observe(e, signatures.Capable)
			o.Files = map[string]string{}
			for f := range 40 {
				o.Files[fmt.Sprintf("scripts/part%d.js", f)] = fmt.Sprintf("%064x", i*100+f)
			}
			o.Result.Reach = []signatures.Reach{{Exchange: "binance", Title: "Binance", Capabilities: []string{"session.read"}, Because: []string{"permissions: cookies"}}}
			if i == 0 {
				o.Result.Verdict, o.Result.Findings = signatures.Suspicious, []signatures.Finding{finding("theft", signatures.Suspicious)}
			}
			out[u] = append(out[u], o)
		}
	}
	return out
}

func sweep(tb testing.TB, s *Store, all [][]Observation) (untold int) {
	for _, p := range all {
		out, err := s.Record(context.Background(), p...)
		if err != nil {
			tb.Fatal(err)
		}
		for _, o := range out {
			untold += len(o.Untold)
		}
	}
	return untold
}

// One operation is a sweep of 200 users with 25 extensions each, all new.
func BenchmarkFirstSweep(b *testing.B) {
	all := profiles()
	for b.Loop() {
		b.StopTimer()
		s := open(b, Config{Folder: b.TempDir()})
		b.StartTimer()
		sweep(b, s, all)
		b.StopTimer()
		bytes, err := s.size(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(bytes)/(1<<20), "MiB")
		s.Close()
		b.StartTimer()
	}
}

// The same sweep, when nothing changed and all was told.
func BenchmarkUnchangedSweep(b *testing.B) {
	all := profiles()
	s := open(b, Config{Folder: b.TempDir()})
	sweep(b, s, all)
	for u := range benchUsers {
		list, err := s.Untold(context.Background(), fmt.Sprintf("user%03d", u), "desktop")
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Told(context.Background(), fmt.Sprintf("user%03d", u), "desktop", ids(list)...); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if n := sweep(b, s, all); n != 0 {
			b.Fatalf("%d are told again", n)
		}
	}
}

// One operation opens a store of 200 users with 25 extensions each, and checks it.
func BenchmarkOpen(b *testing.B) {
	folder := b.TempDir()
	s := open(b, Config{Folder: folder})
	sweep(b, s, profiles())
	s.Close()
	for b.Loop() {
		s := open(b, Config{Folder: folder})
		s.Close()
	}
}

// One operation tells one finding: both marks, on disk.
func BenchmarkTell(b *testing.B) {
	ctx := context.Background()
	s := open(b, Config{Folder: b.TempDir()})
	i := 0
	for b.Loop() {
		b.StopTimer()
		i++
		out := record(b, s, observe(ext(fmt.Sprint(i), "1"), signatures.Suspicious, finding("theft", signatures.Suspicious)))
		b.StartTimer()
		list, err := s.Telling(ctx, "ada", "desktop", ids(out.Untold)...)
		if err != nil || len(list) != 1 {
			b.Fatal(list, err)
		}
		if err := s.Told(ctx, "ada", "desktop", ids(list)...); err != nil {
			b.Fatal(err)
		}
	}
}

// Readers, here and in another process, see whole transactions while the owner writes.
func TestReadersAndWriter(t *testing.T) {
	ctx := context.Background()
	folder := t.TempDir()
	s := open(t, Config{Folder: folder})
	outside := open(t, Config{Folder: folder, ReadOnly: true})
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for _, r := range []*Store{s, outside, outside} {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				list, err := r.Extensions(ctx, Query{Versions: 1, Findings: true})
				if err != nil {
					t.Error(err)
					return
				}
				if len(list)%benchEach != 0 {
					t.Errorf("half a profile: %d extensions", len(list))
				}
				if _, err := r.Health(ctx); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, p := range profiles()[:10] {
		wg.Go(func() { // writers wait for each other
			if _, err := s.Record(ctx, p...); err != nil {
				t.Error(err)
			}
		})
	}
	time.Sleep(300 * time.Millisecond)
	close(stop)
	wg.Wait()
	if err := s.Compact(ctx); err != nil {
		t.Error(err)
	}
	if err := s.Check(ctx); err != nil {
		t.Error(err)
	}
	if list, err := outside.Extensions(ctx, Query{}); err != nil || len(list) != 10*benchEach {
		t.Errorf("%d extensions, %v", len(list), err)
	}
}
