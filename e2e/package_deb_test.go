//go:build linux

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The life of the Debian package on a real systemd: installed, it warns of a thief and blocks it; an upgrade keeps what it
// remembers and tells nothing again; its removal takes the block back, and a purge leaves the files as they were.
func TestDebianPackage(t *testing.T) {
	deb := packageFile(t)
	b := boot(t)
	os.Remove(filepath.Join(b.root, "usr/local/bin/extwatch"))     // what is tested comes out of the package
	os.Remove(filepath.Join(b.root, "usr/sbin/policy-rc.d"))       // images of containers forbid packages to start services with it
	os.Remove(filepath.Join(b.root, "var/lib/man-db/auto-update")) // to index all manual pages anew takes a minute on a busy machine
	b.copyIn(t, deb, "/root/extwatch.deb")
	b.copyIn(t, newer(t, deb), "/root/newer.deb")
	before := b.files(t)
	b.must(t, "useradd", "-m", "-s", "/bin/bash", "ada")

	begun := time.Now()
	b.must(t, "dpkg", "-i", "/root/extwatch.deb")
	t.Logf("installed in %v", time.Since(begun).Round(time.Millisecond))
	for name, want := range map[string]string{"ActiveState": "active", "UnitFileState": "enabled", "FragmentPath": "/lib/systemd/system/extwatch.service"} {
		if got := b.property(t, name); got != want {
			t.Fatalf("after the installation %s is %q, want %q\n%s", name, got, want, b.journal())
		}
	}
	b.security(t)
	p := newProduct(t)
	b.plant(t, "ada", p.id, plantedManifest, plantedCode)
	b.malicious(t, p.id)
	b.must(t, "extwatch", "block", p.id)
	policies := b.must(t, "grep", "-rl", p.id, "/etc/chromium")
	t.Logf("blocked by %s", strings.TrimSpace(policies))

	b.upgrade(t, p.id)
	b.must(t, "dpkg", "-r", "extwatch")
	if out, _ := b.run("grep", "-rl", p.id, "/etc"); out != "" {
		t.Errorf("still blocked after the removal: %s", out)
	}
	if _, code := b.run("test", "-e", "/var/lib/extwatch/extwatch.db"); code != 0 {
		t.Error("the removal took what was remembered; only a purge may")
	}
	b.must(t, "dpkg", "-P", "extwatch")
	b.must(t, "userdel", "-r", "ada")
	if diff := difference(before, b.files(t)); len(diff) > 0 {
		t.Errorf("not as before: %q", diff)
	}
}

// malicious waits until the service says that the extension is a thief.
func (b *box) malicious(t *testing.T, id string) {
	t.Helper()
	waitFor(t, "the finding", time.Minute, func() bool {
		s, code := b.status(t)
		out, _ := b.run("extwatch", "history", id)
		return code == 3 && s.Malicious == 1 && strings.Contains(out, "session-cookie-theft")
	})
}

// upgrade installs the newer package: the service runs again, knows what it knew, and tells nothing twice.
func (b *box) upgrade(t *testing.T, id string) {
	t.Helper()
	b.must(t, "sh", "-c", "echo 'log: {level: debug}' > /etc/extwatch/config.yml")
	pid := b.property(t, "MainPID")
	b.must(t, "dpkg", "-i", "--force-confold", "/root/newer.deb")
	if got := b.property(t, "ActiveState"); got != "active" {
		t.Fatalf("after the upgrade the service is %s\n%s", got, b.journal())
	}
	if b.property(t, "MainPID") == pid {
		t.Error("the upgrade did not restart the service")
	}
	waitFor(t, "the service to be ready after the upgrade", time.Minute, func() bool {
		s, _ := b.status(t)
		return s.Ready && s.Blocked == 1
	})
	if out, _ := b.run("extwatch", "history", id); !strings.Contains(out, "session-cookie-theft") {
		t.Errorf("the upgrade lost the history:\n%s", out)
	}
	if out := b.must(t, "cat", "/etc/extwatch/config.yml"); !strings.Contains(out, "debug") {
		t.Errorf("the upgrade changed the settings:\n%s", out)
	}
	log := b.journal()
	for line := range strings.Lines(log) {
		if strings.Contains(line, "msg=finding") && strings.Count(log, line) > 1 {
			t.Errorf("told twice: %s", line)
		}
	}
}

// files lists what is on the machine, but for what packages and users leave there anyway.
func (b *box) files(t *testing.T) string {
	t.Helper()
	return b.must(t, "find", "/etc", "/usr", "/lib", "/var/lib", "/home", "/run/systemd/system", "-xdev",
		"-not", "-path", "/var/lib/systemd/*", "-not", "-path", "/var/lib/dpkg/*", "-not", "-path", "/var/lib/apt/*", "-not", "-name", "*.cache")
}

func (b *box) copyIn(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.root, to), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// packageFile is the package that `make dist` made for this machine.
func packageFile(t *testing.T) string {
	t.Helper()
	found, _ := filepath.Glob("../dist/extwatch_*_" + runtime.GOARCH + ".deb")
	if len(found) != 1 {
		t.Fatalf("want one package in dist/, found %q: run `make dist` first", found)
	}
	return found[0]
}

// newer packs a package again with a higher version.
func newer(t *testing.T, deb string) string {
	t.Helper()
	dir := t.TempDir()
	out := filepath.Join(dir, "newer.deb")
	script := fmt.Sprintf(`set -e
dpkg-deb -R %q %[2]q/tree
sed -i 's/^Version: .*/Version: 99.0.0-1/' %[2]q/tree/DEBIAN/control
dpkg-deb --root-owner-group -Znone -b %[2]q/tree %[3]q`, deb, dir, out)
	if text, err := exec.Command("sh", "-c", script).CombinedOutput(); err != nil {
		t.Fatalf("pack the newer package: %v\n%s", err, text)
	}
	return out
}
