package browsers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestLinks: links are followed within the home; out of it by the rule of mayRead.
func TestLinks(t *testing.T) {
	cases := []struct {
		name       string
		privileged bool
		uid        int // of the home's user, added to the tests' own
		want       string
		problem    string
	}{
		{"as the user", false, 0, "chrome stable: Default", "read all the same"},
		{"as another without rights", false, 5, "chrome stable: Default", "read all the same"},
		{"as root, the user's own", true, 0, "chrome stable: Default", "read all the same"},
		{"as root, someone else's", true, 5, "", "not read, lest we read"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := tempDir(t)
			home := filepath.Join(dir, "home")
			write(t, dir, map[string]string{"outside/Default/Preferences": "{}", "home/.config/": ""})
			link(t, filepath.Join(dir, "outside"), filepath.Join(home, chromeDir[:len(chromeDir)-1]))
			m := look(t, onLinux, home, func(s *scan) {
				s.privileged = c.privileged
				s.given[0].UID = os.Getuid() + c.uid
				if runtime.GOOS == onWindows && c.uid != 0 {
					s.given = append(s.given, User{Name: "bob", Home: filepath.Join(dir, "outside"), UID: -1})
				}
			})
			if c.want == "" {
				wantNames(t, m)
			} else {
				wantNames(t, m, c.want)
				if want := filepath.Join(dir, "outside"); m.Profiles[0].DataDir != want {
					t.Errorf("DataDir = %s, want %s", m.Profiles[0].DataDir, want)
				}
			}
			wantProblems(t, m, c.problem)
		})
	}
}

// TestProfileLink: the rule holds for a single profile too, and a link to a profile that is known adds none.
func TestProfileLink(t *testing.T) {
	dir := tempDir(t)
	home := filepath.Join(dir, "home")
	write(t, dir, map[string]string{"bob/Profile 9/Preferences": "{}", "home/.config/google-chrome/Default/Preferences": "{}"})
	data := filepath.Join(home, ".config", "google-chrome")
	link(t, filepath.Join(dir, "bob", "Profile 9"), filepath.Join(data, "Profile 9"))
	link(t, "Default", filepath.Join(data, "Same"))
	link(t, "Round", filepath.Join(data, "Round"))
	m := look(t, onLinux, home, func(s *scan) {
		s.privileged = true
		s.given = []User{{Name: "ada", Home: home, UID: os.Getuid() + 5}, {Name: "bob", Home: filepath.Join(dir, "bob"), UID: -1}}
	})
	wantNames(t, m, "chrome stable: Default")
	wantProblems(t, m, "not read, lest we read", "too many links")
}

// TestTwoWaysToOneRoot: ~/.mozilla as a link to ~/.config/mozilla.
func TestTwoWaysToOneRoot(t *testing.T) {
	home := tempDir(t)
	write(t, home, map[string]string{".config/mozilla/firefox/a.default/prefs.js": ""})
	link(t, filepath.Join(".config", "mozilla"), filepath.Join(home, ".mozilla"))
	m := look(t, onLinux, home)
	wantNames(t, m, "firefox : a.default")
	wantProblems(t, m)
	link(t, filepath.Join("..", "nowhere", "chromium"), filepath.Join(home, ".config", "chromium"))
	wantProblems(t, look(t, onLinux, home), "leads nowhere")
}

// TestMountedLinks: absolute links on a disk lead to places on that disk.
func TestMountedLinks(t *testing.T) {
	if runtime.GOOS == onWindows {
		return // "/data" is not absolute there
	}
	root := tempDir(t)
	write(t, root, map[string]string{"data/ada/.config/chromium/Default/Preferences": "{}", "data/bob/chrome/Default/Preferences": "{}", "home/bob/.config/": ""})
	link(t, "/data/ada", filepath.Join(root, "home", "ada"))
	link(t, "../../../../../../../data/bob/chrome", filepath.Join(root, "home", "bob", ".config", "google-chrome"))
	m, err := Find(t.Context(), Config{OS: onLinux, Root: root})
	if err != nil {
		t.Fatal(err)
	}
	wantNames(t, m, "chromium stable: Default", "chrome stable: Default")
	if want := filepath.Join(root, "data", "ada", ".config", "chromium", "Default"); m.Profiles[0].Dir != want {
		t.Errorf("Dir = %s, want %s", m.Profiles[0].Dir, want)
	}
}

func TestResolve(t *testing.T) {
	dir := tempDir(t)
	write(t, dir, map[string]string{"a/b/c/": "", "root/a/": ""})
	link(t, filepath.Join("..", "a"), filepath.Join(dir, "a", "up"))
	link(t, filepath.Join("..", "..", "..", "a"), filepath.Join(dir, "root", "out"))
	link(t, "loop2", filepath.Join(dir, "loop1"))
	link(t, "loop1", filepath.Join(dir, "loop2"))
	root := filepath.Join(dir, "root")
	for _, c := range []struct{ root, in, want string }{
		{"", "a/up/b/../b/./c", "a/b/c"},
		{"", "a//b", "a/b"},
		{root, "root/out", "root/a"},
		{root, "root/../../a", "root/a"},
	} {
		got, err := resolve(c.root, dir+string(filepath.Separator)+filepath.FromSlash(c.in))
		if want := filepath.Join(dir, filepath.FromSlash(c.want)); got != want || err != nil {
			t.Errorf("resolve(%q, %q) = %q, %v; want %q", c.root, c.in, got, err, want)
		}
	}
	if _, err := resolve("", filepath.Join(dir, "loop1")); !errors.Is(err, errLinks) {
		t.Errorf("loop: %v", err)
	}
	if _, err := resolve("", filepath.Join(dir, "none")); !missing(err) {
		t.Errorf("missing: %v", err)
	}
	if _, err := resolve("", strings.Repeat("x", maxPath+1)); err == nil {
		t.Error("a long path is accepted")
	}
}

// TestWrongKinds: a file where a folder belongs, and a home that is not there, are silence.
func TestWrongKinds(t *testing.T) {
	home := tempDir(t)
	write(t, home, map[string]string{".config/google-chrome": "a file", ".mozilla": "a file", ".zen/profiles.ini/": ""})
	m := look(t, onLinux, home)
	wantNames(t, m)
	wantProblems(t, m, "not a regular file")
	for _, h := range []string{filepath.Join(home, "none"), filepath.Join(home, ".mozilla"), filepath.Join(home, ".mozilla", "x")} {
		m := look(t, onLinux, h)
		wantNames(t, m)
		wantProblems(t, m)
		if len(m.Awaited) != 0 {
			t.Errorf("awaited in %s: %v", h, m.Awaited)
		}
	}
}

// TestHugeFolder: names of the table are found among more entries than are listed.
func TestHugeFolder(t *testing.T) {
	home := tempDir(t)
	write(t, home, map[string]string{".config/vivaldi/Default/Preferences": "{}"})
	for i := range 50 {
		if err := os.Mkdir(filepath.Join(home, ".config", fmt.Sprintf("a%06d", i)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	m := look(t, onLinux, home, func(s *scan) { s.maxEntries = 30 })
	wantNames(t, m, "vivaldi stable: Default")
}

func TestReasons(t *testing.T) {
	denied := &fs.PathError{Op: "open", Path: "/x", Err: fs.ErrPermission}
	for osName, want := range map[string]string{onLinux: "as root", onWindows: "as administrator", onMac: "Full Disk Access"} {
		s := &scan{os: osName}
		if got := s.reason(denied); !strings.HasPrefix(got, "no permission; ") || !strings.Contains(got, want) {
			t.Errorf("%s: %s", osName, got)
		}
	}
	if got := (&scan{}).reason(&fs.PathError{Op: "open", Path: "/x", Err: errNotFile}); got != errNotFile.Error() {
		t.Errorf("reason = %q", got)
	}
}

func TestProblemsAreBounded(t *testing.T) {
	var r results
	for i := range 1000 {
		r.problem(fmt.Sprint(i), "x")
	}
	if len(r.problems) != maxProblems+1 || !strings.Contains(r.problems[maxProblems].Reason, "more problems") {
		t.Errorf("%d problems, the last %v", len(r.problems), r.problems[len(r.problems)-1])
	}
}

func TestFindEnds(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	cancel()
	if _, err := Find(ctx, Config{OS: onLinux, Root: tempDir(t)}); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
}

func TestMissingRoot(t *testing.T) {
	m, err := Find(t.Context(), Config{OS: onLinux, Root: filepath.Join(t.TempDir(), "none")})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Problems) == 0 {
		t.Error("a disk that is not there is no problem")
	}
}
