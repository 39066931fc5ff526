// Package inventory lists the extensions that a browser profile has, as the browser itself sees them.
//
// Chromium keeps one entry per extension in Preferences or Secure Preferences. An entry counts as installed when it has
// a location and a path; what stays behind after an uninstall has neither. A packed extension runs with the manifest
// copied into its entry and with the code on disk, so both are read and compared. An unpacked one runs with the manifest
// in its folder. A version folder arrives about ten seconds before the preferences name it; such an extension is listed
// as pending, and so is everything on disk when the preferences cannot be read. A Reader that could read them before goes
// by what they said then.
//
// Firefox keeps extensions.json and one .xpi per add-on; the manifest is read from the package.
//
// Reading is safe on files that a thief controls. Folders are held open as [os.Root], so no link leads out of them;
// only regular files are opened, without waiting on pipes; sizes and counts are bounded. Nothing of a preferences file
// but its extensions is kept. What cannot be read is a Problem, or an extension with Unreadable set: one bad extension
// never hides another.
//
// A Reader remembers what it parsed, by the identity of each file, so that reading an unchanged profile costs directory
// reads and stats only. The manifests in a Listing are shared with that memory: treat them as read-only.
package inventory

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/manifests"
)

// Config says how to read. The zero value reads this machine.
type Config struct {
	OS     string // "linux", "windows", "darwin"; "" is this one
	Root   string // a mounted disk; absolute paths in preferences are looked up below it
	Locale string // UI locale for names ("en_US"); "" is en_US
	// Brief leaves out what only judging needs and most of the work is for: the names in other locales, and the
	// differences between a packed extension's manifest on disk and the one that runs.
	Brief bool
}

// A Reader reads profiles and remembers what did not change. It is safe for concurrent use.
type Reader struct {
	os, root, locale string
	brief            bool

	mu       sync.Mutex
	profiles map[string]*memory // by the profile's folder
	clock    uint64             // counts reads, to know which profile was read longest ago
}

// NewReader returns a Reader.
func NewReader(cfg Config) *Reader {
	r := &Reader{os: cfg.OS, root: cfg.Root, locale: cfg.Locale, brief: cfg.Brief, profiles: make(map[string]*memory)}
	if r.os == "" {
		r.os = runtime.GOOS
	}
	if r.locale == "" {
		r.locale = "en_US"
	}
	return r
}

// A Listing is what a profile holds: its extensions, sorted by ID and path, with themes and apps (see Manifest.Kind)
// and the browser's own, and what could not be read.
type Listing struct {
	Extensions []manifests.Extension
	Problems   []manifests.Problem
}

func (l *Listing) problem(path string, err error) {
	l.Problems = append(l.Problems, manifests.Problem{Path: path, Reason: reason(err)})
}

// Read lists the extensions of one profile. It is idempotent and fails only when ctx ends.
func (r *Reader) Read(ctx context.Context, p browsers.Profile) (Listing, error) {
	if err := ctx.Err(); err != nil {
		return Listing{}, fmt.Errorf("reading profile %s: %w", p.Dir, err)
	}
	var l Listing
	switch p.Family {
	case browsers.Safari:
		l.Problems = []manifests.Problem{{Path: p.Dir, Reason: "Safari extensions are not read yet by this version"}}
		return l, nil
	case browsers.Chromium, browsers.Gecko:
	default:
		l.Problems = []manifests.Problem{{Path: p.Dir, Reason: fmt.Sprintf("no reader for browsers of the family %q", p.Family)}}
		return l, nil
	}

	h, err := r.hold(p)
	if err != nil {
		l.problem(p.Dir, err)
		return l, nil
	}
	defer h.close()
	m := r.memoryOf(p.Dir)
	m.reading.Lock() // two reads of one profile at once would do the same work twice
	defer m.reading.Unlock()
	m.begin()
	if p.Family == browsers.Chromium {
		l = r.readChromium(ctx, p, h, m)
	} else {
		l = r.readGecko(ctx, p, h, m)
	}
	if err := ctx.Err(); err != nil {
		return Listing{}, fmt.Errorf("reading profile %s: %w", p.Dir, err)
	}
	m.end()
	slices.SortStableFunc(l.Extensions, func(a, b manifests.Extension) int {
		if c := strings.Compare(a.ID, b.ID); c != 0 {
			return c
		}
		return strings.Compare(a.Path, b.Path)
	})
	return l, nil
}

// ReadAll reads the profiles, several at a time, and calls fn with each listing as it is ready, one call at a time and
// in no fixed order. It fails only when ctx ends; the profiles not yet told are then left out.
func (r *Reader) ReadAll(ctx context.Context, profiles []browsers.Profile, fn func(browsers.Profile, Listing)) error {
	var mu sync.Mutex
	each(len(profiles), 1, func(i int) {
		l, err := r.Read(ctx, profiles[i])
		if err != nil {
			return // ctx ended; told below
		}
		mu.Lock()
		defer mu.Unlock()
		fn(profiles[i], l)
	})
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("reading profiles: %w", err)
	}
	return nil
}

// each calls fn for 0 to n-1 on all processors, giving every worker batch numbers at a time.
func each(n, batch int, fn func(int)) {
	workers := min(runtime.GOMAXPROCS(0), (n+batch-1)/batch)
	if workers <= 1 {
		for i := range n {
			fn(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				start := int(next.Add(int64(batch))) - batch
				if start >= n {
					return
				}
				for i := start; i < min(start+batch, n); i++ {
					fn(i)
				}
			}
		})
	}
	wg.Wait()
}

// reason puts an error into words for a Problem. The path stands beside it, so it is taken out of the error.
func reason(err error) string {
	var pe *fs.PathError
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "no permission to read it; run extwatch as an administrator, or give it access to this folder"
	case errors.Is(err, fs.ErrNotExist):
		return "it does not exist"
	case isEscape(err):
		return "it is, or lies behind, a link that leads out of its folder; such links are not followed"
	case errors.As(err, &pe) && pe == err:
		return pe.Err.Error()
	}
	return err.Error()
}

// isEscape reports whether an os.Root refused to leave its folder. The os package does not export that error.
func isEscape(err error) bool {
	return err != nil && strings.Contains(err.Error(), "path escapes from parent")
}

// identify makes an extension with the fields that name its profile.
func identify(p browsers.Profile) manifests.Extension {
	return manifests.Extension{
		Browser: p.Browser, Channel: p.Channel, User: p.User.Name, Profile: p.Name, ProfileTitle: p.Display,
	}
}
