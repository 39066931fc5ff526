package inventory

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/manifests"
)

// installed writes a profile with one packed extension, a, and more in its entry.
func installed(t testing.TB, chrome string, more map[string]any) browsers.Profile {
	t.Helper()
	p := profileIn(newHome(t), browsers.Chromium)
	write(t, filepath.Join(p.Dir, "Extensions", id("a"), "1.0_0", "manifest.json"), good)
	entry := map[string]any{"location": 1, "from_webstore": true, "path": id("a") + "/1.0_0", "manifest": json.RawMessage(good)}
	maps.Copy(entry, more)
	prefs(t, p, chrome, map[string]any{id("a"): entry})
	return p
}

func prefs(t testing.TB, p browsers.Profile, chrome string, settings map[string]any) {
	t.Helper()
	data, err := json.Marshal(map[string]any{"extensions": map[string]any{"last_chrome_version": chrome, "settings": settings}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(p.Dir, "Preferences"), string(data))
}

// TestDisabled: nothing that a running browser ignores makes an extension look disabled, or hides it. The rows of version
// 156 were measured on Chromium 156.0.8078.79, Linux.
func TestDisabled(t *testing.T) {
	list, one := []int{}, []int{1}
	tests := []struct {
		version string
		entry   map[string]any
		want    []string
	}{
		{"156.0.8078.79", map[string]any{"disable_reasons": list}, nil},
		{"156.0.8078.79", map[string]any{"disable_reasons": one}, []string{"user_action"}},
		{"156.0.8078.79", map[string]any{"disable_reasons": list, "state": 0}, nil},
		{"156.0.8078.79", map[string]any{"disable_reasons": list, "state": 2}, nil},
		{"156.0.8078.79", map[string]any{"state": 0}, nil},
		{"156.0.8078.79", map[string]any{"state": 2}, nil},
		{"156.0.8078.79", map[string]any{"disable_reasons": list, "blacklist": true}, nil},
		{"156.0.8078.79", map[string]any{"blacklist": true}, nil},
		{"156.0.8078.79", map[string]any{"disable_reasons": 1}, nil},
		{"156.0.8078.79", map[string]any{"disable_reasons": "1"}, nil},
		{"156.0.8078.79", map[string]any{"disable_reasons": list, "blacklist_state": 1}, []string{"blocklisted_malware"}},
		{"156.0.8078.79", map[string]any{"blacklist_state": 1}, []string{"blocklisted_malware"}},
		{"156.0.8078.79", map[string]any{"omaha_blocklist_state": 1}, []string{"blocklisted_malware"}},
		{"156.0.8078.79", map[string]any{"omaha_blocklist_state": 2}, nil},
		{"", map[string]any{"disable_reasons": list, "state": 2}, nil},
		{"", map[string]any{"disable_reasons": list, "blacklist": true}, nil},
		{"", map[string]any{"disable_reasons": 0, "state": 0}, nil},
		{"", map[string]any{"disable_reasons": 1, "state": 1}, []string{"user_action"}},
		{"", map[string]any{"state": 0}, []string{"disabled"}},
		{"", map[string]any{"state": 1}, nil},
		{"", map[string]any{"state": 2}, []string{"uninstalled_by_user"}},
		{"109.0.5414.119", map[string]any{"blacklist": true}, []string{"blocklisted_malware"}},
		{"156.0.8078.79", map[string]any{"disable_reasons": []int{131072, 262144, 2097152, 33554432}}, []string{"blocked_mature", "remotely_for_malware", "not_ash_keeplisted", "unknown"}},
		{"109.0.5414.119", map[string]any{"disable_reasons": 8193}, []string{"user_action", "external_extension"}},
	}
	for _, tt := range tests {
		name, _ := json.Marshal(tt.entry)
		t.Run(tt.version+string(name), func(t *testing.T) {
			e := find(read(t, NewReader(Config{}), installed(t, tt.version, tt.entry)), id("a"))
			if e == nil {
				t.Fatal("not listed")
			}
			if diff := cmp.Diff(tt.want, e.Disabled); diff != "" || e.Enabled != (len(tt.want) == 0) {
				t.Errorf("enabled %v, disabled (-want +got):\n%s", e.Enabled, diff)
			}
		})
	}
}

// What an old browser uninstalled leaves an entry and no files.
func TestUninstalledIsGone(t *testing.T) {
	p := installed(t, "", map[string]any{"location": 3, "state": 2})
	prefs(t, p, "", map[string]any{
		id("b"): map[string]any{"location": 3, "state": 2, "path": id("b") + "/1.0_0"},
		id("c"): map[string]any{"location": 4, "state": 2, "path": filepath.Join(p.User.Home, "missing")},
	})
	setTimes(t, filepath.Join(p.Dir, "Extensions"), written)
	if l := read(t, NewReader(Config{}), p); find(l, id("b")) != nil || find(l, id("c")) != nil {
		t.Errorf("listed: %+v", l.Extensions)
	}
}

// TestGrants: what was granted to the version before says nothing about the one that runs.
func TestGrants(t *testing.T) {
	granted := map[string]any{"active_permissions": map[string]any{"api": []string{"tabs"}}}
	want := &manifests.Access{APIs: []string{"tabs"}}
	check := func(t *testing.T, p browsers.Profile, want *manifests.Access) {
		t.Helper()
		e := find(read(t, NewReader(Config{}), p), id("a"))
		if e == nil {
			t.Fatal("not listed")
		}
		if diff := cmp.Diff(want, e.Granted); diff != "" {
			t.Errorf("granted (-want +got):\n%s", diff)
		}
	}
	unpacked := func(t *testing.T) (browsers.Profile, string) {
		p := installed(t, "", nil)
		dir := filepath.Join(p.User.Home, "dev")
		write(t, filepath.Join(dir, "manifest.json"), good)
		entry := map[string]any{"location": 4, "path": dir}
		maps.Copy(entry, granted)
		prefs(t, p, "", map[string]any{id("a"): entry})
		setTimes(t, dir, written)
		return p, filepath.Join(dir, "manifest.json")
	}
	t.Run("packed", func(t *testing.T) {
		p := installed(t, "", granted)
		check(t, p, want)
		write(t, filepath.Join(p.Dir, "Extensions", id("a"), "1.1_0", "manifest.json"), good)
		check(t, p, nil)
	})
	t.Run("packed, no copy", func(t *testing.T) {
		more := maps.Clone(granted)
		more["manifest"] = nil
		p := installed(t, "", more)
		manifest := filepath.Join(p.Dir, "Extensions", id("a"), "1.0_0", "manifest.json")
		setTime(t, manifest, written)
		check(t, p, want)
		setTime(t, manifest, time.Now().Add(time.Second))
		check(t, p, nil)
	})
	t.Run("unpacked", func(t *testing.T) {
		p, manifest := unpacked(t)
		check(t, p, want)
		setTime(t, manifest, time.Now().Add(time.Second))
		check(t, p, nil)
		setTime(t, manifest, time.Now().Add(time.Hour)) // by someone who wants the grants forgotten
		check(t, p, want)
	})
}

// TestOriginNeedsPlace: an entry of a packed extension that points elsewhere than the browser puts one is not the store's.
func TestOriginNeedsPlace(t *testing.T) {
	for _, tt := range []struct {
		path    string
		problem string
		want    manifests.Origin
	}{
		{id("a") + "/1.0_0", "", manifests.OriginStore},
		{"HOME/dev", "not where the browser puts", manifests.OriginUnknown},
		{"../../dev", "not where the browser puts", manifests.OriginUnknown},
		{id("a") + "/x/1.0_0", "not where the browser puts", manifests.OriginUnknown},
		{id("a") + "/../../../dev", "not where the browser puts", manifests.OriginUnknown},
		{id("b") + "/1.0_0", "not where the browser puts", manifests.OriginUnknown},
	} {
		t.Run(tt.path, func(t *testing.T) {
			p := installed(t, "", nil)
			write(t, filepath.Join(p.User.Home, "dev", "manifest.json"), good)
			write(t, filepath.Join(p.Dir, "Extensions", id("b"), "1.0_0", "manifest.json"), good)
			prefs(t, p, "", map[string]any{id("a"): map[string]any{
				"location": 1, "from_webstore": true, "manifest": json.RawMessage(good),
				"path": strings.Replace(tt.path, "HOME", filepath.ToSlash(p.User.Home), 1),
			}})
			e := find(read(t, NewReader(Config{}), p), id("a"))
			if e == nil || e.Origin != tt.want || e.FromStore != (tt.want == manifests.OriginStore) || !e.Enabled {
				t.Fatalf("got %+v", e)
			}
			if got := fmt.Sprint(e.Problems); !strings.Contains(got, tt.problem) || tt.problem == "" && len(e.Problems) > 0 {
				t.Errorf("problems %s, want %q", got, tt.problem)
			}
		})
	}
}

// TestUnknownLocation: an entry with a location that no browser writes is listed all the same.
func TestUnknownLocation(t *testing.T) {
	for _, location := range []int{0, 11, 99, -1} {
		e := find(read(t, NewReader(Config{}), installed(t, "", map[string]any{"location": location})), id("a"))
		if e == nil || e.Origin != manifests.OriginUnknown || len(e.Problems) != 1 || e.Manifest == nil {
			t.Errorf("location %d: %+v", location, e)
		}
	}
}

// TestOtherDrive: a mounted disk is the drive C: of its Windows, and no other.
func TestOtherDrive(t *testing.T) {
	root := newHome(t)
	p := profileIn(filepath.Join(root, "Users", "ada"), browsers.Chromium)
	write(t, filepath.Join(root, "ext", "manifest.json"), good)
	prefs(t, p, "", map[string]any{
		id("a"): map[string]any{"location": 4, "path": `D:\ext`},
		id("b"): map[string]any{"location": 4, "path": `c:\ext`},
		id("c"): map[string]any{"location": 2, "path": `E:\ext`, "manifest": json.RawMessage(good)},
	})
	l := read(t, NewReader(Config{OS: "windows", Root: root}), p)
	if e := find(l, id("a")); e == nil || !e.Enabled || e.Open != nil || !strings.Contains(e.Unreadable, "lies on drive D:, which is not here") {
		t.Errorf("drive D: %+v", e)
	}
	if e := find(l, id("b")); e == nil || !e.Enabled || e.Name() != "Good" || e.Open == nil {
		t.Errorf("drive C: %+v", e)
	}
	if e := find(l, id("c")); e == nil || !e.Enabled || len(e.Problems) != 1 || !strings.Contains(e.Problems[0].Reason, "drive E:") {
		t.Errorf("drive E: %+v", e)
	}
}

// TestLastGood: preferences that cannot be read for a while do not make all extensions look new.
func TestLastGood(t *testing.T) {
	p := installed(t, "", map[string]any{"disable_reasons": []int{1}})
	path := filepath.Join(p.Dir, "Preferences")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := NewReader(Config{})
	read(t, r, p)
	same := func(when string, problems int) {
		t.Helper()
		l := read(t, r, p)
		if e := find(l, id("a")); e == nil || e.Pending || e.Enabled || e.Origin != manifests.OriginStore || len(l.Problems) != problems {
			t.Errorf("%s: %+v, problems %v", when, e, l.Problems)
		}
	}
	for _, broken := range []string{"", "{", string(text[:len(text)/2])} {
		write(t, path, broken)
		same("broken", 1)
		same("still broken", 1)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	same("missing", 1)
	write(t, path, string(text))
	same("restored", 0)

	// A file that stays away is gone.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	same("missing again", 1)
	r.profiles[p.Dir].lost["Preferences"] = time.Now().Add(-2 * missingFor)
	if l := read(t, r, p); len(l.Problems) != 0 || !find(l, id("a")).Pending {
		t.Errorf("gone for good: %+v", l)
	}
}

// TestOpenError: what cannot be opened is named once.
func TestOpenError(t *testing.T) {
	p := installed(t, "", nil)
	e := find(read(t, NewReader(Config{}), p), id("a"))
	if err := os.RemoveAll(filepath.Join(p.Dir, "Extensions", id("a"))); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err := e.Open()
		if err == nil {
			t.Fatal("opened")
		}
		text := err.Error()
		if !errors.Is(err, fs.ErrNotExist) || strings.Count(text, "open") != 1 || strings.Count(text, id("a")) != 1 {
			t.Errorf("error %q", text)
		}
		if err := os.RemoveAll(p.Dir); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWatchRunning: the version folders that run are watched, few of them, and no link.
func TestWatchRunning(t *testing.T) {
	if maxRunning > 500 {
		t.Errorf("up to %d watches in one profile", maxRunning)
	}
	p := profileIn(newHome(t), browsers.Chromium)
	at := func(name string) string { return filepath.Join(p.Dir, "Extensions", filepath.FromSlash(name)) }
	write(t, at("a/1.0_0/manifest.json"), good)
	write(t, at("b/1.0_0/manifest.json"), good)
	link(t, p.User.Home, at("c/1.0_0"))
	w := Watch{Arrivals: at("")}
	for _, tt := range []struct {
		ext  manifests.Extension
		want bool
	}{
		{manifests.Extension{Enabled: true, Origin: manifests.OriginStore, Path: at("a/1.0_0")}, true},
		{manifests.Extension{Enabled: true, Origin: manifests.OriginUnknown, Path: at("a/1.0_0")}, true},
		{manifests.Extension{Origin: manifests.OriginStore, Path: at("b/1.0_0")}, false},
		{manifests.Extension{Enabled: true, Path: at("c/1.0_0")}, false},
		{manifests.Extension{Enabled: true, Path: at("d/1.0_0")}, false},
		{manifests.Extension{Enabled: true, Path: at("a")}, false},
		{manifests.Extension{Enabled: true}, false},
	} {
		if got := w.runs(tt.ext, "linux"); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.ext.Path, got, tt.want)
		}
		if w.runs(tt.ext, "darwin") {
			t.Errorf("%s: watched on macOS", tt.ext.Path)
		}
	}
	var l Listing
	for i := range maxRunning + 10 {
		dir := at(fmt.Sprintf("%d/1.0_0", i))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		l.Extensions = append(l.Extensions, manifests.Extension{Enabled: true, Path: dir})
	}
	if got := len(watchOn("linux", p, l).Folders); got != maxRunning {
		t.Errorf("%d folders, want %d", got, maxRunning)
	}
}
