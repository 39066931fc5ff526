package inventory

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/manifests"
)

// A geckoProfile is one profile while it is read.
type geckoProfile struct {
	r *Reader
	p browsers.Profile
	h *held
	m *memory
	g geckoFiles
}

func (r *Reader) readGecko(ctx context.Context, p browsers.Profile, h *held, m *memory) Listing {
	var l Listing
	c := &geckoProfile{r: r, p: p, h: h, m: m}
	known := c.readFiles(&l)
	exts := make([]*manifests.Extension, len(c.g.addons))
	each(len(exts), 4, func(i int) {
		if ctx.Err() == nil {
			exts[i] = c.read(c.g.addons[i])
		}
	})
	for _, x := range exts {
		if x != nil {
			l.Extensions = append(l.Extensions, *x)
		}
	}
	l.Extensions = append(l.Extensions, c.pending(&l)...)
	if known {
		l.Extensions = append(l.Extensions, c.temporary(l.Extensions)...)
	}
	return l
}

// readFiles reads the profile's files, each of which may be missing. It reports whether extensions.json was read.
func (c *geckoProfile) readFiles(l *Listing) (known bool) {
	read := func(name string, limit int64, parse func([]byte) (geckoFiles, error)) geckoFiles {
		fi, err := statPlain(c.h.dir, name)
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				l.problem(filepath.Join(c.h.path, name), err)
			}
			return geckoFiles{}
		}
		stamps := []stamp{stampOf(fi)}
		if g, ok := c.m.gecko.get(name, stamps, c.m.gen); ok {
			return g
		}
		data, err := readRegular(c.h.dir, name, limit)
		var g geckoFiles
		if err == nil {
			g, err = parse(data)
		}
		if err != nil {
			l.problem(filepath.Join(c.h.path, name), err)
			return geckoFiles{}
		}
		c.m.gecko.put(name, stamps, c.m.gen, g)
		return g
	}
	c.g = read("extensions.json", maxExtensionsJSON, parseExtensionsJSON)
	c.g.grants = read("extension-preferences.json", maxGrants, func(data []byte) (g geckoFiles, err error) {
		g.grants, err = parseGrants(data)
		return g, err
	}).grants
	c.g.uuids = read("prefs.js", maxPrefsJS, func(data []byte) (g geckoFiles, err error) {
		g.uuids, err = parsePrefsJS(data)
		return g, err
	}).uuids
	if c.g.more {
		l.Problems = append(l.Problems, problemAt(filepath.Join(c.h.path, "extensions.json"),
			"it names more than %d add-ons; the rest is not read", maxExtensions))
	}
	if c.g.noID > 0 {
		l.Problems = append(l.Problems, problemAt(filepath.Join(c.h.path, "extensions.json"),
			"%d add-ons in it have no ID, which Firefox does not write; they are not listed", c.g.noID))
	}
	return c.g.known != nil
}

// read reads one add-on that extensions.json names.
func (c *geckoProfile) read(a addon) *manifests.Extension {
	x := identify(c.p)
	x.ID = a.id
	x.Origin = geckoOrigin(a)
	x.Signed = a.signed >= signedByStore
	x.FromStore = x.Signed && fromAMO(a)
	x.Enabled, x.Disabled = a.active, slices.Clone(a.disabled)
	if !x.Enabled && len(x.Disabled) == 0 {
		x.Disabled = []string{"inactive"}
	}
	x.InstalledAt, x.UpdatedAt = a.installedAt, a.updatedAt
	x.Names = a.names
	granted := manifests.Access{APIs: slices.Clone(a.granted.APIs), Hosts: slices.Clone(a.granted.Hosts)}
	if extra, ok := c.g.grants[a.id]; ok {
		granted.APIs = union(granted.APIs, extra.APIs)
		granted.Hosts = union(granted.Hosts, extra.Hosts)
	}
	x.Granted = &granted
	x.Manifest = a.said

	if x.Origin == manifests.OriginBuiltin && a.path == "" {
		return &x // inside the program
	}
	f, ok := c.files(&x, a)
	switch {
	case !ok:
	case f.manifest != nil:
		f.manifest = withGeckoID(f.manifest, a.id)
		x.Problems = append(append(x.Problems, f.problems...), f.manifest.Problems...)
		x.Manifest = f.manifest
		for _, name := range f.names {
			x.Names = appendName(x.Names, name)
		}
	default:
		x.Problems = append(append(x.Problems, f.problems...), manifests.Problem{
			Path: x.Path, Reason: f.unreadable + "; what is shown comes from extensions.json",
		})
	}
	return &x
}

// withGeckoID fills in the ID of an add-on whose manifest names none: Firefox made one up or took it from the signature.
func withGeckoID(m *manifests.Manifest, id string) *manifests.Manifest {
	if m.Gecko.ID != "" {
		return m
	}
	filled := *m
	filled.Gecko.ID = id
	return &filled
}

// files finds and reads the package or folder of an add-on. In a profile it is <id>.xpi or a folder of that name, and
// that holds also after the profile was moved or mounted elsewhere; other places have an absolute path.
func (c *geckoProfile) files(x *manifests.Extension, a addon) (folder, bool) {
	if a.location == "app-profile" || a.location == "" {
		for _, name := range []string{a.id + ".xpi", a.id} {
			if !filepath.IsLocal(name) || strings.ContainsAny(name, `/\`) {
				continue
			}
			if f, ok := c.inProfile(x, name); ok {
				return f, true
			}
		}
	}
	if a.path == "" {
		x.Problems = append(x.Problems, manifests.Problem{Reason: "its files were not found; what is shown comes from extensions.json"})
		return folder{}, false
	}
	f, err := c.atPath(x, a.path)
	if err != nil {
		x.Problems = append(x.Problems, manifests.Problem{Path: x.Path, Reason: reason(err) + "; what is shown comes from extensions.json"})
	}
	return f, err == nil
}

// inProfile reads extensions/<name> of the profile.
func (c *geckoProfile) inProfile(x *manifests.Extension, name string) (folder, bool) {
	root, err := c.h.sub("extensions")
	if err != nil {
		return folder{}, false
	}
	defer root.Close()
	fi, err := root.Lstat(name)
	if err != nil {
		return folder{}, false
	}
	x.Path = filepath.Join(c.h.path, "extensions", name)
	r, p := c.r, c.p
	x.Open = func() (manifests.Files, error) {
		return openFiles(func() (*os.Root, error) {
			h, err := r.hold(p)
			if err != nil {
				return nil, err
			}
			defer h.close()
			return h.sub("extensions")
		}, name)
	}
	if fi.IsDir() {
		f, err := c.r.readFolder(c.m, x.Path, root, name, true)
		return f, err == nil
	}
	return c.r.readPackage(c.m, x.Path, root, name), true
}

// atPath reads the package or folder at an absolute path.
func (c *geckoProfile) atPath(x *manifests.Extension, path string) (folder, error) {
	place, err := c.r.local(path)
	if err != nil {
		return folder{}, fmt.Errorf("%w: %s", err, quoted(path))
	}
	r, uid := c.r, c.h.owner
	to, err := r.reach(place, uid)
	if elsewhere(err) {
		return folder{}, fmt.Errorf("%w: %s", err, quoted(path))
	}
	x.Path = place
	if err != nil {
		return folder{}, err
	}
	defer to.root.Close()
	x.Path = to.at // Debian puts links to the real folders into /usr/share/mozilla/extensions
	open := func() (manifests.Files, error) {
		again, err := r.reach(place, uid)
		if err != nil {
			return nil, err
		}
		return openFiles(func() (*os.Root, error) { return again.root, nil }, again.name)
	}
	if to.name != "." {
		x.Open = open
		return r.readPackage(c.m, x.Path, to.root, to.name), nil
	}
	f, err := r.readFolder(c.m, x.Path, to.root, ".", true)
	if f.extension {
		x.Open = open
	}
	return f, err
}

// pending lists what lies in the profile's folder extensions and is not in extensions.json: installed a moment ago, or
// dropped there by another program for the next start.
func (c *geckoProfile) pending(l *Listing) []manifests.Extension {
	path := filepath.Join(c.h.path, "extensions")
	root, err := c.h.sub("extensions")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		l.problem(path, err)
		return nil
	}
	defer root.Close()
	entries, more, err := readNames(root, ".")
	if err != nil {
		l.problem(path, err)
	}
	if more || len(entries) > maxExtensions {
		l.Problems = append(l.Problems, problemAt(path, "it holds more than %d names; the rest is not read", maxExtensions))
		entries = entries[:min(len(entries), maxExtensions)]
	}
	var list []manifests.Extension
	for _, e := range entries {
		id, packed := strings.CutSuffix(e.Name(), ".xpi")
		if c.g.known[id] || !packed && (!e.IsDir() || id == "staged" || id == "trash") {
			continue
		}
		x := identify(c.p)
		x.ID, x.Origin = id, manifests.OriginUnknown
		x.Pending, x.Enabled = true, true // known only once Firefox wrote extensions.json
		f, ok := c.inProfile(&x, e.Name())
		if !ok || !packed && f.manifest == nil {
			continue // gone meanwhile, or a folder that holds no add-on
		}
		f.apply(&x)
		list = append(list, x)
	}
	return list
}

// temporary lists the add-ons that left a trace in prefs.js and none in extensions.json: loaded from about:debugging or
// by a tool, now or earlier (measured on Firefox 153).
func (c *geckoProfile) temporary(listed []manifests.Extension) []manifests.Extension {
	seen := make(map[string]bool, len(listed))
	for _, x := range listed {
		seen[x.ID] = true
	}
	var list []manifests.Extension
	for _, id := range c.g.uuids {
		if seen[id] || c.g.known[id] || isMozillaID(id) {
			continue
		}
		x := identify(c.p)
		x.ID, x.Origin = id, manifests.OriginUnpacked
		x.Disabled = []string{"not_recorded"}
		x.Unreadable = "a temporary add-on, loaded from about:debugging; Firefox does not record where its files are, nor whether it is still loaded"
		list = append(list, x)
	}
	return list
}

// isMozillaID reports whether an ID is one that Mozilla gives to the parts of Firefox, which come and go with versions.
func isMozillaID(id string) bool {
	_, host, _ := strings.Cut(id, "@")
	return host == "mozilla.org" || host == "mozilla.com" || strings.HasSuffix(host, ".mozilla.org") || strings.HasSuffix(host, ".mozilla.com")
}

// geckoOrigin says how an add-on came to Firefox (toolkit/mozapps/extensions/internal/XPIProvider.sys.mjs names the
// locations).
func geckoOrigin(a addon) manifests.Origin {
	switch {
	case strings.HasPrefix(a.location, "app-builtin"), a.location == "app-system-addons",
		a.location == "app-system-defaults", a.location == "app-system-profile":
		return manifests.OriginBuiltin
	case a.installSource == "enterprise-policy":
		return manifests.OriginPolicy
	case a.location == "app-temporary", a.installSource == "temporary-addon", a.installSource == "about:debugging":
		return manifests.OriginUnpacked
	case a.foreign, strings.HasPrefix(a.location, "app-system-"), a.location == "app-global", strings.HasPrefix(a.location, "winreg-"):
		return manifests.OriginSideloaded
	case a.signed >= signedByStore && fromAMO(a):
		return manifests.OriginStore
	}
	return manifests.OriginUnknown
}

// signedByStore is the least signedState of an add-on with a good signature of the store: 2 signed, 3 part of Firefox,
// 4 privileged. Less are 1 preliminary, which was dropped in 2015, 0 missing, -1 unknown and -2 broken (SIGNEDSTATE_* in
// toolkit/mozapps/extensions/AddonManager.sys.mjs). It is not recorded where no signature is asked for.
const signedByStore = 2

// fromAMO reports whether an add-on was fetched from addons.mozilla.org.
func fromAMO(a addon) bool {
	if a.installSource == "amo" || a.installSource == "disco" || a.installSource == "addons.mozilla.org" {
		return true
	}
	u, err := url.Parse(a.sourceURI)
	return err == nil && u.Scheme == "https" && (u.Host == "addons.mozilla.org" || u.Host == "addons.cdn.mozilla.net")
}

func union(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}
