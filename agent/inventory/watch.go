package inventory

import (
	"os"
	"path/filepath"
	"runtime"

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
	seen := make(map[string]bool)
	running := 0
	for _, e := range l.Extensions {
		if w.runs(e, system) && running < maxRunning {
			running++
			w.Folders = append(w.Folders, e.Path)
			continue
		}
		// Only the top folder: a build tool may write thousands of files below it.
		if e.Origin == manifests.OriginUnpacked && e.Enabled && e.Path != "" && !seen[e.Path] && isDir(e.Path) {
			seen[e.Path] = true
			w.Folders = append(w.Folders, e.Path)
		}
	}
	return w
}

// runs reports whether e is a packed extension whose version folder can be watched. macOS would take an open file for
// each file in it. A link is not followed: the browser makes none, and it may lead to a place where much happens.
func (w Watch) runs(e manifests.Extension, system string) bool {
	if system == "darwin" || !e.Enabled || w.Arrivals == "" || filepath.Dir(filepath.Dir(e.Path)) != w.Arrivals {
		return false
	}
	fi, err := os.Lstat(e.Path)
	return err == nil && fi.IsDir()
}
