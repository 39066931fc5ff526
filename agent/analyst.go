package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/analysis"
)

const (
	// idleAfter is how long workers without work are kept. Installs and updates come in bursts; a worker that waits holds
	// memory for nothing.
	idleAfter = 30 * time.Second
	// analyzeWithin is how long an analysis is waited for. The analysis bounds itself far below; only a disk that does not
	// answer holds it longer.
	analyzeWithin = 3 * time.Minute
	// maxAbandoned bounds the analyses that are left behind because their disk does not answer. Each may hold a thread.
	maxAbandoned = 8
	// warmWithin is how long a worker may take to begin. It takes a twentieth of a second on a machine at rest.
	warmWithin = 10 * time.Second
)

// An Analyst says what the code of extensions does, in worker processes that may die of it, and each content once,
// however many users, profiles and browsers hold it. It may be used from many goroutines at once.
//
// Workers are started when they are wanted and ended when nothing was to do for half a minute.
type Analyst struct {
	workers int
	command []string
	engine  string
	idle    time.Duration
	within  time.Duration

	mu        sync.Mutex
	crew      *crew // nil: no worker runs
	kept      *recent
	memory    Memory             // nil: there is none but kept
	flights   map[string]*flight // by content
	abandoned int
	closed    bool
}

// A crew is a pool of workers and how many analyses use it.
type crew struct {
	pool  *analysis.Pool
	users int
	warm  chan struct{} // closed when the first worker runs; nil: nobody asked for that beforehand
	timer *time.Timer   // nil while it is used
}

// A flight is an analysis that others wait for as well.
type flight struct {
	done   chan struct{}
	report *behavior.Report // nil: it came to nothing
}

// NewAnalyst returns one with at most so many workers at once. Each is a process that command starts and that calls
// analysis.Serve. Engine is the version of the program: what another one found out is not used again.
func NewAnalyst(workers int, command []string, engine string) *Analyst {
	return &Analyst{
		workers: workers, command: command, engine: engine, idle: idleAfter, within: analyzeWithin,
		kept: newRecent(keptBytes), flights: map[string]*flight{},
	}
}

// Close ends the workers, after the analyses that run: end their contexts before. The Analyst must not be used afterwards.
func (a *Analyst) Close() {
	a.mu.Lock()
	c := a.crew
	a.crew, a.closed = nil, true
	a.mu.Unlock()
	if c == nil {
		return
	}
	if c.timer != nil {
		c.timer.Stop()
	}
	within(endWithin, c.pool.Close)
}

// Analyze says what the code of an extension does whose files were read. The report is shared and read-only; it is nil
// for what is part of the browser and for what has no files. Errors say that the files cannot be opened, that no worker
// can be started, that it takes too long, or are that of ctx; whatever the code does to a worker is in the report.
func (a *Analyst) Analyze(ctx context.Context, e *manifests.Extension, c *signatures.Contents) (*behavior.Report, error) {
	return a.analyze(ctx, e, c, "")
}

// analyze is Analyze for files that had a certain stamp when they were read; "" when that is not known.
func (a *Analyst) analyze(ctx context.Context, e *manifests.Extension, c *signatures.Contents, stamp string) (*behavior.Report, error) {
	if e.Open == nil || e.Origin == manifests.OriginBuiltin {
		return nil, nil
	}
	key := contentOf(e, c)
	if key == "" {
		report, _, err := a.run(ctx, e, stamp)
		return report, err
	}
	for {
		a.mu.Lock()
		if report := a.kept.get(key); report != nil {
			a.mu.Unlock()
			return report, nil
		}
		f := a.flights[key]
		if f == nil {
			f = &flight{done: make(chan struct{})}
			a.flights[key] = f
			a.mu.Unlock()
			return a.fly(ctx, f, key, e, stamp)
		}
		a.mu.Unlock()
		select {
		case <-f.done:
			if f.report != nil {
				return f.report, nil
			}
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for the analysis of the same code: %w", ctx.Err())
		}
	}
}

// fly analyses for all who wait.
func (a *Analyst) fly(ctx context.Context, f *flight, key string, e *manifests.Extension, stamp string) (report *behavior.Report, err error) {
	same := false
	defer func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.flights, key)
		if same {
			f.report = report
			a.kept.put(key, report)
		}
		close(f.done)
	}()
	if a.memory != nil {
		if report = a.memory.GetAnalysis(ctx, key, a.engine); report != nil {
			same = true
			return report, nil
		}
	}
	report, same, err = a.run(ctx, e, stamp)
	if same && a.memory != nil {
		a.memory.PutAnalysis(ctx, key, a.engine, report)
	}
	return report, err
}

// Remember lets reports be kept in m as well, which outlives the process. Call it before the first analysis.
func (a *Analyst) Remember(m Memory) { a.memory = m }

// contentOf names what an analysis depends on, beside the engine: the manifest that the browser goes by, and all files. ""
// when not all files were read, and two extensions cannot be said to be the same.
func contentOf(e *manifests.Extension, c *signatures.Contents) string {
	if c == nil || c.Digest == "" {
		return ""
	}
	manifest, err := json.Marshal(e.Manifest)
	if err != nil {
		return ""
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s %d\n", c.Digest, len(manifest))
	h.Write(manifest)
	return hex.EncodeToString(h.Sum(nil))
}

// warm starts a worker, aside, for code that has arrived: its files are read meanwhile.
func (a *Analyst) warm() {
	c, err := a.begin()
	if err != nil {
		return // who analyses is told the same
	}
	a.mu.Lock()
	first := c.warm == nil
	warm := make(chan struct{})
	if first {
		c.warm = warm
	}
	a.mu.Unlock()
	if !first {
		a.end(c)
		return
	}
	go func() {
		defer a.end(c)
		defer close(warm)
		ctx, cancel := context.WithTimeout(context.Background(), warmWithin)
		defer cancel()
		_, _ = c.pool.Analyze(ctx, analysis.Input{}) // who analyses is told why none can be started
	}()
}

// run analyses. Same reports that the files did not change meanwhile: else what was analysed is not what was hashed, and
// someone could have one content judged under the name of another.
func (a *Analyst) run(ctx context.Context, e *manifests.Extension, stamp string) (report *behavior.Report, same bool, err error) {
	c, err := a.begin()
	if err != nil {
		return nil, false, err
	}
	type outcome struct {
		report *behavior.Report
		same   bool
		err    error
	}
	a.mu.Lock()
	warm := c.warm
	a.mu.Unlock()
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		defer func() {
			if v := recover(); v != nil { // what runs aside must not end the agent
				o = outcome{err: fmt.Errorf("analysing the code: a mistake in this program: %v", v)}
			}
			a.end(c)
			done <- o
		}()
		if warm != nil {
			<-warm // it is there sooner than another would be
		}
		o.report, o.same, o.err = analyzeFiles(ctx, c.pool, e, stamp)
	}()
	timer := time.NewTimer(a.within)
	defer timer.Stop()
	select {
	case o := <-done:
		return o.report, o.same, o.err
	case <-timer.C:
		a.abandon(c, func() { <-done })
		return nil, false, fmt.Errorf("analysing the code has not finished after %v; see whether the disk still answers", a.within)
	}
}

func analyzeFiles(ctx context.Context, pool *analysis.Pool, e *manifests.Extension, stamp string) (*behavior.Report, bool, error) {
	files, err := e.Open()
	if err != nil {
		return nil, false, err
	}
	defer files.Close()
	before, err := stampOf(ctx, e.Path, files)
	if err != nil {
		return nil, false, err
	}
	report, err := pool.Analyze(ctx, analysis.Input{Manifest: e.Manifest, Files: files})
	if err != nil {
		return nil, false, fmt.Errorf("its code was not analysed: %w", err)
	}
	after, err := stampOf(ctx, e.Path, files)
	same := err == nil && before != "" && before == after && (stamp == "" || stamp == before)
	return &report, same, nil
}

var errStuck = errors.New("its code was not analysed: the disk does not answer")

// begin returns the crew, for one analysis; end gives it back.
func (a *Analyst) begin() (*crew, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.closed:
		return nil, errors.New("its code was not analysed: the program is ending")
	case a.abandoned >= maxAbandoned:
		return nil, errStuck
	case a.crew == nil:
		a.crew = &crew{pool: analysis.NewPool(a.workers, a.command)}
	}
	c := a.crew
	c.users++
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	return c, nil
}

func (a *Analyst) end(c *crew) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c.users--; c.users > 0 {
		return
	}
	if a.crew != c { // it was abandoned, or this is the end
		go c.pool.Close()
		return
	}
	c.timer = time.AfterFunc(a.idle, func() { a.dismiss(c) })
}

// dismiss ends the workers of a crew that nobody uses.
func (a *Analyst) dismiss(c *crew) {
	a.mu.Lock()
	idle := a.crew == c && c.users == 0
	if idle {
		a.crew = nil
	}
	a.mu.Unlock()
	if idle {
		c.pool.Close()
	}
}

// abandon leaves a crew to an analysis that does not end; others get a new one.
func (a *Analyst) abandon(c *crew, wait func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.crew == c {
		a.crew = nil
	}
	a.abandoned++
	go func() {
		wait()
		a.mu.Lock()
		defer a.mu.Unlock()
		a.abandoned--
	}()
}
