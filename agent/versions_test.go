package agent

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/agent/inventory"
	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
)

// version makes an entry of a listing.
func version(t *testing.T, version string, pending bool, permissions ...string) manifests.Extension {
	t.Helper()
	m, err := manifests.Parse([]byte(extension("Thing", version, "", permissions...)["manifest.json"]))
	must(t, err)
	return manifests.Extension{
		ID: id("a"), Path: "/none/" + version, Manifest: m, Pending: pending, Enabled: true, Origin: manifests.OriginStore,
	}
}

// A listing may hold a version that waits beside the one that runs. Each finding is told once, over both.
func TestTwoVersions(t *testing.T) {
	list := func(e ...manifests.Extension) []manifests.Extension { return e }
	v9, v10 := version(t, "1.9", false, "debugger"), version(t, "1.10", false, "debugger", "history")
	v10p := version(t, "1.10", true, "debugger", "history")
	type step struct {
		list []manifests.Extension
		want []string
	}
	for _, tt := range []struct {
		name  string
		steps []step
	}{
		{"an update", []step{
			{list(v9), []string{"new a 1.9", "warning a 1.9 bad-permission"}},
			{list(v10p, v9), []string{"changed a 1.10", "warning a 1.10 gained"}},
			{list(v10p, v9), nil},
			{list(v10, v9), nil},
			{list(v10), nil},
			{nil, []string{"gone a 1.10"}},
		}},
		{"in the other order, and the old one goes first", []step{
			{list(v9, v10p), []string{"new a 1.9", "warning a 1.9 bad-permission", "changed a 1.10", "warning a 1.10 gained"}},
			{list(v10p), nil},
			{list(v10), nil},
		}},
		{"an update that is dropped", []step{
			{list(v9, v10p), []string{"new a 1.9", "warning a 1.9 bad-permission", "changed a 1.10", "warning a 1.10 gained"}},
			{list(v9), []string{"changed a 1.9"}},
		}},
		{"both go", []step{
			{list(v9, v10p), []string{"new a 1.9", "warning a 1.9 bad-permission", "changed a 1.10", "warning a 1.10 gained"}},
			{nil, []string{"gone a 1.9"}},
		}},
		{"one entry twice", []step{
			{list(v9, v9), []string{"new a 1.9", "warning a 1.9 bad-permission"}},
			{list(v9, v9), nil},
		}},
		{"two that run, and both go on", []step{
			{list(v9, v10), []string{"new a 1.9", "warning a 1.9 bad-permission", "changed a 1.10", "warning a 1.10 gained"}},
			{list(v10, v9), nil},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newTestRun(t)
			r.ready = true
			p := &profile{id: "p", known: map[slot]*known{}}
			r.profiles["p"] = p
			for i, s := range tt.steps {
				var told []string
				r.cfg.Tell = func(e Event) { told = append(told, show(e)) }
				l := &listing{Listing: inventory.Listing{Extensions: slices.Clone(s.list)}, marks: make([]mark, len(s.list))}
				r.diff(p, l)
				if diff := cmp.Diff(s.want, told); diff != "" {
					t.Errorf("step %d (-want +got):\n%s", i, diff)
				}
			}
		})
	}
}

// The same with the loop: the files of both are read.
func TestTwoVersionsRead(t *testing.T) {
	m := newMachine(t)
	p := m.profile("ada", "Default")
	old := p.install("a", "1.0", extension("Thing", "1.0", "sendSecret()"))
	next := p.install("a", "1.1", extension("Thing", "1.1", "sendSecret()", "debugger"))
	reader := inventory.NewReader(inventory.Config{OS: "linux"})
	var mu sync.Mutex
	m.list = func(ctx context.Context, pr browsers.Profile) (inventory.Listing, error) {
		mu.Lock()
		defer mu.Unlock()
		l, err := reader.Read(ctx, pr)
		if i := slices.IndexFunc(l.Extensions, func(e manifests.Extension) bool { return e.Path == next }); i >= 0 {
			v := version(t, "1.0", false)
			v.Path = old
			l.Extensions = slices.Insert(slices.Clone(l.Extensions), i, v)
		}
		return l, err
	}
	m.start()
	m.wait("found a 1.0", "found a 1.1", "warning a 1.1 bad-permission", "warning a 1.1 bad-script", "ready")
	time.Sleep(300 * time.Millisecond)
	if n := len(m.seen()); n != 5 {
		t.Errorf("seen: %q", m.seen())
	}
}

// What was told of an extension while it was disabled is told again, once, when it is switched on.
func TestSwitchedOn(t *testing.T) {
	m := newMachine(t)
	p := m.profile("ada", "Default")
	f := extension("Thing", "1.0", "sendSecret()", "debugger")
	p.install("a", "1.0", f)
	off := map[string]any{"disable_reasons": []int{1}}
	p.prefs(settings{id("a"): entry("a", "1.0", f, off)})
	m.start()
	m.exactly("found a 1.0", "ready", "warning a 1.0 bad-permission", "warning a 1.0 bad-script")
	p.prefs(settings{id("a"): entry("a", "1.0", f, nil)})
	m.wait("changed a 1.0")
	time.Sleep(500 * time.Millisecond)
	m.mu.Lock()
	var rules []string
	for _, e := range m.events {
		for _, f := range e.New {
			rules = append(rules, f.Rule)
		}
		if e.Kind == Warning && (!e.Result.Verdict.Worse(signatures.Unreadable) || !e.Extension.Enabled) {
			t.Errorf("warning with %s, enabled %v", e.Result.Verdict, e.Extension.Enabled)
		}
	}
	m.mu.Unlock()
	slices.Sort(rules)
	if diff := cmp.Diff([]string{"bad-permission", "bad-script"}, rules); diff != "" {
		t.Errorf("told when it was switched on (-want +got):\n%s", diff)
	}
	m.forget()
	p.prefs(settings{id("a"): entry("a", "1.0", f, map[string]any{"x": 1})})
	m.exactly()
}
