package browsers

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// geckoMarks are the files of which one makes a folder a profile. prefs.js is written at the first start, extensions.json
// a little later.
var geckoMarks = [...]string{"extensions.json", "prefs.js"}

// gecko lists the profiles of a root: what profiles.ini names, and every folder in it and in Profiles that looks like
// one. The profiles of Firefox's own profile menu are not in profiles.ini but beside the others (measured on 153).
func (h *homeScan) gecko(f folder, r row) {
	names, ok := h.open(f, r)
	if !ok {
		return
	}
	known := map[string]bool{}
	add := func(sub folder, display string) bool {
		if known[h.fold(sub.path)] {
			return true
		}
		known[h.fold(sub.path)] = true
		name := filepath.Base(sub.path)
		if rel, err := filepath.Rel(f.path, sub.path); err == nil && filepath.IsLocal(rel) {
			name = filepath.ToSlash(rel)
		}
		return h.add(f, r, name, display, sub.path)
	}
	for _, p := range h.profilesINI(f) {
		if sub, ok := h.iniFolder(f, p); ok && !add(sub, plainName(p.name)) {
			return
		}
	}
	if !h.geckoFolders(f, names, add) {
		return
	}
	sub, ok := h.enter(f, "Profiles")
	if !ok {
		return
	}
	h.data = append(h.data, Await{sub.path, ""})
	names, err := sub.list()
	if err != nil {
		h.problem(sub.path, h.reason(err))
	}
	h.geckoFolders(sub, names, add)
}

// geckoFolders adds the sub-folders of f that are profiles.
func (h *homeScan) geckoFolders(f folder, names []string, add func(folder, string) bool) bool {
	for _, name := range names {
		if !h.mayHold(f, name, geckoMarks[:]) {
			continue
		}
		sub, ok := h.enter(f, name)
		if ok && h.holds(sub.path, geckoMarks[:]) && !add(sub, "") {
			return false
		}
	}
	return true
}

// iniFolder returns the folder of a profile that profiles.ini names. It may be anywhere; a profile that is not there is
// silence, as it is for the browser.
func (h *homeScan) iniFolder(f folder, p iniProfile) (folder, bool) {
	ini := filepath.Join(f.path, "profiles.ini")
	path, err := h.iniPath(f, p)
	if err != nil {
		h.problem(ini, fmt.Sprintf("profile %.100q: %v", p.path, err))
		return folder{}, false
	}
	real, err := resolve(h.root, path)
	if err != nil {
		if !missing(err) {
			h.problem(path, h.reason(err))
		}
		return folder{}, false
	}
	return h.at(real, path)
}

func (h *homeScan) iniPath(f folder, p iniProfile) (string, error) {
	name := p.path
	if len(name) > maxPath || strings.ContainsRune(name, 0) || name == "" {
		return "", errors.New("is not a path")
	}
	if h.os == onWindows {
		name = strings.ReplaceAll(name, `\`, "/")
	}
	if p.relative {
		// Not cleaned: resolve keeps ".." within a mounted disk.
		return f.path + string(filepath.Separator) + filepath.FromSlash(name), nil
	}
	return h.hostPath(name)
}

// hostPath returns where an absolute path of the inspected system lies on this host. name has forward slashes.
func (h *homeScan) hostPath(name string) (string, error) {
	if h.os == onWindows {
		drive, rest, ok := strings.Cut(name, ":/")
		if !ok || len(drive) != 1 {
			return "", errors.New("is not a path on a local disk; not read")
		}
		if h.live {
			return filepath.Clean(filepath.FromSlash(name)), nil
		}
		if !strings.EqualFold(drive, "c") {
			return "", errors.New("is on another disk than the one inspected; not read")
		}
		name = "/" + rest
	}
	if !strings.HasPrefix(name, "/") {
		return "", errors.New("is not an absolute path; not read")
	}
	return filepath.Join(h.root, filepath.Clean(filepath.FromSlash(name))), nil
}

func (h *homeScan) profilesINI(f folder) []iniProfile {
	const name = "profiles.ini"
	b, err := f.read(name, maxINI)
	if err != nil {
		if !missing(err) {
			h.problem(filepath.Join(f.path, name), h.reason(err))
		}
		return nil
	}
	profiles, err := parseProfilesINI(b)
	if err != nil {
		h.problem(filepath.Join(f.path, name), err.Error())
	}
	return profiles
}

// An iniProfile is one [ProfileN] of profiles.ini.
type iniProfile struct {
	path     string
	relative bool
	name     string
}

// parseProfilesINI reads the profiles. Lines that are not understood are passed over, as Firefox does; the last of two
// equal keys wins.
func parseProfilesINI(b []byte) ([]iniProfile, error) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	var out []iniProfile
	var at *iniProfile
	for line := range bytes.SplitSeq(b, []byte("\n")) {
		text := strings.TrimSpace(string(line))
		if section, ok := strings.CutPrefix(text, "["); ok {
			at = nil
			if strings.HasPrefix(section, "Profile") && strings.HasSuffix(section, "]") {
				if len(out) == maxProfiles {
					return named(out), fmt.Errorf("names more than %d profiles; the others are not read", maxProfiles)
				}
				out = append(out, iniProfile{relative: true})
				at = &out[len(out)-1]
			}
			continue
		}
		key, value, ok := strings.Cut(text, "=")
		if !ok || at == nil {
			continue
		}
		switch key {
		case "Path":
			at.path = value
		case "IsRelative":
			at.relative = value != "0"
		case "Name":
			at.name = value
		}
	}
	return named(out), nil
}

// named leaves out the sections without a path.
func named(all []iniProfile) []iniProfile {
	var out []iniProfile
	for _, p := range all {
		if p.path != "" {
			out = append(out, p)
		}
	}
	return out
}
