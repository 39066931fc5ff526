package archive

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// Real permissions, also when the tests run as root: the thread gives up its rights on files, and ends with the test.
func TestFolderRealPermissions(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"manifest.json": manifest, "closed.js": "x", "closed/a.js": "x", "\xff.js": "x"})
	for _, name := range []string{"closed.js", "closed"} {
		if err := os.Chmod(filepath.Join(dir, name), 0); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(dir, "closed"), 0o755) })
	a := open(t, dir, Limits{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread must not be used again
		if os.Geteuid() == 0 {
			const nobody = 65534
			if _, _, errno := syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0); errno != 0 {
				t.Error(errno)
			}
		}
		got := readAll(a)
		if len(got) != 2 || got["manifest.json"] != manifest || got["\xff.js"] != "x" {
			t.Errorf("read %q", got)
		}
		for _, name := range []string{"closed.js", "closed", "closed/a.js"} {
			if _, err := a.Open(name); !errors.Is(err, fs.ErrPermission) {
				t.Errorf("%s: %v", name, err)
			}
			wantProblem(t, a, name, "no permission")
		}
		if _, err := a.Open("none"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("none: %v", err)
		}
		wantProblem(t, a, `"\xff.js"`, "not UTF-8")
	}()
	<-done
}
