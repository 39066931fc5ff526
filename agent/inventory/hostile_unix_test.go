//go:build unix

package inventory

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/manifests"
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

// TestPipeFolders puts a pipe in the place of each folder that is opened.
func TestPipeFolders(t *testing.T) {
	extension := func(name string) string { return "Default/Extensions/" + id("a") + name }
	tests := []struct {
		name, pipe string
		family     browsers.Family
		problems   bool
	}{
		{"profile", "Default", browsers.Chromium, true},
		{"Firefox profile", "Default", browsers.Gecko, true},
		{"Extensions", "Default/Extensions", browsers.Chromium, true},
		{"ID", extension(""), browsers.Chromium, true},
		{"version", extension("/1.0_0"), browsers.Chromium, false},
		{"locales", extension("/1.0_0/_locales"), browsers.Chromium, false},
		{"locale", extension("/1.0_0/_locales/en"), browsers.Chromium, false},
		{"unpacked", "dev", browsers.Chromium, false},
		{"unpacked locales", "dev/_locales", browsers.Chromium, false},
		{"external", "External Extensions", browsers.Chromium, true},
		{"Firefox extensions", "Default/extensions", browsers.Gecko, true},
		{"Firefox add-on", "Default/extensions/x@extwatch.example", browsers.Gecko, false},
		{"Firefox outside", "dev", browsers.Gecko, false},
	}
	const localized = `{"manifest_version": 3, "name": "__MSG_n__", "version": "1.0", "default_locale": "en"}`
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			home := newHome(t)
			p := profileIn(home, tt.family)
			at := func(name string) string { return filepath.Join(home, filepath.FromSlash(name)) }
			for _, dir := range []string{extension("/1.0_0"), "Default/Extensions/" + id("c") + "/1.0_0", "dev", "Default/extensions/x@extwatch.example"} {
				write(t, at(dir+"/manifest.json"), localized)
				write(t, at(dir+"/_locales/en/messages.json"), `{"n":{"message":"Named"}}`)
			}
			write(t, at("Default/Preferences"), `{"extensions":{"settings":{
				"`+id("a")+`":{"location":1,"path":"`+id("a")+`/1.0_0"},
				"`+id("b")+`":{"location":4,"path":"`+at("dev")+`"}}}}`)
			write(t, at("Default/extensions.json"), `{"addons":[
				{"id":"x@extwatch.example","type":"extension","location":"app-profile","active":true},
				{"id":"y@extwatch.example","type":"extension","location":"app-global","path":"`+at("dev")+`","active":true}]}`)
			if err := os.RemoveAll(at(tt.pipe)); err != nil {
				t.Fatal(err)
			}
			if err := syscall.Mkfifo(at(tt.pipe), 0o600); err != nil {
				t.Fatal(err)
			}
			l := within(t, 5*time.Second, func() Listing { return read(t, NewReader(Config{}), p) })
			if tt.problems != (len(l.Problems) > 0) {
				t.Errorf("problems = %+v", l.Problems)
			}
			within(t, 5*time.Second, func() Watch { return WatchFor(p, l) })
			for _, e := range l.Extensions {
				if e.Open != nil {
					within(t, 5*time.Second, func() error {
						f, err := e.Open()
						if err == nil {
							f.Close()
						}
						return err
					})
				}
			}
			within(t, 5*time.Second, func() error {
				_, err := NewReader(Config{}).ReadPath(t.Context(), home, func(manifests.Extension) {})
				return err
			})
		})
	}
}

// TestPipePolicies: a pipe among the policies of a mounted disk is told of.
func TestPipePolicies(t *testing.T) {
	for _, pipe := range []string{"etc/chromium/policies/managed", "etc/chromium/policies/managed/x.json", "usr/share/chromium/extensions"} {
		disk := newHome(t)
		p := profileIn(filepath.Join(disk, "home", "ada"), browsers.Chromium)
		write(t, filepath.Join(p.Dir, "Extensions", id("a"), "1.0_0", "manifest.json"), good)
		path := filepath.Join(disk, filepath.FromSlash(pipe))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(path, 0o644); err != nil {
			t.Fatal(err)
		}
		l := within(t, 5*time.Second, func() Listing { return read(t, NewReader(Config{OS: "linux", Root: disk}), p) })
		if len(l.Problems) != 1 || l.Problems[0].Path != path || find(l, id("a")) == nil {
			t.Errorf("%s: %+v", pipe, l)
		}
	}
}

func within[T any](t *testing.T, most time.Duration, fn func() T) T {
	t.Helper()
	done := make(chan T, 1)
	go func() { done <- fn() }()
	select {
	case v := <-done:
		return v
	case <-time.After(most):
		t.Fatal("it hangs")
		panic("unreachable")
	}
}

// TestClosedFolder: a privileged process must not show a person what only root may read, nor what he cannot reach.
func TestClosedFolder(t *testing.T) {
	if os.Geteuid() != 0 {
		return // without rights beyond the person's own there is nothing to withhold
	}
	const uid = 12345
	tests := []struct {
		name        string
		mode, inner os.FileMode // of a folder and the extension in it
		owner       int         // of both
		family      browsers.Family
		manifest    bool
		want        string // in what is told; "" means that it is read
	}{
		{"open", 0o755, 0o755, 0, browsers.Chromium, true, ""},
		{"own", 0o700, 0o700, uid, browsers.Chromium, true, ""},
		{"closed", 0o755, 0o700, 0, browsers.Chromium, true, errClosed.Error()},
		{"behind a closed one", 0o700, 0o755, 0, browsers.Chromium, true, errClosed.Error()},
		{"for a group", 0o750, 0o755, 0, browsers.Chromium, true, errClosed.Error()},
		{"of another", 0o755, 0o755, uid + 1, browsers.Chromium, true, errForeign.Error()},
		{"no extension", 0o755, 0o755, 0, browsers.Chromium, false, "manifest.json is missing"},
		{"Firefox, open", 0o755, 0o755, 0, browsers.Gecko, true, ""},
		{"Firefox, closed", 0o755, 0o700, 0, browsers.Gecko, true, errClosed.Error()},
		{"Firefox, behind a closed one", 0o700, 0o755, 0, browsers.Gecko, true, errClosed.Error()},
		{"Firefox, no extension", 0o755, 0o755, 0, browsers.Gecko, false, "manifest.json is missing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			top := newHome(t)
			if err := os.Chmod(filepath.Dir(top), 0o755); err != nil { // the test's own folder is closed
				t.Fatal(err)
			}
			home, outer := filepath.Join(top, "ada"), filepath.Join(top, "outer")
			dir := filepath.Join(outer, "x")
			write(t, filepath.Join(dir, "secret.js"), "a secret")
			if tt.manifest {
				write(t, filepath.Join(dir, "manifest.json"), good)
			}
			p := profileIn(home, tt.family)
			p.User.UID = uid
			write(t, filepath.Join(p.Dir, "Preferences"), `{"extensions":{"settings":{"`+id("a")+`":{"location":4,"path":"`+dir+`"}}}}`)
			write(t, filepath.Join(p.Dir, "extensions.json"), `{"addons":[{"id":"`+id("a")+`","type":"extension","location":"app-global","active":true,"path":"`+dir+`"}]}`)
			for path, mode := range map[string]os.FileMode{outer: tt.mode, dir: tt.inner} {
				if err := errors.Join(os.Chown(path, tt.owner, 0), os.Chmod(path, mode)); err != nil {
					t.Fatal(err)
				}
			}
			e := find(read(t, NewReader(Config{}), p), id("a"))
			if e == nil {
				t.Fatal("not listed")
			}
			told := fmt.Sprint(e.Unreadable, e.Problems)
			if !strings.Contains(told, tt.want) || (tt.want == "") != (e.Open != nil) {
				t.Errorf("told %q, files %v; want %q", told, e.Open != nil, tt.want)
			}
			if tt.want == "" {
				f, err := e.Open()
				if err != nil {
					t.Fatal(err)
				}
				f.Close()
				if tt.owner == 0 {
					if err := os.Chmod(dir, 0o700); err != nil {
						t.Fatal(err)
					}
					if f, err := e.Open(); err == nil {
						f.Close()
						t.Error("opened after it was closed to the user")
					}
				}
			}
		})
	}
}

// TestCustomProfile: a profile outside the home is judged again when it is opened.
func TestCustomProfile(t *testing.T) {
	if os.Geteuid() != 0 {
		return // without rights beyond the person's own there is nothing to withhold
	}
	const uid = 12345
	top := newHome(t)
	if err := os.Chmod(filepath.Dir(top), 0o755); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(top, "data")
	write(t, filepath.Join(data, "Default", "Extensions", id("a"), "1.0_0", "manifest.json"), good)
	link(t, "data", filepath.Join(top, "link"))
	if err := os.Lchown(filepath.Join(top, "link"), uid, uid); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		dir   string
		owner int
		mode  os.FileMode
		want  string
	}{
		{"data", uid, 0o700, ""},
		{"data", 0, 0o755, ""},
		{"data", 0, 0o700, errClosed.Error()},
		{"data", uid + 1, 0o755, errForeign.Error()},
		{"link", uid, 0o700, errLinked.Error()},
	} {
		dir := filepath.Join(data, "Default")
		if err := errors.Join(os.Chown(dir, tt.owner, 0), os.Chmod(dir, tt.mode)); err != nil {
			t.Fatal(err)
		}
		p := profileIn(filepath.Join(top, tt.dir), browsers.Chromium)
		p.User = browsers.User{Name: "ada", Home: filepath.Join(top, "ada"), UID: uid}
		l := read(t, NewReader(Config{}), p)
		if got := fmt.Sprint(l.Problems); !strings.Contains(got, tt.want) || (tt.want == "") != (len(l.Extensions) == 1) {
			t.Errorf("%s of %d, %o: %+v", tt.dir, tt.owner, tt.mode, l)
		}
		p.Browser = "" // the person named the profile
		if l := read(t, NewReader(Config{}), p); len(l.Extensions) != 1 {
			t.Errorf("%s of %d, %o, named by the person: %+v", tt.dir, tt.owner, tt.mode, l)
		}
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
