package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/extwatch/extwatch/agent/inventory"
	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
)

// memory is an extension's files in memory.
type memory struct{ fs.FS }

func (memory) Close() error                  { return nil }
func (memory) Problems() []manifests.Problem { return nil }

func builtin(t *testing.T) rulesets {
	t.Helper()
	rules, err := loadRules("")
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func TestJudgeOne(t *testing.T) {
	rules := builtin(t)
	for _, tt := range []struct {
		name    string
		open    func() (manifests.Files, error)
		verdict signatures.Verdict
		problem string
	}{
		{"no files", nil, signatures.Clean, ""},
		{"files", func() (manifests.Files, error) { return memory{fstest.MapFS{"a.js": {Data: []byte("1")}}}, nil }, signatures.Clean, ""},
		{"files that cannot be opened", func() (manifests.Files, error) { return nil, errors.New("no permission") }, signatures.Clean, "no permission"},
		{"a mistake of ours", func() (manifests.Files, error) { panic("index out of range") }, signatures.Unreadable, "please report this"},
	} {
		e := manifests.Extension{ID: strings.Repeat("a", 32), Enabled: true, Open: tt.open,
			Manifest: &manifests.Manifest{Kind: manifests.KindExtension, ManifestVersion: 3, Name: "Plain", Version: "1"}}
		got, _, err := judgeOne(t.Context(), rules, nil, &e)
		if err != nil || got.Verdict != tt.verdict {
			t.Errorf("%s: %q, %v; want %q", tt.name, got.Verdict, err, tt.verdict)
		}
		var said string
		for _, p := range got.Problems {
			said += p.Reason
		}
		if !strings.Contains(said, tt.problem) || (said == "") != (tt.problem == "") {
			t.Errorf("%s: problems %q, want %q", tt.name, said, tt.problem)
		}
	}
}

func TestInterruptedScan(t *testing.T) {
	dir := t.TempDir()
	writeExtension(t, filepath.Join(dir, "a"), `{"manifest_version": 3, "name": "A", "version": "1"}`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	err := runScan(ctx, testConsole(&out), scanFlags{format: "json"}, []string{dir})
	var f *failure
	if !errors.As(err, &f) || f.code != exitError || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("err = %v", err)
	}
	var got jsonReport
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v in %s", err, &out)
	}
	if n := len(got.Problems); n == 0 || !strings.Contains(got.Problems[n-1].Reason+got.Problems[0].Reason, "interrupted") {
		t.Errorf("problems = %+v", got.Problems)
	}
}

// TestScanManyPaths runs readers and judges together; the race detector watches.
func TestScanManyPaths(t *testing.T) {
	dir := t.TempDir()
	for i := range 60 {
		name := filepath.Join(dir, "e"+string(rune('a'+i%26))+string(rune('a'+i/26)))
		writeExtension(t, name, `{"manifest_version": 3, "name": "Same", "version": "1", "host_permissions": ["https://*.binance.com/*"]}`)
	}
	var progress bytes.Buffer
	c := testConsole(&progress)
	c.person, c.now = true, clock()
	s := &scanner{inventory: inventory.NewReader(inventory.Config{}), rules: builtin(t), progress: newProgress(c, true)}
	got, problems := s.paths(t.Context(), []string{dir})
	if s.progress.bar == nil {
		t.Error("no progress bar after half a second")
	}
	s.progress.finish()
	if len(got) != 60 || len(problems) != 0 {
		t.Errorf("%d extensions, problems %v", len(got), problems)
	}
}

// clock moves a second with every look.
func clock() func() time.Time {
	ticks := make(chan time.Time, 1)
	ticks <- noon
	return func() time.Time {
		now := <-ticks
		ticks <- now.Add(time.Second)
		return now
	}
}

func TestExtraRules(t *testing.T) {
	dir := t.TempDir()
	c := testConsole(&bytes.Buffer{})
	if err := newRule(c, "take-all", dir, false); err != nil {
		t.Fatal(err)
	}
	rules, err := loadRules(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, base := rules.info(), builtin(t).info(); got.Rules != base.Rules+1 || got.Version != base.Version {
		t.Errorf("info = %+v, built-in %+v", got, base)
	}
	e := manifests.Extension{ID: strings.Repeat("a", 32), Enabled: true, Origin: manifests.OriginStore, FromStore: true, Manifest: &manifests.Manifest{
		Kind: manifests.KindExtension, ManifestVersion: 3, Name: "Jar", Version: "1", Permissions: []string{"cookies"}, Hosts: []string{"https://collect.example/*"}}}
	got, _, err := judgeOne(t.Context(), rules, nil, &e)
	if err != nil || got.Verdict != signatures.Suspicious || len(got.Findings) != 1 || got.Findings[0].Rule != "take-all" {
		t.Errorf("%+v, %v", got, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "broken.yml"), []byte("title: [\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = loadRules(dir)
	var f *failure
	if !errors.As(err, &f) || f.code != exitUsage {
		t.Errorf("a broken rule gave %v", err)
	}
}

func TestKnownExchanges(t *testing.T) {
	if n := builtin(t).exchanges(); n != 15 {
		t.Errorf("%d exchanges, want the 15 of the catalog", n)
	}
}

func writeExtension(t *testing.T, dir, manifest string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "manifest.json"), []byte(manifest), 0o644); err != nil {
		t.Fatal(err)
	}
}
