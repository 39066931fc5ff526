package store

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
	"github.com/extwatch/extwatch/signatures/behavior"
)

func packed(t testing.TB, text string) []byte {
	t.Helper()
	data, err := new(packer).compress([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Whatever a row holds, the others are read, and it is a problem.
func FuzzStoredJSON(f *testing.F) {
	for _, text := range []string{"", "null", "{}", "[]", `{"Manifest":1}`, `{"evidence":[{"line":"x"}]}`, `{"a":`, `{"bg.js":"00"}`, "[[[["} {
		f.Add(packed(f, text))
	}
	f.Add([]byte{})
	f.Add([]byte{0xff, 0xff})
	f.Add(bytes.Repeat([]byte{0}, 100))
	ctx := context.Background()
	s := open(f, Config{})
	o := observe(ext("a", "1"), signatures.Suspicious, finding("theft", signatures.Suspicious))
	record(f, s, o)
	if err := s.PutAnalysis(ctx, "c", "1", Analysis{}); err != nil {
		f.Fatal(err)
	}
	if err := s.Swept(ctx, Health{Sweep: time.Now()}); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, query := range []string{"UPDATE blobs SET data = ?", "UPDATE analyses SET data = ?", "UPDATE sweeps SET problems = ?"} {
			if _, err := s.w.Exec(query, append([]byte{}, data...)); err != nil {
				t.Fatal(err)
			}
		}
		list, err := s.History(ctx, "a")
		if err != nil || len(list) != 1 || len(list[0].Versions) != 1 || len(list[0].Findings) != 1 {
			t.Fatalf("history: %+v, %v", list, err)
		}
		if f := list[0].Findings[0]; f.Rule != "theft" || f.Verdict != signatures.Suspicious {
			t.Errorf("finding: %+v", f)
		}
		var any any
		if unpack(data, &any) != nil && len(list[0].Problems) == 0 {
			t.Error("damaged rows are no problem")
		}
		if _, _, err := s.GetAnalysis(ctx, "c", "1"); err != nil {
			t.Error(err)
		}
		if _, err := s.Health(ctx); err != nil {
			t.Error(err)
		}
		if left, err := s.Untold(ctx, "ada", "desktop"); err != nil || len(left) != 1 {
			t.Errorf("untold: %v, %v", rules(left), err)
		}
	})
}

func TestUnpackIsBounded(t *testing.T) {
	bomb := packed(t, string(make([]byte, maxUnpacked)))
	if len(bomb) > 1<<20 {
		t.Fatalf("the bomb has %d bytes", len(bomb))
	}
	if _, err := inflate(bomb); err != nil {
		t.Error(err)
	}
	if _, err := new(packer).compress(make([]byte, maxUnpacked+1)); err == nil {
		t.Error("a value of any size is kept")
	}
}

func TestAnalyses(t *testing.T) {
	ctx := context.Background()
	s := open(t, Config{Folder: t.TempDir()})
	want := Analysis{
		Behavior: &behavior.Report{
			Flows: []behavior.Flow{{Source: "cookies", Sink: "fetch", Host: "collect.example", Steps: []behavior.Step{{What: "reads"}}}}, Complete: true,
		},
		Facts: []byte(`{"files":3}`),
	}
	if err := s.PutAnalysis(ctx, "c", "1", want); err != nil {
		t.Fatal(err)
	}
	got, ok, err := s.GetAnalysis(ctx, "c", "1")
	if diff := cmp.Diff(want, got); diff != "" || !ok || err != nil {
		t.Errorf("%t, %v (-want +got):\n%s", ok, err, diff)
	}
	if _, ok, err := s.GetAnalysis(ctx, "c", "2"); ok || err != nil {
		t.Errorf("of another engine: %t, %v", ok, err)
	}
}

func TestHealth(t *testing.T) {
	ctx := context.Background()
	c := newClock()
	s := open(t, Config{Folder: t.TempDir(), Now: c.now})
	record(t, s, observe(ext("a", "1"), signatures.Malicious, finding("theft", signatures.Malicious)))
	for range maxSweeps + 5 {
		c.forward(time.Hour)
		h := Health{Sweep: c.now(), Took: time.Second, Browsers: 1, Profiles: 2, Extensions: 3, Problems: []manifests.Problem{{Path: "/x", Reason: "no"}}}
		if err := s.Swept(ctx, h); err != nil {
			t.Fatal(err)
		}
	}
	fed := c.now()
	for range 2 {
		if err := s.Fed(ctx, Health{Feed: "built-in", FeedVersion: 7, Rules: 60, Indicators: 900}); err != nil {
			t.Fatal(err)
		}
		c.forward(time.Hour)
	}
	if _, err := s.Push(ctx, Delivery{Channel: "syslog", Key: "k"}); err != nil {
		t.Fatal(err)
	}
	got, err := s.Health(ctx)
	if err != nil || got.Bytes == 0 {
		t.Fatal(got, err)
	}
	got.Bytes = 0
	want := Health{
		Sweep: fed, Took: time.Second, Browsers: 1, Profiles: 2, Extensions: 3, Problems: []manifests.Problem{{Path: "/x", Reason: "no"}},
		Feed: "built-in", FeedVersion: 7, FeedAt: fed, Rules: 60, Indicators: 900,
		Open: map[signatures.Verdict]int{signatures.Malicious: 1}, Waiting: map[string]int{"syslog": 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var n int
	if err := s.w.QueryRow("SELECT count(*) FROM sweeps").Scan(&n); err != nil || n != maxSweeps {
		t.Errorf("%d sweeps are kept, %v", n, err)
	}
}

func TestTicks(t *testing.T) {
	ctx := context.Background()
	c := newClock()
	s := open(t, Config{Now: c.now})
	for _, step := range []struct {
		user, step string
		done       bool
	}{{"ada", "freeze", true}, {"ada", "keys", true}, {"ada", "keys", false}, {"eve", "freeze", true}} {
		if err := s.Tick(ctx, step.user, "binance", step.step, step.done); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Ticks(ctx, "ada", "binance")
	if diff := cmp.Diff(map[string]time.Time{"freeze": c.now()}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}
