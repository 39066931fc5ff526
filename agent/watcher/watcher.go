// Package watcher tells which browser profile changed, so that it is read again.
//
// Events are hints, never the truth: each one only leads to the question what is on disk now. So it does not matter
// when some are lost, doubled or late; the sweep finds the rest. Nothing is watched recursively. A profile costs one
// watch for its folder, one for its folder of extensions and one for each extension, besides [Target].Folders.
//
// # What is settled when
//
// A Chromium browser unpacks an extension elsewhere and moves the finished folder to Extensions/<id>/<version> by one
// rename, a moment after it made <id> (measured on Chromium 156, Linux: under 1 ms between both). A folder that appears
// there is complete and reported at once. To see it, the watcher lists <id> right after it began to watch it. All else is
// written in place, and reported when nothing has changed for [Config].Quiet, or after [Config].Patience at the latest.
//
// # When events are lost
//
// An overflow of the system's event queue, or any other error, makes the watcher renew its watches and send one Swept
// change. The same happens at every [Config].Sweep, and when the wall clock shows that the machine slept.
// A folder that vanishes and returns is watched again; until then its nearest existing ancestor is.
//
// # Linux
//
// inotify's limits are counted for each user, and root's are shared by all its services. At fs.inotify.max_user_watches
// or max_user_instances (EMFILE, ENOSPC) the folders left over are checked every five seconds instead, and
// [Watcher.Problems] says so; they are watched as soon as the limit allows. inotify sees nothing that another host
// changes on a network file system: there only the sweep helps.
//
// # macOS
//
// kqueue needs a file descriptor for each file in a watched folder, and a profile folder holds about a hundred. Raise
// the service's limit of open files (SoftResourceLimits, NumberOfFiles); at the limit the same polling sets in. kqueue
// gives no names: fsnotify lists the folder again, and a file that is removed and made again at once may stay unseen
// until the sweep.
//
// # Windows
//
// Each watched folder holds a handle (opened with all sharing modes) and a buffer: 64 KiB, and 4 KiB for what lies
// below [Target].Arrivals. A full buffer counts as an overflow. After other errors fsnotify leaves a watch dead, therefore all are
// removed and added again then.
package watcher

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// A Target is one thing to re-read when something below it changes.
type Target struct {
	ID       string   // the caller's name for it; not empty
	Dir      string   // absolute; watched for the entries named in Files, and for Arrivals to appear
	Files    []string // base names in Dir whose change matters
	Arrivals string   // absolute folder; each of its children is watched, and a folder that appears in a child is complete
	// Folders are absolute folders in which any change matters. One that lies below Arrivals is not waited for while it is
	// missing: its arrival is told anyway.
	Folders []string
}

// A Reason says why a target should be read again.
type Reason string

const (
	Arrived  Reason = "arrived"  // a complete version folder appeared: read at once
	Changed  Reason = "changed"  // something was written and has settled
	Swept    Reason = "sweep"    // the regular check of everything, or after an overflow
	Appeared Reason = "appeared" // an awaited folder appeared: look for browsers and profiles again
)

// A Change says that a target should be read again.
type Change struct {
	Target string // "" with Swept and Appeared: all of them
	Path   string // what changed; empty when it was more than one place
	Reason Reason
	At     time.Time // when the first event of it was received
	// Folders lists those of Target.Folders in which something changed.
	Folders []string
}

// An Await is a folder entry whose appearance means that the targets should be looked for again.
type Await struct {
	Dir  string // absolute
	Name string // entry whose appearance or change matters; "" is any new folder
}

// Config holds the waiting times. Zero values mean the defaults.
type Config struct {
	Quiet    time.Duration // what is written in place counts as settled after this long without a change; default 150 ms
	Patience time.Duration // … but at most this long after its first change; default 2 s
	Sweep    time.Duration // default 1 h
}

func (c Config) withDefaults() Config {
	if c.Quiet <= 0 {
		c.Quiet = 150 * time.Millisecond
	}
	if c.Patience <= 0 {
		c.Patience = 2 * time.Second
	}
	if c.Sweep <= 0 {
		c.Sweep = time.Hour
	}
	return c
}

// A Watcher watches targets. Changes are delivered on C, which Close closes.
//
// A slow receiver loses nothing: while a change waits to be received, later ones of the same target are merged into it,
// and Arrived is kept over Changed. So a change means "read this target again", not "this one thing happened".
type Watcher struct {
	C <-chan Change

	cmds chan func()
	stop chan struct{}
	once sync.Once
	src  source
	all  sync.WaitGroup
	loop *loop // touched only by its own goroutine, through cmds
}

var errClosed = errors.New("the watcher is closed")

// New starts a watcher. When the system's limit of watchers is reached it polls instead, and Problems says so.
func New(cfg Config) (*Watcher, error) {
	src, err := newSource()
	if isLimit(err) {
		src, err = refusing{err}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("start watching the file system: %w", err)
	}
	return start(cfg, src, time.Now), nil
}

// start runs a watcher on src. wall reads the wall clock.
func start(cfg Config, src source, wall func() time.Time) *Watcher {
	c := make(chan Change)
	w := &Watcher{C: c, cmds: make(chan func()), stop: make(chan struct{}), src: src}
	q := newQueue()
	w.loop = newLoop(cfg.withDefaults(), src, q, wall)
	w.all.Go(func() { pump(src, q, w.stop) })
	w.all.Go(func() {
		defer close(c)
		w.loop.run(c, w.cmds, w.stop)
	})
	return w
}

// Set replaces the targets and awaited entries. It adds the watches, then lists the folders of arrivals, so that whoever
// reads a target after Set returned misses nothing: what came before is there to read, what comes later is reported.
// What did not change since the last Set costs nothing. The returned problems are those of Problems.
func (w *Watcher) Set(targets []Target, awaits []Await) []error {
	var problems []error
	if !w.do(func() {
		problems = w.loop.set(targets, awaits)
	}) {
		return []error{errClosed}
	}
	return problems
}

// Problems names the folders that cannot be watched now, with the reason and what to do about it. A Swept change is sent
// when polling had to set in since the last Set.
func (w *Watcher) Problems() []error {
	var problems []error
	w.do(func() { problems = w.loop.problems() })
	return problems
}

// do runs f in the loop and waits for it. It reports false when the watcher is closed.
func (w *Watcher) do(f func()) bool {
	done := make(chan struct{})
	select {
	case w.cmds <- func() { f(); close(done) }:
		<-done
		return true
	case <-w.stop:
		return false
	}
}

// Close stops it and waits until its goroutines have ended. It may be called more than once.
func (w *Watcher) Close() error {
	var err error
	w.once.Do(func() {
		close(w.stop)
		err = w.src.Close()
		w.all.Wait()
	})
	return err
}
