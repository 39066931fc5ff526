// Package response blocks extensions through the browsers' own policies, keeps evidence before that, and undoes it.
//
// It never writes in a user's folders. A block is an entry in the machine's policy: a file of our own among Chromium's
// managed policies, an entry in Firefox's policies.json, a registry value on Windows. What an administrator has set stays
// in force and wins: an extension that their policy installs or allows is not blocked, and the answer says which policy
// that is. What was written is kept in a ledger, so that it can be taken back to the byte.
//
// How browsers obey was measured on Chromium 156 and Firefox ESR 153 on Linux: Chromium disables an extension 5.1 s after
// the file arrives and enables it 0.3 s after it is gone; one that started less than 20 s before may miss the file until
// it is touched again, which is what Touch is for. Of two files that set the same policy, the one whose name sorts last
// wins whole. Firefox reads its file only at the start, and one comment in it voids all of it.
package response

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/extwatch/extwatch/agent/browsers"
)

// Config says which machine is written to.
type Config struct {
	OS     string           // "" is this one
	Root   string           // what stands for "/" on Linux; "" is "/"
	Folder string           // of the ledger and the evidence; made with mode 0700
	Now    func() time.Time // nil is time.Now

	registry registry // of Windows; nil is the machine's
}

// A Target is an extension in a browser. A block holds for all profiles of all users of that browser.
type Target struct {
	Browser   string `json:"browser"`             // as browsers.Profile has it: "chrome"
	Packaging string `json:"packaging,omitempty"` // "flatpak", "snap", "portable"; empty is what the system installed
	ID        string `json:"id"`
}

// TargetOf is the target for an extension of a profile.
func TargetOf(p browsers.Profile, id string) Target {
	t := Target{Browser: p.Browser, ID: id}
	switch dir := filepath.ToSlash(p.DataDir); {
	case strings.Contains(dir, "/.var/app/"):
		t.Packaging = "flatpak"
	case strings.Contains(dir, "/snap/"):
		t.Packaging = "snap"
	case p.Channel == "custom":
		t.Packaging = "portable"
	}
	return t
}

// An Effect says when a change holds.
type Effect string

// The effects.
const (
	Soon      Effect = "soon"       // a running browser obeys within seconds
	AtRestart Effect = "at restart" // when the browser is started again
	ByHand    Effect = "by hand"    // policy does not reach this browser: the person must do it
)

// An Outcome says what was done.
type Outcome struct {
	Target
	Effect Effect `json:"effect"`
	Policy string `json:"policy,omitempty"` // the file or key that holds the block
	Note   string `json:"note,omitempty"`   // what the person has to know or do
}

// A Record is a block that is in force.
type Record struct {
	Target
	By     string    `json:"by"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
	Policy string    `json:"policy"`
}

var (
	// ErrNotBlocked says that there is no such block of ours.
	ErrNotBlocked = errors.New("it is not blocked by ExtWatch")
	// ErrOverruled says that an administrator's policy wants the extension; the text names the policy.
	ErrOverruled = errors.New("a policy of this machine's administrator wants this extension")
	// ErrID says that an ID is not one that a browser would accept.
	ErrID = errors.New("this is no ID of an extension")
)

// A Blocker writes policies. It is safe for concurrent use in one process; two processes must not have the same Folder
// at the same time.
type Blocker struct {
	cfg Config
	mu  sync.Mutex
}

// New returns a Blocker. It touches nothing.
func New(cfg Config) *Blocker {
	if cfg.OS == "" {
		cfg.OS = runtime.GOOS
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.registry == nil {
		cfg.registry = machineRegistry()
	}
	return &Blocker{cfg: cfg}
}

// Block blocks an extension, for all users of the browser. Blocking it again changes nothing. It returns ErrOverruled,
// ErrID, or an error of the system, and has then changed nothing. With the effect ByHand nothing was written, and the
// note says what to do.
func (b *Blocker) Block(ctx context.Context, t Target, by, reason string) (Outcome, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !validID(t.ID) {
		return Outcome{}, fmt.Errorf("%w: %q", ErrID, t.ID)
	}
	place := b.place(t)
	if place == nil {
		return byHand(t), nil
	}
	l, err := b.ledger()
	if err != nil {
		return Outcome{}, err
	}
	if !slices.ContainsFunc(l.Blocks, func(r Record) bool { return r.Target == t }) {
		l.Blocks = append(l.Blocks, Record{Target: t, By: by, Reason: reason, At: b.cfg.Now().UTC()})
	}
	return b.apply(ctx, l, t, place)
}

// Unblock takes a block of ours back. It returns ErrNotBlocked when there is none.
func (b *Blocker) Unblock(ctx context.Context, t Target) (Outcome, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, err := b.ledger()
	if err != nil {
		return Outcome{}, err
	}
	i := slices.IndexFunc(l.Blocks, func(r Record) bool { return r.Target == t })
	if i < 0 {
		return Outcome{}, fmt.Errorf("%s in %s: %w", t.ID, t.Browser, ErrNotBlocked)
	}
	l.Blocks = slices.Delete(l.Blocks, i, i+1)
	return b.apply(ctx, l, t, b.place(t))
}

// Blocked lists the blocks that are in force, the oldest first.
func (b *Blocker) Blocked() ([]Record, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, err := b.ledger()
	return l.Blocks, err
}

// Refresh writes all blocks anew where the administrator's policies have changed since, so that neither voids the other.
// It returns what had to be written, and the errors of those that are no longer possible.
func (b *Blocker) Refresh(ctx context.Context) ([]Outcome, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, err := b.ledger()
	if err != nil {
		return nil, err
	}
	var done []Outcome
	var errs []error
	seen := map[string]bool{}
	for _, r := range l.Blocks {
		place := b.place(r.Target)
		if place == nil || seen[place.key()] {
			continue
		}
		seen[place.key()] = true
		same, err := place.holds(l.ids(r.Browser, r.Packaging))
		if err == nil && same {
			continue
		}
		out, err := b.apply(ctx, l, r.Target, place)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		done = append(done, out)
	}
	return done, errors.Join(errs...)
}

// UndoAll takes all blocks and what Prepare did back, for the removal of the program.
func (b *Blocker) UndoAll(ctx context.Context) error {
	blocks, err := b.Blocked()
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range blocks {
		if _, err := b.Unblock(ctx, r.Target); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, b.unprepare())...)
}

// Touch makes a running browser read its policies once more. A Chromium that was started less than 20 s before the block
// can have missed it; call it some 15 s and 60 s after, when the extension is still enabled.
func (b *Blocker) Touch(t Target) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if place := b.place(t); place != nil {
		return place.touch(b.cfg.Now())
	}
	return nil
}

// apply writes the blocks of a target's browser, then the ledger; on error neither has changed.
func (b *Blocker) apply(ctx context.Context, l ledger, t Target, place policy) (Outcome, error) {
	if err := ctx.Err(); err != nil {
		return Outcome{}, err
	}
	if place == nil {
		return byHand(t), b.save(l)
	}
	ids := l.ids(t.Browser, t.Packaging)
	undo, err := place.write(ids, &l)
	if err != nil {
		return Outcome{}, fmt.Errorf("block %s in %s: %w", t.ID, t.Browser, err)
	}
	for i := range l.Blocks {
		if l.Blocks[i].Browser == t.Browser && l.Blocks[i].Packaging == t.Packaging {
			l.Blocks[i].Policy = place.key()
		}
	}
	if err := b.save(l); err != nil {
		return Outcome{}, errors.Join(err, undo())
	}
	return Outcome{Target: t, Effect: place.effect(), Policy: place.key(), Note: place.note()}, nil
}

// byHand is the outcome where policy does not reach.
func byHand(t Target) Outcome {
	page := "chrome://extensions"
	switch {
	case gecko(t.Browser):
		page = "about:addons"
	case t.Browser == "safari":
		page = "Settings, Extensions"
	}
	why := "this browser takes no policy from this machine"
	switch t.Packaging {
	case "flatpak":
		why = "a browser from Flatpak does not see this machine's policies"
	case "portable":
		why = "a portable browser may not read this machine's policies"
	}
	return Outcome{Target: t, Effect: ByHand, Note: why + ": open " + page + " in it and remove the extension there"}
}

// validIDs are the forms of IDs; nothing else is ever written into a policy. They are compiled when they are first wanted:
// every start of the program would wait for it.
var validIDs = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([a-p]{32}|\{[0-9A-Fa-f-]{36}\}|[A-Za-z0-9._-]{0,80}@[A-Za-z0-9._-]{1,80})$`)
})

func validID(id string) bool { return validIDs().MatchString(id) }

// path is a path of the machine, below Root.
func (b *Blocker) path(p string) string {
	if b.cfg.Root == "" {
		return filepath.FromSlash(p)
	}
	return filepath.Join(b.cfg.Root, filepath.FromSlash(p))
}

// exists reports whether something is at path.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
