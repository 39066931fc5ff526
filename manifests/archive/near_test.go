package archive

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestNear: holding a folder open changes nothing of what can be read: not links between folders, not what took the
// folder's place.
func TestNear(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"manifest.json": manifest, "a/one.js": "1", "a/b/two.js": "2", "c/three.js": "3"})
	a, err := Open(dir, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	want := func(name, text string) {
		t.Helper()
		if data, err := fs.ReadFile(a, name); err != nil || string(data) != text {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
	want("a/one.js", "1")
	want("a/b/two.js", "2")
	want("a/one.js", "1")
	if err := os.Symlink(filepath.Join("..", "c", "three.js"), filepath.Join(dir, "a", "link.js")); err == nil {
		want("a/link.js", "3") // Windows may allow no links
	}
	if _, err := fs.ReadDir(a, "c"); err != nil {
		t.Fatal(err)
	}
	want("c/three.js", "3")
	if err := os.Rename(filepath.Join(dir, "c"), filepath.Join(dir, "old")); err != nil {
		return // Windows moves no folder that is open
	}
	write(t, dir, map[string]string{"c/three.js": "new"})
	if entries, err := fs.ReadDir(a, "c"); err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v", entries, err)
	}
	want("c/three.js", "new")
}
