package resident

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/extwatch/extwatch/agent"
	"github.com/extwatch/extwatch/agent/store"
	"github.com/extwatch/extwatch/signatures/behavior"
)

const (
	// upkeepEvery is how often policies are compared with the blocks.
	upkeepEvery = time.Hour
	// compactEvery is how often the store forgets what is old.
	compactEvery = 24 * time.Hour
	// settle is how long after a change of a policy or the settings the writer is given to finish.
	settle = 500 * time.Millisecond
)

// Run works until ctx ends, and returns nil then.
func (r *Resident) Run(ctx context.Context) error {
	if err := r.Open(ctx); err != nil {
		return err
	}
	work, cancel := context.WithCancel(ctx)
	r.work = work
	var wg sync.WaitGroup
	defer func() {
		r.cfg.State("STOPPING=1")
		cancel()
		wg.Wait()
		if err := r.Close(); err != nil {
			r.log.Error("close the store", "error", err)
		}
	}()
	if r.cfg.Analyst != nil {
		r.cfg.Analyst.Remember(analyses{r})
	}
	r.startTelling(work)
	defer r.stopTelling()
	r.servePage(work)
	defer r.closePage()
	if r.cfg.Socket != "" {
		l, err := listen(r.cfg.Socket)
		if err != nil {
			r.log.Error("nobody can ask this service", "error", err)
		} else {
			wg.Go(func() { r.serve(work, l) })
		}
	}
	r.startFeed(work)
	defer r.stopFeed()
	wg.Go(func() { r.keep(work) })
	wg.Go(func() { r.keepDecisions(work) })
	wg.Go(func() { r.tellPeople(work) })
	wg.Go(func() { r.upkeep(work) })
	// Not when everything was read: a home on a dead network drive takes a minute, and a start has an end.
	r.cfg.State("READY=1")
	r.cfg.State("STATUS=Reading everything for the first time")
	for {
		failed, err := r.watch(work)
		if !failed {
			return err
		}
	}
}

// servePage serves the local page if the settings ask for it.
func (r *Resident) servePage(ctx context.Context) {
	s := r.set()
	if r.cfg.Page == nil || !s.Dashboard {
		return
	}
	page, err := r.cfg.Page(ctx, s, r.db(), r)
	if err != nil {
		r.log.Error("the local page is not served", "error", err)
		r.note(ctx, store.Problem, "", "the local page is not served: "+err.Error())
		return
	}
	r.mu.Lock()
	r.page = page
	r.mu.Unlock()
}

func (r *Resident) closePage() {
	r.mu.Lock()
	page := r.page
	r.page = nil
	r.mu.Unlock()
	if page != nil {
		page.Close()
	}
}

// watch runs the agent until ctx ends; again reports that it is to run once more, with other settings.
func (r *Resident) watch(ctx context.Context) (again bool, err error) {
	s := r.set()
	analyst := r.cfg.Analyst
	if !s.Code {
		analyst = nil
	}
	a, err := agent.New(agent.Config{
		Machine: r.cfg.Machine, Find: r.cfg.Find, List: r.cfg.List, Rules: r.Rules(), Analyst: analyst,
		Tell: r.box.put, Sweep: s.Sweep, Logger: r.log, Now: r.cfg.Now,
	})
	if err != nil {
		return false, fmt.Errorf("start the service: %w", err)
	}
	r.watching(a)
	defer r.watching(nil)
	run, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- a.Run(run) }()
	for {
		select {
		case err := <-ended:
			if ctx.Err() != nil {
				return false, nil
			}
			return false, fmt.Errorf("the agent stopped: %w", err)
		case <-r.again:
			now := r.set()
			if now.Sweep == s.Sweep && now.Code == s.Code {
				continue
			}
			cancel()
			<-ended
			r.log.Info("the settings have changed; everything is checked again")
			return true, nil
		}
	}
}

// upkeep does what is to be done now and then, or when the settings or policies change on disk.
func (r *Resident) upkeep(ctx context.Context) {
	changes := newChanges(r.cfg.Files)
	defer changes.close()
	hourly, daily := time.NewTicker(upkeepEvery), time.NewTicker(compactEvery)
	defer hourly.Stop()
	defer daily.Stop()
	due := time.NewTimer(0) // at the start
	defer due.Stop()
	reload := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.cfg.Reload:
			r.cfg.State("RELOADING=1")
			r.reload(ctx)
			r.cfg.State("READY=1")
		case name := <-changes.events():
			reload = reload || slices.Contains(r.cfg.Files, name) || slices.Contains(r.cfg.Files, filepath.Dir(name)) ||
				slices.Contains(trustFiles(r.set().Feed), name)
			due.Reset(settle)
		case <-due.C:
			if reload {
				r.reload(ctx)
			}
			reload = false
			r.refresh(ctx, changes)
		case <-r.wrote:
			r.refresh(ctx, changes)
		case <-hourly.C:
			r.refresh(ctx, changes)
		case <-daily.C:
			if err := r.store.Compact(ctx); err != nil {
				r.log.Error("make the store smaller", "error", err)
			}
		}
	}
}

// reload takes over changed settings.
func (r *Resident) reload(ctx context.Context) {
	before := r.set()
	r.load()
	r.log.Info("the settings were read again")
	if now := r.set(); now.Dashboard != before.Dashboard || now.DashboardPort != before.DashboardPort {
		r.closePage() // whoever looks at it asks anew
		r.servePage(ctx)
	}
	r.stopTelling()
	r.startTelling(ctx)
	r.everybody()
	r.mu.Lock()
	pinned := r.pinned
	r.mu.Unlock()
	if now := r.set(); now.Feed != before.Feed || pinnedBy(now.Feed) != pinned {
		r.stopFeed()
		r.openFeed(ctx)
		r.swapRules(ctx)
		r.startFeed(ctx)
	}
	select {
	case r.again <- struct{}{}:
	default:
	}
}

// refresh watches where blocks lie, and writes them again where an administrator's policies have changed.
func (r *Resident) refresh(ctx context.Context, changes *changes) {
	for _, f := range r.cfg.Files { // what was not there before
		changes.watch(filepath.Dir(f))
		changes.watch(f)
	}
	for _, f := range trustFiles(r.set().Feed) {
		changes.watch(filepath.Dir(f))
	}
	blocks, err := r.blocker.Blocked()
	for _, b := range blocks { // an error is Refresh's too
		if filepath.IsAbs(b.Policy) {
			changes.watch(filepath.Dir(b.Policy))
		}
	}
	if err == nil && len(blocks) == 0 {
		return
	}
	done, err := r.blocker.Refresh(ctx)
	if err != nil && ctx.Err() == nil {
		r.log.Error("keep the blocks in force", "error", err)
		r.note(ctx, store.Problem, "", "blocks are not in force: "+err.Error())
	}
	for _, o := range done {
		r.log.Info("the block was written again", "policy", o.Policy, "note", o.Note)
	}
}

// analyses keeps what code does in the store.
type analyses struct{ r *Resident }

func (a analyses) GetAnalysis(ctx context.Context, content, engine string) *behavior.Report {
	got, ok, err := a.r.db().GetAnalysis(ctx, content, engine)
	if err != nil || !ok {
		return nil
	}
	return got.Behavior
}

func (a analyses) PutAnalysis(ctx context.Context, content, engine string, report *behavior.Report) {
	if err := a.r.db().PutAnalysis(ctx, content, engine, store.Analysis{Behavior: report}); err != nil && ctx.Err() == nil {
		a.r.log.Debug("an analysis is not kept", "error", err)
	}
}
