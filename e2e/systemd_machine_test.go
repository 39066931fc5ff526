//go:build linux

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A box is a machine with a real systemd: this machine's own files under an overlay that keeps all writes in memory, and
// namespaces of its own for processes, mounts, network and control groups.
type box struct {
	root   string
	leader int // systemd's process ID, seen from outside
}

// bootScript turns the folder $1 into the root of a new machine and starts systemd there.
const bootScript = `set -e
root=$1
mount --make-rprivate /
mount --bind "$root" "$root"
cd "$root"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
for dir in run tmp dev; do mount -t tmpfs -o mode=755 tmpfs $dir; done
chmod 1777 tmp
for device in null zero full random urandom tty; do touch dev/$device; mount --bind /dev/$device dev/$device; done
mkdir -p dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
	mount -t cgroup2 cgroup2 sys/fs/cgroup
else
	mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
	for name in $(ls /sys/fs/cgroup); do
		mkdir sys/fs/cgroup/$name
		case $name in
		systemd) mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/$name ;;
		unified) mount -t cgroup2 cgroup2 sys/fs/cgroup/$name ;;
		*) mount -t cgroup -o $name cgroup sys/fs/cgroup/$name ;;
		esac
	done
fi
mkdir -p mnt/before
pivot_root . mnt/before
exec chroot . /bin/sh -c 'umount -l /mnt/before; mount --make-rshared /; exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system'
`

// boot starts a machine and returns when its systemd is up.
func boot(t *testing.T) *box {
	t.Helper()
	base := t.TempDir()
	if err := unix.Mount("tmpfs", base, "tmpfs", 0, "mode=755"); err != nil {
		t.Fatal(err)
	}
	b := &box{root: filepath.Join(base, "root")}
	upper, work := filepath.Join(base, "upper"), filepath.Join(base, "work")
	for _, dir := range []string{b.root, upper, work} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mount("overlay", b.root, "overlay", 0, fmt.Sprintf("lowerdir=/,upperdir=%s,workdir=%s", upper, work)); err != nil {
		t.Fatal(err)
	}
	b.prepare(t)
	groups := controlGroups(t)
	script := filepath.Join(base, "boot.sh")
	writeFile(t, script, bootScript)
	cmd := exec.Command("/bin/bash", "-c", `for g in `+strings.Join(groups, " ")+`; do echo $$ > $g/cgroup.procs; done
exec setsid unshare --mount --pid --fork --kill-child --uts --ipc --net --cgroup /bin/bash `+script+" "+b.root)
	var console bytes.Buffer
	cmd.Stdout, cmd.Stderr = &console, &console
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the service's log:\n%s", b.journal())
			out, _ := b.run("sh", "-c", "extwatch status --json; systemctl status extwatch --no-pager; extwatch scan --inventory; journalctl --no-pager -o cat -n 30")
			t.Log(out)
		}
		b.run("systemctl", "poweroff", "--force", "--force")
		cmd.Process.Kill()
		cmd.Wait()
		unix.Unmount(b.root, unix.MNT_DETACH)
		unix.Unmount(base, unix.MNT_DETACH)
		for _, g := range groups {
			removeGroups(g)
		}
		if t.Failed() {
			t.Logf("console:\n%s", console.String())
		}
	})
	waitFor(t, "systemd to be process 1", 20*time.Second, func() bool {
		children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", cmd.Process.Pid))
		b.leader, _ = strconv.Atoi(strings.TrimSpace(string(children)))
		comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", b.leader))
		return string(comm) == "systemd\n"
	})
	waitFor(t, "the machine to be up", 60*time.Second, func() bool {
		out, _ := b.run("systemctl", "is-system-running")
		return strings.HasPrefix(out, "running") || strings.HasPrefix(out, "degraded")
	})
	return b
}

// prepare gives the machine the program, and takes away what the image starts besides.
func (b *box) prepare(t *testing.T) {
	t.Helper()
	wants, _ := filepath.Glob(filepath.Join(b.root, "etc/systemd/system/*.wants/*"))
	for _, link := range wants {
		os.Remove(link)
		os.Remove(filepath.Dir(link)) // when it was the last
	}
	data, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.root, "usr/local/bin/extwatch"), data, 0o755); err != nil {
		t.Fatal(err)
	}
}

// controlGroups makes groups of the machine's own, whose limits cannot leave them.
func controlGroups(t *testing.T) []string {
	t.Helper()
	const base = "/sys/fs/cgroup"
	parents := []string{base}
	if _, err := os.Stat(base + "/cgroup.controllers"); err != nil {
		parents = []string{base + "/systemd", base + "/unified", base + "/pids", base + "/memory"}
	}
	var groups []string
	for _, parent := range parents {
		if _, err := os.Stat(parent); err != nil {
			continue
		}
		g := filepath.Join(parent, fmt.Sprintf("extwatch-e2e-%d", os.Getpid()))
		if err := os.MkdirAll(g, 0o755); err != nil {
			t.Fatal(err)
		}
		groups = append(groups, g)
	}
	return groups
}

func removeGroups(group string) {
	children, _ := filepath.Glob(filepath.Join(group, "*"))
	for _, c := range children {
		if fi, err := os.Stat(c); err == nil && fi.IsDir() {
			removeGroups(c)
		}
	}
	os.Remove(group) // the last process may take a moment to go
}

// run runs a command on the machine as root.
func (b *box) run(args ...string) (stdout string, code int) {
	out, _, code := b.all(args...)
	return out, code
}

func (b *box) all(args ...string) (stdout, stderr string, code int) {
	if b.leader == 0 {
		return "", "", -1
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{"-t", strconv.Itoa(b.leader), "-m", "-p", "-u", "-i", "-n", "-C", "--"}, args...)...)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C", "TERM=dumb"}
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Run(); cmd.ProcessState == nil {
		return "", err.Error(), -1
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// must runs a command that has to succeed.
func (b *box) must(t *testing.T, args ...string) string {
	t.Helper()
	out, errs, code := b.all(args...)
	if code != 0 {
		t.Fatalf("%s: exit %d\n%s%s", strings.Join(args, " "), code, out, errs)
	}
	return out
}

// as runs a command as another user.
func (b *box) as(user string, args ...string) (stdout, stderr string, code int) {
	return b.all(append([]string{"runuser", "-u", user, "--"}, args...)...)
}

// journal is what the service logged.
func (b *box) journal() string {
	out, _ := b.run("journalctl", "-u", "extwatch", "--no-pager", "-o", "cat")
	return out
}
