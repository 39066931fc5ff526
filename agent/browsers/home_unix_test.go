//go:build unix

package browsers

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestFIFOs: a pipe where a folder or file belongs must not make us wait.
func TestFIFOs(t *testing.T) {
	home := tempDir(t)
	write(t, home, map[string]string{
		".config/google-chrome/Default/Preferences": "{}",
		".mozilla/firefox/a.default/prefs.js":       "",
	})
	for _, name := range []string{".config/chromium", ".config/google-chrome/Local State", ".mozilla/firefox/profiles.ini", ".var", "snap"} {
		if err := syscall.Mkfifo(filepath.Join(home, name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	link(t, filepath.Join(home, "snap"), filepath.Join(home, ".config", "vivaldi"))
	start := time.Now()
	m := look(t, onLinux, home)
	wantNames(t, m, "chrome stable: Default", "firefox : a.default")
	wantProblems(t, m, "Local State: it is not a regular file", "profiles.ini: it is not a regular file")
	if d := time.Since(start); d > homePatience/2 {
		t.Errorf("took %v", d)
	}
}
