//go:build unix

package inventory

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/extwatch/extwatch/agent/browsers"
)

// TestPipes puts a pipe that nobody writes to in each place that is read. Opening one plainly waits for ever.
func TestPipes(t *testing.T) {
	home := newHome(t)
	p := profileIn(home, browsers.Chromium)
	ext := filepath.Join(p.Dir, "Extensions")
	write(t, filepath.Join(ext, id("a"), "1.0_0", "manifest.json"), good)
	for _, dir := range []string{filepath.Join(ext, id("b"), "1.0_0"), filepath.Join(p.Dir, "extensions")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{
		"Preferences", "Secure Preferences", "extensions.json", "prefs.js", "extension-preferences.json",
		"extensions/x@extwatch.example.xpi", "Extensions/" + id("b") + "/1.0_0/manifest.json", "Extensions/" + id("c"),
	} {
		if err := syscall.Mkfifo(filepath.Join(p.Dir, filepath.FromSlash(name)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l := read(t, NewReader(Config{}), p)
	if len(l.Problems) != 2 {
		t.Errorf("problems = %+v, want both preferences files", l.Problems)
	}
	if e := find(l, id("a")); e == nil || e.Name() != "Good" {
		t.Error("the good extension is missing")
	}
	for _, bad := range []string{"b", "c"} {
		if e := find(l, id(bad)); e == nil || e.Unreadable == "" {
			t.Errorf("%s = %+v, want it unreadable", bad, e)
		}
	}

	p.Family = browsers.Gecko
	l = read(t, NewReader(Config{}), p)
	if len(l.Problems) != 3 {
		t.Errorf("Firefox problems = %+v, want three files", l.Problems)
	}
	if e := find(l, "x@extwatch.example"); e == nil || !strings.Contains(e.Unreadable, "not a regular file") {
		t.Errorf("Firefox: %+v, want the pipe as an unreadable add-on", l.Extensions)
	}
}

// TestForeignFolder: a privileged process must not show a person what belongs to another.
func TestForeignFolder(t *testing.T) {
	home := newHome(t)
	foreign := filepath.Join(newHome(t), "x")
	write(t, filepath.Join(foreign, "manifest.json"), good)
	p := profileIn(home, browsers.Chromium)
	write(t, filepath.Join(p.Dir, "Preferences"), `{"extensions":{"settings":{"`+id("a")+`":{"location":4,"path":"`+foreign+`"}}}}`)
	p.User.UID = os.Getuid()
	want := ""
	if os.Geteuid() == 0 {
		want = errForeign.Error()
		if err := os.Chown(foreign, 12345, 12345); err != nil {
			t.Fatal(err)
		}
	}
	e := find(read(t, NewReader(Config{}), p), id("a"))
	if e == nil || !strings.Contains(e.Unreadable, want) || (want == "") != (e.Manifest != nil) {
		t.Errorf("got %+v, want Unreadable to contain %q", e, want)
	}
}
