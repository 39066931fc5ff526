//go:build linux && packages

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// An administrator follows installer/README.md to the letter: every command of its steps for Linux is run as it stands, in this
// order, on a machine that never saw ExtWatch. What differs is the version in the file's name, and where the feed lies.
func TestPackageAdministrator(t *testing.T) {
	deb := packageFile(t)
	b := boot(t)
	os.Remove(filepath.Join(b.root, "usr/local/bin/extwatch"))
	os.Remove(filepath.Join(b.root, "usr/sbin/policy-rc.d"))
	// The machine's image has no sudo, and root may do all.
	writeFile(t, filepath.Join(b.root, "usr/local/bin/sudo"), "#!/bin/sh\nexec \"$@\"\n")
	b.must(t, "chmod", "755", "/usr/local/bin/sudo")
	b.must(t, "mkdir", "-p", "/root/rollout", "/srv/feed")
	b.copyIn(t, deb, "/root/rollout/"+filepath.Base(deb))
	b.must(t, "useradd", "-m", "-s", "/bin/bash", "ada")
	p := newProduct(t)
	b.plant(t, "ada", p.id, plantedManifest, plantedCode)

	steps := readme(t, "### Linux, step by step")
	version := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(deb), "extwatch_"), "_amd64.deb")
	version = strings.TrimSuffix(version, "-1")
	for i, step := range steps {
		step = strings.ReplaceAll(step, "VERSION", version)
		if i == 1 { // the feed comes from whoever publishes it, and uses the program that step 1 installed
			b.publish(t)
		}
		begun := time.Now()
		out, code := b.slowly(t, "cd /root/rollout; export DEBIAN_FRONTEND=noninteractive; "+step)
		t.Logf("step %d, %v:\n%s", i+1, time.Since(begun).Round(time.Millisecond), out)
		if code != 0 && (code != 3 || !strings.Contains(step, "status")) { // 3: it watches, and something needs somebody
			t.Fatalf("step %d: exit %d", i+1, code)
		}
	}
	waitFor(t, "the feed, and the block that its settings ask for", 30*time.Second, func() bool {
		out, _ := b.run("extwatch", "status")
		s, _ := b.status(t)
		return s.Blocked == 1 && strings.Contains(out, "proved current")
	})
	out, _ := b.run("extwatch", "status")
	t.Logf("at the end:\n%s", out)
	if out := b.must(t, "extwatch", "rules", "list"); !strings.Contains(out, "from the feed") {
		t.Errorf("no rule is from the feed:\n%s", out)
	}
}

// slowly runs commands that may take minutes, as apt does where it starts services of its own.
func (b *box) slowly(t *testing.T, script string) (out string, code int) {
	t.Helper()
	writeFile(t, filepath.Join(b.root, "root/step"), script)
	b.must(t, "/bin/sh", "-c", "cd /root; rm -f code; setsid sh -c 'bash -eux step >out 2>&1; echo $? >code.new; mv code.new code' >/dev/null 2>&1 </dev/null &")
	waitFor(t, "the step to end", 5*time.Minute, func() bool { _, left := b.run("test", "-e", "/root/code"); return left == 0 })
	code, err := strconv.Atoi(strings.TrimSpace(b.must(t, "cat", "/root/code")))
	if err != nil {
		t.Fatal(err)
	}
	return b.must(t, "cat", "/root/out"), code
}

// publish makes a feed as docs/publishing.md says, and leaves it where the README's example reads it.
func (b *box) publish(t *testing.T) {
	t.Helper()
	b.must(t, "/bin/bash", "-euc", `cd /root; umask 022
(umask 077; echo 'seven boats over the quiet hill' >root-passphrase; echo 'a green lamp beside nine doors' >daily-passphrase)
extwatch feed init feed --scrypt 8 --name 'Example Ltd' --root-keys stick-a --root-keys stick-b --root-keys stick-c \
  --root-passphrase-file root-passphrase --passphrase-file daily-passphrase
extwatch rules new --campaign fake-airdrop
extwatch feed add --dir feed fake-airdrop.yml
extwatch feed publish --dir feed --passphrase-file daily-passphrase
cp -R feed/public /srv/feed/public; cp feed/root.json rollout/root.json; chmod -R a+rX /srv/feed`)
}

// readme returns the blocks of commands below a heading of installer/README.md.
func readme(t *testing.T, heading string) (blocks []string) {
	t.Helper()
	page, err := os.ReadFile("../installer/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(page), "\n"+heading+"\n")
	if !ok {
		t.Fatalf("the README has no %q", heading)
	}
	text, _, _ = strings.Cut(text, "\n#")
	for _, m := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```").FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, m[1])
	}
	if len(blocks) < 4 {
		t.Fatalf("%d blocks of commands", len(blocks))
	}
	return blocks
}
