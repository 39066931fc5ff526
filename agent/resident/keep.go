package resident

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/extwatch/extwatch/agent"
	"github.com/extwatch/extwatch/agent/store"
	"github.com/extwatch/extwatch/manifests"
)

const (
	// together is how many observations are written in one transaction.
	together = 200
	// tries is how often something is written before memory takes the store's place.
	tries = 3
	// lookWithin bounds a look at whether a folder is still there.
	lookWithin = 5 * time.Second
)

// db returns the store that is used now.
func (r *Resident) db() *store.Store {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.store
}

// keep takes the agent's events, in order, to the store.
func (r *Resident) keep(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			r.drain()
			return
		case <-r.box.more:
			r.takeAll(ctx)
			r.cfg.Worked()
		}
	}
}

// drain keeps what was seen before the end.
func (r *Resident) drain() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	r.takeAll(ctx)
}

func (r *Resident) takeAll(ctx context.Context) {
	events, lost := r.box.take()
	if lost > 0 {
		text := fmt.Sprintf("%d events were lost because the store is too slow; the next sweep finds what they told", lost)
		r.log.Error(text)
		r.note(ctx, store.Problem, "", text)
	}
	var some []agent.Event
	for _, e := range events {
		if e.Kind != agent.Problem && e.Kind != agent.Ready && e.Kind != agent.Swept {
			if some = append(some, e); len(some) < together {
				continue
			}
		}
		r.record(ctx, some)
		some = some[:0]
		r.other(ctx, e)
	}
	r.record(ctx, some)
}

// other takes events that are about no extension.
func (r *Resident) other(ctx context.Context, e agent.Event) {
	switch e.Kind {
	case agent.Problem:
		r.log.Warn("problem", "path", e.Problem.Path, "file", e.Problem.File, "reason", e.Problem.Reason, "user", e.Profile.User.Name)
		text := e.Problem.Reason
		if e.Problem.Path != "" {
			text = e.Problem.Path + ": " + text
		}
		r.note(ctx, store.Problem, e.Profile.User.Name, text)
	case agent.Ready, agent.Swept:
		r.learnUsers(e)
		r.forgetGone(ctx, e)
		if err := r.db().Swept(ctx, store.Health{
			Sweep: e.At, Took: e.Took, Browsers: e.Browsers, Profiles: e.Profiles, Extensions: e.Extensions, Problems: e.Problems,
		}); err != nil {
			r.log.Error("write down the sweep", "error", err)
		}
		r.log.Info(string(e.Kind), "browsers", e.Browsers, "profiles", e.Profiles, "extensions", e.Extensions,
			"problems", len(e.Problems), "took", e.Took.Round(time.Millisecond))
		if e.Kind == agent.Ready {
			r.mu.Lock()
			r.ready = true
			r.mu.Unlock()
			r.release(ctx) // which versions are there is known now
			r.cfg.State(fmt.Sprintf("STATUS=Watching %d profiles of %d browsers with %d extensions", e.Profiles, e.Browsers, e.Extensions))
		}
		r.tellSystems(ctx)
		r.everybody()
	}
}

// record keeps what was seen of extensions and does what follows from it.
func (r *Resident) record(ctx context.Context, events []agent.Event) {
	if len(events) == 0 {
		return
	}
	seen := make([]store.Observation, len(events))
	for i := range events {
		e := &events[i]
		seen[i] = store.Observation{
			Dir: e.Profile.Dir, Extension: &e.Extension, Gone: e.Kind == agent.Gone, Content: e.Content,
			Result: e.Result, Ruleset: e.Ruleset, Unreadable: e.Unreadable,
		}
	}
	outcomes, err := r.write(ctx, seen)
	if err != nil {
		r.log.Error("what was seen could not be kept", "error", err, "events", len(events))
		return
	}
	told := map[string]bool{} // by user: there is something to tell
	for i, o := range outcomes {
		r.follow(ctx, &events[i], o)
		if len(o.Untold) > 0 {
			told[events[i].Profile.User.Name] = true
		}
	}
	if len(told) == 0 {
		return
	}
	r.tellSystems(ctx) // once for all: it looks through everything that is open
	for user := range told {
		r.somebody(user)
	}
}

// write records, on disk while that is possible.
func (r *Resident) write(ctx context.Context, seen []store.Observation) (outcomes []store.Outcome, err error) {
	for try := range tries {
		if outcomes, err = r.db().Record(ctx, seen...); err == nil || ctx.Err() != nil {
			return outcomes, err
		}
		r.log.Warn("the store", "error", err, "try", try+1)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	if merr := r.intoMemory(ctx, err); merr != nil {
		return nil, errors.Join(err, merr)
	}
	return r.db().Record(ctx, seen...)
}

// intoMemory lets memory take the place of a store that cannot be written any more, and knows what is there. What has been
// told counts as told, but what is on its way.
func (r *Resident) intoMemory(ctx context.Context, why error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.memory != "" {
		return nil
	}
	mem, _, err := store.Open(ctx, store.Config{Now: r.cfg.Now})
	if err != nil {
		return err
	}
	if h, herr := r.store.Health(ctx); herr == nil { // what Status tells
		err = errors.Join(mem.Fed(ctx, h), mem.Swept(ctx, h))
	}
	if err != nil {
		return err
	}
	r.log.Error("nothing can be kept any more; what is found from now on is forgotten when the service ends", "error", why)
	rows := map[int64]*live{}
	for _, l := range r.live {
		out, err := mem.Record(ctx, store.Observation{Dir: l.profile.Dir, Extension: &l.ext, Result: l.result, Ruleset: r.Rules().Version()})
		if err != nil {
			return err
		}
		rows[out[0].Extension] = l
		for _, f := range out[0].Untold {
			if err := mem.Told(ctx, l.profile.User.Name, channel, f.ID); err != nil {
				return err
			}
		}
	}
	// The store on disk stays open, and locked: another service must not take it over.
	r.store, r.live, r.memory, r.warnings, r.telling = mem, rows, why.Error(), map[string]*warning{}, map[int64]bool{}
	r.logged, r.closed = map[int64]bool{}, map[int64]bool{}
	return nil
}

// follow does what follows from an event.
func (r *Resident) follow(ctx context.Context, e *agent.Event, o store.Outcome) {
	gone := e.Kind == agent.Gone
	r.mu.Lock()
	r.users[e.Profile.User.Name] = e.Profile.User
	r.profiles[e.Profile.Dir] = e.Profile.Browser
	was := r.live[o.Extension]
	var withdrawn bool
	if gone {
		delete(r.live, o.Extension)
		_, withdrawn = r.warnings[keyOf(o.Extension)]
	} else {
		r.live[o.Extension] = &live{ext: e.Extension, profile: e.Profile, result: e.Result, code: e.Code}
	}
	r.mu.Unlock()
	if withdrawn {
		r.withdraw(e.Profile.User, o.Extension)
	}
	if gone || was != nil && len(was.result.Findings) > 0 {
		r.over(ctx, o.Extension)
	}
	if was != nil && was.result.Decision != nil && was.result.Decision.Action == "block" && e.Result.Decision == nil {
		r.release(ctx) // of another version, say
	}
	if len(o.Untold) > 0 {
		r.logNew(e, o)
	}
	if !gone {
		r.automatic(ctx, e, o.Extension)
	}
}

// logNew writes findings to the log, once: also a restart repeats none.
func (r *Resident) logNew(e *agent.Event, o store.Outcome) {
	for _, f := range o.Untold {
		r.mu.Lock()
		old := r.logged[f.ID] || f.Opened.Before(r.started.Truncate(time.Millisecond))
		r.logged[f.ID] = true
		r.mu.Unlock()
		if !old {
			r.log.Warn("finding", "rule", f.Rule, "verdict", f.Verdict, "extension", e.Extension.ID, "name", e.Extension.Name(),
				"browser", e.Extension.Browser, "user", e.Profile.User.Name, "path", e.Extension.Path)
		}
	}
}

// learnUsers remembers whose profiles there are.
func (r *Resident) learnUsers(e agent.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.profiles = make(map[string]string, len(e.Read))
	for _, p := range e.Read {
		r.users[p.User.Name] = p.User
		r.profiles[p.Dir] = p.Browser
	}
	for _, l := range r.live { // also where something could not be read
		r.profiles[l.profile.Dir] = l.profile.Browser
	}
}

// forgetGone writes down which extensions went while nobody looked: those of profiles that were read without a problem, or
// whose files are no longer there.
func (r *Resident) forgetGone(ctx context.Context, e agent.Event) {
	known, err := r.db().Extensions(ctx, store.Query{})
	if err != nil {
		r.log.Error("look for what is gone", "error", err)
		return
	}
	read := map[string]bool{}
	for _, p := range e.Read {
		read[p.Dir] = true
	}
	r.mu.Lock()
	var unseen []store.Extension
	for _, x := range known {
		if r.live[x.Row] == nil {
			unseen = append(unseen, x)
		}
	}
	r.mu.Unlock()
	for _, x := range unseen {
		if !read[x.Dir] && !missing(ctx, x.Dir) && (x.Path == "" || !missing(ctx, x.Path)) {
			continue
		}
		o := store.Observation{Dir: x.Dir, Gone: true, Extension: &manifests.Extension{Browser: x.Browser, ID: x.ID, Origin: x.Origin, Path: x.Path}}
		if _, err := r.db().Record(ctx, o); err != nil {
			r.log.Error("write down what is gone", "error", err)
			return
		}
		r.over(ctx, x.Row)
	}
}

// missing reports whether nothing is at path. A disk that does not answer says nothing.
func missing(ctx context.Context, path string) bool {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	answer := make(chan bool, 1)
	go func() {
		_, err := os.Lstat(filepath.Clean(path))
		answer <- errors.Is(err, os.ErrNotExist)
	}()
	select {
	case gone := <-answer:
		return gone
	case <-ctx.Done():
		return false
	}
}
