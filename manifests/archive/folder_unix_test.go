//go:build unix

package archive

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func mkfifo(t *testing.T, path string) {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o644); err != nil {
		t.Fatal(err)
	}
}

// What blocks when it is opened or never ends is not opened.
func TestFolderSpecialFiles(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"manifest.json": manifest})
	mkfifo(t, filepath.Join(dir, "fifo.js"))
	link(t, "fifo.js", filepath.Join(dir, "linked.js"))
	link(t, "/dev/zero", filepath.Join(dir, "zero.js"))
	t.Chdir(dir) // a socket's path may not be long
	socket, err := net.Listen("unix", "socket.js")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	within(t, 10*time.Second, func() {
		a := open(t, dir, Limits{})
		if diff := cmp.Diff(map[string]string{"manifest.json": manifest}, readAll(a)); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
		wantRefused(t, a, "fifo.js", "FIFO")
		wantRefused(t, a, "linked.js", "FIFO")
		wantRefused(t, a, "zero.js", "leads out of the folder")
		wantRefused(t, a, "socket.js", "socket")
	})
}

func TestFolderBeneathDev(t *testing.T) {
	within(t, 10*time.Second, func() {
		a := open(t, "/dev", Limits{})
		wantRefused(t, a, "zero", "device")
	})
}

// A FIFO that takes a file's, a folder's or a package's place at the last moment does not hang us.
func TestFIFOTakesAnothersPlace(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"a.js": "x"})
	path := filepath.Join(dir, "a.js")
	within(t, 10*time.Second, func() {
		a := openMeddled(t, dir, Limits{}, func(name string) error {
			if name != "a.js" {
				return nil
			}
			return errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o644))
		})
		wantRefused(t, a, "a.js", "FIFO")

		mkfifo(t, filepath.Join(dir, "fifo"))
		if _, err := os.OpenRoot(filepath.Join(dir, "fifo") + asFolder); err == nil {
			t.Error("a FIFO opens as a folder")
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Error(err)
			return
		}
		defer root.Close()
		if _, err := root.OpenRoot("fifo" + asFolder); err == nil {
			t.Error("a FIFO opens as a folder beneath a root")
		}
		if _, err := OpenRoot(root, "fifo", Limits{}); !errors.Is(err, ErrRefused) {
			t.Errorf("OpenRoot: %v", err)
		}
		if _, err := Open(filepath.Join(dir, "fifo"), Limits{}); !errors.Is(err, ErrRefused) {
			t.Errorf("Open: %v", err)
		}
	})
}

func TestFolderOddNames(t *testing.T) {
	dir := t.TempDir()
	want := map[string]string{"a\nb.js": "1", "gpj.\u202ecod.js": "2", `back\slash.js`: "3"}
	write(t, dir, want)
	a := open(t, dir, Limits{})
	if diff := cmp.Diff(want, readAll(a)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	wantProblem(t, a, `"a\nb.js"`, "control")
	wantProblem(t, a, `"gpj.\u202ecod.js"`, "invisible")
}

// A package stays readable after its name leads elsewhere, as in an update.
func TestPackageReplacedByName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.xpi")
	if err := os.WriteFile(path, packZip(t, text("a.js", "old")), 0o644); err != nil {
		t.Fatal(err)
	}
	a := open(t, path, Limits{})
	if err := os.WriteFile(path+".new", packZip(t, text("a.js", "new")), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	if data, err := fs.ReadFile(a, "a.js"); err != nil || string(data) != "old" {
		t.Errorf("%q, %v", data, err)
	}
}
