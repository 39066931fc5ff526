package inventory

import (
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/extwatch/extwatch/manifests"
)

// readAbsolute reads an extension that lies outside the profile: an unpacked one, or one of the browser.
func (c *chromiumProfile) readAbsolute(id string, e *entry) *manifests.Extension {
	x := c.start(id, e)
	if x.CommandLine && !c.isLoading(e.path) {
		// The entry stays in the preferences for ever; without the flag the browser does not load it (Chromium 156).
		x.Enabled = false
		x.Disabled = append(x.Disabled, "not_loaded_now")
	}
	if x.Origin == manifests.OriginBuiltin {
		// Its files are inside the program, not at the path.
		x.Manifest, x.Unreadable = e.manifest, e.broken
		if e.manifest != nil {
			x.Names = appendName(nil, e.manifest.Name)
		} else if x.Unreadable == "" {
			x.Unreadable = "it is part of the browser, which keeps no manifest of it in the profile"
		}
		return x
	}
	f, err := c.outside(x, e.path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errGone) {
		x.Enabled = false
		x.Disabled = append(x.Disabled, "folder_missing")
		x.Unreadable = "its folder does not exist"
	}
	if e.manifest != nil || e.broken != "" { // packed, yet elsewhere
		if err != nil {
			x.Problems = append(x.Problems, manifests.Problem{Path: x.Path, Reason: x.Unreadable})
		}
		x.Manifest, x.Unreadable = e.manifest, e.broken
		if e.manifest != nil {
			x.Names = appendName(nil, e.manifest.Name)
		}
		if err == nil {
			c.combine(x, f)
		}
		return x
	}
	if err == nil {
		f.apply(x)
		c.outdate(x, f)
		x.IDFromPath = f.manifest != nil && f.manifest.Key == ""
	}
	return x
}

// readLoading reads a folder that a live process loads and that the preferences do not name yet.
func (c *chromiumProfile) readLoading(dir string) *manifests.Extension {
	x := identify(c.p)
	x.Origin, x.CommandLine, x.Pending, x.Enabled = manifests.OriginUnpacked, true, true, true
	f, err := c.outside(&x, dir)
	if err == nil {
		f.apply(&x)
	}
	x.ID, x.IDFromPath = folder{manifest: chromiumOnly(f.manifest)}.ownID(c.r.os, dir)
	return &x
}

// chromiumOnly hides a Gecko ID, which Chromium does not use.
func chromiumOnly(m *manifests.Manifest) *manifests.Manifest {
	if m == nil {
		return nil
	}
	return &manifests.Manifest{Key: m.Key}
}

// outside reads the folder at an absolute path of the preferences, and sets x.Unreadable when it cannot be read. A path
// that must not be touched is told in words only: others would look at x.Path.
func (c *chromiumProfile) outside(x *manifests.Extension, path string) (folder, error) {
	place, err := c.r.local(path)
	if err != nil {
		x.Unreadable = err.Error() + ": " + quoted(path)
		return folder{}, err
	}
	root, err := c.r.openOutside(place, c.h.owner)
	if elsewhere(err) {
		x.Unreadable = err.Error() + ": " + quoted(path)
		return folder{}, err
	}
	x.Path = place
	if err != nil {
		x.Unreadable = "its folder: " + reason(err)
		return folder{}, err
	}
	defer root.Close()
	r, uid := c.r, c.h.owner
	f, err := c.r.readFolder(c.m, place, root, ".", true)
	if err != nil {
		x.Unreadable = err.Error()
	}
	if f.extension { // the files of another folder are nobody's business
		x.Open = func() (manifests.Files, error) {
			return openFiles(func() (*os.Root, error) { return r.openOutside(place, uid) }, ".")
		}
	}
	return f, err
}

func (c *chromiumProfile) isLoading(path string) bool {
	return slices.Contains(c.loading, c.r.resolve(path))
}
