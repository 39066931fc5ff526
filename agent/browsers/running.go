package browsers

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// running marks the profiles that live browsers use, and adds those that only a command line names.
func (s *scan) running(ctx context.Context) {
	if s.processes == nil {
		return
	}
	procs, err := s.processes()
	if err != nil {
		s.problem("", "not all running browsers are known: "+err.Error())
	}
	known := programs()
	for _, p := range procs {
		if ctx.Err() != nil {
			return
		}
		u := s.userOf(p)
		r, ok := parseRun(known, p, s.os, u.Home)
		if !ok {
			continue
		}
		for _, path := range r.unknown {
			s.problem(path, fmt.Sprintf("is named by a running %s (process %d), relative to a folder that is not known", r.title, p.PID))
		}
		if u.Home == "" {
			u = s.userByPath(u, r)
		}
		switch {
		case r.lost:
		case r.dataDir != "":
			s.customChromium(u, r)
		case r.profile != "":
			s.customGecko(u, r)
		default:
			s.usual(u, r)
		}
	}
}

// userOf returns the user whose process p is.
func (s *scan) userOf(p Process) User {
	for _, u := range s.all {
		if p.UID >= 0 && u.UID == p.UID {
			return u
		}
	}
	if p.UID < 0 {
		return User{UID: -1}
	}
	return User{Name: "uid " + strconv.Itoa(p.UID), UID: p.UID}
}

// userByPath guesses the user from the home in which the named folder lies, where the system does not tell (Windows).
func (s *scan) userByPath(u User, r run) User {
	if u.UID >= 0 {
		return u
	}
	for _, v := range s.all {
		if below(s.fold(v.Home), s.fold(r.dataDir+r.profile)) {
			return v
		}
	}
	return u
}

// customChromium handles --user-data-dir.
func (s *scan) customChromium(u User, r run) {
	real, ok := s.dirOf(r, r.dataDir)
	if !ok {
		return
	}
	if !s.hasDataDir(real) {
		s.scanCustom(u, r, real, func(h *homeScan, f folder) {
			h.dataFolder(f, custom(r.executable, real))
			if len(h.profiles) == 0 { // it has just been started: preferences come 10 s later
				name := r.profileDir
				if name == "" {
					name = "Default"
				}
				h.add(f, custom(r.executable, real), name, "", filepath.Join(real, name))
			}
		})
	}
	s.mark(r, func(p Profile) bool { return s.samePath(p.DataDir, real) })
}

// customGecko handles -profile.
func (s *scan) customGecko(u User, r run) {
	real, ok := s.dirOf(r, r.profile)
	if !ok {
		return
	}
	if !s.dirs[s.fold(real)] {
		s.scanCustom(u, r, real, func(h *homeScan, f folder) {
			h.add(f, custom(r.executable, real), ".", "", real)
		})
	}
	s.mark(r, func(p Profile) bool { return s.samePath(p.Dir, real) })
}

// dirOf returns the real path of a folder that a running browser uses. That it is not there is worth telling: the
// browser runs, perhaps in a container, and we do not see its profile.
func (s *scan) dirOf(r run, dir string) (string, bool) {
	real, err := resolve("", dir)
	if err != nil {
		why := s.reason(err)
		if missing(err) {
			why = "is not there; is the browser in a container?"
		}
		s.problem(dir, fmt.Sprintf("is used by a running %s (process %d), and cannot be read: %s", r.title, r.PID, why))
		return "", false
	}
	return real, true
}

func (s *scan) hasDataDir(dir string) bool {
	return slices.ContainsFunc(s.profiles, func(p Profile) bool { return s.samePath(p.DataDir, dir) })
}

// scanCustom reads a folder that the table does not know, with the rights of the user whose process names it.
func (s *scan) scanCustom(u User, r run, real string, read func(*homeScan, folder)) {
	h := s.newHome(u)
	defer h.close()
	if u.Home != "" {
		h.enterHome()
	}
	if f, ok := h.at(real, real); ok {
		read(h, f)
	}
	for _, p := range h.profiles {
		s.add(p)
	}
	s.data = append(s.data, h.data...)
	for _, p := range h.problems {
		s.problem(p.Path, p.Reason)
	}
	for dir, name := range h.lastUsed {
		s.lastUsed[dir] = name
	}
}

// usual handles a browser that names no folder: it uses its user's usual one. If there are several (channels, Flatpak),
// the lock says which; without a lock all of them are marked.
func (s *scan) usual(u User, r run) {
	mine := func(p Profile) bool {
		return p.Family == r.family && sameBrowser(r.browser, p.Browser) && (r.UID < 0 || p.User.UID == r.UID) &&
			(r.name == "" || p.Display == r.name)
	}
	for _, p := range s.profiles {
		if mine(p) && s.locked(p, r.PID) {
			at := p
			s.mark(r, func(p Profile) bool {
				return p.Dir == at.Dir || at.Family == Chromium && p.DataDir == at.DataDir
			})
			return
		}
	}
	s.mark(r, mine)
}

// locked reports whether the process holds the profile's lock: a link to HOST-PID that Chromium puts into the data
// folder, or to ADDRESS:+PID that Firefox puts into the profile. Windows has neither.
func (s *scan) locked(p Profile, pid int) bool {
	link := filepath.Join(p.DataDir, "SingletonLock")
	mark := "-"
	if p.Family == Gecko {
		link, mark = filepath.Join(p.Dir, "lock"), ":+"
	}
	target, err := os.Readlink(link)
	return err == nil && pid > 0 && strings.HasSuffix(target, mark+strconv.Itoa(pid))
}

// mark notes on the profiles in use that they are, and which folders the process loads as extensions into one of them:
// the one that the command line names, or that was used last, or Default; into all if none of these is there.
func (s *scan) mark(r run, inUse func(Profile) bool) {
	var used []*Profile
	for i := range s.profiles {
		if p := &s.profiles[i]; inUse(*p) {
			p.Running = true
			used = append(used, p)
		}
	}
	if len(r.load) == 0 {
		return
	}
	into := used
	for _, want := range []string{r.profileDir, "last", "Default"} {
		var hit []*Profile
		for _, p := range used {
			name := want
			if want == "last" {
				name = s.lastUsed[p.DataDir]
			}
			if name != "" && s.samePath(p.Name, name) {
				hit = append(hit, p)
			}
		}
		if len(hit) > 0 {
			into = hit
			break
		}
	}
	for _, p := range into {
		for _, dir := range r.load {
			if !slices.Contains(p.LoadExtension, dir) {
				p.LoadExtension = append(p.LoadExtension, dir)
			}
		}
	}
}
