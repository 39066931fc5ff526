package agent

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
)

// Code that is changed in place: in an unpacked folder it is noticed at once, in a packed one by the sweep.
func TestChangedInPlace(t *testing.T) {
	m := newMachine(t)
	p := m.profile("ada", "Default")
	unpacked := filepath.Join(m.home, "dev")
	dev, packed := extension("Dev", "1.0", ""), extension("Packed", "1.0", "")
	dev.write(t, unpacked)
	to := p.install("b", "1.0", packed)
	p.prefs(settings{
		id("a"): {"location": 4, "path": unpacked, "disable_reasons": []int{}},
		id("b"): entry("b", "1.0", packed, nil),
	})
	m.cfg.Sweep = 3 * time.Second
	m.start()
	m.exactly("found a 1.0", "found b 1.0", "ready")
	must(t, os.WriteFile(filepath.Join(unpacked, "new.js"), []byte("sendSecret()"), 0o644))
	m.exactly("warning a 1.0 bad-script")
	must(t, os.WriteFile(filepath.Join(to, "sub", "worker.js"), []byte("sendSecret('b')"), 0o644))
	m.exactly("warning b 1.0 bad-script")
	time.Sleep(4 * time.Second)
	m.exactly()
}

// A script of an installed extension that is rewritten in place: nothing but a watch on its folder tells.
func TestTrojan(t *testing.T) {
	if runtime.GOOS == "darwin" {
		t.Log("macOS watches no version folders; the sweep and the minute's look are tested elsewhere")
		return
	}
	m := newMachine(t)
	p := m.profile("ada", "Default")
	one, two := extension("One", "1.0", ""), extension("Two", "1.0", "")
	one["bg.js"], two["bg.js"] = "1", "2"
	a, b := p.install("a", "1.0", one), p.install("b", "1.0", two)
	p.prefs(settings{id("a"): entry("a", "1.0", one, nil), id("b"): entry("b", "1.0", two, nil)})
	m.start()
	m.exactly("found a 1.0", "found b 1.0", "ready")
	must(t, os.WriteFile(filepath.Join(b, "sub", "worker.js"), []byte("sendSecret()"), 0o644)) // not seen
	before := time.Now()
	must(t, os.WriteFile(filepath.Join(a, "bg.js"), []byte("sendSecret()"), 0o644))
	m.wait("warning a 1.0 bad-script")
	m.mu.Lock()
	last := m.events[len(m.events)-1]
	m.mu.Unlock()
	if last.At.Before(before) {
		t.Errorf("the warning is of %v, before the script was written at %v", last.At, before)
	}
	m.exactly("warning a 1.0 bad-script") // only its own files were looked at
	// Two files at once, and the preferences with them.
	must(t, os.WriteFile(filepath.Join(b, "x.js"), []byte("sendSecret()"), 0o644))
	must(t, os.WriteFile(filepath.Join(b, "bg.js"), []byte("sendSecret()"), 0o644))
	p.prefs(settings{id("a"): entry("a", "1.0", one, nil), id("b"): entry("b", "1.0", two, nil)})
	m.exactly("warning b 1.0 bad-script")
}

// The files of an extension that reaches an exchange are looked at when its profile is read, once a minute.
func TestDue(t *testing.T) {
	reach := signatures.Result{Reach: []signatures.Reach{{Exchange: "x"}}}
	for _, tt := range []struct {
		name    string
		result  signatures.Result
		enabled bool
		ago     time.Duration
		want    bool
	}{
		{"reaches one", reach, true, 2 * restampEvery, true},
		{"looked at just now", reach, true, time.Second, false},
		{"disabled", reach, false, 2 * restampEvery, false},
		{"reaches none", signatures.Result{}, true, 2 * restampEvery, false},
	} {
		k := known{ext: &manifests.Extension{Enabled: tt.enabled}, result: tt.result, stamped: time.Now().Add(-tt.ago)}
		if got := k.due(); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// An unpacked extension that is edited to take more is told once, though what was granted is known again later.
func TestEditedManifest(t *testing.T) {
	m := newMachine(t)
	p := m.profile("ada", "Default")
	dir := filepath.Join(m.home, "dev")
	extension("Dev", "1.0", "").write(t, dir)
	entry := map[string]any{"location": 4, "path": dir, "active_permissions": map[string]any{"api": []string{"tabs"}}}
	p.prefs(settings{id("a"): entry})
	m.start()
	m.exactly("found a 1.0", "ready")
	extension("Dev", "1.0", "", "debugger").write(t, dir)
	m.exactly("changed a 1.0", "warning a 1.0 bad-permission")
	p.prefs(settings{id("a"): entry})
	m.exactly()
}
