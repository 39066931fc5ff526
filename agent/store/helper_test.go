package store

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
)

// A clock is moved by hand.
type clock struct{ t time.Time }

func newClock() *clock                   { return &clock{time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)} }
func (c *clock) now() time.Time          { return c.t }
func (c *clock) forward(d time.Duration) { c.t = c.t.Add(d) }

func open(t testing.TB, cfg Config) *Store {
	t.Helper()
	s, problems, err := Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if len(problems) > 0 {
		t.Fatalf("problems: %v", problems)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// ext is an installed extension of ours.
func ext(id, version string) *manifests.Extension {
	return &manifests.Extension{
		Browser: "chrome", Channel: "stable", User: "ada", Profile: "Default", ProfileTitle: "Work", ID: id,
		Path: filepath.Join("/home/ada", id, version), Origin: manifests.OriginStore, Enabled: true,
		Manifest: &manifests.Manifest{ManifestVersion: 3, Name: "Extension " + id, Version: version, Permissions: []string{"cookies"}},
	}
}

func finding(rule string, v signatures.Verdict) signatures.Finding {
	return signatures.Finding{
		Rule: rule, Title: "Sends cookies away", Level: "high", Verdict: v,
		Evidence: []signatures.Evidence{{File: "bg.js", Line: 3, Column: 1, Text: "fetch('https://collect.example')"}},
		Response: signatures.Response{User: []string{"Remove it"}, Admin: []string{"Block it"}},
	}
}

func observe(e *manifests.Extension, v signatures.Verdict, findings ...signatures.Finding) Observation {
	return Observation{
		Dir: "/home/" + e.User + "/.config/google-chrome/" + e.Profile, Extension: e, Content: "c-" + e.Version(), Ruleset: 1,
		Files:  map[string]string{"bg.js": fmt.Sprintf("%064x", len(e.ID))},
		Result: signatures.Result{Verdict: v, Findings: findings},
	}
}

func record(t testing.TB, s *Store, o Observation) Outcome {
	t.Helper()
	out, err := s.Record(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return out[0]
}

func rules(list []Finding) []string {
	out := []string{}
	for _, f := range list {
		text := f.Rule + " " + string(f.Verdict)
		if f.Again {
			text += " again"
		}
		out = append(out, text)
	}
	return out
}

func ids(list []Finding) []int64 {
	var out []int64
	for _, f := range list {
		out = append(out, f.ID)
	}
	return out
}
