package inventory

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/manifests"
)

func zipped(t testing.TB, files map[string]string) string {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for name, text := range files {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func readPath(t testing.TB, path string) ([]manifests.Extension, []manifests.Problem) {
	t.Helper()
	var list []manifests.Extension
	problems, err := NewReader(Config{OS: "linux"}).ReadPath(context.Background(), path, func(e manifests.Extension) { list = append(list, e) })
	if err != nil {
		t.Fatal(err)
	}
	return list, problems
}

// forest plants extensions in all forms and much that is none.
func forest(t testing.TB) string {
	dir := newHome(t)
	for name, text := range map[string]string{
		"dev/plain/manifest.json":                   good,
		"dev/plain/inner/manifest.json":             good, // inside an extension: part of it
		"dev/keyed/manifest.json":                   `{"manifest_version":3,"name":"Keyed","version":"1","key":"AAAA"}`,
		"dev/gecko/manifest.json":                   `{"manifest_version":2,"name":"Gecko","version":"1","browser_specific_settings":{"gecko":{"id":"g@extwatch.example"}}}`,
		"dev/old/manifest.json":                     `{"name":"Manifest V1","version":"1"}`,
		"dev/cut/manifest.json":                     `{"manifest_version": 3, "name": `,
		"web/app/manifest.json":                     `{"name":"Web app","start_url":"/"}`,
		"web/broken/manifest.json":                  `// webpack`,
		"web/app/node_modules/x/deep/manifest.json": good,
		"packs/a.xpi":                               zipped(t, map[string]string{"manifest.json": `{"manifest_version":2,"name":"Packed","version":"2","applications":{"gecko":{"id":"p@extwatch.example"}}}`}),
		"packs/b.zip":                               zipped(t, map[string]string{"manifest.json": good}),
		"packs/c.zip":                               zipped(t, map[string]string{"photo.png": "x"}),
		"packs/d.crx":                               "Cr24 no",
		"copied/Extensions/" + id("a") + "/1.9_0/manifest.json":         `{"manifest_version":3,"name":"Old","version":"1.9"}`,
		"copied/Extensions/" + id("a") + "/1.10_0/manifest.json":        `{"manifest_version":3,"name":"New","version":"1.10"}`,
		"copied/Extensions/" + id("b") + "/2.0_0/manifest.json":         `{"manifest_version":3,"name":"cut`,
		"copied/Extensions/" + id("b") + "/1.0_0/manifest.json":         `{"manifest_version":3,"name":"B","version":"1.0"}`,
		"vscode/.vscode/extensions.json":                                `{"recommendations":[]}`,
		"chrome/Default/Preferences":                                    `{"extensions":{"settings":{"` + id("c") + `":{"location":1,"path":"` + id("c") + `/1.0_0","from_webstore":true,"manifest":` + good + `}}}}`,
		"chrome/Default/Extensions/" + id("c") + "/1.0_0/manifest.json": good,
	} {
		write(t, filepath.Join(dir, filepath.FromSlash(name)), text)
	}
	link(t, dir, filepath.Join(dir, "dev", "loop"))
	return dir
}

func TestReadPathForest(t *testing.T) {
	dir := forest(t)
	list, problems := readPath(t, dir)
	if len(problems) != 0 {
		t.Errorf("problems: %+v", problems)
	}
	got := make([]string, 0, len(list))
	for _, e := range list {
		rel, err := filepath.Rel(dir, e.Path)
		if err != nil {
			t.Fatal(err)
		}
		state := e.Name() + " " + e.Version()
		if e.Unreadable != "" {
			state = "unreadable"
		}
		idText := e.ID
		if e.IDFromPath {
			idText = "from path"
		}
		got = append(got, filepath.ToSlash(rel)+": "+state+", "+idText+", "+string(e.Origin))
		f, err := e.Open()
		if err != nil {
			if e.Unreadable == "" {
				t.Errorf("%s: Open: %v", rel, err)
			}
			continue
		}
		if _, err := fs.Stat(f, "manifest.json"); err != nil {
			t.Errorf("%s: %v", rel, err)
		}
		f.Close()
	}
	slices.Sort(got)
	keyed, err := manifests.IDFromKey("AAAA")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"chrome/Default/Extensions/" + id("c") + "/1.0_0: Good 1.0, " + id("c") + ", store",
		"copied/Extensions/" + id("a") + "/1.10_0: New 1.10, " + id("a") + ", unknown",
		"copied/Extensions/" + id("b") + "/2.0_0: unreadable, " + id("b") + ", unknown",
		"dev/cut: unreadable, from path, unknown",
		"dev/gecko: Gecko 1, g@extwatch.example, unknown",
		"dev/keyed: Keyed 1, " + keyed + ", unknown",
		"dev/old: Manifest V1 1, from path, unknown",
		"dev/plain: Good 1.0, from path, unknown",
		"packs/a.xpi: Packed 2, p@extwatch.example, unknown",
		"packs/b.zip: Good 1.0, from path, unknown",
		"packs/d.crx: unreadable, from path, unknown",
		"web/app/node_modules/x/deep: Good 1.0, from path, unknown",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
}

func TestReadPathNamed(t *testing.T) {
	dir := forest(t)
	tests := []struct{ path, id, name, unreadable string }{
		{path: "dev/gecko", id: "g@extwatch.example", name: "Gecko"},
		{path: "packs/a.xpi", id: "p@extwatch.example", name: "Packed"},
		{path: "chrome/Default", id: id("c"), name: "Good"},
		{path: "copied/Extensions/" + id("a"), id: id("a"), name: "New"},
		{path: "web/app", unreadable: "not one of a browser extension"},
		{path: "web/broken", unreadable: "line 1, column"},
		{path: "packs/c.zip", unreadable: "manifest.json is missing"},
		{path: "packs/d.crx", unreadable: "d.crx"},
		{path: "chrome/Default/Preferences", unreadable: "not a .crx, .xpi or .zip package"},
	}
	for _, tt := range tests {
		list, _ := readPath(t, filepath.Join(dir, filepath.FromSlash(tt.path)))
		if len(list) != 1 {
			t.Errorf("%s: found %d extensions, want 1", tt.path, len(list))
			continue
		}
		e := list[0]
		if tt.unreadable != "" {
			if e.Manifest != nil || !strings.Contains(e.Unreadable, tt.unreadable) {
				t.Errorf("%s: Unreadable = %q, want it to contain %q", tt.path, e.Unreadable, tt.unreadable)
			}
		} else if e.ID != tt.id || e.Name() != tt.name {
			t.Errorf("%s: got %s %q (%s), want %s %q", tt.path, e.ID, e.Name(), e.Unreadable, tt.id, tt.name)
		}
	}
}

func TestReadPathErrors(t *testing.T) {
	dir := t.TempDir()
	r := NewReader(Config{})
	found := func(e manifests.Extension) { t.Errorf("found %+v", e) }
	if _, err := r.ReadPath(context.Background(), filepath.Join(dir, "nothing"), found); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: %v, want fs.ErrNotExist", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := r.ReadPath(ctx, dir, found); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := r.Read(ctx, profileIn(dir, browsers.Chromium)); !errors.Is(err, context.Canceled) {
		t.Errorf("Read, cancelled: %v", err)
	}
	if err := r.ReadAll(ctx, []browsers.Profile{profileIn(dir, browsers.Chromium)}, func(browsers.Profile, Listing) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("ReadAll, cancelled: %v", err)
	}
}

// TestDeepTree checks that a tree without end is told, not followed without end.
func TestDeepTree(t *testing.T) {
	dir := newHome(t)
	write(t, filepath.Join(dir, strings.Repeat("d/", maxWalkDepth+3), "manifest.json"), good)
	list, problems := readPath(t, dir)
	if len(list) != 0 || len(problems) != 1 || !strings.Contains(problems[0].Reason, "folders deep") {
		t.Errorf("found %d, problems %+v", len(list), problems)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
}
