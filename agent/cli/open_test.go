package cli

import (
	"os"
	"strings"
	"testing"
)

// The page opens with the rights of the person who pressed the button, on each system.
func TestOpener(t *testing.T) {
	for system, want := range map[string]string{
		"linux":  "systemd-run --user --collect --quiet -- /usr/local/bin/extwatch open --to /extensions/3",
		"darwin": "/bin/launchctl asuser 501 /usr/bin/sudo -n -H -u #501 -- /usr/local/bin/extwatch open --to /extensions/3",
	} {
		if got := strings.Join(opener(system, "/usr/local/bin/extwatch", 501, "/extensions/3"), " "); got != want {
			t.Errorf("%s: %s", system, got)
		}
	}
}

// The file that leads to the page is the person's own, and its address is text in it, never source.
func TestDoorFile(t *testing.T) {
	t.Setenv("SUDO_UID", "")
	t.Setenv("TMPDIR", t.TempDir())
	name, err := doorFile(`http://127.0.0.1:1/enter?t=A&to="><script>`)
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(name)
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	data, err := os.ReadFile(name)
	if err != nil || !strings.Contains(string(data), "http://127.0.0.1:1/enter?t=A&amp;to=") || strings.Contains(string(data), "<script>") {
		t.Errorf("%s %v", data, err)
	}
}
