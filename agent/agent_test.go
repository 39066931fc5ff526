package agent

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/extwatch/extwatch/agent/browsers"
)

type settings = map[string]map[string]any

// An install is told once and each finding once: first what the manifest shows, then what the files show. The
// preferences that catch up ten seconds later are no news.
func TestInstall(t *testing.T) {
	m := newMachine(t)
	p := m.profile("ada", "Default")
	m.start()
	m.exactly("ready")

	f := extension("Thief", "1.0", "sendSecret()", "debugger")
	p.install("a", "1.0", f)
	m.exactly("new a 1.0", "warning a 1.0 bad-permission", "warning a 1.0 bad-script")
	p.prefs(settings{id("a"): entry("a", "1.0", f, nil)})
	m.exactly()
	p.prefs(settings{id("a"): entry("a", "1.0", f, nil)})
	m.exactly()
}

func TestFoundAtStart(t *testing.T) {
	m := newMachine(t)
	p := m.profile("ada", "Default")
	good, bad := extension("Good", "1.0", ""), extension("Bad", "2.0", "sendSecret()")
	p.install("a", "1.0", good)
	p.install("b", "2.0", bad)
	p.prefs(settings{id("a"): entry("a", "1.0", good, nil), id("b"): entry("b", "2.0", bad, nil)})
	m.start()
	m.exactly("found a 1.0", "found b 2.0", "ready", "warning b 2.0 bad-script")
	m.stop()

	// Another run begins anew.
	m.start()
	m.exactly("found a 1.0", "found b 2.0", "ready", "warning b 2.0 bad-script")
}

// A new version with the same finding is not warned of again, one with another is.
func TestUpdate(t *testing.T) {
	m := newMachine(t)
	p := m.profile("ada", "Default")
	v1 := extension("Thing", "1.0", "", "debugger")
	p.install("a", "1.0", v1)
	p.prefs(settings{id("a"): entry("a", "1.0", v1, nil)})
	m.start()
	m.exactly("found a 1.0", "warning a 1.0 bad-permission", "ready")

	v2 := extension("Thing", "1.1", "", "debugger", "history")
	p.install("a", "1.1", v2)
	m.exactly("changed a 1.1", "warning a 1.1 gained")
	p.prefs(settings{id("a"): entry("a", "1.1", v2, nil)})
	m.exactly()
	must(t, os.RemoveAll(p.version("a", "1.0")))
	m.exactly()
	v3 := extension("Thing", "1.2", "sendSecret()", "debugger", "history")
	p.install("a", "1.2", v3)
	m.exactly("changed a 1.2", "warning a 1.2 bad-script")
}

func TestDisabled(t *testing.T) {
	m := newMachine(t)
	p := m.profile("ada", "Default")
	f := extension("Thing", "1.0", "", "debugger")
	p.install("a", "1.0", f)
	p.prefs(settings{id("a"): entry("a", "1.0", f, nil)})
	m.start()
	m.exactly("found a 1.0", "warning a 1.0 bad-permission", "ready")

	p.prefs(settings{id("a"): entry("a", "1.0", f, map[string]any{"disable_reasons": []int{1}})})
	m.exactly("changed a 1.0")
	granted := map[string]any{"active_permissions": map[string]any{"api": []string{"tabs"}}}
	p.prefs(settings{id("a"): entry("a", "1.0", f, granted)})
	m.exactly("changed a 1.0", "warning a 1.0 bad-permission") // it was no danger while it was disabled
}

// What goes away and returns is new.
func TestRemoval(t *testing.T) {
	m := newMachine(t)
	p := m.profile("ada", "Default")
	m.start()
	f := extension("Thief", "1.0", "", "debugger")
	for range 2 {
		p.install("a", "1.0", f)
		m.wait("new a 1.0", "warning a 1.0 bad-permission")
		p.prefs(settings{id("a"): entry("a", "1.0", f, nil)})
		time.Sleep(200 * time.Millisecond)
		must(t, os.RemoveAll(filepath.Dir(p.version("a", "1.0"))))
		p.prefs(nil)
		m.wait("gone a 1.0")
		m.forget()
	}
}

func TestUsersAndProfiles(t *testing.T) {
	m := newMachine(t, "bob")
	ada := m.profile("ada", "Default")
	bob := m.profile("bob", "Profile 7")
	m.start()
	m.exactly("ready")

	f := extension("Thief", "1.0", "", "debugger")
	ada.install("a", "1.0", f)
	bob.install("a", "1.0", f)
	m.exactly("new a 1.0", "new a 1.0", "warning a 1.0 bad-permission", "warning a 1.0 bad-permission")

	// A profile that appears later, and goes with all it holds.
	work := m.profile("bob", "Profile 8")
	work.install("b", "1.0", f)
	m.exactly("new b 1.0", "warning b 1.0 bad-permission")
	must(t, os.RemoveAll(work.dir))
	m.exactly("gone b 1.0")
	m.profile("bob", "Profile 8").install("c", "1.0", f)
	m.exactly("new c 1.0", "warning c 1.0 bad-permission")
}

// A browser that is installed after the agent was started.
func TestBrowserAppears(t *testing.T) {
	m := newMachine(t)
	m.start()
	m.exactly("ready")
	p := m.profile("ada", "Default")
	time.Sleep(2 * time.Second)
	p.install("a", "1.0", extension("Thief", "1.0", "", "debugger"))
	m.exactly("new a 1.0", "warning a 1.0 bad-permission")
}

// A browser started with its own data folder is known only by its process.
func TestProcessAppears(t *testing.T) {
	m := newMachine(t)
	m.start()
	m.exactly("ready")
	data := filepath.Join(m.home, "ada", "elsewhere")
	p := browserProfile{t, filepath.Join(data, "Default")}
	must(t, os.MkdirAll(filepath.Join(p.dir, "Extensions"), 0o755))
	p.prefs(nil)
	f := extension("Loaded", "1.0", "sendSecret()", "debugger")
	f.write(t, filepath.Join(m.home, "ada", "unpacked"))
	m.mu.Lock()
	m.procs = []browsers.Process{{PID: 4242, Exe: "/usr/lib/chromium/chromium", UID: -1, Dir: m.home, Args: []string{
		"/usr/lib/chromium/chromium", "--user-data-dir=" + data, "--load-extension=" + filepath.Join(m.home, "ada", "unpacked"),
	}}}
	m.mu.Unlock()
	m.waitFor(t, "Loaded", Installed)
	p.install("a", "1.0", extension("Thief", "1.0", "", "debugger"))
	m.wait("new a 1.0", "warning a 1.0 bad-permission")
}

// waitFor waits for an event of an extension that is known by name.
func (m *machine) waitFor(t *testing.T, name string, kind Kind) {
	t.Helper()
	for range 150 {
		m.mu.Lock()
		found := slices.ContainsFunc(m.events, func(e Event) bool { return e.Kind == kind && e.Extension.Name() == name })
		m.mu.Unlock()
		if found {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("no event %q of %s; seen: %q", kind, name, m.seen())
}

// One bad extension hides no other, and is itself told when it stays so.
func TestHostile(t *testing.T) {
	m := newMachine(t)
	p := m.profile("ada", "Default")
	m.start()
	m.exactly("ready")
	thief := extension("Thief", "1.0", "sendSecret()", "debugger")

	p.install("b", "1.0", files{"manifest.json": "{", "x.js": "sendSecret()"})
	p.install("c", "1.0", files{"manifest.json/x": "a folder"})
	p.install("d", "1.0", files{"manifest.json": strings.Repeat("[", 100_000)})
	p.install("e", "1.0", files{"manifest.json": `{"manifest_version":3,"name":7,"version":{},"permissions":"x"}`})
	must(t, os.Symlink("/", filepath.Join(p.dir, "Extensions", id("f"))))
	must(t, os.MkdirAll(filepath.Join(p.dir, "Extensions", id("g")), 0o755))
	must(t, os.Symlink(p.dir, p.version("g", "1.0")))
	must(t, os.WriteFile(filepath.Join(p.dir, "Extensions", "x\ny"), nil, 0o644))
	p.install("a", "1.0", thief)
	m.wait("new a 1.0", "warning a 1.0 bad-permission", "warning a 1.0 bad-script", "new b", "new c", "new d")
	if seen := m.seen(); slices.Contains(seen, "warning c unreadable") {
		t.Errorf("warned of an unreadable extension at once: %q", seen)
	}
	m.wait("warning c unreadable", "warning d unreadable")
}

// While a file is replaced it may be missing; that is no news.
func TestUnreadableForAMoment(t *testing.T) {
	m := newMachine(t)
	p := m.profile("ada", "Default")
	f := extension("Good", "1.0", "")
	to := p.install("a", "1.0", f)
	p.prefs(settings{id("a"): {"location": 1, "from_webstore": true, "path": id("a") + "/1.0_0", "disable_reasons": []int{}}})
	m.start()
	m.exactly("found a 1.0", "ready")
	must(t, os.Remove(filepath.Join(to, "manifest.json")))
	p.prefs(settings{id("a"): {"location": 1, "from_webstore": true, "path": id("a") + "/1.0_0", "disable_reasons": []int{}, "x": 1}})
	time.Sleep(time.Second)
	f.write(t, to)
	time.Sleep(2500 * time.Millisecond)
	if seen := m.seen(); slices.ContainsFunc(seen, func(s string) bool { return strings.HasPrefix(s, "warning") }) {
		t.Errorf("seen: %q", seen)
	}
}

// Preferences that cannot be read do not make extensions disappear.
func TestBrokenPreferences(t *testing.T) {
	m := newMachine(t)
	p := m.profile("ada", "Default")
	f := extension("Thief", "1.0", "", "debugger")
	p.install("a", "1.0", f)
	p.prefs(settings{id("a"): entry("a", "1.0", f, nil)})
	m.start()
	m.exactly("found a 1.0", "warning a 1.0 bad-permission", "ready")
	must(t, os.WriteFile(filepath.Join(p.dir, "Preferences"), []byte("{"), 0o600))
	time.Sleep(time.Second)
	p.prefs(settings{id("a"): entry("a", "1.0", f, nil)})
	m.exactly()
	must(t, os.WriteFile(filepath.Join(p.dir, "Preferences"), []byte("{"), 0o600))
	time.Sleep(3 * time.Second)
	if seen := m.seen(); len(seen) != 1 || !strings.HasPrefix(seen[0], "problem it is not valid JSON") {
		t.Errorf("seen: %q, want one problem", seen)
	}
}

func TestBurst(t *testing.T) {
	const n = 200
	m := newMachine(t)
	p := m.profile("ada", "Default")
	m.start()
	ids := map[string]bool{}
	for i := range n {
		letters := string([]byte{byte('a' + i/16), byte('a' + i%16)})
		id := strings.Repeat(letters, 16)
		ids[id] = true
		temp := filepath.Join(p.dir, "Extensions", "Temp", letters)
		extension(fmt.Sprint("Thief ", i), "1.0", "sendSecret()", "debugger").write(t, temp)
		must(t, os.MkdirAll(filepath.Join(p.dir, "Extensions", id), 0o755))
		must(t, os.Rename(temp, filepath.Join(p.dir, "Extensions", id, "1.0_0")))
	}
	counts := func() map[string]int {
		m.mu.Lock()
		defer m.mu.Unlock()
		counts := map[string]int{}
		for _, e := range m.events {
			counts[string(e.Kind)]++
			for _, f := range e.New {
				counts[f.Rule]++
			}
		}
		return counts
	}
	for range 200 {
		if c := counts(); c["new"] >= n && c["bad-permission"] >= n && c["bad-script"] >= n {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	time.Sleep(300 * time.Millisecond)
	if c := counts(); c["new"] != n || c["bad-permission"] != n || c["bad-script"] != n || c["changed"]+c["gone"]+c["problem"] > 0 {
		t.Errorf("told %v, want %d of new, bad-permission and bad-script and nothing else", c, n)
	}
}

func TestSwap(t *testing.T) {
	m := newMachine(t)
	p := m.profile("ada", "Default")
	m.start()
	p.install("a", "1.0", extension("Thing", "1.0", "sendSecret()", "tabs", "debugger"))
	m.exactly("ready", "new a 1.0", "warning a 1.0 bad-permission", "warning a 1.0 bad-script")
	m.agent.Swap(testRules(t, "tabs"))
	m.exactly("warning a 1.0 tabs")
	m.agent.Swap(testRules(t))
	m.exactly()
}

func TestReady(t *testing.T) {
	m := newMachine(t, "bob")
	m.profile("ada", "Default").install("a", "1.0", extension("Good", "1.0", ""))
	m.profile("bob", "Default")
	m.start()
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.events, func(e Event) bool { return e.Kind == Ready })
	if e := m.events[i]; e.Browsers != 1 || e.Profiles != 2 || e.Extensions != 1 || e.At.IsZero() {
		t.Errorf("ready: %d browsers, %d profiles, %d extensions at %v; want 1, 2, 1", e.Browsers, e.Profiles, e.Extensions, e.At)
	}
}

func TestNew(t *testing.T) {
	if _, err := New(Config{Tell: func(Event) {}}); err == nil {
		t.Error("no error without rules")
	}
	if _, err := New(Config{Rules: testRules(t)}); err == nil {
		t.Error("no error without Tell")
	}
	a, err := New(Config{Rules: testRules(t), Tell: func(Event) {}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := a.Run(ctx); err == nil {
		t.Error("Run with an ended context gave no error")
	}
}

// BenchmarkInstall measures from the end of the rename that completes an install to the first verdict and to the warning
// for what the script does. A time below zero counts as zero: the verdict was there before rename had returned.
func BenchmarkInstall(b *testing.B) {
	m := newMachine(b)
	p := m.profile("ada", "Default")
	type told struct {
		kind Kind
		at   time.Time
	}
	events := make(chan told, 100)
	m.cfg.Tell = func(e Event) {
		events <- told{e.Kind, time.Now()}
		m.tell(e)
	}
	m.start()
	took := map[Kind][]time.Duration{}
	for i := 0; b.Loop(); i++ {
		_, renamed := p.installAt("a", "1.0", extension(fmt.Sprint("Thief ", i), "1.0", "sendSecret()"))
		for e := range events {
			took[e.kind] = append(took[e.kind], max(0, e.at.Sub(renamed)))
			if e.kind == Warning {
				break
			}
		}
		must(b, os.RemoveAll(filepath.Join(p.dir, "Extensions", id("a"))))
		for e := range events {
			if e.kind == Gone {
				break
			}
		}
	}
	for kind, name := range map[Kind]string{Installed: "verdict", Warning: "warning"} {
		times := took[kind]
		slices.Sort(times)
		b.ReportMetric(float64(times[len(times)/2].Microseconds()), name+"-p50-µs")
		b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), name+"-p99-µs")
	}
}
