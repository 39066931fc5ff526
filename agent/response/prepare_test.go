package response

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPrepare(t *testing.T) {
	b, root := machine(t, map[string]string{"etc/firefox/policies/policies.json": "{}"})
	want := []string{"/etc/brave", "/etc/chromium", "/etc/firefox", "/etc/opt", "/etc/thunderbird", "/etc/vivaldi"}
	if diff := cmp.Diff(want, b.Folders()); diff != "" {
		t.Fatal(diff)
	}
	for range 2 { // each start of the service
		if err := b.Prepare(); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range want {
		fi, err := os.Stat(filepath.Join(root, dir))
		if err != nil || fi.Mode().Perm() != 0o755 {
			t.Errorf("%s: %v %v", dir, fi, err)
		}
	}
	used := filepath.Join(root, "etc", "brave", "policies")
	if err := os.Mkdir(used, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := b.UndoAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	var left []string
	entries, err := os.ReadDir(filepath.Join(root, "etc"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if diff := cmp.Diff([]string{"brave", "firefox"}, left); diff != "" {
		t.Errorf("left behind (-want +got):\n%s", diff)
	}
}

// Where blocks are written, systemd's unit lets the service write.
func TestUnitMayWrite(t *testing.T) {
	text, err := os.ReadFile("../service/extwatch.service")
	if err != nil {
		t.Fatal(err)
	}
	var writable []string
	for line := range strings.Lines(string(text)) {
		if list, ok := strings.CutPrefix(line, "ReadWritePaths="); ok {
			writable = strings.Fields(list)
		}
	}
	for _, dir := range New(Config{OS: "linux"}).Folders() {
		if !slices.Contains(writable, "-"+dir) {
			t.Errorf("the unit does not let the service write to %s", dir)
		}
	}
}
