package browsers

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// state lists what is marked as running, with the loaded folders' base names.
func state(m Machine) []string {
	var out []string
	for _, p := range m.Profiles {
		if !p.Running {
			continue
		}
		s := p.Browser + " " + p.Channel + ": " + p.Name
		for _, dir := range p.LoadExtension {
			s += " +" + filepath.Base(dir)
		}
		out = append(out, s)
	}
	return out
}

func TestRunning(t *testing.T) {
	dir := tempDir(t)
	home := filepath.Join(dir, "home")
	write(t, dir, map[string]string{
		"home/.config/google-chrome/Local State":              `{"profile":{"last_used":"Profile 1","info_cache":{}}}`,
		"home/.config/google-chrome/Default/Preferences":      "{}",
		"home/.config/google-chrome/Profile 1/Preferences":    "{}",
		"home/.config/google-chrome-beta/Default/Preferences": "{}",
		"home/.mozilla/firefox/profiles.ini":                  "[Profile0]\nName=work\nPath=a.work\n[Profile1]\nName=home\nPath=b.home\n",
		"home/.mozilla/firefox/a.work/prefs.js":               "",
		"home/.mozilla/firefox/b.home/prefs.js":               "",
		"custom/Default/Preferences":                          "{}",
		"fresh/":                                              "",
		"foxy/":                                               "",
	})
	if runtime.GOOS != onWindows {
		link(t, "host-77", filepath.Join(home, ".config/google-chrome-beta/SingletonLock"))
		link(t, "127.0.1.1:+78", filepath.Join(home, ".mozilla/firefox/b.home/lock"))
	}
	chrome := filepath.Join(home, ".config", "google-chrome")
	for _, c := range []struct {
		name     string
		args     string // separated by "|"
		pid      int
		uid      int // added to the tests' own
		want     []string
		problems []string
	}{
		{"the table's folder by name", "chrome|--user-data-dir=" + chrome + "|--load-extension=" + dir + "/x", 1, 0,
			[]string{"chrome stable: Default", "chrome stable: Profile 1 +x"}, nil},
		{"one profile", "chrome|--user-data-dir=" + chrome + "|--profile-directory=Default|--load-extension=" + dir + "/x," + dir + "/y", 1, 0,
			[]string{"chrome stable: Default +x +y", "chrome stable: Profile 1"}, nil},
		{"no folder named", "chrome", 1, 0,
			[]string{"chrome stable: Default", "chrome stable: Profile 1", "chrome beta: Default"}, nil},
		{"someone else's", "chrome", 1, 5, nil, nil},
		{"a folder of its own", "brave|--user-data-dir=" + dir + "/custom|--load-extension=" + dir + "/x", 1, 0,
			[]string{"brave custom: Default +x"}, nil},
		{"just started", "chromium|--user-data-dir=" + dir + "/fresh|--load-extension=" + dir + "/x", 1, 0,
			[]string{"chromium custom: Default +x"}, nil},
		{"not there", "chrome|--user-data-dir=" + dir + "/none", 1, 0, nil, []string{"in a container?"}},
		{"remote", `chrome|--user-data-dir=rel`, 1, 0, nil, []string{"relative to a folder that is not known"}},
		{"firefox", "firefox", 1, 0, []string{"firefox : a.work", "firefox : b.home"}, nil},
		{"firefox by name", "firefox|-P|work", 1, 0, []string{"firefox : a.work"}, nil},
		{"firefox elsewhere", "firefox|-profile|" + dir + "/foxy", 1, 0, []string{"firefox custom: ."}, nil},
		{"firefox by path", "firefox|-profile|" + home + "/.mozilla/firefox/a.work", 1, 0, []string{"firefox : a.work"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := look(t, onLinux, home, func(s *scan) {
				s.privileged = true
				s.processes = func() ([]Process, error) {
					return []Process{{PID: c.pid, Args: strings.Split(c.args, "|"), UID: os.Getuid() + c.uid}}, nil
				}
			})
			if d := cmp.Diff(c.want, state(m)); d != "" {
				t.Errorf("running (-want +got):\n%s", d)
			}
			wantProblems(t, m, c.problems...)
		})
	}
	if runtime.GOOS == onWindows {
		return // the locks are other things there
	}
	for pid, want := range map[int]string{77: "chrome beta: Default", 78: "firefox : b.home"} {
		m := look(t, onLinux, home, func(s *scan) {
			s.processes = func() ([]Process, error) {
				return []Process{{PID: pid, Args: []string{map[int]string{77: "chrome", 78: "firefox"}[pid]}, UID: os.Getuid()}}, nil
			}
		})
		if d := cmp.Diff([]string{want}, state(m)); d != "" {
			t.Errorf("locked (-want +got):\n%s", d)
		}
	}
}

// TestStrangersFolder: a process that names someone else's folder does not make root read it.
func TestStrangersFolder(t *testing.T) {
	dir := tempDir(t)
	write(t, dir, map[string]string{"bob/chrome/Default/Preferences": "{}"})
	m := look(t, onLinux, filepath.Join(dir, "ada"), func(s *scan) {
		s.privileged = true
		s.given = append(s.given, User{Name: "bob", Home: filepath.Join(dir, "bob"), UID: -1})
		s.given[0].UID = os.Getuid() + 5
		s.processes = func() ([]Process, error) {
			return []Process{{PID: 1, Args: []string{"chrome", "--user-data-dir=" + filepath.Join(dir, "bob", "chrome")}, UID: os.Getuid() + 5}}, nil
		}
	})
	wantNames(t, m)
	wantProblems(t, m, "not read, lest we read")
}

func TestProcessesFail(t *testing.T) {
	m := look(t, onLinux, tempDir(t), func(s *scan) {
		s.processes = func() ([]Process, error) { return nil, errors.New("broken") }
	})
	wantProblems(t, m, "not all running browsers are known: broken")
}
