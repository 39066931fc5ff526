package agent

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/agent/inventory"
	"github.com/extwatch/extwatch/signatures/behavior"
)

// A memory outlives an analyst.
type memory struct {
	mu    sync.Mutex
	items map[string]*behavior.Report
	found int
}

func (m *memory) GetAnalysis(_ context.Context, content, engine string) *behavior.Report {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.items[engine+content]
	if r != nil {
		m.found++
	}
	return r
}

func (m *memory) PutAnalysis(_ context.Context, content, engine string, r *behavior.Report) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.items[engine+content] = r
}

// What one analyst found out serves the next, under the name that events have.
func TestRemember(t *testing.T) {
	kept := &memory{items: map[string]*behavior.Report{}}
	m := newMachine(t)
	m.profile("ada", "Default").install("a", "1.0", codeExtension("1.0", thiefCode))
	for i := range 2 {
		m.withCode("")
		m.cfg.Analyst.memory = kept
		m.forget()
		m.start()
		m.wait("judged a 1.0")
		m.stop()
		for _, e := range m.events {
			if e.Kind == Judged && kept.items["test"+e.Content] == nil {
				t.Errorf("run %d: the event names content %q, which is not what is kept", i, e.Content)
			}
		}
		if kept.found != i {
			t.Errorf("run %d: found %d", i, kept.found)
		}
	}
}

// A service looks for browsers and reads profiles elsewhere.
func TestFindAndList(t *testing.T) {
	m := newMachine(t)
	m.profile("ada", "Default").install("a", "1.0", extension("Thing", "1.0", "", "debugger"))
	machine := m.cfg.Machine
	m.cfg.Machine.Users = []browsers.User{} // what is found here is nothing
	var finds, lists atomic.Int32
	m.cfg.Find = func(ctx context.Context) (browsers.Machine, error) {
		finds.Add(1)
		return browsers.Find(ctx, machine)
	}
	list := inventory.NewReader(inventory.Config{OS: machine.OS}).Read
	m.cfg.List = func(ctx context.Context, p browsers.Profile) (inventory.Listing, error) {
		lists.Add(1)
		return list(ctx, p)
	}
	m.start()
	m.wait("warning a 1.0 bad-permission")
	if finds.Load() == 0 || lists.Load() == 0 {
		t.Errorf("Find was called %d times, List %d times", finds.Load(), lists.Load())
	}
}

// Without an analyst the verdict is final when the files are known. Ready and sweeps say what was read.
func TestFinalAndSwept(t *testing.T) {
	m := newMachine(t)
	m.all = true
	p := m.profile("ada", "Default")
	p.install("a", "1.0", extension("Thing", "1.0", "sendSecret()"))
	swept := make(chan Event, 100)
	tell := m.cfg.Tell
	m.cfg.Tell = func(e Event) {
		if e.Kind == Swept {
			swept <- e
		}
		tell(e)
	}
	m.cfg.Sweep = 200 * time.Millisecond
	m.start()
	m.wait("judged a 1.0")
	select {
	case e := <-swept:
		if e.Profiles != 1 || e.Extensions != 1 || len(e.Read) != 1 || len(e.Problems) != 0 {
			t.Errorf("a sweep tells %+v", e)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("no sweep was told")
	}
}

// Where sweeps follow one another faster than all can be read, it still becomes ready, and each sweep ends.
func TestSweepsFasterThanReading(t *testing.T) {
	var users []string
	for i := range 12 {
		users = append(users, fmt.Sprintf("u%d", i))
	}
	m := newMachine(t, users...)
	for _, u := range users {
		m.profile(u, "Default").install("a", "1.0", extension("Thing", "1.0", ""))
	}
	list := inventory.NewReader(inventory.Config{OS: "linux"}).Read
	m.cfg.List = func(ctx context.Context, p browsers.Profile) (inventory.Listing, error) {
		time.Sleep(200 * time.Millisecond)
		return list(ctx, p)
	}
	swept := make(chan Event, 100)
	tell := m.cfg.Tell
	m.cfg.Tell = func(e Event) {
		if e.Kind == Swept {
			swept <- e
		}
		tell(e)
	}
	m.cfg.Sweep = 300 * time.Millisecond
	m.start()
	select {
	case e := <-swept:
		if e.Extensions != 12 || len(e.Read) == 0 {
			t.Errorf("a sweep tells %+v", e)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("no sweep was told")
	}
}
