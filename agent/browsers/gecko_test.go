package browsers

import (
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const firefoxDir = ".mozilla/firefox/"

func TestGeckoProfiles(t *testing.T) {
	home := tempDir(t)
	away := filepath.Join(home, "elsewhere", "trading")
	write(t, home, map[string]string{
		// As Firefox ESR 153.7.0 writes it, with a profile that was moved and one that was deleted.
		firefoxDir + "profiles.ini": strings.ReplaceAll(`[Profile2]
Name=moved
IsRelative=0
Path=`+filepath.ToSlash(away)+`

[Profile1]
Name=default
IsRelative=1
Path=jj9s8d.default
Default=1

[Profile0]
Name=default-esr
IsRelative=1
Path=abc123.default-esr
StoreID=0a1b2c3d

[Profile3]
Name=deleted
IsRelative=1
Path=gone.deleted

[General]
StartWithLastProfile=1
Version=2
`, "\n", "\r\n"),
		firefoxDir + "abc123.default-esr/prefs.js":        "",
		firefoxDir + "jj9s8d.default/times.json":          "{}", // never started
		firefoxDir + "cY5TrERz.Profile 1/extensions.json": "{}", // made in the profile menu
		firefoxDir + "Crash Reports/events/":              "",
		firefoxDir + "Profile Groups/0a1b2c3d.sqlite":     "",
		"elsewhere/trading/prefs.js":                      "",
	})
	m := look(t, onLinux, home, func(s *scan) {
		if runtime.GOOS == onWindows { // the moved profile's path has a drive there
			s.os, s.live = onWindows, true
		}
	})
	wantNames(t, m,
		"firefox : abc123.default-esr (default-esr)",
		"firefox : cY5TrERz.Profile 1",
		"firefox : jj9s8d.default (default)",
		"firefox : trading (moved)",
	)
	wantProblems(t, m)
	if got := m.Profiles[3].Dir; got != away {
		t.Errorf("Dir = %s, want %s", got, away)
	}
}

// TestGeckoOnMountedDisk: absolute paths and ".." stay on the disk.
func TestGeckoOnMountedDisk(t *testing.T) {
	outside := tempDir(t)
	write(t, outside, map[string]string{"host/prefs.js": "", "root/data/ff/prefs.js": ""})
	root := filepath.Join(outside, "root")
	up := strings.Repeat("../", 40)
	write(t, root, map[string]string{
		"home/ada/.mozilla/firefox/profiles.ini": "[Profile0]\nIsRelative=0\nName=data\nPath=/data/ff\n" +
			"[Profile1]\nPath=" + up + "data/ff2\nName=up\n" +
			"[Profile2]\nPath=" + up + strings.TrimPrefix(filepath.ToSlash(outside), "/") + "/host\nName=host\n" +
			"[Profile3]\nIsRelative=0\nPath=" + filepath.ToSlash(outside) + "/host\nName=host\n",
		"data/ff2/prefs.js": "",
		"Users/ada/AppData/Roaming/Mozilla/Firefox/profiles.ini": "[Profile0]\nIsRelative=0\nName=c\nPath=C:\\data\\ff\n" +
			"[Profile1]\nIsRelative=0\nPath=D:\\ff\n[Profile2]\nIsRelative=0\nPath=\\\\server\\share\\ff\n" +
			"[Profile3]\nIsRelative=1\nPath=Profiles\\x.default\nName=x\n",
		"Users/ada/AppData/Roaming/Mozilla/Firefox/Profiles/x.default/prefs.js": "",
	})
	find := func(osName string) Machine {
		s := newScan(Config{OS: osName, Root: root})
		s.privileged = false
		m, err := s.find(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	if runtime.GOOS != onWindows { // a disk of Linux, with its paths, is not read on Windows
		m := find(onLinux)
		wantNames(t, m, "firefox : ff (data)", "firefox : ff2 (up)")
		wantProblems(t, m)
	}
	m := find(onWindows)
	wantNames(t, m, "firefox : Profiles/x.default (x)", "firefox : ff (c)")
	wantProblems(t, m, "on another disk", "not a path on a local disk")
}

func TestHostileProfilesINI(t *testing.T) {
	home := tempDir(t)
	write(t, home, map[string]string{
		firefoxDir + "profiles.ini": "[Profile0]\nPath=a\x00b\n[Profile1]\nIsRelative=0\nPath=not/absolute\n[Profile2]\nPath=" +
			strings.Repeat("x/", 5000) + "\n[Profile3]\nPath=ok\nName=fine\n",
		firefoxDir + "ok/prefs.js": "",
	})
	m := look(t, onLinux, home)
	wantNames(t, m, "firefox : ok (fine)")
	wantProblems(t, m, "is not a path", "not an absolute path", "is not a path")
}

func TestParseProfilesINI(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     []iniProfile
	}{
		{"empty", "", nil},
		{"no path", "[Profile0]\nName=x\n", nil},
		{"byte order mark, spaces", "\xef\xbb\xbf  [Profile0]  \n Path=a b \n", []iniProfile{{path: "a b", relative: true}}},
		{"last key wins", "[Profile0]\nPath=a\nPath=b\nIsRelative=1\nIsRelative=0\n", []iniProfile{{path: "b"}}},
		{"other sections", "Path=x\n[Install4F96]\nDefault=a\n[General]\nPath=y\n", nil},
		{"value with =", "[ProfileX]\nPath=a=b\nName==\n", []iniProfile{{path: "a=b", relative: true, name: "="}}},
		{"not closed", "[Profile0\nPath=a\n", nil},
	} {
		got, err := parseProfilesINI([]byte(c.in))
		if d := cmp.Diff(c.want, got, cmp.AllowUnexported(iniProfile{})); d != "" || err != nil {
			t.Errorf("%s: %v %s", c.name, err, d)
		}
	}
	if got, err := parseProfilesINI([]byte(strings.Repeat("[Profile0]\nPath=a\n", 600))); err == nil || len(got) != maxProfiles {
		t.Errorf("600 profiles: %d, %v", len(got), err)
	}
}

func FuzzParseProfilesINI(f *testing.F) {
	f.Add([]byte("[Profile0]\r\nName=default\r\nIsRelative=1\r\nPath=Profiles/a.default\r\n"))
	f.Add([]byte("[Profile0]\nPath=\x00\n[Profile"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, _ := parseProfilesINI(b)
		if len(got) > maxProfiles {
			t.Errorf("%d profiles", len(got))
		}
		for _, p := range got {
			if p.path == "" || strings.Contains(p.path, "\n") {
				t.Errorf("path %q", p.path)
			}
		}
	})
}

func TestSafari(t *testing.T) {
	home := tempDir(t)
	write(t, home, map[string]string{"Library/Containers/com.apple.Safari/Data/": ""})
	m := look(t, onMac, home)
	wantNames(t, m, "safari stable: Default")
	if got := m.Profiles[0].Family; got != Safari {
		t.Errorf("Family = %s", got)
	}
}
