package inventory

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/manifests"
)

// A Watch says what to watch for changes of a profile's extensions.
type Watch struct {
	Files    []string // base names in the profile's folder whose change matters ("Preferences")
	Arrivals string   // absolute folder whose children each receive versions by one rename ("…/Extensions"); "" if none
	// Folders are other absolute folders in which any change matters: Firefox's "extensions", unpacked folders, and the
	// running versions of packed extensions, into which a browser writes nothing once they are installed but _metadata.
	Folders []string
}

// maxRunning bounds how many folders of packed extensions are watched in one profile. People have under 200.
const maxRunning = 500

// maxUnpacked bounds how many folders of unpacked extensions are watched in one profile. Anyone who can write the
// preferences can name any number of them; developers load a handful.
const maxUnpacked = 64

// WatchFor says what to watch for p, from its last listing.
func WatchFor(p browsers.Profile, l Listing) Watch { return watchOn(runtime.GOOS, p, l) }

// watchOn is WatchFor when the agent runs on that system.
func watchOn(system string, p browsers.Profile, l Listing) Watch {
	var w Watch
	switch p.Family {
	case browsers.Chromium:
		w.Files = []string{"Preferences", "Secure Preferences"}
		w.Arrivals = filepath.Join(p.Dir, "Extensions")
	case browsers.Gecko:
		w.Files = []string{"extensions.json", "prefs.js", "extension-preferences.json"}
		w.Folders = []string{filepath.Join(p.Dir, "extensions")}
	default:
		return w
	}
	running := 0
	for _, e := range l.Extensions {
		if running < maxRunning && w.runs(e, system) {
			running++
			w.Folders = append(w.Folders, e.Path)
		}
	}
	unpacked, _ := unpackedFolders(p, l)
	w.Folders = append(w.Folders, unpacked...)
	return w
}

// unpackedFolders lists the folders of unpacked extensions that are watched; more says that there are more than
// maxUnpacked. Only the top folder of each: a build tool may write thousands of files below it.
func unpackedFolders(p browsers.Profile, l Listing) (folders []string, more bool) {
	seen := make(map[string]bool)
	for _, e := range l.Extensions {
		// Without Open the folder holds no extension, or may not be touched.
		if e.Origin != manifests.OriginUnpacked || !e.Enabled || e.Open == nil || !filepath.IsAbs(e.Path) || isRemote(e.Path) ||
			isSystem(runtime.GOOS, e.Path) || seen[e.Path] {
			continue
		}
		seen[e.Path] = true
		if !exists(filepath.Join(e.Path, manifestName)) || isBusy(p, e.Path) {
			continue
		}
		if len(folders) == maxUnpacked {
			return folders, true
		}
		folders = append(folders, e.Path)
	}
	return folders, false
}

// isBusy reports whether a folder is one in which something happens all day: a home or what holds homes, or one for
// temporary files.
func isBusy(p browsers.Profile, dir string) bool {
	if _, above := beneath(dir, p.User.Home); above {
		return true
	}
	switch homes := filepath.Dir(dir); strings.ToLower(filepath.ToSlash(homes[len(filepath.VolumeName(homes)):])) {
	case "/home", "/users":
		return true
	}
	fi, err := os.Stat(dir)
	if err != nil {
		return true
	}
	for _, busy := range []string{filepath.VolumeName(dir) + string(filepath.Separator), p.User.Home, "/home", "/Users", "/tmp", "/var/tmp", os.TempDir()} {
		if other, err := os.Stat(busy); err == nil && os.SameFile(fi, other) {
			return true
		}
	}
	return false
}

func exists(path string) bool { _, err := os.Lstat(path); return err == nil }

// runs reports whether e is a packed extension whose version folder can be watched. macOS would take an open file for
// each file in it. A link is not followed: the browser makes none, and it may lead to a place where much happens.
func (w Watch) runs(e manifests.Extension, system string) bool {
	if system == "darwin" || !e.Enabled || w.Arrivals == "" || filepath.Dir(filepath.Dir(e.Path)) != w.Arrivals {
		return false
	}
	fi, err := os.Lstat(e.Path)
	return err == nil && fi.IsDir()
}
