package store

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
)

// tellAll does what a notifier does.
func tellAll(t testing.TB, s *Store, list []Finding) {
	t.Helper()
	mine, err := s.Telling(context.Background(), "ada", "desktop", ids(list)...)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Told(context.Background(), "ada", "desktop", ids(mine)...); err != nil {
		t.Fatal(err)
	}
}

func TestRecord(t *testing.T) {
	bad := finding("theft", signatures.Suspicious)
	worse := finding("theft", signatures.Malicious)
	capable := finding("reach", signatures.Capable)
	type step struct {
		name   string
		change func(*Observation)
		kind   Kind
		untold []string
	}
	tests := []struct {
		name  string
		steps []step
	}{
		{"told once", []step{
			{"first", func(o *Observation) {}, New, []string{"theft suspicious"}},
			{"again", func(o *Observation) {}, Same, []string{}},
			{"other ruleset", func(o *Observation) { o.Ruleset = 2 }, Same, []string{}},
			{"update", func(o *Observation) { *o = observe(ext("a", "2"), signatures.Suspicious, bad) }, Changed, []string{}},
			{"worse", func(o *Observation) { o.Result.Findings = []signatures.Finding{worse} }, Same, []string{"theft malicious"}},
			{"better", func(o *Observation) { o.Result.Findings = []signatures.Finding{bad} }, Same, []string{}},
			{"none", func(o *Observation) { o.Result.Findings = nil; o.Result.Verdict = signatures.Clean }, Same, []string{}},
			{"back", func(o *Observation) { o.Result.Findings = []signatures.Finding{worse} }, Same, []string{}},
		}},
		{"gone and back is new", []step{
			{"first", func(o *Observation) {}, New, []string{"theft suspicious"}},
			{"gone", func(o *Observation) { o.Gone = true }, Gone, []string{}},
			{"gone again", func(o *Observation) { o.Gone = true }, Gone, []string{}},
			{"back", func(o *Observation) { o.Gone = false }, New, []string{"theft suspicious"}},
		}},
		{"switched on is told again", []step{
			{"first", func(o *Observation) {}, New, []string{"theft suspicious"}},
			{"off", func(o *Observation) { o.Extension.Enabled = false }, Changed, []string{}},
			{"on", func(o *Observation) { o.Extension.Enabled = true }, Changed, []string{"theft suspicious"}},
		}},
		{"not read yet", []step{
			{"full", func(o *Observation) {}, New, []string{"theft suspicious"}},
			{"early", func(o *Observation) {
				o.Result = signatures.Result{Verdict: signatures.Clean, Partial: true}
				o.Content = ""
			}, Same, []string{}},
			{"early, worse", func(o *Observation) {
				o.Result.Verdict, o.Result.Findings = signatures.Malicious, []signatures.Finding{finding("id", signatures.Malicious)}
			}, Same, []string{"id malicious"}},
			{"full again", func(o *Observation) {
				*o = observe(ext("a", "1"), signatures.Malicious, finding("id", signatures.Malicious), bad)
			}, Same, []string{}},
		}},
		{"no warning", []step{
			{"capable", func(o *Observation) {
				o.Result.Verdict, o.Result.Findings = signatures.Capable, []signatures.Finding{capable}
			}, New, []string{}},
		}},
		{"unreadable", []step{
			{"first", func(o *Observation) { o.Result = signatures.Result{Verdict: signatures.Unreadable} }, New, []string{}},
			{"still", func(o *Observation) { o.Unreadable = true }, Same, []string{"unreadable unreadable"}},
			{"still so", func(o *Observation) {}, Same, []string{}},
		}},
		{"the same rule twice", []step{
			{"first", func(o *Observation) { o.Result.Findings = []signatures.Finding{worse, bad} }, New, []string{"theft malicious"}},
		}},
		{"files changed in place", []step{
			{"first", func(o *Observation) {}, New, []string{"theft suspicious"}},
			{"other content", func(o *Observation) { o.Content = "other" }, Changed, []string{}},
		}},
		{"no manifest", []step{
			{"first", func(o *Observation) { o.Extension.Manifest = nil }, New, []string{"theft suspicious"}},
			{"again", func(o *Observation) {}, Same, []string{}},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newClock()
			s := open(t, Config{Folder: t.TempDir(), Now: c.now})
			o := observe(ext("a", "1"), signatures.Suspicious, bad)
			for _, st := range tt.steps {
				st.change(&o)
				out := record(t, s, o)
				if out.Kind != st.kind {
					t.Errorf("%s: kind %q, want %q", st.name, out.Kind, st.kind)
				}
				if diff := cmp.Diff(st.untold, rules(out.Untold)); diff != "" {
					t.Errorf("%s: untold (-want +got):\n%s", st.name, diff)
				}
				tellAll(t, s, out.Untold)
				c.forward(time.Minute)
			}
			if err := s.Check(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestPlaces(t *testing.T) {
	s := open(t, Config{Folder: t.TempDir()})
	unpacked := ext("a", "1")
	unpacked.Origin, unpacked.Path = manifests.OriginUnpacked, "/home/ada/a"
	other := ext("a", "1")
	other.Origin, other.Path = manifests.OriginUnpacked, "/home/ada/b"
	second := observe(ext("a", "1"), signatures.Clean)
	second.Dir = "/home/ada/other/Default"
	seen := map[int64]bool{}
	for _, o := range []Observation{
		observe(ext("a", "1"), signatures.Clean), observe(unpacked, signatures.Clean), observe(other, signatures.Clean), second,
	} {
		out := record(t, s, o)
		if out.Kind != New || seen[out.Extension] {
			t.Errorf("%s: %v, want a new one", o.Extension.Path, out)
		}
		seen[out.Extension] = true
	}
}

func TestHistory(t *testing.T) {
	ctx := context.Background()
	c := newClock()
	s := open(t, Config{Folder: t.TempDir(), Now: c.now})
	start := c.now()
	record(t, s, observe(ext("a", "1"), signatures.Clean))
	c.forward(time.Hour)
	record(t, s, observe(ext("a", "2"), signatures.Suspicious, finding("theft", signatures.Suspicious)))
	c.forward(time.Hour)
	gone := observe(ext("a", "2"), signatures.Clean)
	gone.Gone = true
	record(t, s, gone)
	if list, err := s.Extensions(ctx, Query{}); err != nil || len(list) != 0 {
		t.Errorf("what is there: %v, %v", list, err)
	}
	list, err := s.History(ctx, "a")
	if err != nil || len(list) != 1 {
		t.Fatalf("history: %v, %v", list, err)
	}
	e := list[0]
	if len(e.Versions) != 2 || e.Versions[0].Manifest.Version != "2" || e.Versions[1].Manifest.Version != "1" ||
		e.Versions[0].Content != "c-2" || len(e.Versions[0].Files) != 1 {
		t.Errorf("versions: %+v", e.Versions)
	}
	if len(e.Findings) != 1 || e.Findings[0].Evidence[0].File != "bg.js" || !e.Findings[0].Closed.Equal(c.now()) {
		t.Errorf("findings: %+v", e.Findings)
	}
	if !e.FirstSeen.Equal(start) || !e.Gone.Equal(c.now()) || e.Name != "Extension a" || len(e.Problems) > 0 {
		t.Errorf("extension: %+v", e)
	}
	events, err := s.Timeline(ctx, "ada", 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, ev := range events {
		got = append(got, string(ev.Kind)+": "+ev.Text)
	}
	want := []string{"gone: Extension a 2", "warning: Extension a: Sends cookies away", "changed: Extension a 2", "new: Extension a 1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("timeline (-want +got):\n%s", diff)
	}
	if events, err = s.Timeline(ctx, "eve", 0, 10); err != nil || len(events) != 0 {
		t.Errorf("another user's timeline: %v, %v", events, err)
	}
}

func TestUnchangedWritesNothing(t *testing.T) {
	ctx := context.Background()
	c := newClock()
	s := open(t, Config{Folder: t.TempDir(), Now: c.now})
	o := observe(ext("a", "1"), signatures.Suspicious, finding("theft", signatures.Suspicious))
	record(t, s, o)
	changes := func() (n int) {
		if err := s.w.QueryRowContext(ctx, "SELECT total_changes()").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := changes()
	c.forward(time.Hour)
	record(t, s, o)
	if n := changes() - before; n != 0 {
		t.Errorf("%d rows written for what did not change", n)
	}
	c.forward(seenEvery)
	record(t, s, o)
	if n := changes() - before; n != 1 {
		t.Errorf("%d rows written after half a day, want 1", n)
	}
}
