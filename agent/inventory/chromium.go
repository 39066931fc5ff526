package inventory

import (
	"context"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/manifests"
)

const (
	// Chromium writes its preferences ten seconds after an install (measured on Chromium 156, Linux). A version folder
	// that is older than the preferences by more than this is none that the browser is about to use.
	prefsDelay = time.Minute
	// How long a version folder that the preferences do not name may stand for the one that they name. Without an end, a
	// folder with a high number would hide what runs.
	pendingFor = 2 * time.Minute
	// A folder that vanishes while it is listed is looked for once more: uninstalling removes file by file within 170 ms.
	vanishWait = 5 * time.Millisecond
)

// A chromiumProfile is one profile while it is read.
type chromiumProfile struct {
	r       *Reader
	p       browsers.Profile
	h       *held
	m       *memory
	ext     extensionsDir
	prefs   preferences
	loading []string      // resolved folders that a live process loads by --load-extension
	orders  func() orders // safe for concurrent use
}

// A job is one extension to be read.
type job struct {
	id     string
	entry  *entry // nil when the preferences do not know it
	folder string // unpacked folder of a live process; "" otherwise
}

func (r *Reader) readChromium(ctx context.Context, p browsers.Profile, h *held, m *memory) Listing {
	var l Listing
	var told []manifests.Problem // by orders, if it was asked
	c := &chromiumProfile{r: r, p: p, h: h, m: m, orders: sync.OnceValue(func() orders {
		o := r.ordersFor(p, h)
		told = o.problems
		return o
	})}
	c.prefs = r.readPreferences(h, m, &l)
	c.ext = h.openExtensions(filepath.Join(p.Dir, "Extensions"), &l)
	defer c.ext.close()
	for _, dir := range p.LoadExtension {
		c.loading = append(c.loading, r.resolve(dir))
	}

	jobs := c.plan()
	type result struct {
		ext      *manifests.Extension
		problems []manifests.Problem
	}
	results := make([]result, len(jobs))
	each(len(jobs), 8, func(i int) {
		if ctx.Err() == nil {
			results[i].ext, results[i].problems = c.read(jobs[i])
		}
	})
	for _, res := range results {
		if res.ext != nil {
			l.Extensions = append(l.Extensions, *res.ext)
		}
		l.Problems = append(l.Problems, res.problems...)
	}
	l.Problems = append(l.Problems, told...)
	if _, more := unpackedFolders(p, l); more {
		l.Problems = append(l.Problems, problemAt(p.Dir,
			"it loads more than %d unpacked extensions; changes in the others are noticed only when the profile is read again", maxUnpacked))
	}
	return l
}

// plan lists what is to be read: each installed entry, each ID on disk without one, each folder on the command line of a
// live process that no entry names.
func (c *chromiumProfile) plan() []job {
	var jobs []job
	named := make(map[string]bool)
	for id, e := range c.prefs.entries {
		if e.installed {
			jobs = append(jobs, job{id: id, entry: e})
			if e.location == locCommandLine || e.location == locUnpacked {
				named[c.r.resolve(e.path)] = true
			}
		}
	}
	for _, id := range c.ext.ids {
		e := c.prefs.entries[id]
		switch {
		case e == nil:
			jobs = append(jobs, job{id: id})
		case e.installed && !absolute(c.r.os, e.path):
			// its job reads the folder
		default:
			// What an uninstall leaves in the preferences, or an unpacked extension with the ID of a packed one. The folder
			// counts only when it came after the preferences were written.
			if t := c.ext.modified(id); t.After(c.prefs.written) && t.Before(time.Now().Add(prefsDelay)) {
				jobs = append(jobs, job{id: id})
			}
		}
	}
	for _, dir := range c.loading {
		if !named[dir] {
			named[dir] = true
			jobs = append(jobs, job{folder: dir})
		}
	}
	return jobs
}

func (c *chromiumProfile) read(j job) (*manifests.Extension, []manifests.Problem) {
	x, problems := c.readJob(j)
	if x != nil && j.entry != nil {
		if x.Open == nil && slices.Contains(x.Disabled, uninstalled) {
			return nil, problems
		}
		x.Problems = append(x.Problems, c.doubts(j.id, j.entry)...)
	}
	return x, problems
}

// doubts says what in an entry no browser writes.
func (c *chromiumProfile) doubts(id string, e *entry) []manifests.Problem {
	switch {
	case e.location < locInternal || e.location > locExternalBuiltin:
		return []manifests.Problem{{Reason: fmt.Sprintf("the preferences give it the location %d, which browsers do not use", e.location)}}
	case e.location == locInternal && !c.inPlace(id, e):
		return []manifests.Problem{{Reason: fmt.Sprintf("the preferences give the path %s, which is not where the browser puts what it installs", quoted(e.path))}}
	}
	return nil
}

// inPlace reports whether the path of an entry is Extensions/<id>/<version>, where the browser puts what it installs.
func (c *chromiumProfile) inPlace(id string, e *entry) bool {
	folder, ok := c.versionFolder(e.path)
	return ok && path.Dir(folder) == id
}

// versionFolder returns a path of the preferences that is one of a version folder below Extensions, cleaned.
func (c *chromiumProfile) versionFolder(p string) (string, bool) {
	if absolute(c.r.os, p) {
		return "", false
	}
	named := path.Clean(filepath.ToSlash(slashed(c.r.os, p)))
	id, version, ok := strings.Cut(named, "/")
	return named, ok && fs.ValidPath(named) && !strings.Contains(version, "/") && manifests.ValidID(id)
}

func (c *chromiumProfile) readJob(j job) (*manifests.Extension, []manifests.Problem) {
	switch {
	case j.folder != "":
		return c.readLoading(j.folder), nil
	case j.entry == nil:
		return c.readPending(j.id)
	case absolute(c.r.os, j.entry.path):
		return c.readAbsolute(j.id, j.entry), nil
	}
	return c.readPacked(j.id, j.entry)
}

// start makes the extension of an entry, without what its folder says.
func (c *chromiumProfile) start(id string, e *entry) *manifests.Extension {
	x := identify(c.p)
	x.ID = id
	x.FromStore = e.fromStore
	x.Origin = c.origin(id, e)
	if x.Origin == manifests.OriginStore && !c.inPlace(id, e) {
		x.Origin, x.FromStore = manifests.OriginUnknown, false // no store puts files there
	}
	x.CommandLine = e.location == locCommandLine
	x.Disabled = slices.Clone(e.disabled)
	if c.prefs.version < disableList {
		for _, name := range e.old {
			x.Disabled = appendName(x.Disabled, name)
		}
	}
	x.InstalledAt, x.UpdatedAt = e.installedAt, e.updAt
	x.Granted, x.Withheld = e.granted, e.withheld
	x.Enabled = len(x.Disabled) == 0
	return &x
}

func appendName(list []string, name string) []string {
	if name == "" || slices.Contains(list, name) {
		return list
	}
	return append(slices.Clip(list), name)
}

// origin says how the extension of an entry came to the browser. Location 1 is also that of a package that somebody
// dropped on the extensions page, so it needs the store's mark, or the update address of a store that sets none.
// Locations 2, 3 and 6 are also those of what a policy asks for without forcing it ("normal_installed"), and of what the
// maker of the browser or the computer put there; a vendor's extension from the store is the store's.
func (c *chromiumProfile) origin(id string, e *entry) manifests.Origin {
	switch e.location {
	case locInternal:
		if e.fromStore || e.manifest != nil && isOwnStore(c.p.Browser, e.manifest.UpdateURL) {
			return manifests.OriginStore
		}
	case locExternalPref, locExternalRegistry, locExternalDownload:
		switch {
		case c.orders().policy[id]:
			return manifests.OriginPolicy
		case e.vendor && e.fromStore:
			return manifests.OriginStore
		}
		return manifests.OriginSideloaded
	case locUnpacked, locCommandLine:
		return manifests.OriginUnpacked
	case locPolicyDownload, locPolicy:
		return manifests.OriginPolicy
	case locComponent, locExternalBuiltin:
		return manifests.OriginBuiltin
	}
	return manifests.OriginUnknown
}

// Update addresses of the stores.
const (
	googleStore    = "clients2.google.com/service/update2/crx"
	microsoftStore = "edge.microsoft.com/extensionwebstorebase/v1/crx"
	operaStore     = "extension-updates.opera.com/api/omaha/update/"
)

// isStoreURL reports whether an update address is that of a store: Google's, Microsoft's or Opera's. Anyone can write one
// into a manifest.
func isStoreURL(s string) bool {
	switch updateAddress(s) {
	case googleStore, microsoftStore, operaStore:
		return true
	}
	return false
}

// isOwnStore reports whether an update address is that of the store of Edge or Opera, in that browser: these set the
// store's mark for Google's store only. In other browsers, and for Google's address, the mark decides.
func isOwnStore(browser, s string) bool {
	switch updateAddress(s) {
	case microsoftStore:
		return browser == "edge"
	case operaStore:
		return browser == "opera" || strings.HasPrefix(browser, "opera-")
	}
	return false
}

// updateAddress returns host and path of a web address.
func updateAddress(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return u.Host + u.Path
}
