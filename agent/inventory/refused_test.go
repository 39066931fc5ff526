package inventory

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/manifests"
)

// TestRefusedPaths: a path that must not be touched is told in words only, where nobody looks it up.
func TestRefusedPaths(t *testing.T) {
	for _, tt := range []struct{ os, path string }{
		{"windows", `\\thief.example\share\x`},
		{"windows", `//thief.example/share/x`},
		{"windows", `\\?\C:\x`},
		{"windows", `D:\x`}, // of a mounted disk
		{"linux", "/proc/self/cwd"},
		{"linux", "/sys/kernel"},
		{"darwin", "/DEV/fd/3"},
		{"linux", "/" + strings.Repeat("x/", 1000) + "\x00"},
	} {
		root := newHome(t)
		p := profileIn(filepath.Join(root, "Users", "ada"), browsers.Chromium)
		prefs(t, p, "", map[string]any{
			id("a"): map[string]any{"location": 4, "path": tt.path},
			id("b"): map[string]any{"location": 2, "path": tt.path, "manifest": json.RawMessage(good)},
		})
		p.LoadExtension = []string{tt.path}
		text, err := json.Marshal(map[string]any{"addons": []any{map[string]any{"id": "x@extwatch.example", "type": "extension", "path": tt.path, "location": "app-global"}}})
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(p.Dir, "extensions.json"), string(text))
		r := NewReader(Config{OS: tt.os, Root: root})
		for _, family := range []browsers.Family{browsers.Chromium, browsers.Gecko} {
			p.Family = family
			l := read(t, r, p)
			if len(l.Extensions) == 0 {
				t.Errorf("%s: nothing is listed", tt.path)
			}
			for _, e := range l.Extensions {
				told := fmt.Sprint(e.Unreadable, e.Problems)
				if e.Path != "" || e.Open != nil || !strings.Contains(told, quoted(tt.path)) || len(told) > 1500 {
					t.Errorf("%s: path %q, told %q", tt.path, e.Path, told)
				}
				for _, problem := range e.Problems {
					if problem.Path != "" {
						t.Errorf("%s: a problem has the path %q", tt.path, problem.Path)
					}
				}
			}
			for _, dir := range WatchFor(p, l).Folders {
				if _, below := beneath(p.Dir, dir); !below {
					t.Errorf("%s: %s is watched", tt.path, dir)
				}
			}
		}
	}
}

// TestSpelling: on the disk of Windows and macOS, upper and lower case are one.
func TestSpelling(t *testing.T) {
	for _, tt := range []struct {
		os, path string
		found    bool
	}{
		{"windows", `C:\USERS\Ada\DEV`, true},
		{"windows", `C:\Users\ada\dev`, true},
		{"darwin", "/users/ADA/dev", true},
		{"linux", "/users/ada/dev", false},
		{"windows", `C:\Users\ada\gone\dev`, false},
	} {
		root := newHome(t)
		p := profileIn(filepath.Join(root, "Users", "ada"), browsers.Chromium)
		dir := filepath.Join(p.User.Home, "dev")
		write(t, filepath.Join(dir, "manifest.json"), good)
		prefs(t, p, "", map[string]any{id("a"): map[string]any{"location": 4, "path": tt.path}})
		e := find(read(t, NewReader(Config{OS: tt.os, Root: root}), p), id("a"))
		if e == nil || (e.Open != nil) != tt.found || tt.found && e.Path != dir {
			t.Errorf("%s: %+v", tt.path, e)
		}
	}
}

// TestDecoy: a folder with a high number does not stand for the version that runs for long.
func TestDecoy(t *testing.T) {
	for _, waiting := range []bool{false, true} {
		var more map[string]any
		if waiting {
			more = map[string]any{"idle_install_info": map[string]any{}}
		}
		p := installed(t, "", more)
		running := filepath.Join(p.Dir, "Extensions", id("a"), "1.0_0")
		decoy := filepath.Join(p.Dir, "Extensions", id("a"), "99.0_0")
		write(t, filepath.Join(decoy, "manifest.json"), good)
		r := NewReader(Config{})
		for range 2 {
			if e := find(read(t, r, p), id("a")); e == nil || e.Path != decoy || !e.Pending {
				t.Fatalf("just made: %+v", e)
			}
		}
		key := id("a") + "/99.0_0"
		m := r.profiles[p.Dir]
		m.newer.put(key, nil, m.gen, time.Now().Add(-2*pendingFor))
		setTime(t, decoy, time.Now()) // by someone who wants it to look new
		for range 2 {
			l := read(t, r, p)
			if e := find(l, id("a")); e == nil || e.Path != running || e.Pending || len(l.Extensions) != 1 || waiting != (len(l.Problems) == 0) {
				t.Errorf("waiting %v, later: %+v", waiting, l)
			}
		}
	}
}

// TestWrongTypes: what browsers pass over, though it looks installed, is told of.
func TestWrongTypes(t *testing.T) {
	p := profileIn(newHome(t), browsers.Chromium)
	prefs(t, p, "", map[string]any{
		id("a"): map[string]any{"location": "1", "path": "x"},
		id("b"): map[string]any{"location": 4, "path": []string{"x"}},
		id("c"): map[string]any{"lastpingday": "1"},
	})
	l := read(t, NewReader(Config{}), p)
	if got := fmt.Sprint(l.Problems); len(l.Problems) != 2 || !strings.Contains(got, "the location of "+id("a")) || !strings.Contains(got, "the path of "+id("b")) {
		t.Errorf("problems %s", got)
	}
	write(t, filepath.Join(p.Dir, "extensions.json"), `{"addons":[{"id":7},{"id":"x@extwatch.example","type":"extension"}]}`)
	p.Family = browsers.Gecko
	if l := read(t, NewReader(Config{}), p); len(l.Problems) != 1 || !strings.Contains(l.Problems[0].Reason, "1 add-ons") || len(l.Extensions) != 1 {
		t.Errorf("Firefox: %+v", l)
	}
}

func TestChromeTime(t *testing.T) {
	for text, want := range map[string]int{
		"": 1, "-5": 1, "x": 1, "13439820346694685": 2026, "9223372036854775807": 1, "265046774399000000": 9999, "265046774400000000": 1,
	} {
		if got := chromeTime(gjson.Result{Type: gjson.String, Str: text}).Year(); got != want {
			t.Errorf("%q is in %d, want %d", text, got, want)
		}
	}
}

// TestManyUnpacked: of more unpacked extensions than anyone has, not all are watched, and that is told.
func TestManyUnpacked(t *testing.T) {
	p := profileIn(newHome(t), browsers.Chromium)
	settings := make(map[string]any)
	for i := range maxUnpacked + 1 {
		dir := filepath.Join(p.User.Home, fmt.Sprintf("dev%d", i))
		write(t, filepath.Join(dir, "manifest.json"), good)
		settings[manifests.IDFromPath("linux", dir)] = map[string]any{"location": 4, "path": dir}
	}
	prefs(t, p, "", settings)
	l := read(t, NewReader(Config{}), p)
	if len(l.Problems) != 1 || !strings.Contains(l.Problems[0].Reason, "more than 64 unpacked") {
		t.Errorf("problems %v", l.Problems)
	}
	unpacked := 0
	for _, dir := range WatchFor(p, l).Folders {
		if filepath.Dir(dir) == p.User.Home {
			unpacked++
		}
	}
	if unpacked != maxUnpacked {
		t.Errorf("%d unpacked folders are watched", unpacked)
	}
	if err := os.Remove(filepath.Join(p.User.Home, "dev0", "manifest.json")); err != nil {
		t.Fatal(err)
	}
	if l := read(t, NewReader(Config{}), p); len(l.Problems) != 0 {
		t.Errorf("a folder without an extension counts: %v", l.Problems)
	}
}
