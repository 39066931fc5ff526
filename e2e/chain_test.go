//go:build linux && figures

package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// thiefFolder is an extension of our own that sends Binance's session cookies to a stranger's server. No such server exists.
const thiefFolder = "../signatures/testdata/extensions/session-cookies/thief"

// companyPolicy is what the administrator of the machine has set before we come, comment and all.
const companyPolicy = "{\n  // set by the company\n  \"ShowHomeButton\": true\n}\n"

// The whole chain, on a machine with a real systemd, session bus, screen, notification program and Chromium: a thief is
// installed, its owner is warned, clicks, reads what to do, blocks it; the browser obeys; a restart repeats nothing; and the
// removal leaves nothing behind.
func TestTheWholeChain(t *testing.T) {
	b := boot(t)
	b.must(t, "mkdir", "-p", "-m", "755", "/etc/chromium/policies/managed")
	writeIn(t, b, "/etc/chromium/policies/managed/company.json", companyPolicy)
	before := b.snapshot(t)
	s := b.trader(t, "ada")
	s.screen("1280x900")
	s.record()
	t.Log(b.must(t, "extwatch", "service", "install"))
	b.security(t)

	id := s.sideload(thiefFolder)
	begun := time.Now()
	s.browser("--window-size=1280,900", "--window-position=0,0")
	waitFor(t, "the files of the extension", 2*time.Minute, func() bool { return s.installed(id) != "" })
	waitFor(t, "the warning on the bus", time.Minute, func() bool { return len(s.notified()) > 0 })
	t.Logf("browser started -> on disk and warned %v; on disk -> on the bus %v", time.Since(begun).Round(time.Millisecond), s.delay(id))
	waitFor(t, "what its code does in the warning", time.Minute, func() bool { return strings.Contains(s.bus(), "cookies") })
	time.Sleep(time.Second) // dunst draws
	s.picture("chain-warning", "1280x150+0+0")

	s.do("xdotool", "mousemove", "640", "70", "click", "1")
	var opened shownTab
	waitFor(t, "the page in the browser of the person", time.Minute, func() bool {
		for _, tab := range s.tabs() {
			if strings.Contains(tab.URL, "/extensions/") && strings.HasPrefix(tab.URL, "http://127.0.0.1:") {
				opened = tab
			}
		}
		return opened.ID != ""
	})
	t.Logf("the click opened %s %q", opened.URL, opened.Title)
	c := s.control(opened.ID)
	c.do(chromedp.WaitVisible("#todo"))
	t.Logf("the page says what to do:\n%s", eval[string](c, "document.querySelector('#todo').innerText"))
	time.Sleep(500 * time.Millisecond)
	s.picture("chain-page", "1280x735+0+0")

	if state := s.extensionState(id); state != "ENABLED" {
		t.Fatalf("before the block it is %s", state)
	}
	begun = time.Now()
	c.do(chromedp.SendKeys("#r-block", "it takes my login"), chromedp.Click("form[action$='/block'] button"), chromedp.WaitVisible(".note.good"))
	waitFor(t, "Chromium to disable it", 90*time.Second, func() bool { return s.extensionState(id) == "DISABLED" })
	t.Logf("Block -> disabled in Chromium %v\n%s", time.Since(begun).Round(time.Millisecond), b.must(t, "sh", "-c", "cd /etc/chromium/policies/managed; ls -la; tail -n +1 *"))
	s.manager.show()
	s.picture("chain-blocked", "1020x545+258+150")
	waitFor(t, "the preferences to say so", time.Minute, func() bool {
		e := s.preference(id)
		return strings.Contains(e, "65536")
	})
	waitFor(t, "the status to say so", time.Minute, func() bool {
		st, _ := b.status(t)
		return st.Blocked == 1 && st.Malicious+st.Suspicious == 0
	})
	out, code := b.run("extwatch", "status")
	t.Logf("status, exit %d:\n%s", code, out)

	told := s.fresh()
	b.must(t, "systemctl", "restart", "extwatch")
	waitFor(t, "the service to be ready again", time.Minute, func() bool { st, _ := b.status(t); return st.Ready })
	time.Sleep(3 * time.Second)
	if now := s.fresh(); now != told {
		t.Errorf("the restart told again: %d notifications, before %d\n%s", now, told, s.bus())
	}
	if state := s.extensionState(id); state != "DISABLED" {
		t.Errorf("after the restart it is %s", state)
	}

	begun = time.Now()
	out, errs, code := s.try("extwatch", "unblock", id)
	t.Logf("the person takes the block back: exit %d\n%s%s", code, out, errs)
	waitFor(t, "Chromium to enable it again", 90*time.Second, func() bool { return s.extensionState(id) == "ENABLED" })
	t.Logf("unblock -> enabled in Chromium %v", time.Since(begun).Round(time.Millisecond))
	b.must(t, "extwatch", "block", id, "--reason", "so that the removal has something to take back")
	s.leave()
	t.Log(b.must(t, "extwatch", "service", "uninstall", "--purge"))
	s.goAway()
	if diff := difference(before, b.snapshot(t)); len(diff) > 0 {
		t.Errorf("not as before: %q", diff)
	}
	if t.Failed() {
		t.Log(b.journal())
	}
}

// snapshot lists what is on the machine, with the contents of what we could change.
func (b *box) snapshot(t *testing.T) string {
	t.Helper()
	return b.must(t, "find", "/etc", "/usr", "/var/lib", "/home", "/run/systemd/system", "-xdev", "-not", "-path", "/var/lib/systemd/*") +
		b.must(t, "sh", "-c", "cd /etc; find chromium opt firefox* thunderbird brave systemd dbus-1 -type f -exec sha256sum {} + ; find chromium opt firefox* systemd -printf '%p %m %u %g\n'; true")
}

// writeIn writes a file of the box's root.
func writeIn(t *testing.T, b *box, name, text string) {
	t.Helper()
	b.must(t, "/bin/sh", "-c", `printf %s "$2" > "$1"; chmod 644 "$1"`, "write", name, text)
}
