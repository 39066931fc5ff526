// Package agent is the background program: what changes on disk is read, judged and told.
//
//	watcher → inventory → signatures → Tell
//
// The unit of work is "read one profile again". It is idempotent, so that a lost or doubled event costs nothing, and three
// triggers run the same code: a change, the sweep (at the start, every hour, after an overflow or a sleep of the machine),
// and a new ruleset. Watches are set before a profile is read, so that nothing falls in between.
//
// An extension is judged three times. The first verdict, from its manifest and the indicators, is told at once. Then its
// files are read, by two workers, and the verdict may rise. Then an Analyst says what its code does, in processes of their
// own, and it may rise once more. Each has its own queue, so that a first verdict never waits for code. Only the findings
// that are new are told. The same finding is told once for an extension in a profile, over all its versions. One that goes
// away and returns is new.
//
// What the version before did is kept, so that rules may ask what an update gained. Code that changes in place is no
// update: it is compared with the version before, as it was before.
//
// Files are read again when their stamp changed: path, size and time of each file of a folder, or those of a package. A
// folder's files are stamped when the extension is new or changed, when the folder's own time changed, when something
// changed in it and it is watched (unpacked folders, and the running version of installed extensions; macOS allows no
// watch on the latter), and at each sweep. A write below a subfolder raises no event. Therefore the extensions that reach
// an exchange are also stamped when their profile is read for any reason, at most once a minute; for others such a write
// is noticed by the sweep. Someone who writes in the folder and sets the times back is not noticed by that; DiskDiffers
// and the rules for file hashes are for him.
//
// What cannot be read or judged is an event as well, and holds up nothing else. Because a browser may be writing at that
// moment, it is looked at again two seconds later, and told when it is still so. It is told again when it went away and
// came back. A disk that does not answer blocks only what lies on it: after two seconds others go on, after thirty it is
// told, and what it holds is taken when it answers.
//
// What was found in an extension is told again when it is switched on: before, it could do nothing.
//
// A service runs with rights that what it reads must never get. It sets Config.Find and Config.List to functions that read
// in other processes (agent/reader), and the analyst's workers give up all rights; then nothing that a user wrote is
// opened here. Folders are still watched, and looked at (lstat), from here.
package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/agent/inventory"
	"github.com/extwatch/extwatch/agent/watcher"
	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
	"github.com/extwatch/extwatch/signatures/behavior"
)

// Config says what to watch and whom to tell.
type Config struct {
	Machine browsers.Config // the zero value is this machine
	// Find looks for browsers, and List reads a profile; nil is browsers.Find and inventory.Reader.Read, in this process.
	Find    func(context.Context) (browsers.Machine, error)
	List    func(context.Context, browsers.Profile) (inventory.Listing, error)
	Rules   *signatures.Ruleset // required
	Analyst *Analyst            // says what code does; the caller closes it after Run. Nil: code is not analysed
	Tell    func(Event)         // required; called from one goroutine, in order; it must be quick
	Locale  string              // UI locale for names; "" is en_US
	Sweep   time.Duration       // between two checks of everything; 0 is an hour
	Logger  *slog.Logger        // nil discards
	Now     func() time.Time    // nil is time.Now
}

// A Kind says what an Event is about.
type Kind string

// The kinds of events.
const (
	Found     Kind = "found"   // an extension that was there at the start
	Ready     Kind = "ready"   // all profiles have been read and are watched; comes once, after what was found
	Installed Kind = "new"     // an extension that was not there before
	Changed   Kind = "changed" // another version, enabled or disabled, other permissions granted
	Gone      Kind = "gone"    // an extension that is there no more
	Judged    Kind = "judged"  // its files and code are known: the verdict is final, until something changes
	Warning   Kind = "warning" // new findings, suspicious or worse; or an enabled extension that cannot be judged
	Problem   Kind = "problem" // something that could not be read or watched
	Swept     Kind = "swept"   // everything has been checked again; not told when nothing could be
)

// An Event is something that happened.
type Event struct {
	Kind Kind
	At   time.Time // when the change was noticed

	// With Found, Installed, Changed, Gone, Judged and Warning. What the pointers in them lead to is shared: it is read-only.
	Extension manifests.Extension
	Profile   browsers.Profile
	Result    signatures.Result    // Partial: the files have not been read, or the code has not been analysed yet
	Code      *behavior.Report     // what the code does; nil: not analysed yet
	New       []signatures.Finding // with Warning: those of Result.Findings that have not been told; none when it is unreadable

	Content    string // names what Code was, or will be, found out from; "" while the files are not known, or not all of them
	Ruleset    int    // version of the rules that judged it
	Unreadable bool   // with Warning: it cannot be judged

	Problem manifests.Problem // with Problem

	// With Ready and Swept:
	Browsers, Profiles, Extensions int                 // how many
	Took                           time.Duration       // from the start, or of the sweep
	Read                           []browsers.Profile  // those that were read; what is not told of them is not there
	Problems                       []manifests.Problem // those that have not gone away, at most 1,000
}

// An Agent watches the extensions of a machine.
type Agent struct {
	cfg     Config
	rules   atomic.Pointer[signatures.Ruleset]
	swapped chan struct{}
	poll    time.Duration // how often running browsers are looked for
	limits  limits
	list    lister // reads a profile; nil is Config.List
}

// pollEvery is how often running browsers are looked for: one started with its own --user-data-dir or --load-extension
// leaves no other trace. With the watcher's own clock it keeps an idle agent below 0.1 timers in a second.
const pollEvery = 20 * time.Second

// New returns an agent. It does nothing until Run.
func New(cfg Config) (*Agent, error) {
	if cfg.Rules == nil {
		return nil, errors.New("start the agent: there are no rules")
	}
	if cfg.Tell == nil {
		return nil, errors.New("start the agent: there is nobody to tell")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	a := &Agent{cfg: cfg, swapped: make(chan struct{}, 1), poll: pollEvery, limits: defaultLimits()}
	a.rules.Store(cfg.Rules)
	return a, nil
}

// Run watches until ctx ends, and returns its error; all its goroutines have ended then, but those that a disk without
// an answer holds. It may be called again, and then begins anew.
func (a *Agent) Run(ctx context.Context) error {
	w, err := watcher.New(watcher.Config{Sweep: a.cfg.Sweep})
	if err != nil {
		return fmt.Errorf("start the agent: %w", err)
	}
	defer within(a.limits.end, func() { w.Close() })
	return newRun(a, w).loop(ctx)
}

// Swap makes rules the ruleset from now on: all extensions are judged again, and only findings that are new are told. It
// returns at once and may be called at any time.
func (a *Agent) Swap(rules *signatures.Ruleset) {
	a.rules.Store(rules)
	select {
	case a.swapped <- struct{}{}:
	default: // it has not yet noticed the last one
	}
}
