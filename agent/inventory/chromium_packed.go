package inventory

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/extwatch/extwatch/manifests"
)

// readPacked reads an extension whose files lie in the folder Extensions.
func (c *chromiumProfile) readPacked(id string, e *entry) (*manifests.Extension, []manifests.Problem) {
	x := c.start(id, e)
	x.Manifest, x.Unreadable = e.manifest, e.broken
	if e.manifest != nil {
		x.Problems = slices.Clone(e.manifest.Problems)
		x.Names = appendName(nil, e.manifest.Name)
	}
	named, ok := c.versionFolder(e.path)
	if !ok {
		if e.location != locInternal { // doubts tells of those
			x.Problems = append(x.Problems, manifests.Problem{Reason: fmt.Sprintf("the preferences give the path %s, which is no version folder of Extensions", quoted(e.path))})
		}
		if x.Manifest == nil && x.Unreadable == "" {
			x.Unreadable = "the path in the preferences is no version folder of Extensions"
		}
		return x, nil
	}
	if c.ext.root == nil {
		if !c.ext.lost {
			return nil, nil // no Extensions folder: uninstalled a moment ago, or copied preferences
		}
		if x.Manifest == nil && x.Unreadable == "" {
			x.Unreadable = "the folder Extensions cannot be read"
		}
		return x, nil
	}
	dir, pending, problems := c.choose(id, named, e)
	if dir == "" {
		return nil, problems
	}
	x.Path = filepath.Join(c.ext.path, filepath.FromSlash(dir))
	x.Pending = pending
	x.Open = c.opener(dir)
	if c.r.brief && !pending && x.Manifest != nil && !strings.Contains(x.Manifest.Name, "__MSG_") {
		return x, problems // the browser's copy says all that is asked
	}
	f, err := c.folder(dir)
	if err != nil {
		return nil, problems
	}
	c.combine(x, f)
	return x, problems
}

// combine adds what the folder of a packed extension says to what the preferences say.
func (c *chromiumProfile) combine(x *manifests.Extension, f folder) {
	switch {
	case x.Pending:
		x.Problems, x.Granted = nil, nil // what the preferences say of both is about the version before
		f.apply(x)
	case x.Manifest == nil && x.Unreadable == "":
		x.Problems = nil
		f.apply(x)
		c.outdate(x, f)
	case f.manifest == nil:
		x.Problems = append(x.Problems, manifests.Problem{File: manifestName, Reason: "on disk: " + strings.TrimPrefix(f.unreadable, manifestName+": ")})
	default:
		// Chromium's own copy is localized; that of a tool that wrote the preferences may not be.
		if x.Manifest != nil && strings.Contains(x.Manifest.Name, "__MSG_") && !strings.Contains(f.manifest.Name, "__MSG_") {
			localized := *x.Manifest
			localized.Name = f.manifest.Name
			x.Manifest, x.Names = &localized, nil
		}
		if slices.Contains(f.names, x.Name()) || len(x.Names) == 0 {
			x.Names = f.names
		} else {
			x.Names = append(slices.Clip(x.Names), f.names...)
		}
		if x.Manifest != nil && !c.r.brief {
			x.DiskDiffers = c.m.differences(x.ID, x.Manifest, f.manifest)
		}
	}
}

// outdate forgets what was granted when the manifest, which runs from disk, was edited since the preferences were written:
// the grants are those of what it asked for before. A time in the future was set by someone, and says nothing.
func (c *chromiumProfile) outdate(x *manifests.Extension, f folder) {
	if f.manifest != nil && f.modified.After(c.prefs.written) && f.modified.Before(time.Now().Add(prefsDelay)) {
		x.Granted = nil
	}
}

// choose returns the version folder that runs, or will: the one that the preferences name, or a newer one that they do
// not know yet. "" means that none is left.
func (c *chromiumProfile) choose(id, named string, e *entry) (dir string, pending bool, problems []manifests.Problem) {
	names, err := c.ext.versionsOf(path.Dir(named), c.m)
	if err != nil {
		return named, false, []manifests.Problem{{Path: filepath.Join(c.ext.path, path.Dir(named)), Reason: reason(err)}}
	}
	list := sortVersions(names)
	there := slices.Contains(names, path.Base(named))
	if len(list) == 0 || list[0].name == path.Base(named) {
		if !there {
			return "", false, nil
		}
		return named, false, nil
	}
	newest := path.Join(path.Dir(named), list[0].name)
	if !there {
		return newest, true, nil
	}
	if now, ok := parseVersion(path.Base(named)); ok && list[0].compare(now) <= 0 {
		return named, false, nil // older ones stay until the next start of the browser
	}
	// Anyone who can write here can make a folder with a high number to hide the version that runs. So a newer folder
	// counts only when the browser can just have made it and it holds an extension, and only for a while: then the
	// preferences would name it. An update may also wait for days until the extension is idle; the old one runs meanwhile.
	t := c.ext.modified(newest)
	fits := e.waiting || t.After(c.prefs.written.Add(-prefsDelay)) && t.Before(time.Now().Add(prefsDelay))
	if f, err := c.folder(newest); fits && err == nil && f.manifest != nil {
		if c.isNew(newest, time.Now()) {
			return newest, true, nil
		}
		if e.waiting {
			return named, false, nil
		}
	}
	return named, false, []manifests.Problem{problemAt(filepath.Join(c.ext.path, filepath.FromSlash(newest)),
		"a newer version of %s lies here that the browser does not use", id)}
}

// isNew reports whether a version folder came within the last pendingFor, as the file system and this reader saw it: what
// the file system says its owner can renew.
func (c *chromiumProfile) isNew(dir string, now time.Time) bool {
	first, ok := c.m.newer.keep(dir, c.m.gen)
	if !ok {
		first = now
		c.m.newer.put(dir, nil, c.m.gen, now)
	}
	fi, err := c.ext.root.Stat(dir)
	if err != nil {
		return false
	}
	s := stampOf(fi)
	since := time.Unix(0, s.ctime)
	if s.ctime == 0 {
		since = fi.ModTime()
	}
	return now.Sub(first) < pendingFor && now.Sub(since) < pendingFor
}

// readPending reads an ID folder that the preferences do not know.
func (c *chromiumProfile) readPending(id string) (*manifests.Extension, []manifests.Problem) {
	names, err := c.ext.versionsOf(id, c.m)
	x := identify(c.p)
	x.ID, x.Origin = id, manifests.OriginUnknown
	// Chromium enables what it installs; whether it asked the person first is not known before the preferences are.
	x.Pending, x.Enabled = true, true
	if err != nil {
		x.Path = filepath.Join(c.ext.path, id)
		x.Unreadable = reason(err)
		return &x, nil
	}
	list := sortVersions(names)
	if len(list) == 0 {
		return nil, nil // the version follows within milliseconds, or the last of it is being removed
	}
	dir := path.Join(id, list[0].name)
	f, err := c.folder(dir)
	if err != nil {
		return nil, nil
	}
	x.Path = filepath.Join(c.ext.path, filepath.FromSlash(dir))
	x.Open = c.opener(dir)
	f.apply(&x)
	if o, fromStore := c.placed(id); o != manifests.OriginUnknown {
		x.Origin, x.FromStore = o, fromStore
	} else if f.verified {
		x.Origin = manifests.OriginStore
	}
	return &x, nil
}

// folder reads a version folder, waiting a moment when it is changing. Its error means that the folder is gone.
func (c *chromiumProfile) folder(dir string) (folder, error) {
	f, err := c.r.readFolder(c.m, dir, c.ext.root, dir, false)
	if err == nil && f.unreadable == manifestName+" is missing" {
		time.Sleep(vanishWait)
		f, err = c.r.readFolder(c.m, dir, c.ext.root, dir, false)
	}
	return f, err
}

func (c *chromiumProfile) opener(dir string) func() (manifests.Files, error) {
	r, p := c.r, c.p
	return func() (manifests.Files, error) {
		return openFiles(func() (*os.Root, error) {
			h, err := r.hold(p)
			if err != nil {
				return nil, err
			}
			defer h.close()
			return h.sub("Extensions")
		}, dir)
	}
}
