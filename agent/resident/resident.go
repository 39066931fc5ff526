// Package resident is the service: the agent that stays, remembers, tells people and systems, and carries out what they
// decide.
//
//	agent → Record (store) → people's screens, outputs, automatic blocks
//	people → page, notification, socket → who may? → response, store
//
// # What is told, and when
//
// Everything that the agent sees goes to the store first; what is to be told is what the store says nobody was told of.
// So a restart tells nothing again, and what could not be told (nobody is logged in) is told when somebody comes. When the
// store cannot be used, memory takes its place: it warns on, forgets at the next start, and says so.
//
// # Who may do what
//
// Answer decides that, for the socket, the page and the buttons of a warning alike. Root may do everything. Anybody else
// sees and decides about their own profiles only: they may say that they trust an extension, and, unless an administrator
// forbids it (block.by_users), block one that a finding is open about; a block holds for all users of a browser, so nobody
// may block what is harmless, or take back a block that is not their own.
//
// # Rights
//
// The service may be root. It opens nothing in a user's folders: Find, List and the analyst's workers do that with other
// rights.
package resident

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/extwatch/extwatch/agent"
	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/agent/inventory"
	"github.com/extwatch/extwatch/agent/response"
	"github.com/extwatch/extwatch/agent/settings"
	"github.com/extwatch/extwatch/agent/store"
	"github.com/extwatch/extwatch/agent/updates"
	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
	"github.com/extwatch/extwatch/signatures/behavior"
)

// Config says what the service works with. Load, Rules and Folder are required.
type Config struct {
	Load   func() (settings.Settings, error) // as settings.Load does
	Files  []string                          // files and folders whose change is a reason to Load again
	Rules  *signatures.Ruleset               // the built-in ones; a feed that the settings name is above them
	Engine string                            // version of the program
	Folder string                            // of the store, the blocks and the evidence; readable by its owner alone
	Root   string                            // what stands for "/" where browsers' policies are written; "" is "/"
	Logger *slog.Logger
	Level  *slog.LevelVar // of Logger, set from the settings; may be nil
	Now    func() time.Time

	// What is watched, as in agent.Config.
	Machine browsers.Config
	Find    func(context.Context) (browsers.Machine, error)
	List    func(context.Context, browsers.Profile) (inventory.Listing, error)
	Analyst *agent.Analyst // nil: code is not analysed

	Socket  string                                                         // of Answer; "": nobody can ask
	Screens func(settings.Settings, func(Report)) (Screens, error)         // nil: nobody is warned
	Outputs func(context.Context, settings.Settings, *store.Store) Outputs // nil: no system is told
	Page    func(context.Context, settings.Settings, *store.Store, *Resident) (Page, error)
	Browse  func(ctx context.Context, u browsers.User, place string) error // opens the page in a user's browser; nil: it cannot be opened
	State   func(string)                                                   // tells the service manager, as service.Notify does
	// Troubles are those of the machine that a status tells administrators, besides its own; nil: there are none.
	Troubles func(settings.Settings) []string
	Worked   func()          // is called after each piece of work; nil: nobody wants to know
	Reload   <-chan struct{} // asks to Load again
}

// Screens show warnings to people. Its methods return at once; what became of warnings comes back as Reports.
type Screens interface {
	Show(u browsers.User, list ...Warning) error
	// Adopt shows what was on the screen before, in its place and without a sound. Place is that of the Report, or 0.
	Adopt(u browsers.User, place uint32, list ...Warning) error
	Withdraw(u browsers.User, keys ...string) error
	Close()
}

// Outputs tell other systems. Tell queues durably, and returns at once. What has the same key is the same.
type Outputs interface {
	Tell(ctx context.Context, what Happening) error
	Close()
}

// A Happening is what other systems are told.
type Happening struct {
	Key       string // names it for ever
	Kind      string // opened, closed (a finding), told (a person, of an extension), blocked, unblocked, trusted, problem
	At        time.Time
	Extension store.Extension
	Finding   *store.Finding // of opened and closed
	By        string         // whoever decided, or was told
	Reason    string
}

// A Page is the local page.
type Page interface {
	// Enter returns an address that works once, for programs of that caller's user, and leads to a path of the page.
	Enter(who Caller, to string) string
	Close()
}

// A Warning is what is told about one extension in one profile.
type Warning struct {
	Key       string // names it for ever
	Extension store.Extension
	Findings  []store.Finding // worst first
	Profile   browsers.Profile
	Code      *behavior.Report // nil: what its code does is not known yet
}

// A Choice is what a person did with a warning.
type Choice string

// The choices.
const (
	WhatNow   Choice = "what_now"
	Block     Choice = "block"
	Trust     Choice = "trust"
	Dismissed Choice = "dismissed"
)

// A Report says what became of warnings: one of Shown, Choice, Err and Came is set.
type Report struct {
	User   browsers.User
	Keys   []string
	Shown  bool
	Place  uint32 // of Shown, for Adopt
	Choice Choice
	Err    error // they were not shown, and are shown when the user comes
	Came   bool  // the user logged in
}

// A Resident is the service.
type Resident struct {
	cfg     Config
	log     *slog.Logger
	blocker *response.Blocker
	started time.Time
	work    context.Context // of Run: what is done later ends with it. Nil: Run was not called

	rules atomic.Pointer[signatures.Ruleset] // in use

	releasing sync.Mutex // one look at a time for blocks that are to be taken back

	mu       sync.Mutex
	agent    *agent.Agent // that watches; nil: none does
	updates  *updates.Updates
	pinned   string // what was read of the files that say whose feed is trusted
	feedErr  string // why there are no updates though the settings name a feed
	feedStop func() // ends the updates
	settings settings.Settings
	mistakes []string // in the settings, of the last Load
	store    *store.Store
	memory   string // why the store is in memory only; "" when it is on disk
	screens  Screens
	outputs  Outputs
	page     Page
	live     map[int64]*live // by Extension.Row
	users    map[string]browsers.User
	profiles map[string]string // the browser of each folder that holds extensions, or was read
	ready    bool
	logged   map[int64]bool      // findings
	closed   map[int64]bool      // findings whose end other systems were told
	away     map[string]*absence // people whom the last warning did not reach
	telling  map[int64]bool      // findings that are on their way to a screen
	screen   map[string]onScreen // by user
	adopted  map[string]bool     // users who were shown again what they had on the screen
	warnings map[string]*warning // by key, that were handed to a screen

	box   *mailbox
	wake  chan struct{} // somebody is to be told
	again chan struct{} // the settings have changed
	wrote chan struct{} // a policy
	dirty map[string]bool
}

// A live extension is one that the agent sees now.
type live struct {
	ext     manifests.Extension
	profile browsers.Profile
	result  signatures.Result
	code    *behavior.Report
}

// A warning is one that was handed to a screen.
type warning struct {
	user browsers.User
	row  int64
	ids  []int64
	// again: it was told before; what is shown is its continuation.
	again bool
}

// New returns a Resident. It does nothing until Open or Run.
func New(cfg Config) (*Resident, error) {
	if cfg.Load == nil || cfg.Rules == nil || cfg.Folder == "" {
		return nil, errors.New("start the service: settings, rules and a folder are needed")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.State == nil {
		cfg.State = func(string) {}
	}
	if cfg.Worked == nil {
		cfg.Worked = func() {}
	}
	r := &Resident{
		cfg: cfg, log: cfg.Logger, started: cfg.Now(),
		blocker: response.New(response.Config{Root: cfg.Root, Folder: cfg.Folder, Now: cfg.Now}),
		live:    map[int64]*live{}, users: map[string]browsers.User{}, profiles: map[string]string{}, telling: map[int64]bool{}, away: map[string]*absence{}, logged: map[int64]bool{}, closed: map[int64]bool{}, screen: map[string]onScreen{}, adopted: map[string]bool{}, warnings: map[string]*warning{},
		dirty: map[string]bool{}, wake: make(chan struct{}, 1), again: make(chan struct{}, 1), wrote: make(chan struct{}, 1), box: newMailbox(),
	}
	r.rules.Store(cfg.Rules)
	return r, nil
}

// Open reads the settings and opens the store, without which Answer does nothing. A store that another process has is a
// store.LockedError. One that cannot be used is replaced by memory, which is a problem that Status shows.
func (r *Resident) Open(ctx context.Context) error {
	r.load()
	s := r.set()
	// A folder of the service's own is made by whoever starts it, or here.
	if err := os.MkdirAll(r.cfg.Folder, 0o700); err != nil {
		r.log.Error("make the folder", "error", err)
	}
	opened, problems, err := store.Open(ctx, store.Config{
		Folder: r.cfg.Folder, Keep: s.Keep.Timeline, MaxBytes: s.Keep.Bytes, Now: r.cfg.Now,
	})
	var locked *store.LockedError
	if errors.As(err, &locked) {
		return fmt.Errorf("start the service: %w", err)
	}
	if err != nil {
		r.log.Error("nothing can be kept; what is found is forgotten when the service ends", "error", err)
		r.memory = err.Error()
		if opened, _, err = store.Open(ctx, store.Config{Now: r.cfg.Now}); err != nil {
			return fmt.Errorf("start the service: %w", err)
		}
	}
	r.store = opened
	r.recallScreens()
	for _, p := range problems {
		r.log.Warn("the store", "path", p.Path, "problem", p.Reason)
		r.note(ctx, store.Problem, "", p.Reason)
	}
	r.openFeed(ctx)
	r.fed(ctx)
	return nil
}

// Close closes the store.
func (r *Resident) Close() error {
	if r.store == nil {
		return nil
	}
	return r.store.Close()
}

// set returns the settings that hold now.
func (r *Resident) set() settings.Settings {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.settings
}

// load reads the settings. Of wrong ones, those before stay; at the start, the built-in ones.
func (r *Resident) load() {
	s, err := r.cfg.Load()
	var mistakes []string
	for _, m := range settings.Mistakes(err) {
		r.log.Error("a setting is wrong; what was valid before stays", "place", m.Place, "reason", m.Reason)
		mistakes = append(mistakes, m.Error())
	}
	if err != nil && len(mistakes) == 0 {
		r.log.Error("read the settings", "error", err)
		mistakes = []string{err.Error()}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil || r.store == nil {
		r.settings = s
	}
	r.mistakes = mistakes
	if r.cfg.Level != nil {
		var level slog.Level
		if level.UnmarshalText([]byte(r.settings.LogLevel)) == nil {
			r.cfg.Level.Set(level)
		}
	}
}

// note adds a line to the timeline. Problems are told to other systems too.
func (r *Resident) note(ctx context.Context, kind store.Kind, user, text string) {
	if kind == store.Problem {
		r.happened(ctx, Happening{Kind: "problem", Extension: store.Extension{User: user}, Reason: text})
	}
	if err := r.db().Note(ctx, kind, user, text); err != nil {
		r.log.Error("write to the timeline", "error", err)
	}
}
