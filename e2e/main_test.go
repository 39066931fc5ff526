//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

const inside = "EXTWATCH_E2E_NAMESPACE" // set in the process that runs in the namespaces

// program is the binary under test, built once.
var program string

// others are the processes that this program is under other names.
var others = map[string]func(){serveWarnings: notifyProcess}

func TestMain(m *testing.M) {
	if other := others[filepath.Base(os.Args[0])]; other != nil {
		other()
	}
	if os.Getenv(inside) == "" {
		os.Exit(reexec())
	}
	code, err := prepareAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

// reexec runs this test binary again in its own mount and network namespaces; a person who is not root gets a user
// namespace too.
func reexec() int {
	if err := fetchAxe(); err != nil { // there is no network inside
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	args := []string{"--mount", "--net"}
	if os.Geteuid() != 0 {
		args = append(args, "--user", "--map-root-user")
	}
	cmd := exec.Command("unshare", append(append(args, "--", os.Args[0]), os.Args[1:]...)...)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e: cannot make namespaces:", err)
		return 1
	}
	return 0
}

func prepareAndRun(m *testing.M) (int, error) {
	tmp, err := os.MkdirTemp("", "extwatch-e2e-")
	if err != nil {
		return 1, err
	}
	if err := prepare(tmp); err != nil {
		return 1, err
	}
	code := m.Run()
	// The overlays keep the scratch file system busy; they end with the namespace. Only the plain folder is left.
	for _, dir := range overlaid {
		unix.Unmount(dir, unix.MNT_DETACH)
	}
	unix.Unmount(filepath.Join(tmp, "scratch"), unix.MNT_DETACH)
	os.RemoveAll(tmp)
	return code, nil
}

// overlaid lists the system folders that the tests write to; the writes land on a scratch file system.
var overlaid = []string{"/etc", "/usr/share"}

func prepare(tmp string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	scratch := filepath.Join(tmp, "scratch")
	if err := os.Mkdir(scratch, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", scratch, "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("mount scratch: %w", err)
	}
	for _, dir := range overlaid {
		if err := overlay(dir, filepath.Join(scratch, filepath.Base(dir))); err != nil {
			return err
		}
	}
	if err := loopbackUp(); err != nil {
		return fmt.Errorf("bring loopback up: %w", err)
	}
	program = filepath.Join(tmp, "extwatch")
	if out, err := exec.Command("go", "build", "-o", program, "..").CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	return nil
}

func overlay(dir, scratch string) error {
	upper, work := filepath.Join(scratch, "upper"), filepath.Join(scratch, "work")
	for _, d := range []string{upper, work} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	opts := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", dir, upper, work)
	if err := unix.Mount("overlay", dir, "overlay", 0, opts); err != nil {
		return fmt.Errorf("overlay %s: %w", dir, err)
	}
	return nil
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	ifr.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr)
}
