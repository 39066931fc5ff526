package browsers

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// homeOn is where a mounted disk of each system has a home.
var homeOn = map[string]string{onWindows: "Users/ada", onMac: "Users/ada", onLinux: "home/ada"}

// TestEveryRow plants one profile at every row of the table, on a mounted disk, and finds just that.
func TestEveryRow(t *testing.T) {
	plant := map[layout]string{
		userData: "Profile 7/Preferences", operaData: "Default/Preferences", geckoRoot: "Profiles/abc.default/prefs.js", safariBox: "Data/",
	}
	name := map[layout]string{userData: "Profile 7", operaData: "Default", geckoRoot: "Profiles/abc.default", safariBox: "Default"}
	for _, r := range table() {
		t.Run(r.os+"/"+r.below(), func(t *testing.T) {
			root := tempDir(t)
			data := homeOn[r.os] + "/" + strings.ReplaceAll(r.below(), "*", "x1")
			write(t, root, map[string]string{data + "/" + plant[r.layout]: "{}"})
			m, err := Find(t.Context(), Config{OS: r.os, Root: root})
			if err != nil {
				t.Fatal(err)
			}
			wantProblems(t, m)
			home := filepath.Join(root, filepath.FromSlash(homeOn[r.os]))
			dataDir := filepath.Join(root, filepath.FromSlash(data))
			dir := filepath.Join(dataDir, filepath.FromSlash(name[r.layout]))
			if r.layout == safariBox {
				dir = dataDir
			}
			if len(m.Profiles) != 1 {
				t.Fatalf("found %d profiles, want 1: %+v", len(m.Profiles), m.Profiles)
			}
			want := Profile{
				Browser: r.browser, Title: r.title + r.base.suffix(), Channel: r.channel, Family: r.layout.family(),
				User: User{Name: "ada", Home: home, UID: m.Profiles[0].User.UID},
				Name: name[r.layout], DataDir: dataDir, Dir: dir,
			}
			if d := cmp.Diff(want, m.Profiles[0]); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestTable(t *testing.T) {
	slug := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	perOS := map[string]int{}
	measuredRows := 0
	seen := map[string]bool{}
	browsers := map[string]bool{}
	for _, r := range table() {
		if key := r.os + ":" + r.below(); seen[key] {
			t.Errorf("%s twice", key)
		} else {
			seen[key] = true
		}
		if !slug.MatchString(r.browser) || r.title == "" || strings.Contains(r.path, `\`) || strings.HasPrefix(r.path, "/") {
			t.Errorf("odd row %+v", r)
		}
		if r.os == onLinux && (r.base == localData || r.base == appSupport) || r.os != onLinux && (r.base == config || r.base == snap || r.base == flatpak) {
			t.Errorf("%s on %s below %s", r.browser, r.os, r.base)
		}
		if r.evidence == measured {
			measuredRows++
		}
		perOS[r.os]++
		browsers[r.browser] = true
	}
	if d := cmp.Diff(map[string]int{onWindows: 70, onMac: 52, onLinux: 77}, perOS); d != "" {
		t.Errorf("rows per system (-want +got):\n%s", d)
	}
	if measuredRows != 3 {
		t.Errorf("%d measured rows, want the 3 that were seen on a running browser", measuredRows)
	}
	for _, b := range strings.Fields(`chrome chromium edge brave opera opera-gx vivaldi arc dia comet atlas yandex firefox
		librewolf waterfox floorp zen tor mullvad palemoon basilisk seamonkey icecat thunderbird safari`) {
		if !browsers[b] {
			t.Errorf("no row for %s", b)
		}
	}
	for _, e := range executables() {
		if !browsers[e.browser] || e.name != strings.ToLower(e.name) || strings.HasSuffix(e.name, ".exe") {
			t.Errorf("odd program %+v", e)
		}
	}
}

func TestNodeMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"tor-browser*", "tor-browser", true},
		{"tor-browser*", "tor-browser_en-US", true},
		{"tor-browser*", "tor", false},
		{"Arc_*", "Arc_ttt1ap7aakyb4", true},
		{"a*a", "a", false},
		{"a*a", "aa", true},
		{"*", "current", true},
		{"plain", "plain2", false},
	} {
		n := node{name: c.pattern, key: c.pattern}
		if got := n.matches(c.name); got != c.want {
			t.Errorf("%q matches %q = %v", c.pattern, c.name, got)
		}
	}
}

// TestAwaited: everything that is not there is awaited at the nearest folder that is.
func TestAwaited(t *testing.T) {
	home := tempDir(t)
	write(t, home, map[string]string{
		".config/google-chrome/Default/Preferences": "{}",
		".config/BraveSoftware/":                    "",
		".mozilla/firefox/profiles.ini":             "",
		"snap/brave/":                               "",
	})
	got := map[Await]int{}
	for _, a := range look(t, onLinux, home).Awaited {
		got[a]++
	}
	for _, a := range []Await{
		{".config/google-chrome", ""},
		{".config/google-chrome", "Local State"},
		{".config", "vivaldi"},
		{".config/BraveSoftware", "Brave-Browser"},
		{".mozilla/firefox", ""},
		{".mozilla/firefox", "profiles.ini"},
		{".mozilla", "seamonkey"},
		{"", ".librewolf"},
		{"", ".var"},
		{"snap", "opera"},
		{"snap/brave", ""},
	} {
		a.Dir = filepath.Join(home, filepath.FromSlash(a.Dir))
		if got[a] != 1 {
			t.Errorf("%v is awaited %d times, want once", a, got[a])
		}
	}
	for a := range got {
		if !below(home, a.Dir) || a.Dir == home && (a.Name == "" || a.Name == ".config") {
			t.Errorf("%v is awaited", a)
		}
	}
}

func TestAwaitedIsBounded(t *testing.T) {
	s := newScan(Config{OS: onLinux, Root: tempDir(t)})
	for i := range 400 {
		dir := "/home/" + strings.Repeat("x", i+1)
		s.data = append(s.data, Await{dir + "/.config/chromium", ""})
		for _, name := range []string{".var", "snap", ".zen"} {
			s.awaited = append(s.awaited, Await{dir, name})
		}
	}
	m := s.machine()
	if len(m.Awaited) != maxAwaited {
		t.Fatalf("%d awaited", len(m.Awaited))
	}
	for _, a := range s.data {
		if !slices.Contains(m.Awaited, a) {
			t.Errorf("%v is left out", a)
		}
	}
	wantProblems(t, m, "288 folders in which a browser may appear are not watched")
}

// TestFoldedNames: on Windows and macOS names differ by case only.
func TestFoldedNames(t *testing.T) {
	root := tempDir(t)
	write(t, root, map[string]string{"Users/ada/appdata/local/google/chrome/user data/Default/Preferences": "{}"})
	m, err := Find(t.Context(), Config{OS: onWindows, Root: root})
	if err != nil {
		t.Fatal(err)
	}
	wantNames(t, m, "chrome stable: Default")
	if m, _ = Find(t.Context(), Config{OS: onLinux, Root: root}); len(m.Profiles) != 0 {
		t.Errorf("found %v on Linux", m.Profiles)
	}
}

func TestSnapKeepsOneRevision(t *testing.T) {
	home := tempDir(t)
	for _, rev := range []string{"41", "42"} {
		write(t, home, map[string]string{"snap/brave/" + rev + "/.config/BraveSoftware/Brave-Browser/Default/Preferences": "{}"})
	}
	if got := len(look(t, onLinux, home).Profiles); got != 2 {
		t.Errorf("without current: %d profiles, want those of both revisions", got)
	}
	link(t, "42", filepath.Join(home, "snap", "brave", "current"))
	m := look(t, onLinux, home)
	wantNames(t, m, "brave stable: Default")
	if want := filepath.Join(home, "snap", "brave", "42"); !below(want, m.Profiles[0].Dir) {
		t.Errorf("Dir = %s, want it below %s", m.Profiles[0].Dir, want)
	}
	wantProblems(t, m)
}

func TestEnvironment(t *testing.T) {
	home, other := tempDir(t), tempDir(t)
	cases := []struct {
		os, variable, file, want string
	}{
		{onLinux, "XDG_CONFIG_HOME", "google-chrome/Default/Preferences", "chrome stable: Default"},
		{onLinux, "XDG_CONFIG_HOME", "mozilla/firefox/a.default/prefs.js", "firefox : a.default"},
		{onLinux, "CHROME_CONFIG_HOME", "vivaldi/Default/Preferences", "vivaldi stable: Default"},
		{onLinux, "CHROME_USER_DATA_DIR", "Default/Preferences", "chrome custom: Default"},
		{onWindows, "LOCALAPPDATA", "Microsoft/Edge/User Data/Default/Preferences", "edge stable: Default"},
		{onWindows, "APPDATA", "Mozilla/Firefox/Profiles/a.b/prefs.js", "firefox : Profiles/a.b"},
	}
	for _, c := range cases {
		dir := filepath.Join(other, c.variable+c.want[:3])
		write(t, dir, map[string]string{c.file: "{}"})
		env := map[string]string{"HOME": home, "USERPROFILE": home, c.variable: dir}
		with := func(s *scan) { s.env = func(name string) string { return env[name] } }
		wantNames(t, look(t, c.os, home, with), c.want)
		maps.DeleteFunc(env, func(k, _ string) bool { return k == "HOME" || k == "USERPROFILE" })
		env["HOME"] = other // another user's environment
		wantNames(t, look(t, c.os, home, with))
	}
}
