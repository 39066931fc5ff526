package browsers

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// profileMarks are the entries of which one makes a folder a profile. A fresh profile whose browser was killed within
// 10 s has no preferences yet, but may have an extension (measured on Chromium 156.0.8078.79).
var profileMarks = [...]string{"Preferences", "Secure Preferences", "Extensions"}

// notProfiles are folders that look like profiles or hold old copies of them. One that holds extensions counts all the
// same: its name must not be a hiding place.
func notProfile(name string) bool {
	switch name {
	case "System Profile", "Guest Profile", "Snapshots", "Crashpad":
		return true
	}
	return false
}

// chromium lists the profiles of a user data folder: what "Local State" names, and every folder that looks like one.
func (h *homeScan) chromium(f folder, r row) {
	names, ok := h.open(f, r)
	if !ok {
		return
	}
	state := h.localState(f)
	if state.lastUsed != "" {
		h.lastUsed[f.path] = state.lastUsed
	}
	if r.layout == operaData && h.isProfile(f.path) && !h.add(f, r, ".", "", f.path) {
		return
	}
	for _, listed := range []bool{true, false} { // those that the browser lists first, lest decoys use up the bound
		for _, name := range names {
			display, inState := state.profiles[name]
			if inState == listed && !h.chromiumProfile(f, r, name, inState, display) {
				return
			}
		}
	}
	if r.layout == operaData {
		h.sideProfiles(f, r)
	}
}

// chromiumProfile adds the profile in the folder name, if it is one. It returns false when there are too many.
func (h *homeScan) chromiumProfile(f folder, r row, name string, inState bool, display string) bool {
	marks := profileMarks[:]
	if notProfile(name) {
		marks, inState = []string{"Extensions"}, false
	}
	if !inState && !h.mayHold(f, name, marks) {
		return true
	}
	sub, ok := h.enter(f, name)
	if !ok || !inState && !h.holds(sub.path, marks) {
		return true
	}
	return h.add(f, r, name, display, sub.path)
}

// isProfile reports whether the folder dir is a Chromium profile.
func (h *homeScan) isProfile(dir string) bool { return h.holds(dir, profileMarks[:]) }

// mayHold is a quick look, by name, whether the folder name in f is worth entering; most are not. Links always are: on a
// mounted disk they lead elsewhere than the system thinks.
func (h *homeScan) mayHold(f folder, name string, marks []string) bool {
	path := filepath.Join(f.path, name)
	fi, err := os.Lstat(path)
	if err != nil || fi.IsDir() {
		return err == nil && h.holds(path, marks)
	}
	return fi.Mode()&(fs.ModeSymlink|fs.ModeIrregular) != 0
}

// holds reports whether dir has one of the entries. It only looks, it opens nothing.
func (h *homeScan) holds(dir string, names []string) bool {
	for _, name := range names {
		_, err := os.Lstat(filepath.Join(dir, name))
		if err == nil {
			return true
		}
		if !missing(err) {
			h.problem(dir, h.reason(err))
			return false
		}
	}
	return false
}

// sideProfiles lists Opera's further profiles, each a folder with the profile in it or in its Default.
func (h *homeScan) sideProfiles(f folder, r row) {
	const name = "_side_profiles"
	sides, ok := h.enter(f, name)
	if !ok {
		return
	}
	h.data = append(h.data, Await{sides.path, ""})
	ids, err := sides.list()
	if err != nil {
		h.problem(sides.path, h.reason(err))
	}
	for _, id := range ids {
		side, ok := h.enter(sides, id)
		if !ok {
			continue
		}
		if h.isProfile(side.path) && !h.add(f, r, path.Join(name, id), "", side.path) {
			return
		}
		sub, ok := h.enter(side, "Default")
		if ok && h.isProfile(sub.path) && !h.add(f, r, path.Join(name, id, "Default"), "", sub.path) {
			return
		}
	}
}

// localState is what is kept of a "Local State" file.
type localState struct {
	profiles map[string]string // folder name -> the name that the person gave it
	refused  []string          // names that are no folder names
	lastUsed string            // folder name
}

// localState reads the list of profiles. Without it the folders still tell.
func (h *homeScan) localState(f folder) localState {
	const name = "Local State"
	b, err := f.read(name, maxLocalState)
	if err != nil {
		if !missing(err) {
			h.problem(filepath.Join(f.path, name), h.reason(err))
		}
		return localState{}
	}
	state, err := parseLocalState(b)
	if err != nil {
		h.problem(filepath.Join(f.path, name), err.Error())
	}
	for _, key := range state.refused {
		h.problem(filepath.Join(f.path, name), fmt.Sprintf("names a profile %.100q, which is not a folder name; ignored", key))
	}
	return state
}

var (
	errNotJSON = errors.New("is not JSON; profiles are found by their folders only")
	errTooDeep = fmt.Errorf("is nested deeper than %d levels, which no browser reads; profiles are found by their folders only", maxDepth)
)

// parseLocalState reads profile.info_cache and profile.last_used. It never looks at the account names beside them.
func parseLocalState(b []byte) (localState, error) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if tooDeep(b) {
		return localState{}, errTooDeep
	}
	if !gjson.ValidBytes(b) {
		return localState{}, errNotJSON
	}
	state := localState{profiles: map[string]string{}}
	profile := gjson.GetBytes(b, "profile")
	profile.Get("info_cache").ForEach(func(key, value gjson.Result) bool {
		if key.Type != gjson.String { // info_cache is an array
			return false
		}
		name := strings.Clone(key.String())
		if !isFolderName(name) {
			state.refused = append(state.refused, name)
		} else {
			state.profiles[name] = displayName(value.Get("name"))
		}
		return len(state.profiles)+len(state.refused) < maxProfiles
	})
	if last := profile.Get("last_used"); last.Type == gjson.String && isFolderName(last.String()) {
		state.lastUsed = strings.Clone(last.String())
	}
	return state, nil
}

// isFolderName reports whether name can be one folder in the user data folder, on any system.
func isFolderName(name string) bool {
	return name != "" && name != "." && name != ".." && len(name) <= 255 && !strings.ContainsAny(name, "/\\\x00")
}

// displayName returns the name that a person gave a profile, or nothing if it is an e-mail address: some browsers put
// the account there.
func displayName(v gjson.Result) string {
	if v.Type != gjson.String {
		return ""
	}
	return plainName(v.String())
}

func plainName(name string) string {
	if strings.Contains(name, "@") {
		return ""
	}
	if !utf8.ValidString(name) {
		name = strings.ToValidUTF8(name, "\uFFFD") // first: it grows
	}
	for i := range name {
		if i > maxDisplay {
			name = name[:i]
			break
		}
	}
	return strings.Clone(name)
}

// tooDeep reports whether JSON is nested deeper than maxDepth. gjson recurses, and a stack that is too deep ends the
// process.
func tooDeep(b []byte) bool {
	depth, inString := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
