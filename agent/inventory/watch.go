package inventory

import (
	"path/filepath"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/manifests"
)

// A Watch says what to watch for changes of a profile's extensions.
type Watch struct {
	Files    []string // base names in the profile's folder whose change matters ("Preferences")
	Arrivals string   // absolute folder whose children each receive versions by one rename ("…/Extensions"); "" if none
	Folders  []string // other absolute folders in which any change matters (Firefox "extensions", unpacked folders)
}

// WatchFor says what to watch for p, from its last listing.
func WatchFor(p browsers.Profile, l Listing) Watch {
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
	for _, e := range l.Extensions {
		// Only the top folder: a build tool may write thousands of files below it.
		if e.Origin == manifests.OriginUnpacked && e.Enabled && e.Path != "" && !seen[e.Path] && isDir(e.Path) {
			seen[e.Path] = true
			w.Folders = append(w.Folders, e.Path)
		}
	}
	return w
}
