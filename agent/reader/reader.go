// Package reader reads the browsers and extensions of each user with that user's rights, in processes of their own.
//
// The service is root; what it reads belongs to people who may be thieves. So it reads nothing of theirs itself. For each
// user a child process, with the user's IDs and nothing that agent/sandbox can take away, runs the same code that a scan
// runs (agent/browsers, agent/inventory) and answers over two pipes. A link to a file that only root may read leads
// nowhere; a reader that hangs, dies or grows too large is ended, costs what it was reading, and is replaced.
//
// The parent trusts no answer more than the user's own files: sizes, counts and times are bounded, and an answer is data
// (JSON, and the bytes of files), never code. A child that has had nothing to do for a while ends.
package reader

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/agent/inventory"
	"github.com/extwatch/extwatch/manifests"
)

const (
	// idleAfter is when a child that has nothing to do ends. A browser that starts makes several requests within seconds.
	idleAfter = 15 * time.Second
	// patience is how long one answer may take. A profile on a slow disk takes seconds.
	patience = 60 * time.Second
	// mostChildren is how many children stay while they have nothing to do: each has some eight threads, and a service's
	// tasks and memory are bounded.
	mostChildren = 8
	// together is how many homes are searched at the same time.
	together = 4
	// attempts is how often a child is replaced that ended because it had nothing to do, just as it was asked.
	attempts = 3
)

// Config says how children are started.
type Config struct {
	Command []string        // the program and arguments of a child; it must call Serve
	Machine browsers.Config // what Find looks at; its Processes are listed by the parent
	Locale  string          // for the names of extensions
	Logger  *slog.Logger    // nil discards; gets what children print

	start    func(*child) error // tests
	patience time.Duration      // tests
}

// Readers are the children of all users. It is safe for concurrent use.
type Readers struct {
	cfg Config

	mu       sync.Mutex
	children map[string]*child   // by home
	listed   map[string]*catalog // by profile
	closed   bool
}

// New returns Readers without any child yet.
func New(cfg Config) *Readers {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	cfg.patience = cmp.Or(cfg.patience, patience)
	return &Readers{cfg: cfg, children: map[string]*child{}, listed: map[string]*catalog{}}
}

// Find lists the profiles of all users, as browsers.Find does. A home whose child fails is a problem.
func (r *Readers) Find(ctx context.Context) (browsers.Machine, error) {
	users, all := browsers.Users(r.cfg.Machine)
	processes, problem := r.processes()
	if problem != "" {
		all.Problems = append(all.Problems, browsers.Problem{Reason: problem})
	}
	found := make([]browsers.Machine, len(users))
	slots := make(chan struct{}, together)
	var wg sync.WaitGroup
	for i, u := range users {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if ctx.Err() == nil {
				found[i] = r.findOne(ctx, u, processes)
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return browsers.Machine{}, fmt.Errorf("looking for browsers: %w", err)
	}
	for _, m := range found {
		all.Profiles = append(all.Profiles, m.Profiles...)
		all.Awaited = append(all.Awaited, m.Awaited...)
		all.Problems = append(all.Problems, m.Problems...)
	}
	all.Awaited = unique(all.Awaited, func(a, b browsers.Await) int { return cmp.Or(cmp.Compare(a.Dir, b.Dir), cmp.Compare(a.Name, b.Name)) })
	all.Problems = unique(all.Problems, func(a, b browsers.Problem) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Reason, b.Reason))
	})
	return all, nil
}

func unique[T comparable](list []T, order func(a, b T) int) []T {
	slices.SortFunc(list, order)
	return slices.Compact(list)
}

func (r *Readers) processes() ([]browsers.Process, string) {
	list := r.cfg.Machine.Processes
	if list == nil {
		list = browsers.Processes
	}
	processes, err := list()
	if err != nil {
		return processes, "running browsers cannot be listed: " + err.Error()
	}
	return processes, ""
}

func (r *Readers) findOne(ctx context.Context, u browsers.User, processes []browsers.Process) browsers.Machine {
	own := slices.DeleteFunc(slices.Clone(processes), func(p browsers.Process) bool { return p.UID != u.UID })
	q := request{Op: opFind, Find: &findRequest{OS: r.cfg.Machine.OS, Root: r.cfg.Machine.Root, User: u, Processes: own}}
	var m browsers.Machine
	if _, err := r.ask(ctx, u, q, &m); err != nil {
		return browsers.Machine{Problems: []browsers.Problem{{Path: u.Home, Reason: err.Error()}}}
	}
	// A child speaks for its own user only.
	m.Profiles = slices.DeleteFunc(m.Profiles, func(p browsers.Profile) bool { return p.User.Home != u.Home })
	for i := range m.Profiles {
		m.Profiles[i].User = u
	}
	return m
}

// Read lists the extensions of a profile, as inventory.Reader.Read does. The files of the extensions come from the child
// as well. That the child failed is a problem of the listing; the error is that of ctx.
func (r *Readers) Read(ctx context.Context, p browsers.Profile) (inventory.Listing, error) {
	var answer listing
	c, err := r.ask(ctx, p.User, r.readRequest(p), &answer)
	if ctx.Err() != nil {
		return inventory.Listing{}, fmt.Errorf("reading profile %s: %w", p.Dir, ctx.Err())
	}
	if err != nil {
		return inventory.Listing{Problems: []manifests.Problem{{Path: p.Dir, Reason: err.Error()}}}, nil
	}
	r.remember(p, c, answer)
	l := inventory.Listing{Problems: answer.Problems}
	for _, e := range answer.Extensions {
		x := e.Extension
		x.User, x.Browser, x.Channel, x.Profile = p.User.Name, p.Browser, p.Channel, p.Name // the child does not say whose it is
		if e.Handle != 0 {
			x.Open = r.opener(p, keyOf(&e.Extension))
		}
		l.Extensions = append(l.Extensions, x)
	}
	return l, nil
}

// ask asks the child of a user, which is started when there is none.
func (r *Readers) ask(ctx context.Context, u browsers.User, q request, answer any) (*child, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.patience)
	defer cancel()
	for attempt := 0; ; attempt++ {
		c, err := r.child(u)
		if err != nil {
			return nil, err
		}
		err = c.ask(ctx, q, answer)
		if errors.Is(err, errEnded) && c.idled() && attempt < attempts { // it ended just as we asked
			continue
		}
		if errors.Is(err, context.DeadlineExceeded) {
			c.kill()
			return nil, fmt.Errorf("reading as %s took more than %v", u.Name, r.cfg.patience)
		}
		return c, err
	}
}

func (r *Readers) child(u browsers.User) (*child, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, errEnded
	}
	if c := r.children[u.Home]; c != nil && c.alive() {
		return c, nil
	}
	c := newChild(u, r.cfg)
	start := (*child).start
	if r.cfg.start != nil {
		start = r.cfg.start
	}
	if err := start(c); err != nil {
		return nil, fmt.Errorf("start a reader for %s: %w", u.Name, err)
	}
	r.children[u.Home] = c
	r.rest(c)
	return c, nil
}

// rest ends children that have had nothing to do for the longest time while there are too many.
func (r *Readers) rest(but *child) {
	var idle []*child
	alive := 0
	for home, c := range r.children {
		if !c.alive() {
			delete(r.children, home)
			continue
		}
		alive++
		if c != but && !c.busy() {
			idle = append(idle, c)
		}
	}
	slices.SortFunc(idle, func(a, b *child) int { return a.since().Compare(b.since()) })
	for _, c := range idle[:min(len(idle), max(0, alive-mostChildren))] {
		c.rest()
	}
}

// Close ends all children.
func (r *Readers) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, c := range r.children {
		c.kill()
	}
}
