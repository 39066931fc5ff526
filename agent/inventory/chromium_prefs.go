package inventory

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/extwatch/extwatch/manifests"
)

// Values of "location" (extensions/common/mojom/manifest.mojom in Chromium).
const (
	locInternal         = 1 // installed by the person
	locExternalPref     = 2 // named by an external-extensions file, which also names the package
	locExternalRegistry = 3
	locUnpacked         = 4
	locComponent        = 5
	locExternalDownload = 6 // named by another program or by policy, fetched from its update URL
	locPolicyDownload   = 7
	locCommandLine      = 8
	locPolicy           = 9
	locExternalBuiltin  = 10
)

// missingFor is how long the last contents of a preferences file that vanished still count. Chromium replaces it by a
// rename, which leaves no gap; a tool or a person that copies a profile may leave seconds.
const missingFor = time.Minute

// An entry is what the preferences say of one extension.
type entry struct {
	installed bool // it has location and path
	location  int64
	path      string
	wrong     string // what is wrong with an entry that browsers pass over, though it is more than a residue
	fromStore bool
	vendor    bool // one that came with the browser or the computer
	waiting   bool // an update is staged until the extension is idle
	disabled  []string
	old       []string // why it is disabled, in the terms of a browser before disableList

	manifest *manifests.Manifest // the browser's own copy, localized; nil for unpacked ones
	broken   string              // why the copy could not be read

	granted            *manifests.Access
	withheld           bool
	installedAt, updAt time.Time
}

// prefsFile is what one preferences file says of extensions.
type prefsFile struct {
	written time.Time
	entries map[string]*entry
	hashes  map[string]uint64 // of each entry's text
	more    bool              // it held more than maxExtensions
	version int               // the major version of the Chromium that used the profile last; 0 when it does not say
}

// preferences is what both files of a profile say together.
type preferences struct {
	entries map[string]*entry
	written time.Time // of the newer file; zero when none could be read
	version int
}

// readPreferences reads both files. Which of them holds the extensions depends on the system and on whether the machine
// belongs to an organisation, so both always count; a complete entry beats a residual one, and Secure Preferences wins.
func (r *Reader) readPreferences(h *held, m *memory, l *Listing) preferences {
	all := preferences{entries: make(map[string]*entry)}
	for _, name := range []string{"Preferences", "Secure Preferences"} {
		f, err := r.readPrefsFile(h, m, name)
		if err == nil {
			delete(m.lost, name)
		} else {
			var again bool
			if f, again = m.lastGood(name, errors.Is(err, fs.ErrNotExist), time.Now()); again || !errors.Is(err, fs.ErrNotExist) {
				l.problem(filepath.Join(h.path, name), err)
			}
			if !again {
				continue
			}
		}
		if f.more {
			l.Problems = append(l.Problems, problemAt(filepath.Join(h.path, name),
				"it names more than %d extensions; the rest is not read", maxExtensions))
		}
		all.version = max(all.version, f.version)
		if f.written.After(all.written) {
			all.written = f.written
		}
		for id, e := range f.entries {
			if e.wrong != "" {
				l.Problems = append(l.Problems, problemAt(filepath.Join(h.path, name),
					"the %s of %s has a type that browsers do not write; they pass over the entry", e.wrong, id))
			}
			if old := all.entries[id]; old == nil || e.installed || !old.installed {
				all.entries[id] = e
			}
		}
	}
	return all
}

// lastGood returns what a preferences file said before it could not be read: half written, broken, or gone for a moment.
// Without it all its extensions would look as if they had just come. A file that stays away is believed to be gone.
func (m *memory) lastGood(name string, missing bool, now time.Time) (*prefsFile, bool) {
	if !missing {
		delete(m.lost, name)
		return m.files.keep(name, m.gen)
	}
	if m.lost[name].IsZero() {
		m.lost[name] = now
	}
	if now.Sub(m.lost[name]) > missingFor {
		return nil, false
	}
	return m.files.keep(name, m.gen)
}

func (r *Reader) readPrefsFile(h *held, m *memory, name string) (*prefsFile, error) {
	fi, err := statPlain(h.dir, name)
	if err != nil {
		return nil, err
	}
	stamps := []stamp{stampOf(fi)}
	if f, ok := m.files.get(name, stamps, m.gen); ok {
		return f, nil
	}
	data, err := readRegular(h.dir, name, maxPreferences)
	if err != nil {
		return nil, err
	}
	f, err := parsePreferences(data, m.seed, m.files.last(name))
	if err != nil {
		return nil, err
	}
	f.written = fi.ModTime()
	m.files.put(name, stamps, m.gen, f)
	return f, nil
}

// parsePreferences reads extensions.settings of a preferences file, and Opera's extensions.opsettings. It looks at
// nothing else in the file: e-mail addresses and lists of visited sites lie beside it. Entries whose text is as in old,
// which may be nil, are taken from there: Chromium rewrites the file every few seconds while someone browses, and the
// entries rarely change with it.
func parsePreferences(data []byte, seed maphash.Seed, old *prefsFile) (*prefsFile, error) {
	top, err := manifests.ReadJSON(data)
	if err != nil {
		return nil, fmt.Errorf("it is not valid JSON: %w", err)
	}
	if !top.IsObject() {
		return nil, errors.New("it does not hold a JSON object")
	}
	f := &prefsFile{entries: make(map[string]*entry), hashes: make(map[string]uint64)}
	ext := member(top, "extensions")
	major, _, _ := strings.Cut(member(ext, "last_chrome_version").Str, ".")
	f.version, _ = strconv.Atoi(major)
	for _, key := range []string{"opsettings", "settings"} {
		member(ext, key).ForEach(func(id, value gjson.Result) bool {
			// Chromium passes over keys that are not IDs (extensions/browser/extension_prefs.cc).
			if !manifests.ValidID(id.Str) {
				return true
			}
			if len(f.entries) >= maxExtensions {
				f.more = true
				return false
			}
			hash := maphash.String(seed, value.Raw)
			e := old.entry(id.Str, hash)
			if e == nil {
				e = parseEntry(value)
			}
			if key == "opsettings" || e.installed || f.entries[id.Str] == nil {
				name := strings.Clone(id.Str)
				f.entries[name], f.hashes[name] = e, hash
			}
			return true
		})
	}
	return f, nil
}

// member returns the value of the last member named key, which is the one that Chromium uses.
func member(object gjson.Result, key string) (value gjson.Result) {
	if !object.IsObject() {
		return gjson.Result{}
	}
	object.ForEach(func(k, v gjson.Result) bool {
		if k.Str == key {
			value = v
		}
		return true
	})
	return value
}

// entry returns what the text with that hash was parsed to.
func (f *prefsFile) entry(id string, hash uint64) *entry {
	if f == nil || f.hashes[id] != hash {
		return nil
	}
	return f.entries[id]
}

// parseEntry reads one entry. It copies what it keeps, so that the rest of the file can be freed.
func parseEntry(value gjson.Result) *entry {
	o := manifests.Object(value)
	loc, path := o["location"], o["path"]
	e := &entry{
		installed: loc.Type == gjson.Number && path.Type == gjson.String,
		location:  loc.Int(),
		path:      strings.Clone(path.String()),
	}
	if !e.installed {
		e.wrong = wrongType(loc, path)
		return e
	}
	e.vendor = o["was_installed_by_default"].Type == gjson.True || o["was_installed_by_oem"].Type == gjson.True
	e.fromStore = o["from_webstore"].Bool()
	e.waiting = o["idle_install_info"].IsObject()
	e.disabled, e.old = disableReasons(o)
	e.withheld = o["withholding_permissions"].Type == gjson.True
	e.granted = grantedAccess(o)
	e.installedAt = chromeTime(o["first_install_time"])
	if e.installedAt.IsZero() {
		e.installedAt = chromeTime(o["install_time"])
	}
	e.updAt = chromeTime(o["last_update_time"])
	if man := o["manifest"]; man.IsObject() && e.location != locUnpacked && e.location != locCommandLine {
		var err error
		if e.manifest, err = manifests.Parse([]byte(man.Raw)); err != nil {
			e.broken = "the browser's copy of its manifest: " + err.Error()
		}
	}
	return e
}

// wrongType says which of the values that make an entry one of an installed extension has a type that no browser writes.
func wrongType(location, path gjson.Result) string {
	switch {
	case location.Exists() && location.Type != gjson.Number:
		return "location"
	case path.Exists() && path.Type != gjson.String:
		return "path"
	}
	return ""
}

// chromeTime reads microseconds since 1601, written as a string. Past the year 9999 it is no date.
func chromeTime(v gjson.Result) time.Time {
	us, err := strconv.ParseInt(v.String(), 10, 64)
	const to1970 = 11_644_473_600 // seconds
	if err != nil || us <= 0 || us/1e6-to1970 > 253_402_300_799 {
		return time.Time{}
	}
	return time.Unix(us/1e6-to1970, us%1e6*1000).UTC()
}

// grantedAccess is what the extension may use now: the active permissions and what the person granted while it ran.
func grantedAccess(o map[string]gjson.Result) *manifests.Access {
	var a *manifests.Access
	for _, key := range []string{"active_permissions", "runtime_granted_permissions"} {
		if !o[key].IsObject() {
			continue
		}
		if a == nil {
			a = &manifests.Access{}
		}
		set := manifests.Object(o[key])
		a.APIs = appendStrings(a.APIs, set["api"])
		a.Hosts = appendStrings(a.Hosts, set["explicit_host"])
		a.Hosts = appendStrings(a.Hosts, set["scriptable_host"])
	}
	return a
}

// appendStrings appends the strings of a list that are not in it yet. An API with settings is written as an object with
// its name as the only key.
func appendStrings(list []string, v gjson.Result) []string {
	seen := make(map[string]bool, len(list))
	for _, s := range list {
		seen[s] = true
	}
	add := func(s string) {
		if !seen[s] {
			seen[s] = true
			list = append(list, strings.Clone(s))
		}
	}
	if !v.IsArray() {
		return list
	}
	v.ForEach(func(_, item gjson.Result) bool {
		switch {
		case item.Type == gjson.String:
			add(item.Str)
		case item.IsObject():
			item.ForEach(func(k, _ gjson.Result) bool { add(k.Str); return true })
		}
		return true
	})
	return list
}
