package agent

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/agent/inventory"
	"github.com/extwatch/extwatch/agent/watcher"
	"github.com/extwatch/extwatch/manifests"
)

// A disk makes readings block until it is freed, as one whose server is gone does.
type disk struct {
	mu      sync.Mutex
	blocked map[string]chan struct{}
	reads   map[string]int // readings begun, by profile
}

// blockable lets the machine's profiles and the files of its extensions be blocked, by the base name of a profile's
// folder or the ID of an extension.
func (m *machine) blockable() *disk {
	d := &disk{blocked: map[string]chan struct{}{}, reads: map[string]int{}}
	m.t.Cleanup(func() { d.free(slices.Collect(maps.Keys(d.blocked))...) })
	reader := inventory.NewReader(inventory.Config{OS: m.cfg.Machine.OS})
	m.list = func(ctx context.Context, p browsers.Profile) (inventory.Listing, error) {
		d.mu.Lock()
		d.reads[filepath.Base(p.Dir)]++
		d.mu.Unlock()
		d.pass(filepath.Base(p.Dir))
		l, err := reader.Read(ctx, p)
		for i := range l.Extensions {
			e := &l.Extensions[i]
			if open := e.Open; open != nil {
				e.Open = func() (manifests.Files, error) {
					d.pass(e.ID)
					return open()
				}
			}
		}
		return l, err
	}
	m.limits = limits{slow: 100 * time.Millisecond, stuck: 1500 * time.Millisecond, files: 1500 * time.Millisecond, end: 200 * time.Millisecond}
	return d
}

func (d *disk) block(names ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range names {
		d.blocked[name] = make(chan struct{})
	}
}

func (d *disk) free(names ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range names {
		if c := d.blocked[name]; c != nil {
			close(c)
			delete(d.blocked, name)
		}
	}
}

func (d *disk) pass(name string) {
	d.mu.Lock()
	c := d.blocked[name]
	d.mu.Unlock()
	if c != nil {
		<-c
	}
}

func (d *disk) count(name string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.reads[name]
}

const unfinished = " has not finished after 1.5s; it goes on aside; see whether the disk or network drive still answers"

// A profile that blocks whoever reads it holds up no other, is told, is not read twice, and is taken when it answers.
func TestStuckProfile(t *testing.T) {
	m := newMachine(t)
	d := m.blockable()
	bad, good := m.profile("ada", "Default"), m.profile("ada", "Profile 1")
	bad.install("a", "1.0", extension("Thief", "1.0", "", "debugger"))
	d.block("Default")
	m.start()
	m.exactly("problem reading the profile"+unfinished, "ready")
	good.install("b", "1.0", extension("Other", "1.0", "sendSecret()"))
	m.exactly("new b 1.0", "warning b 1.0 bad-script")
	bad.install("c", "1.0", extension("Thing", "1.0", ""))
	m.exactly()
	if n := d.count("Default"); n != 1 {
		t.Errorf("the stuck profile was read %d times", n)
	}
	d.free("Default")
	// It was there at the start, therefore found.
	m.exactly("found a 1.0", "warning a 1.0 bad-permission", "found c 1.0")

	// It is told again when it happens again.
	d.block("Default")
	bad.install("d", "1.0", extension("Thing", "1.0", ""))
	m.exactly("problem reading the profile" + unfinished)
	d.free("Default")
	m.exactly("new d 1.0")
}

// Run ends though a reading does not.
func TestEndWhileStuck(t *testing.T) {
	m := newMachine(t)
	d := m.blockable()
	m.profile("ada", "Default")
	d.block("Default")
	m.start()
	m.stop()
	d.free("Default")
}

// Files that block hold up no others, however many: two workers would otherwise stop for ever.
func TestStuckFiles(t *testing.T) {
	m := newMachine(t)
	d := m.blockable()
	p := m.profile("ada", "Default")
	m.start()
	letters := []string{"a", "b", "c", "d"}
	want := []string{"ready"}
	for _, l := range letters {
		d.block(id(l))
		p.install(l, "1.0", extension("Stuck", "1.0", "sendSecret()"))
		want = append(want, "new "+l+" 1.0", "problem reading the extension's files"+unfinished)
	}
	for range 100 {
		if len(m.seen()) >= len(want) {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	m.exactly(want...)
	p.install("e", "1.0", extension("Other", "1.0", "sendSecret()"))
	m.exactly("new e 1.0", "warning e 1.0 bad-script")
	d.free(id("a"), id("b"), id("c"), id("d"))
	m.exactly("warning a 1.0 bad-script", "warning b 1.0 bad-script", "warning c 1.0 bad-script", "warning d 1.0 bad-script")
}

// The number of stuck jobs is bounded, and reading goes on when one of them returns.
func TestManyStuckFiles(t *testing.T) {
	r := newTestRun(t)
	block := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	defer r.goroutines.Wait()
	defer cancel()
	p := &profile{id: "p", known: map[slot]*known{}}
	for i := range 50 {
		path := fmt.Sprint("/e", i)
		r.jobs = append(r.jobs, job{known: &known{profile: p, gone: true}, ext: &manifests.Extension{
			Path: path, Open: func() (manifests.Files, error) { <-block; return nil, fs.ErrNotExist },
		}})
	}
	for range 50 {
		r.startJobs(ctx)
		r.tick(ctx, time.Now().Add(r.limits.files+time.Second))
	}
	if working, stuck := r.busy(); working != workers || stuck != maxStuck {
		t.Errorf("%d working and %d stuck, want %d and %d", working, stuck, workers, maxStuck)
	}
	if r.due().Before(time.Now()) {
		t.Error("the loop would spin")
	}
	if !r.told[manyFiles()] {
		t.Errorf("told %v", r.told)
	}
	close(block)
	for range 50 {
		r.startJobs(ctx)
		r.finished(<-r.readings)
	}
	if len(r.told) != 0 || len(r.working) != 0 || len(r.jobs) != 0 {
		t.Errorf("left: %d told, %d working, %d jobs", len(r.told), len(r.working), len(r.jobs))
	}
}

func TestManyStuckProfiles(t *testing.T) {
	r := newTestRun(t)
	block := make(chan struct{})
	r.list = func(context.Context, browsers.Profile) (inventory.Listing, error) {
		<-block
		return inventory.Listing{}, context.Canceled
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer r.goroutines.Wait()
	defer cancel()
	for i := range maxSlow + 10 {
		p := &profile{id: fmt.Sprint(i), Profile: browsers.Profile{Dir: fmt.Sprint("/", i)}, known: map[slot]*known{}}
		r.profiles[p.id] = p
		r.queue(p, false, time.Now())
	}
	for range maxSlow + 10 {
		if p := r.next(); p != nil {
			r.read(ctx, p)
		}
		r.tick(ctx, time.Now().Add(r.limits.stuck+time.Second))
	}
	if len(r.lists) != maxSlow || len(r.todo) != 10 || !r.told[manyProfiles()] || r.due().Before(time.Now()) {
		t.Errorf("%d are read, %d wait, told %v", len(r.lists), len(r.todo), r.told)
	}
	close(block)
	for len(r.lists) > 0 {
		r.take(ctx, <-r.listed)
	}
	if len(r.told) != 0 {
		t.Errorf("still told: %v", r.told)
	}
}

// The loop goes on without a watcher that does not answer, and reads everything when it does.
func TestStuckWatcher(t *testing.T) {
	r := newTestRun(t)
	ctx := context.Background()
	p := &profile{id: "p", known: map[slot]*known{}}
	r.profiles["p"] = p
	r.finding = true // no search here
	r.findTold.Reason = "x"
	block := make(chan struct{})
	r.askWatcher(ctx, func() []error { <-block; return nil })
	r.setWatches(ctx)
	r.tick(ctx, time.Now().Add(r.limits.stuck+time.Second))
	if r.asking == nil || !r.asking.again || len(r.told) != 1 || len(r.todo) != 0 {
		t.Fatalf("asking %+v, told %v, to read %d", r.asking, r.told, len(r.todo))
	}
	r.tick(ctx, time.Now().Add(2*blindEvery))
	if len(r.todo) != 1 {
		t.Error("without a watcher, nothing is read again")
	}
	r.todo = nil
	close(block)
	r.asking.again = false
	r.watched(ctx, <-r.asking.done)
	if r.asking != nil || len(r.told) != 0 || len(r.todo) != 1 {
		t.Errorf("asking %v, told %v, to read %d", r.asking, r.told, len(r.todo))
	}
	r.goroutines.Wait()
}

// newTestRun makes a run whose loop is not running.
func newTestRun(t *testing.T) *run {
	t.Helper()
	a, err := New(Config{Rules: testRules(t), Tell: func(Event) {}, Machine: browsers.Config{
		OS: "linux", Processes: func() ([]browsers.Process, error) { return nil, nil },
	}})
	must(t, err)
	a.limits.slow = 50 * time.Millisecond
	r := newRun(a, nil)
	r.pollDue = time.Now().Add(time.Hour)
	return r
}

// What changed while the profile was read is not lost.
func TestCauses(t *testing.T) {
	r := newTestRun(t)
	p := &profile{id: "p", Profile: browsers.Profile{Dir: t.TempDir()}, known: map[slot]*known{}}
	r.profiles["p"] = p
	ctx := context.Background()
	r.change(ctx, watcher.Change{Target: "p", Reason: watcher.Changed, Folders: []string{"/a"}})
	r.change(ctx, watcher.Change{Target: "p", Reason: watcher.Arrived, Folders: []string{"/b"}})
	if c := p.next; !c.touches("/a") || !c.touches("/b/") || c.touches("/c") {
		t.Errorf("touched %v", c.touched)
	}
	block := make(chan struct{})
	r.list = func(context.Context, browsers.Profile) (inventory.Listing, error) {
		<-block
		return inventory.Listing{}, context.Canceled
	}
	r.read(ctx, r.next())
	r.change(ctx, watcher.Change{Target: "p", Reason: watcher.Changed, Folders: []string{"/c"}})
	if c := p.next; !c.touches("/c") || c.touches("/a") || r.next() != nil {
		t.Errorf("touched %v", c.touched)
	}
	close(block)
	r.take(ctx, <-r.listed)
	if r.next() != p || !p.next.touches("/c") {
		t.Error("a change while the profile was read is lost")
	}
	r.goroutines.Wait()
}

// A problem that comes back is told again; one that another profile has still is not.
func TestProblemReturns(t *testing.T) {
	r := newTestRun(t)
	var told []string
	r.cfg.Tell = func(e Event) { told = append(told, e.Problem.Reason) }
	problem := manifests.Problem{Path: "/x", Reason: "bad"}
	long := time.Now().Add(-time.Hour)
	p, q := &profile{id: "p"}, &profile{id: "q"}
	r.profiles["p"], r.profiles["q"] = p, q
	// at says that the problem was there an hour ago and is there now.
	at := func(p *profile) {
		p.problems = map[manifests.Problem]time.Time{problem: long}
		r.listingProblems(p, []manifests.Problem{problem})
	}
	for i, step := range []struct {
		do   func()
		told int
	}{
		{func() { at(p) }, 1},
		{func() { at(p) }, 1},
		{func() { r.listingProblems(p, nil) }, 1},
		{func() { at(p) }, 2},
		{func() { at(q) }, 2},
		{func() { r.listingProblems(p, nil) }, 2},
		{func() { at(p) }, 2},
		{func() { r.listingProblems(p, nil); r.listingProblems(q, nil) }, 2},
		{func() { at(q) }, 3},
	} {
		if step.do(); len(told) != step.told {
			t.Errorf("step %d: told %d times, want %d", i, len(told), step.told)
		}
	}
}

// A thief can make problems come and go, but not more than so many.
func TestManyProblems(t *testing.T) {
	r := newTestRun(t)
	n, last := 0, ""
	r.cfg.Tell = func(e Event) { n, last = n+1, e.Problem.Reason }
	for i := range 2 * maxProblems {
		problem := manifests.Problem{Reason: fmt.Sprint(i)}
		r.problem(problem, browsers.Profile{}, time.Now())
		r.untell(problem)
	}
	if n != maxProblems+1 || !strings.HasPrefix(last, "there are too many problems") {
		t.Errorf("told %d, at last %q", n, last)
	}
}
