package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/extwatch/extwatch/agent/resident"
	"github.com/extwatch/extwatch/signatures"
)

// The status fits on ten lines, whatever is wrong.
func TestStatusLines(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	c := &console{now: func() time.Time { return now }, width: 80}
	s := &resident.Status{Running: true, Ready: true, Version: "1.0", Started: now.Add(-3 * time.Hour), Feed: "built-in", Rules: 138, Indicators: 1819,
		RulesAt: now.Add(-72 * time.Hour), Users: 2, Browsers: 2, Profiles: 3, Extensions: 40, Sweep: now.Add(-10 * time.Minute), Took: 420 * time.Millisecond,
		Malicious: 1, Blocked: 2, Unreadable: 30, Page: true, HeapBytes: 30 << 20, StoreBytes: 200 << 10, Waiting: 3,
		Mistakes: []string{"/etc/extwatch/config.yml:3: scan.sweep: it must be at least 1m"}, Problems: []string{"/home/bob/x: permission denied"}}
	lines := statusLines(c, s, nil, false)
	if len(lines) > 10 {
		t.Errorf("%d lines", len(lines))
	}
	text := strings.Join(lines, "\n")
	for _, want := range []string{"needs you   1 malicious, 0 suspicious: run 'extwatch open'", "checked     all of it 10 minutes ago, in 420ms",
		"problems    31, the first: /etc/extwatch/config.yml:3", "3 messages for other systems"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	all := strings.Join(statusLines(c, s, nil, true), "\n")
	if !strings.Contains(all, "permission denied") || !strings.Contains(all, "and 29 more") {
		t.Errorf("--all:\n%s", all)
	}
	s.Decisions = []resident.Decided{{Name: "Notes", Browser: "chrome", Decision: signatures.Decision{Action: "trust", By: signatures.Organisation,
		Reason: "reviewed", Owner: "it@corp.example", Until: time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)}}}
	few, all := strings.Join(statusLines(c, s, nil, false), "\n"), strings.Join(statusLines(c, s, nil, true), "\n")
	if !strings.Contains(few, "blocked     2 extensions; your organisation trusts 1: extwatch status --all") ||
		!strings.Contains(all, "trust       Notes: your organisation trusts this until 2027-01-31: reviewed (it@corp.example)") {
		t.Errorf("decisions:\n%s\n\n%s", few, all)
	}
	s.Decisions = nil
	s.Mistakes, s.Problems = nil, nil // as an ordinary user sees it
	if text := strings.Join(statusLines(c, s, nil, false), "\n"); !strings.HasSuffix(text, "problems    30 places could not be read") {
		t.Error(text)
	}
	s.Unreadable, s.Malicious = 0, 0
	if lines := statusLines(c, s, nil, false); len(lines) != 9 || !strings.Contains(lines[5], "nothing") {
		t.Errorf("%q", lines)
	}
}
