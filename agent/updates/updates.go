// Package updates keeps the ruleset in use: the built-in rules, and above them what the organisation's signed feed says.
//
//	mirrors → signatures/feed: verified → rehearsed here → signatures.Ruleset.With → Run's changed
//
// Package feed decides what may be believed; this package decides what may be used. The rehearsal joins the feed with the
// built-in rules on this very engine, and runs the cases that every rule brings along. What does not load, or fails one
// case, is refused, and the last good files stay.
//
// The built-in rules are the floor: without a feed, or with one that cannot be used, they judge alone.
package updates

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/extwatch/extwatch/agent/settings"
	"github.com/extwatch/extwatch/signatures"
	"github.com/extwatch/extwatch/signatures/feed"
)

const (
	// maxCA bounds the certificates: real ones have a few kilobytes.
	maxCA = 4 << 20
	// maxFailed is how many failed cases are told.
	maxFailed = 5
	// lookEvery is how often the state is compared with what the admin was told.
	lookEvery = 15 * time.Second
)

// Config says what to keep up to date. Builtin and Folder are required.
type Config struct {
	Builtin  *signatures.Ruleset
	Folder   string        // of the feed alone; made when it is missing
	Settings settings.Feed // Root is required: the file with the root.json that is trusted
	Engine   string        // version of the program: another one rehearses again
	Logger   *slog.Logger  // nil discards
	Now      func() time.Time
}

// Updates is the ruleset in use, and where it comes from.
type Updates struct {
	cfg   Config
	feed  *feed.Feed
	rules atomic.Pointer[signatures.Ruleset]
	trust atomic.Pointer[string] // why the files of the feed cannot be used; nil: they are, or there are none
}

// A State is what an administrator is told of the feed. Times are zero when it never happened.
type State struct {
	Version  int64     `json:"version"` // rises with every publishing; 0: there is no feed yet
	Expires  time.Time `json:"expires,omitzero"`
	Changed  time.Time `json:"changed,omitzero"` // when these rules came into use
	Checked  time.Time `json:"checked,omitzero"` // the last look at the mirrors
	Success  time.Time `json:"success,omitzero"` // when a mirror proved last that these are its newest rules
	Mirror   string    `json:"mirror,omitempty"` // that proved it
	Events   bool      `json:"events"`           // a mirror tells at once that there is something new
	Warning  string    `json:"warning,omitempty"`
	Replaced []string  `json:"replaced,omitempty"` // built-in files that the feed's take the place of
}

// Open reads the folder, and asks nobody. It fails when the settings cannot work; a damaged folder is not an error: then
// the built-in rules are in use, State says why, and the next Update brings it back.
func Open(cfg Config) (*Updates, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	root, err := cfg.Settings.ReadRoot()
	if err != nil {
		return nil, fmt.Errorf("read the root.json of the feed: %w", err)
	}
	var ca []byte
	if cfg.Settings.CA != "" {
		if ca, err = readSmall(cfg.Settings.CA); err != nil {
			return nil, fmt.Errorf("read the certificates of feed.ca_file: %w", err)
		}
	}
	u := &Updates{cfg: cfg}
	u.rules.Store(cfg.Builtin)
	u.feed, err = feed.Open(feed.Config{
		Dir: cfg.Folder, Root: root, Mirrors: cfg.Settings.Addresses(), Proxy: cfg.Settings.Proxy, CA: ca,
		NoEvents: !cfg.Settings.Events, Interval: cfg.Settings.Poll,
		Agent: "ExtWatch/" + cfg.Engine, Engine: fmt.Sprintf("%s, rules %d", cfg.Engine, cfg.Builtin.Version()),
		Rehearse: func(ctx context.Context, files fs.FS) error { return Rehearse(ctx, cfg.Builtin, files) },
		Now:      cfg.Now, Log: cfg.Logger,
	})
	if err != nil {
		return nil, fmt.Errorf("open the feed: %w", err)
	}
	u.join()
	return u, nil
}

// readSmall reads a file of the administrator's.
func readSmall(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxCA {
		return nil, fmt.Errorf("%s is no file of at most %d bytes", name, maxCA)
	}
	return os.ReadFile(name)
}

// Rehearse tries the files of a feed as they would be used: above the built-in rules, with the cases of every rule. A case
// of a built-in rule that fails without the feed as well is no fault of the feed's.
func Rehearse(ctx context.Context, builtin *signatures.Ruleset, files fs.FS) error {
	rules, err := builtin.With(files)
	if err != nil {
		return err
	}
	results, err := rules.RunCases(ctx, "")
	if err != nil {
		return fmt.Errorf("run the cases of the rules: %w", err)
	}
	var failed []error
	for _, r := range results {
		if r.Passed || len(failed) == maxFailed {
			continue
		}
		without, err := failsWithout(ctx, builtin, rules, r)
		if err != nil {
			return err
		}
		if !without {
			failed = append(failed, fmt.Errorf("rule %s: the case %q (line %d) fails", r.Rule, r.Case, r.Line))
		}
	}
	return errors.Join(failed...)
}

// failsWithout reports whether the case of a rule that the feed leaves as it is fails by the built-in rules alone.
func failsWithout(ctx context.Context, builtin, whole *signatures.Ruleset, r signatures.CaseResult) (bool, error) {
	named := func(rules *signatures.Ruleset) (source string) {
		for _, rule := range rules.Rules() {
			if rule.Name == r.Rule {
				source = rule.Path + "\n" + string(rule.Source)
			}
		}
		return source
	}
	if source := named(builtin); source == "" || source != named(whole) {
		return false, nil
	}
	alone, err := builtin.RunCases(ctx, r.Rule)
	if err != nil {
		return false, fmt.Errorf("run the cases of the built-in rules: %w", err)
	}
	return slices.ContainsFunc(alone, func(a signatures.CaseResult) bool { return a.Line == r.Line && !a.Passed }), nil
}

// join makes the ruleset of the files in use, and reports whether it is another one.
func (u *Updates) join() bool {
	files, ok := u.feed.Files()
	if !ok {
		return u.rules.Swap(u.cfg.Builtin) != u.cfg.Builtin
	}
	rules, err := u.cfg.Builtin.With(files)
	if err != nil { // they were rehearsed: this is a disk that fails, or memory
		reason := "the rules of the feed cannot be used, and those before stay: " + err.Error()
		u.trust.Store(&reason)
		u.cfg.Logger.Error("feed: use the rules", "error", err)
		return false
	}
	u.trust.Store(nil)
	u.rules.Store(rules)
	return true
}

// Rules returns the ruleset in use. It never changes; ask again when Run says so.
func (u *Updates) Rules() *signatures.Ruleset { return u.rules.Load() }

// Again makes the ruleset anew, so that who compares rulesets judges again: a decision has ended.
func (u *Updates) Again() *signatures.Ruleset {
	u.join()
	return u.Rules()
}

// Update asks the mirrors now, and reports whether other rules are in use.
func (u *Updates) Update(ctx context.Context) (bool, error) {
	update, err := u.feed.Update(ctx)
	if update.Changed {
		return u.join(), err
	}
	return false, err
}

// Run keeps the rules up to date until ctx ends. It calls changed, one call at a time, when other rules came into use, and
// problem with what an administrator should know: once, and again when it went away and came back.
func (u *Updates) Run(ctx context.Context, changed func(*signatures.Ruleset), problem func(string)) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		u.tell(ctx, problem)
	}()
	err := u.feed.Run(ctx, func(update feed.Update) {
		u.cfg.Logger.Info("feed: new rules", "version", update.Version, "mirror", update.Mirror,
			"added", len(update.Added), "removed", len(update.Removed), "modified", len(update.Modified))
		if u.join() {
			changed(u.Rules())
		}
	})
	if err != nil && ctx.Err() == nil {
		u.cfg.Logger.Error("feed: it is not updated any more", "error", err)
		problem("the feed is not updated any more: " + err.Error())
	}
	<-done
}

// tell compares the state with what was told.
func (u *Updates) tell(ctx context.Context, problem func(string)) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	told := ""
	for {
		now := u.State().Warning
		if now != told && now != "" {
			u.cfg.Logger.Warn("feed", "warning", now)
			problem("the feed: " + now)
		}
		told = now
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
	}
}

// State returns what is known now.
func (u *Updates) State() State {
	f := u.feed.State()
	s := State{
		Version: f.Version, Expires: f.Expires, Changed: f.Changed, Checked: f.Checked, Success: f.LastSuccess,
		Mirror: f.Mirror, Warning: f.Warning, Replaced: u.replaced(),
	}
	for _, m := range f.Mirrors {
		s.Events = s.Events || m.Events
	}
	if reason := u.trust.Load(); reason != nil {
		s.Warning = *reason
	}
	return s
}

// From returns the paths of the feed's files, which Ruleset.Rules name; none when they are not in use.
func (u *Updates) From() map[string]bool {
	paths := map[string]bool{}
	files, ok := u.feed.Files()
	if !ok || u.Rules() == u.cfg.Builtin {
		return paths
	}
	_ = fs.WalkDir(files, ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			paths[name] = true
		}
		return nil
	})
	return paths
}

// replaced lists the built-in rules in whose place the feed has others.
func (u *Updates) replaced() (paths []string) {
	if u.Rules() == u.cfg.Builtin {
		return nil
	}
	built := map[string]string{}
	for _, r := range u.cfg.Builtin.Rules() {
		built[r.Path] = string(r.Source)
	}
	for _, r := range u.Rules().Rules() {
		if source, ok := built[r.Path]; ok && source != string(r.Source) {
			paths = append(paths, r.Path)
		}
	}
	return paths
}

// Folder is the feed's folder in the state folder of the service.
func Folder(state string) string { return filepath.Join(state, "feed") }
