package inventory

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/manifests"
)

func id(letter string) string { return strings.Repeat(letter, 32) }

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func newHome(t testing.TB) string {
	t.Helper()
	home, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return home
}

func read(t testing.TB, r *Reader, p browsers.Profile) Listing {
	t.Helper()
	done := make(chan Listing, 1)
	go func() {
		l, err := r.Read(context.Background(), p)
		if err != nil {
			t.Error(err)
		}
		done <- l
	}()
	select {
	case l := <-done:
		return l
	case <-time.After(20 * time.Second):
		t.Fatal("reading the profile hangs")
		return Listing{}
	}
}

func find(l Listing, id string) *manifests.Extension {
	for i := range l.Extensions {
		if l.Extensions[i].ID == id {
			return &l.Extensions[i]
		}
	}
	return nil
}

const good = `{"manifest_version": 3, "name": "Good", "version": "1.0"}`

// TestHostileManifest puts each file beside a good extension. Both must be listed, the bad one with the reason.
func TestHostileManifest(t *testing.T) {
	tests := []struct {
		name string
		make func(t *testing.T, manifest string)
		want string // in Unreadable
	}{
		{"folder", func(t *testing.T, m string) {
			if err := os.MkdirAll(m, 0o755); err != nil {
				t.Fatal(err)
			}
		}, "not a regular file"},
		{"too large", func(t *testing.T, m string) {
			write(t, m, "")
			if err := os.Truncate(m, 64<<20); err != nil {
				t.Fatal(err)
			}
		}, "larger than 8 MB"},
		{"too deep", func(t *testing.T, m string) { write(t, m, strings.Repeat("[", 100_000)) }, "line 1, column"},
		{"cut off", func(t *testing.T, m string) { write(t, m, "{\n\"name\": \"x") }, "line 2, column"},
		{"not JSON", func(t *testing.T, m string) { write(t, m, "MZ\x00\x01") }, "line 1, column 1"},
		{"a list", func(t *testing.T, m string) { write(t, m, "[]") }, "manifest.json: "},
		{"missing", func(t *testing.T, m string) { write(t, filepath.Join(filepath.Dir(m), "x.js"), "") }, "missing"},
		{"link out", func(t *testing.T, m string) {
			write(t, filepath.Join(filepath.Dir(filepath.Dir(filepath.Dir(filepath.Dir(m)))), "Cookies"), good)
			link(t, "../../../Cookies", m)
		}, "leads out"},
		{"absolute link", func(t *testing.T, m string) { link(t, "/etc/passwd", m) }, "leads out"},
		{"loop", func(t *testing.T, m string) { link(t, "manifest.json", m) }, "manifest.json: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			home := newHome(t)
			ext := filepath.Join(home, "Default", "Extensions")
			write(t, filepath.Join(ext, id("a"), "1.0_0", "manifest.json"), good)
			write(t, filepath.Join(ext, id("c"), "1.0_0", "manifest.json"), good)
			bad := filepath.Join(ext, id("b"), "1.0_0", "manifest.json")
			if err := os.MkdirAll(filepath.Dir(bad), 0o755); err != nil {
				t.Fatal(err)
			}
			tt.make(t, bad)
			l := read(t, NewReader(Config{}), profileIn(home, browsers.Chromium))
			if len(l.Extensions) != 3 || l.Extensions[0].Name() != "Good" || l.Extensions[2].Name() != "Good" {
				t.Fatalf("got %d extensions, want the bad one between two good ones: %+v", len(l.Extensions), l)
			}
			if e := l.Extensions[1]; e.Manifest != nil || !strings.Contains(e.Unreadable, tt.want) {
				t.Errorf("Unreadable = %q, want it to contain %q", e.Unreadable, tt.want)
			}
		})
	}
}

func link(t testing.TB, target, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
}

// TestHostilePreferences checks that preferences that cannot be read are a problem and do not hide what is on disk.
func TestHostilePreferences(t *testing.T) {
	tests := []struct {
		name string
		make func(t *testing.T, prefs string)
		want string
	}{
		{"folder", func(t *testing.T, p string) { write(t, filepath.Join(p, "x"), "") }, "not a regular file"},
		{"link", func(t *testing.T, p string) { link(t, "Cookies", p) }, "link"},
		{"link out", func(t *testing.T, p string) { link(t, "/etc/passwd", p) }, "link"},
		{"too large", func(t *testing.T, p string) {
			write(t, p, "")
			if err := os.Truncate(p, maxPreferences+1); err != nil {
				t.Fatal(err)
			}
		}, "larger than 32 MB"},
		{"too deep", func(t *testing.T, p string) {
			write(t, p, `{"extensions":`+strings.Repeat(`{"a":`, 100_000))
		}, "not valid JSON"},
		{"a list", func(t *testing.T, p string) { write(t, p, "[]") }, "JSON object"},
		{"empty", func(t *testing.T, p string) { write(t, p, "") }, "not valid JSON"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			home := newHome(t)
			write(t, filepath.Join(home, "Default", "Extensions", id("a"), "1.0_0", "manifest.json"), good)
			tt.make(t, filepath.Join(home, "Default", "Preferences"))
			l := read(t, NewReader(Config{}), profileIn(home, browsers.Chromium))
			if len(l.Problems) != 1 || !strings.Contains(l.Problems[0].Reason, tt.want) {
				t.Errorf("problems = %+v, want one that contains %q", l.Problems, tt.want)
			}
			if e := find(l, id("a")); e == nil || !e.Pending || e.Name() != "Good" {
				t.Errorf("extensions = %+v, want the one on disk, pending", l.Extensions)
			}
		})
	}
}

// TestExtensionsIsLink: Chromium installs through such a link, so a link inside the home is read, and one that leads out
// of it is told.
func TestExtensionsIsLink(t *testing.T) {
	outside := newHome(t)
	write(t, filepath.Join(outside, id("a"), "1.0_0", "manifest.json"), good)
	home := newHome(t)
	write(t, filepath.Join(home, "moved", id("b"), "1.0_0", "manifest.json"), good)
	p := profileIn(home, browsers.Chromium)
	ext := filepath.Join(p.Dir, "Extensions")

	for _, target := range []string{filepath.Join(home, "moved"), filepath.Join("..", "moved")} {
		link(t, target, ext)
		l := read(t, NewReader(Config{}), p)
		if e := find(l, id("b")); e == nil || e.Name() != "Good" || len(l.Problems) != 0 {
			t.Errorf("link to %s: got %+v", target, l)
		} else if f, err := e.Open(); err != nil {
			t.Errorf("link to %s: Open: %v", target, err)
		} else {
			f.Close()
		}
		os.Remove(ext)
	}

	link(t, outside, ext)
	l := read(t, NewReader(Config{}), p)
	if len(l.Extensions) != 0 || len(l.Problems) != 1 || !strings.Contains(l.Problems[0].Reason, "leads out") {
		t.Errorf("link out of the home: got %+v", l)
	}
}

// TestPaths says which absolute paths of preferences are opened at all, for every system.
func TestPaths(t *testing.T) {
	tests := []struct {
		os, root, path string
		want           string
		err            error
	}{
		{os: "linux", path: "/home/ada/x", want: "/home/ada/x"},
		{os: "linux", path: "/home/ada/../x/", want: "/home/x"},
		{os: "linux", path: "/proc/self/root", err: errSystem},
		{os: "linux", path: "/home/../proc/1", err: errSystem},
		{os: "linux", path: "//sys/kernel", err: errSystem},
		{os: "darwin", path: "/dev/fd/3", err: errSystem},
		{os: "linux", path: "/process/x", want: "/process/x"},
		{os: "linux", root: "/mnt/d", path: "/home/ada/x", want: "/mnt/d/home/ada/x"},
		{os: "linux", root: "/mnt/d", path: "/../../etc", want: "/mnt/d/etc"},
		{os: "windows", path: `\\server\share\x`, err: errRemote},
		{os: "windows", path: `//server/share/x`, err: errRemote},
		{os: "windows", path: `\\?\C:\x`, err: errRemote},
		{os: "windows", path: `\\.\pipe\x`, err: errRemote},
		{os: "windows", path: `\x`, err: errRemote},
		{os: "windows", root: "/mnt/d", path: `C:\Users\ada\x`, want: "/mnt/d/Users/ada/x"},
		{os: "windows", root: "/mnt/d", path: `c:/..\..\x`, want: "/mnt/d/x"},
		{os: "windows", path: `D:\dev\x`, want: "D:/dev/x"},
	}
	for _, tt := range tests {
		r := NewReader(Config{OS: tt.os, Root: filepath.FromSlash(tt.root)})
		got, err := r.local(tt.path)
		if err != tt.err || filepath.ToSlash(got) != tt.want {
			t.Errorf("%s below %q: local(%q) = %q, %v; want %q, %v", tt.os, tt.root, tt.path, got, err, tt.want, tt.err)
		}
	}
}

// TestUnpackedOutside reads unpacked extensions by absolute path, through links and on a mounted disk.
func TestUnpackedOutside(t *testing.T) {
	disk := newHome(t)
	write(t, filepath.Join(disk, "dev", "x", "manifest.json"), good)
	home := filepath.Join(disk, "home", "ada")
	text := fmt.Sprintf(`{"extensions":{"settings":{%q:{"location":4,"path":"/dev2/../dev/x"}}}}`, id("a"))
	text = strings.Replace(text, "/dev2/../dev/x", "/Xdev", 1) // a name that is no system folder
	if err := os.Rename(filepath.Join(disk, "dev", "x"), filepath.Join(disk, "Xdev")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(home, "Default", "Preferences"), text)
	l := read(t, NewReader(Config{OS: "linux", Root: disk}), profileIn(home, browsers.Chromium))
	e := find(l, id("a"))
	if e == nil || e.Name() != "Good" || e.Path != filepath.Join(disk, "Xdev") {
		t.Fatalf("on a mounted disk: got %+v", l)
	}
	f, err := e.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Open("manifest.json"); err != nil {
		t.Error(err)
	}
}

// TestCommandLine: the entry of an extension from --load-extension stays for ever, and a new one comes seconds late.
func TestCommandLine(t *testing.T) {
	home := newHome(t)
	p := profileIn(home, browsers.Chromium)
	known, fresh, keyed := filepath.Join(home, "known"), filepath.Join(home, "fresh"), filepath.Join(home, "keyed")
	for _, dir := range []string{known, fresh} {
		write(t, filepath.Join(dir, "manifest.json"), good)
	}
	write(t, filepath.Join(keyed, "manifest.json"), `{"manifest_version":3,"name":"Keyed","version":"1","key":"AAAA"}`)
	link(t, "known", filepath.Join(home, "alias"))
	entry, err := json.Marshal(map[string]any{"location": 8, "path": known})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(p.Dir, "Preferences"), fmt.Sprintf(`{"extensions":{"settings":{%q:%s}}}`, id("a"), entry))

	e := find(read(t, NewReader(Config{}), p), id("a"))
	if e == nil || e.Enabled || !cmp.Equal(e.Disabled, []string{"not_loaded_now"}) || e.Origin != manifests.OriginUnpacked || e.Name() != "Good" {
		t.Errorf("without the flag: %+v", e)
	}

	p.LoadExtension = []string{filepath.Join(home, "alias"), fresh, keyed, filepath.Join(home, "missing")}
	l := read(t, NewReader(Config{}), p)
	if e := find(l, id("a")); e == nil || !e.Enabled || e.Pending {
		t.Errorf("with the flag, through a link: %+v", e)
	}
	if len(l.Extensions) != 4 {
		t.Fatalf("got %d extensions, want 4: %+v", len(l.Extensions), l.Extensions)
	}
	e = find(l, manifests.IDFromPath(runtime.GOOS, fresh))
	if e == nil || !e.Pending || !e.Enabled || !e.CommandLine || !e.IDFromPath || e.Name() != "Good" {
		t.Errorf("not yet in the preferences: %+v", e)
	}
	keyID, err := manifests.IDFromKey("AAAA")
	if err != nil {
		t.Fatal(err)
	}
	if e := find(l, keyID); e == nil || e.IDFromPath || e.Name() != "Keyed" {
		t.Errorf("with a key: %+v", e)
	}
	if e := find(l, manifests.IDFromPath(runtime.GOOS, filepath.Join(home, "missing"))); e == nil || e.Unreadable == "" {
		t.Errorf("missing folder: %+v", e)
	}
}

// TestOpenStepwise checks the walk that a privileged process does: links of root may be followed, others not.
func TestOpenStepwise(t *testing.T) {
	dir := newHome(t)
	write(t, filepath.Join(dir, "real", "x", "manifest.json"), good)
	link(t, "real", filepath.Join(dir, "relative"))
	link(t, filepath.Join(dir, "relative"), filepath.Join(dir, "absolute"))
	link(t, "loop", filepath.Join(dir, "loop"))
	for _, name := range []string{"real/x", "relative/x", "absolute/x"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		to, err := openStepwise(path, -1)
		ours := runtime.GOOS != "windows" && os.Geteuid() == 0
		switch {
		case err == nil:
			if _, serr := to.root.Stat("manifest.json"); serr != nil {
				t.Errorf("%s: opened another folder: %v", name, serr)
			}
			if !ours && name != "real/x" {
				t.Errorf("%s: followed a link that root does not own", name)
			}
			to.root.Close()
		case ours || name == "real/x":
			t.Errorf("%s: %v", name, err)
		}
	}
	if to, err := openStepwise(filepath.Join(dir, "loop", "x"), -1); err == nil {
		to.root.Close()
		t.Error("a loop of links was opened")
	}
}

// TestManyEntries checks that a preferences file cannot make us read without end.
func TestManyEntries(t *testing.T) {
	settings := make(map[string]any)
	for i := range maxExtensions + 10 {
		name := []byte(id("a"))
		for j, n := 0, i; n > 0; j, n = j+1, n/16 {
			name[j] = 'a' + byte(n%16)
		}
		settings[string(name)] = map[string]any{}
	}
	data, err := json.Marshal(map[string]any{"extensions": map[string]any{"settings": settings}})
	if err != nil {
		t.Fatal(err)
	}
	home := newHome(t)
	write(t, filepath.Join(home, "Default", "Preferences"), string(data))
	l := read(t, NewReader(Config{}), profileIn(home, browsers.Chromium))
	if len(l.Problems) != 1 || !strings.Contains(l.Problems[0].Reason, "more than 10000") {
		t.Errorf("problems = %+v", l.Problems)
	}
}

// TestPrivacy holds the promise that nothing of a preferences file is kept but its extensions.
func TestPrivacy(t *testing.T) {
	home := plant(t, "origins")
	r := NewReader(Config{OS: "linux"})
	read(t, r, profileIn(home, browsers.Chromium))
	var dump bytes.Buffer
	for _, m := range r.profiles {
		for _, f := range m.files.items {
			fmt.Fprintf(&dump, "%+v", f.value)
			for id, e := range f.value.entries {
				fmt.Fprintf(&dump, "%s %+v %+v", id, e, e.manifest)
			}
		}
	}
	for _, private := range []string{"someone@", "private.example.test"} {
		if strings.Contains(dump.String(), private) {
			t.Errorf("the reader remembers %q", private)
		}
	}
	if dump.Len() < 1000 {
		t.Error("the reader remembers nothing; this test looks in the wrong place")
	}
}

func TestSafari(t *testing.T) {
	l := read(t, NewReader(Config{}), browsers.Profile{Family: browsers.Safari, Dir: "/Users/ada/Library/Safari"})
	want := []manifests.Problem{{Path: "/Users/ada/Library/Safari", Reason: "Safari extensions are not read yet by this version"}}
	if diff := cmp.Diff(want, l.Problems); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}
