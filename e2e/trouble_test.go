//go:build linux && figures

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The disk of what the service remembers is full: it says so, goes on, and warns as before; when there is room again, a
// restart keeps what it finds.
func TestDiskFull(t *testing.T) {
	b := boot(t)
	s := b.seat(t, "ada")
	s.screen("760x300")
	s.record()
	b.must(t, "mkdir", "-p", "-m", "700", "/var/lib/extwatch")
	b.must(t, "mount", "-t", "tmpfs", "-o", "size=3m,mode=700", "tmpfs", "/var/lib/extwatch")
	b.must(t, "extwatch", "service", "install")
	p := newProduct(t)
	b.plant(t, "ada", p.id, plantedManifest, plantedCode)
	waitFor(t, "the first warning", 30*time.Second, func() bool { return len(s.notified()) > 0 })
	b.run("sh", "-c", "cat /dev/zero > /var/lib/extwatch/filler") // until there is no more room
	told := len(s.notified())
	var planted []string
	for i := range 12 {
		q := newProduct(t)
		planted = append(planted, q.id)
		b.plant(t, "ada", q.id, strings.ReplaceAll(plantedManifest, "Rate Helper", fmt.Sprintf("On A Full Disk %d", i)), plantedCode+strings.Repeat(fmt.Sprintf("// %d\n", i), 3000))
	}
	waitFor(t, "a warning on a full disk", 60*time.Second, func() bool { return len(s.notified()) > told && strings.Contains(s.bus(), "On A Full Disk") })
	waitFor(t, "all in the status", 60*time.Second, func() bool { st, _ := b.status(t); return st.Running && st.Malicious == 13 })
	out, code := b.run("extwatch", "status")
	t.Logf("status on a full disk, exit %d:\n%s", code, out)
	if !strings.Contains(out, "forgotten") && !strings.Contains(out, "memory only") && !strings.Contains(out, "kept") {
		t.Errorf("the status does not say that nothing is kept")
	}
	b.must(t, "rm", "/var/lib/extwatch/filler")
	b.must(t, "systemctl", "restart", "extwatch")
	waitFor(t, "the service with room again", 60*time.Second, func() bool { st, _ := b.status(t); return st.Ready && st.Malicious == 13 })
	out, _ = b.run("extwatch", "status")
	t.Logf("status with room again:\n%s", out)
	for _, id := range planted {
		if out, _ := b.run("extwatch", "history", id); !strings.Contains(out, "On A Full Disk") {
			t.Errorf("%s is not remembered", id)
		}
	}
}

// A home hangs, as on a network disk that does not answer: others are watched and warned as before, and the trouble is
// reported, whether the home hangs before the service starts or later.
func TestHangingHome(t *testing.T) {
	for _, when := range []string{"before", "later"} {
		t.Run(when, func(t *testing.T) {
			b := boot(t)
			s := b.seat(t, "ada")
			s.screen("760x300")
			s.record()
			b.must(t, "useradd", "-m", "-s", "/bin/bash", "bob")
			if when == "before" {
				b.hang(t, "/home/bob")
			}
			b.must(t, "extwatch", "service", "install")
			if when == "later" {
				b.plant(t, "bob", letters(77), plantedManifest, plantedCode)
				waitFor(t, "bob's extension", 30*time.Second, func() bool { st, _ := b.status(t); return st.Malicious == 1 })
				b.hang(t, "/home/bob")
				b.must(t, "systemctl", "reload", "extwatch")
			}
			begun := time.Now()
			p := newProduct(t)
			b.plant(t, "ada", p.id, plantedManifest, plantedCode)
			waitFor(t, "the warning beside a home that hangs", 150*time.Second, func() bool { return len(s.notified()) > 0 })
			t.Logf("%s: ada is warned after %v", when, time.Since(begun).Round(time.Millisecond))
			if when == "before" {
				waitFor(t, "the report", 3*time.Minute, func() bool {
					return strings.Contains(b.journal(), "msg=problem path=/home/bob") || strings.Contains(b.journal(), "reading as bob took")
				})
			}
			for line := range strings.Lines(b.journal()) {
				if strings.Contains(line, "msg=problem") {
					t.Log(strings.TrimSpace(line))
				}
			}
			out, code := b.run("extwatch", "status")
			t.Logf("status, exit %d:\n%s", code, out)
			begun = time.Now()
			b.must(t, "extwatch", "service", "stop")
			t.Logf("stopped in %v", time.Since(begun).Round(time.Millisecond))
		})
	}
}

// hang mounts a file system that never answers: a FUSE connection that nobody serves.
func (b *box) hang(t *testing.T, dir string) {
	t.Helper()
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	program := fmt.Sprintf("/proc/%d/root/usr/local/bin/%s", b.leader, hangingDisk)
	if err := os.WriteFile(program, self, 0o755); err != nil {
		t.Fatal(err)
	}
	b.must(t, "sh", "-c", "mknod /dev/fuse c 10 229 2>/dev/null; true")
	b.must(t, "systemd-run", "--quiet", "--unit=hanging-disk", "/usr/local/bin/"+hangingDisk, dir)
	waitFor(t, "the mount", 20*time.Second, func() bool {
		out, _ := b.run("cat", "/proc/1/mounts")
		return strings.Contains(out, filepath.Clean(dir)+" fuse")
	})
	// Whoever waits for it waits until the connection is given up.
	t.Cleanup(func() { b.run("systemctl", "kill", "-s", "KILL", "hanging-disk") })
}
