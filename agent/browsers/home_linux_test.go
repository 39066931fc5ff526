package browsers

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// asNobody runs f with the file rights of an account that owns nothing, also when the tests run as root.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		f()
		return
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		_, _ = unix.SetfsuidRetUid(nobody)
		if uid, _ := unix.SetfsuidRetUid(nobody); uid != nobody {
			done <- os.ErrInvalid
			return
		}
		f()
		done <- nil
	}()
	if err := <-done; err != nil {
		t.Fatal("cannot give up rights")
	}
}

// TestNoPermission: what may not be read is a problem; what is not there is none.
func TestNoPermission(t *testing.T) {
	home := tempDir(t)
	for dir := home; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			break // not ours
		}
	}
	write(t, home, map[string]string{
		".config/google-chrome/Default/Preferences":         "{}",
		".config/vivaldi/Default/Preferences":               "{}",
		".config/vivaldi/Local State":                       "{}",
		".config/vivaldi/Profile 1/Preferences":             "{}",
		".mozilla/firefox/a.default/prefs.js":               "",
		".config/BraveSoftware/Brave-Browser/x/y/z":         "",
		".librewolf/a.default/prefs.js":                     "",
		"snap/chromium/common/chromium/Default/Preferences": "{}",
	})
	none := map[string]os.FileMode{
		".config/google-chrome": 0, ".config/vivaldi/Profile 1": 0, ".config/vivaldi/Local State": 0, ".mozilla": 0,
		".config/BraveSoftware": 0o666, "snap": 0o111,
	}
	for name, mode := range none {
		if err := os.Chmod(filepath.Join(home, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	defer func() {
		for name := range none {
			_ = os.Chmod(filepath.Join(home, name), 0o755)
		}
	}()
	var m Machine
	asNobody(t, func() {
		s := newScan(Config{OS: onLinux, Root: "/"})
		h := s.home(t.Context(), User{Name: "ada", Home: home, UID: 1000})
		m = Machine{Profiles: h.profiles, Problems: h.problems}
	})
	wantNames(t, m, "vivaldi stable: Default", "librewolf stable: a.default")
	wantProblems(t, m,
		".config/google-chrome: no permission",
		".config/BraveSoftware/Brave-Browser: no permission",
		".config/vivaldi/Local State: no permission",
		".config/vivaldi/Profile 1: no permission",
		"snap: no permission",
		".mozilla: no permission",
	)
}
