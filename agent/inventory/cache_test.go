package inventory

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/manifests"
)

// fifty makes a profile of n extensions with long manifests and preferences that name them, all from yesterday.
func fifty(t testing.TB, n int) browsers.Profile {
	t.Helper()
	home := newHome(t)
	p := profileIn(home, browsers.Chromium)
	var entries []string
	for i := range n {
		name := fmt.Sprintf("%s%c%c", strings.Repeat("a", 30), 'a'+i/16%16, 'a'+i%16)
		manifest := fmt.Sprintf(`{"manifest_version":3,"name":"__MSG_n__","default_locale":"en","version":"1.0","permissions":["storage"],
			"content_scripts":[{"matches":["https://%s"],"js":["x.js"]}]}`, strings.Repeat("a.example.test/*\",\"https://", 100)+"b.example.test/*")
		dir := filepath.Join(p.Dir, "Extensions", name, "1.0_0")
		write(t, filepath.Join(dir, "manifest.json"), manifest)
		for _, locale := range []string{"en", "de", "fr", "ja"} {
			write(t, filepath.Join(dir, "_locales", locale, "messages.json"), `{"n":{"message":"Name `+locale+`"}}`)
		}
		entries = append(entries, fmt.Sprintf(`%q:{"location":1,"path":"%s/1.0_0","from_webstore":true,"manifest":%s}`,
			name, name, strings.Replace(manifest, "__MSG_n__", "Name en", 1)))
	}
	write(t, filepath.Join(p.Dir, "Preferences"), `{"other":"`+strings.Repeat("x", 1<<20)+`","extensions":{"settings":{`+strings.Join(entries, ",")+`}}}`)
	setTimes(t, home, written)
	return p
}

// TestChangesAreSeen changes a profile in each way that a browser or a thief does and reads it again.
func TestChangesAreSeen(t *testing.T) {
	p := fifty(t, 3)
	r := NewReader(Config{})
	read(t, r, p)
	first := strings.Repeat("a", 32)
	dir := filepath.Join(p.Dir, "Extensions", first, "1.0_0")

	changed := read(t, r, p)
	if e := find(changed, first); e == nil || len(e.DiskDiffers) != 0 || len(e.Names) != 4 {
		t.Fatalf("at first: %+v", e)
	}

	manifest, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	other := strings.Replace(string(manifest), `"storage"`, `"cookies"`, 1)
	write(t, filepath.Join(dir, "manifest.json"), other)
	setTime(t, filepath.Join(dir, "manifest.json"), written) // same size, same time: ctime gives it away
	if e := find(read(t, r, p), first); !cmp.Equal(e.DiskDiffers, []string{"permissions"}) {
		t.Errorf("manifest edited: DiskDiffers = %q", e.DiskDiffers)
	}

	write(t, filepath.Join(p.Dir, "Extensions", first, "1.1_0", "manifest.json"), good)
	if e := find(read(t, r, p), first); e.Version() != "1.0" || !e.Pending || e.Name() != "Good" {
		t.Errorf("a version arrived: %s %q pending=%v", e.Version(), e.Name(), e.Pending)
	}

	write(t, filepath.Join(p.Dir, "Extensions", id("p"), "1.0_0", "manifest.json"), good)
	if e := find(read(t, r, p), id("p")); e == nil || !e.Pending {
		t.Errorf("an extension arrived: %+v", e)
	}

	if err := os.RemoveAll(filepath.Join(p.Dir, "Extensions", id("p"))); err != nil {
		t.Fatal(err)
	}
	if e := find(read(t, r, p), id("p")); e != nil {
		t.Errorf("an extension went: %+v", e)
	}

	prefs := filepath.Join(p.Dir, "Preferences")
	text, err := os.ReadFile(prefs)
	if err != nil {
		t.Fatal(err)
	}
	write(t, prefs+".new", strings.Replace(string(text), `"location":1`, `"disable_reasons":[1],"location":1`, 1))
	if err := os.Rename(prefs+".new", prefs); err != nil {
		t.Fatal(err)
	}
	if e := find(read(t, r, p), first); e.Enabled {
		t.Error("the preferences changed: still enabled")
	}
}

// TestForget checks that what is gone is forgotten.
func TestForget(t *testing.T) {
	p := fifty(t, 20)
	r := NewReader(Config{})
	read(t, r, p)
	if err := os.RemoveAll(filepath.Join(p.Dir, "Extensions")); err != nil {
		t.Fatal(err)
	}
	read(t, r, p)
	if m := r.profiles[p.Dir]; len(m.folders.items) != 0 || len(m.listed.items) != 0 {
		t.Errorf("still remembers %d folders and %d lists", len(m.folders.items), len(m.listed.items))
	}
	for i := range maxProfiles + 10 {
		r.memoryOf(fmt.Sprint(i))
	}
	if len(r.profiles) > maxProfiles {
		t.Errorf("remembers %d profiles", len(r.profiles))
	}
}

// TestConcurrent reads the same and other profiles at once; it is for the race detector.
func TestConcurrent(t *testing.T) {
	profiles := []browsers.Profile{fifty(t, 20), fifty(t, 20), fifty(t, 20)}
	profiles = append(profiles, profiles...)
	r := NewReader(Config{})
	var mu sync.Mutex
	count := 0
	for range 3 {
		if err := r.ReadAll(context.Background(), profiles, func(_ browsers.Profile, l Listing) {
			mu.Lock()
			defer mu.Unlock()
			count += len(l.Extensions)
		}); err != nil {
			t.Fatal(err)
		}
	}
	if count != 3*6*20 {
		t.Errorf("read %d extensions, want %d", count, 3*6*20)
	}
}

func TestWatchFor(t *testing.T) {
	home := filepath.Join(newHome(t), "ada")
	unpacked, other := filepath.Join(home, "dev"), filepath.Join(home, "other")
	for _, dir := range []string{unpacked, other, home, filepath.Dir(home)} {
		write(t, filepath.Join(dir, "manifest.json"), good)
	}
	write(t, filepath.Join(home, "empty", "x.js"), "")
	noFiles := func() (manifests.Files, error) { return nil, nil }
	p := profileIn(home, browsers.Chromium)
	l := Listing{Extensions: []manifests.Extension{
		{Origin: manifests.OriginUnpacked, Enabled: true, Path: unpacked, Open: noFiles},
		{Origin: manifests.OriginUnpacked, Enabled: true, Path: unpacked, Open: noFiles},
		{Origin: manifests.OriginUnpacked, Enabled: false, Path: other, Open: noFiles},
		{Origin: manifests.OriginUnpacked, Enabled: true, Path: filepath.Join(home, "gone"), Open: noFiles},
		{Origin: manifests.OriginUnpacked, Enabled: true, Path: filepath.Join(home, "empty"), Open: noFiles},
		{Origin: manifests.OriginUnpacked, Enabled: true, Path: other}, // it may not be read
		{Origin: manifests.OriginUnpacked, Enabled: true, Open: noFiles},
		{Origin: manifests.OriginUnpacked, Enabled: true, Path: "relative", Open: noFiles},
		{Origin: manifests.OriginUnpacked, Enabled: true, Path: home, Open: noFiles},
		{Origin: manifests.OriginUnpacked, Enabled: true, Path: filepath.Dir(home), Open: noFiles},
		{Origin: manifests.OriginUnpacked, Enabled: true, Path: os.TempDir(), Open: noFiles},
		{Origin: manifests.OriginUnpacked, Enabled: true, Path: string(filepath.Separator), Open: noFiles},
		{Origin: manifests.OriginStore, Enabled: true, Path: home, Open: noFiles},
	}}
	want := Watch{Files: []string{"Preferences", "Secure Preferences"}, Arrivals: filepath.Join(p.Dir, "Extensions"), Folders: []string{unpacked}}
	if diff := cmp.Diff(want, WatchFor(p, l)); diff != "" {
		t.Errorf("Chromium (-want +got):\n%s", diff)
	}
	if !isBusy(p, filepath.FromSlash("/home/bob")) || isBusy(p, unpacked) {
		t.Error("a home counts as a folder of few changes, or another does not")
	}
	p.Family = browsers.Gecko
	want = Watch{Files: []string{"extensions.json", "prefs.js", "extension-preferences.json"}, Folders: []string{filepath.Join(p.Dir, "extensions")}}
	if diff := cmp.Diff(want, WatchFor(p, Listing{})); diff != "" {
		t.Errorf("Firefox (-want +got):\n%s", diff)
	}
}

func TestVersionOrder(t *testing.T) {
	got := sortVersions([]string{"1.9_0", "1.10_0", "1.10_2", "2", "1.10.0.1_0", "x", "1..2_0", "1.2.3.4.5_0", "1.0_x", "4294967296_0", "0.1_0"})
	var names []string
	for _, v := range got {
		names = append(names, v.name)
	}
	want := []string{"2", "1.10.0.1_0", "1.10_2", "1.10_0", "1.9_0", "0.1_0"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("newest first (-want +got):\n%s", diff)
	}
}

// BenchmarkUnchanged reads a profile of 50 extensions that nobody touched.
func BenchmarkUnchanged(b *testing.B) {
	p := fifty(b, 50)
	r := NewReader(Config{})
	time.Sleep(stampGrain + 100*time.Millisecond) // ctime cannot be set
	read(b, r, p)
	for b.Loop() {
		if _, err := r.Read(context.Background(), p); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFirst reads a profile of 50 extensions for the first time.
func BenchmarkFirst(b *testing.B) {
	p := fifty(b, 50)
	for b.Loop() {
		if _, err := NewReader(Config{}).Read(context.Background(), p); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkArrival reads a profile of 50 extensions after one more version arrived.
func BenchmarkArrival(b *testing.B) {
	p := fifty(b, 50)
	r := NewReader(Config{})
	time.Sleep(stampGrain + 100*time.Millisecond)
	read(b, r, p)
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		write(b, filepath.Join(p.Dir, "Extensions", strings.Repeat("a", 32), fmt.Sprintf("1.%d_0", i+1), "manifest.json"), good)
		b.StartTimer()
		if _, err := r.Read(context.Background(), p); err != nil {
			b.Fatal(err)
		}
	}
}
