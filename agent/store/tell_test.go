package store

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
)

func TestTelling(t *testing.T) {
	ctx := context.Background()
	folder := t.TempDir()
	s := open(t, Config{Folder: folder})
	o := observe(ext("a", "1"), signatures.Suspicious, finding("theft", signatures.Suspicious))
	first := record(t, s, o).Untold
	if len(first) != 1 || first[0].Again || first[0].Key == "" {
		t.Fatalf("untold: %+v", first)
	}
	if _, err := s.Telling(ctx, "ada", "desktop", ids(first)...); err != nil {
		t.Fatal(err)
	}
	s.Close() // it died while it was showing

	s = open(t, Config{Folder: folder})
	again := record(t, s, o).Untold
	if len(again) != 1 || !again[0].Again || again[0].Key != first[0].Key {
		t.Fatalf("after a restart: %+v, want the same again", again)
	}
	byUser, err := s.Untold(ctx, "ada", "desktop")
	if diff := cmp.Diff(again, byUser); diff != "" || err != nil {
		t.Errorf("by user (-want +got): %v\n%s", err, diff)
	}
	if other, err := s.Untold(ctx, "eve", "desktop"); err != nil || len(other) != 0 {
		t.Errorf("another user is told %v, %v", rules(other), err)
	}
	if err := s.Told(ctx, "ada", "desktop", ids(again)...); err != nil {
		t.Fatal(err)
	}
	for _, ask := range []func() ([]Finding, error){
		func() ([]Finding, error) { return s.Untold(ctx, "ada", "desktop") },
		func() ([]Finding, error) { return s.Telling(ctx, "ada", "desktop", ids(again)...) },
		func() ([]Finding, error) { return record(t, s, o).Untold, nil },
	} {
		if list, err := ask(); err != nil || len(list) != 0 {
			t.Errorf("told twice: %v, %v", rules(list), err)
		}
	}
	if list, err := s.Untold(ctx, "", "syslog"); err != nil || len(list) != 1 || list[0].Again {
		t.Errorf("another channel: %v, %v; want it once", rules(list), err)
	}
}

func TestDecisions(t *testing.T) {
	ctx := context.Background()
	c := newClock()
	unpacked := ext("a", "1")
	unpacked.Origin, unpacked.Path = manifests.OriginUnpacked, "/home/ada/a"
	tests := []struct {
		name     string
		decision Decision
		ext      *manifests.Extension
		verdict  signatures.Verdict
		after    time.Duration
		covered  bool
	}{
		{"trust", Decision{Kind: "trust", ID: "a"}, ext("a", "1"), signatures.Suspicious, 0, true},
		{"trust is not for worse", Decision{Kind: "trust", ID: "a"}, ext("a", "1"), signatures.Malicious, 0, false},
		{"trust up to malicious", Decision{Kind: "trust", ID: "a", UpTo: signatures.Malicious}, ext("a", "1"), signatures.Malicious, 0, true},
		{"another extension", Decision{Kind: "trust", ID: "b"}, ext("a", "1"), signatures.Suspicious, 0, false},
		{"one that claims the ID", Decision{Kind: "trust", ID: "a"}, unpacked, signatures.Suspicious, 0, false},
		{"the unpacked one", Decision{Kind: "trust", ID: "a", Place: "/home/ada/a"}, unpacked, signatures.Suspicious, 0, true},
		{"another rule", Decision{Kind: "trust", ID: "a", Rule: "x"}, ext("a", "1"), signatures.Suspicious, 0, false},
		{"another user", Decision{Kind: "trust", ID: "a", User: "eve"}, ext("a", "1"), signatures.Suspicious, 0, false},
		{"snooze", Decision{Kind: "snooze", ID: "a", Until: c.now().Add(time.Hour)}, ext("a", "1"), signatures.Suspicious, time.Minute, true},
		{"snooze is over", Decision{Kind: "snooze", ID: "a", Until: c.now().Add(time.Hour)}, ext("a", "1"), signatures.Suspicious, 2 * time.Hour, false},
		{"block is no silence", Decision{Kind: "block", ID: "a"}, ext("a", "1"), signatures.Suspicious, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newClock()
			s := open(t, Config{Now: c.now})
			tt.decision.By = "root"
			id, err := s.Decide(ctx, tt.decision)
			if err != nil {
				t.Fatal(err)
			}
			c.forward(tt.after)
			o := observe(tt.ext, tt.verdict, finding("theft", tt.verdict))
			if got := len(record(t, s, o).Untold) == 0; got != tt.covered {
				t.Errorf("covered: %t, want %t", got, tt.covered)
			}
			if err := s.Undecide(ctx, id, "root"); err != nil {
				t.Fatal(err)
			}
			if len(record(t, s, o).Untold) != 1 {
				t.Error("not told after the decision ended")
			}
			if list, err := s.Decisions(ctx, "", false); err != nil || len(list) != 0 {
				t.Errorf("decisions that hold: %v, %v", list, err)
			}
			if list, err := s.Decisions(ctx, tt.decision.ID, true); err != nil || len(list) != 1 || list[0].EndedBy != "root" {
				t.Errorf("all decisions: %+v, %v", list, err)
			}
		})
	}
}

func TestDecideRefuses(t *testing.T) {
	s := open(t, Config{})
	for _, d := range []Decision{
		{Kind: "like", ID: "a", By: "me"}, {Kind: "trust", By: "me"}, {Kind: "trust", ID: "a"}, {Kind: "snooze", ID: "a", By: "me"},
	} {
		if _, err := s.Decide(context.Background(), d); err == nil {
			t.Errorf("%+v was taken", d)
		}
	}
	if err := s.Undecide(context.Background(), 7, "me"); err == nil {
		t.Error("a decision that is not there was ended")
	}
}

func TestOutbox(t *testing.T) {
	ctx := context.Background()
	c := newClock()
	folder := t.TempDir()
	s := open(t, Config{Folder: folder, Now: c.now})
	list := record(t, s, observe(ext("a", "1"), signatures.Suspicious, finding("theft", signatures.Suspicious))).Untold
	d := Delivery{Channel: "webhook", Key: list[0].Key, Payload: []byte("{}"), Findings: ids(list)}
	for range 2 { // the second is the same
		if _, err := s.Push(ctx, d); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := s.Untold(ctx, "", "webhook"); err != nil || len(left) != 0 {
		t.Errorf("queued, yet not told: %v, %v", rules(left), err)
	}
	s.Close()
	s = open(t, Config{Folder: folder, Now: c.now})
	next, err := s.Next(ctx, "webhook", 10)
	if err != nil || len(next) != 1 || string(next[0].Payload) != "{}" {
		t.Fatalf("next: %+v, %v", next, err)
	}
	if err := s.PutOff(ctx, next[0].Row, c.now().Add(time.Minute), "503"); err != nil {
		t.Fatal(err)
	}
	if next, err := s.Next(ctx, "webhook", 10); err != nil || len(next) != 0 {
		t.Errorf("put off, yet next: %+v, %v", next, err)
	}
	c.forward(time.Minute)
	if next, err = s.Next(ctx, "webhook", 10); err != nil || len(next) != 1 || next[0].Tries != 1 || next[0].Error != "503" {
		t.Fatalf("next: %+v, %v", next, err)
	}
	if err := s.Done(ctx, next[0].Row); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Push(ctx, d); err != nil {
		t.Fatal(err)
	}
	if next, err = s.Next(ctx, "webhook", 10); err != nil || len(next) != 0 {
		t.Errorf("sent, yet next: %+v, %v", next, err)
	}
	if _, err := s.Push(ctx, Delivery{Channel: "webhook", Key: "x", Payload: make([]byte, maxPayload+1)}); err == nil {
		t.Error("a message of any size was taken")
	}
}

func TestOutboxIsBounded(t *testing.T) {
	ctx := context.Background()
	s := open(t, Config{})
	_, err := s.w.Exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ?)
		INSERT INTO outbox (channel, key, payload, at, due) SELECT 'webhook', i, x'', i, i FROM n`, maxOutbox)
	if err != nil {
		t.Fatal(err)
	}
	dropped, err := s.Push(ctx, Delivery{Channel: "webhook", Key: "one more"})
	if err != nil || dropped != maxOutbox/10+1 {
		t.Errorf("dropped %d, %v", dropped, err)
	}
	if events, err := s.Timeline(ctx, "", 0, 1); err != nil || len(events) != 1 || events[0].Kind != Problem {
		t.Errorf("the timeline does not say so: %v, %v", events, err)
	}
}
