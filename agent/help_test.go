package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"go.uber.org/goleak"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/signatures"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "analyze" {
		os.Exit(worker(os.Args[2]))
	}
	goleak.VerifyTestMain(m)
}

// rule writes a rule with one condition.
func rule(name string, n int, condition, match string) *fstest.MapFile {
	return &fstest.MapFile{Data: fmt.Appendf(nil, `title: %[1]s
id: 00000000-0000-4000-8000-%012[2]d
name: %[1]s
status: stable
description: A rule of the tests.
references: [https://tests.example/]
author: tests
date: 2026-01-01
tags: [extwatch.test]
logsource: {product: browser, category: extension}
detection:
  selection:
    %[3]s
  condition: selection
falsepositives: [none]
level: high
verdict: suspicious
response:
  user: [Remove the extension.]
  admin: [Block the extension.]
tests:
  match: [{case: yes, %[4]s}]
  no_match: [{case: no, name: Good}]
`, name, n, condition, match)}
}

// testRules knows three things that are bad: a permission, a script, and an update that gained a permission.
func testRules(t testing.TB, more ...string) *signatures.Ruleset {
	t.Helper()
	fsys := fstest.MapFS{
		"techniques/bad-permission.yml": rule("bad-permission", 1, "permissions: debugger", "permissions: [debugger]"),
		"techniques/bad-script.yml":     rule("bad-script", 2, "script|contains: sendSecret", "files: {a.js: 'sendSecret()'}"),
		"techniques/gained.yml":         rule("gained", 3, "gained|contains: history", "permissions: [history], previous: {permissions: []}"),
	}
	for i, name := range more {
		fsys["techniques/"+name+".yml"] = rule(name, 4+i, "permissions: tabs", "permissions: [tabs]")
	}
	rules, err := signatures.Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// A machine is a temporary home with an agent that watches it.
type machine struct {
	t      testing.TB
	home   string
	cfg    Config
	agent  *Agent
	stop   func()
	mu     sync.Mutex
	events []Event
	more   chan struct{}
	procs  []browsers.Process
	list   lister // nil is the agent's own
	limits limits // zero is the agent's own
	all    bool   // keep the events that people are not told of
}

func newMachine(t testing.TB, users ...string) *machine {
	t.Helper()
	if tt, ok := t.(*testing.T); ok {
		tt.Parallel() // the tests wait most of the time
	}
	home, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, home: home, more: make(chan struct{}, 1)}
	m.cfg = Config{Rules: testRules(t), Tell: m.tell, Machine: browsers.Config{
		OS: "linux", Env: func(string) string { return "" }, Processes: m.processes,
	}}
	for _, name := range append([]string{"ada"}, users...) {
		m.cfg.Machine.Users = append(m.cfg.Machine.Users, browsers.User{Name: name, Home: filepath.Join(home, name), UID: -1})
		must(t, os.MkdirAll(filepath.Join(home, name, ".config"), 0o755))
	}
	return m
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (m *machine) processes() ([]browsers.Process, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.procs), nil
}

func (m *machine) tell(e Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e.Kind == Swept || e.Kind == Judged && m.cfg.Analyst == nil && !m.all {
		return // most tests are about what people are told
	}
	m.events = append(m.events, e)
	select {
	case m.more <- struct{}{}:
	default:
	}
}

// start runs the agent until the test ends, and waits until it is ready.
func (m *machine) start() {
	m.t.Helper()
	var err error
	m.agent, err = New(m.cfg)
	must(m.t, err)
	m.agent.poll, m.agent.list = 100*time.Millisecond, m.list
	if m.limits != (limits{}) {
		m.agent.limits = m.limits
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.agent.Run(ctx) }()
	m.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if !errors.Is(err, context.Canceled) {
				m.t.Errorf("Run = %v", err)
			}
		case <-time.After(time.Second):
			m.t.Error("Run did not end within a second")
		}
	})
	m.t.Cleanup(m.stop)
	m.wait("ready")
}

// seen lists the events so far, as "new a 1.0" or "warning a 1.0 bad-script", and "problem …".
func (m *machine) seen() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var lines []string
	for _, e := range m.events {
		lines = append(lines, show(e))
	}
	return lines
}

func show(e Event) string {
	switch e.Kind {
	case Ready:
		return "ready"
	case Problem:
		return "problem " + e.Problem.Reason
	}
	line := fmt.Sprintf("%s %s %s", e.Kind, e.Extension.ID[:1], e.Extension.Version())
	for _, f := range e.New {
		line += " " + f.Rule
	}
	if e.Kind == Warning && len(e.New) == 0 {
		line += string(e.Result.Verdict)
	}
	return strings.TrimSpace(line)
}

// forget drops the events so far.
func (m *machine) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events = nil
}

// wait waits until each line was seen.
func (m *machine) wait(lines ...string) {
	m.t.Helper()
	late := time.After(15 * time.Second)
	for {
		seen := m.seen()
		lines = slices.DeleteFunc(lines, func(l string) bool { return slices.Contains(seen, l) })
		if len(lines) == 0 {
			return
		}
		select {
		case <-m.more:
		case <-late:
			m.t.Fatalf("not seen: %q\nseen: %q", lines, seen)
		}
	}
}

// exactly waits for the lines, gives everything else a moment to come, and insists on these lines only.
func (m *machine) exactly(lines ...string) {
	m.t.Helper()
	m.wait(slices.Clone(lines)...)
	time.Sleep(300 * time.Millisecond)
	seen := m.seen()
	slices.Sort(seen)
	slices.Sort(lines)
	if !slices.Equal(seen, lines) {
		m.t.Fatalf("seen: %q\nwant: %q", seen, lines)
	}
	m.forget()
}

// A browserProfile is a Chromium profile of the tests.
type browserProfile struct {
	t   testing.TB
	dir string
}

func (m *machine) profile(user, name string) browserProfile {
	p := browserProfile{m.t, filepath.Join(m.home, user, ".config", "chromium", name)}
	must(m.t, os.MkdirAll(filepath.Join(p.dir, "Extensions"), 0o755))
	p.prefs(nil)
	return p
}

// id makes an extension ID of a letter.
func id(letter string) string { return strings.Repeat(letter, 32) }

type files map[string]string

// extension makes the files of one.
func extension(name, version, script string, permissions ...string) files {
	manifest, err := json.Marshal(map[string]any{
		"manifest_version": 3, "name": name, "version": version, "permissions": permissions,
		"background": map[string]any{"service_worker": "sub/worker.js"},
	})
	if err != nil {
		panic(err)
	}
	return files{"manifest.json": string(manifest), "sub/worker.js": script}
}

func (f files) write(t testing.TB, dir string) {
	t.Helper()
	for name, data := range f {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644))
	}
}

// install puts an extension there as Chromium does: staged in Temp, then renamed.
func (p browserProfile) install(letter, version string, f files) string {
	p.t.Helper()
	to, _ := p.installAt(letter, version, f)
	return to
}

// installAt tells also when the rename had been done.
func (p browserProfile) installAt(letter, version string, f files) (to string, renamed time.Time) {
	p.t.Helper()
	temp := filepath.Join(p.dir, "Extensions", "Temp", "scoped_dir"+letter)
	f.write(p.t, filepath.Join(temp, "CRX_INSTALL"))
	must(p.t, os.MkdirAll(filepath.Join(p.dir, "Extensions", id(letter)), 0o755))
	to = p.version(letter, version)
	must(p.t, os.Rename(filepath.Join(temp, "CRX_INSTALL"), to))
	renamed = time.Now()
	must(p.t, os.Remove(temp))
	return to, renamed
}

func (p browserProfile) version(letter, version string) string {
	return filepath.Join(p.dir, "Extensions", id(letter), version+"_0")
}

// prefs replaces the preferences as Chromium does.
func (p browserProfile) prefs(settings map[string]map[string]any) {
	p.t.Helper()
	data, err := json.Marshal(map[string]any{"extensions": map[string]any{"settings": settings}})
	must(p.t, err)
	temp := filepath.Join(p.dir, ".org.chromium.Chromium.Preferences.x")
	must(p.t, os.WriteFile(temp, data, 0o600))
	must(p.t, os.Rename(temp, filepath.Join(p.dir, "Preferences")))
}

// entry is what the preferences hold of a packed extension.
func entry(letter, version string, f files, more map[string]any) map[string]any {
	e := map[string]any{
		"location": 1, "from_webstore": true, "path": id(letter) + "/" + version + "_0",
		"manifest": json.RawMessage(f["manifest.json"]), "disable_reasons": []int{},
	}
	maps.Copy(e, more)
	return e
}
