//go:build linux && figures

package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// inert is an extension that nothing speaks against.
const inert = `{"manifest_version":3,"name":%q,"version":"1.0","permissions":["storage"]}`

// folderOf writes an extension of one manifest and returns its folder.
func folderOf(t *testing.T, manifest string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/manifest.json", []byte(manifest), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

const managed = "/etc/chromium/policies/managed/"

// states waits until the browser says of each extension what it is to say.
func (s *trader) states(what string, want map[string]string) {
	s.t.Helper()
	begun := time.Now()
	got := map[string]string{}
	for time.Since(begun) < 90*time.Second {
		same := true
		for id, state := range want {
			got[id] = s.extensionState(id)
			same = same && got[id] == state
		}
		if same {
			s.t.Logf("%s: as it is to be after %v", what, time.Since(begun).Round(100*time.Millisecond))
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	out, _ := s.run("sh", "-c", "cd "+managed+"; tail -n +1 *; stat -c '%n %y %z %i' . *; P=$(pgrep -o chromium); ps -o lstart $P; cat /proc/$P/fdinfo/* | grep inotify")
	s.t.Fatalf("%s: the browser says %v, want %v\n%s", what, got, want, out)
}

// Blocks hold together with whatever an administrator sets before, during and after, in a machine that had no folder of
// policies when the service started; what the administrator wrote stays as it is, to the byte.
func TestBlockBesidesAnAdministrator(t *testing.T) {
	b := boot(t)
	b.must(t, "rm", "-rf", "/etc/chromium", "/etc/firefox", "/etc/opt")
	before := b.snapshot(t)
	t.Log(b.must(t, "extwatch", "service", "install"))
	s := b.trader(t, "ada")
	s.screen("1000x700")
	thief := s.sideload(thiefFolder)
	listed, set, free := s.sideload(folderOf(t, fmt.Sprintf(inert, "Listed"))), s.sideload(folderOf(t, fmt.Sprintf(inert, "Set"))), s.sideload(folderOf(t, fmt.Sprintf(inert, "Free")))
	s.browser()
	waitFor(t, "the extensions", 60*time.Second, func() bool {
		for _, id := range []string{thief, listed, set, free} {
			if s.installed(id) == "" {
				return false
			}
		}
		return true
	})
	const on, off = "ENABLED", "DISABLED"
	s.states("at first", map[string]string{thief: on, listed: on, set: on, free: on})
	waitFor(t, "the finding", time.Minute, func() bool { st, _ := b.status(t); return st.Malicious == 1 })

	if out, errs, code := s.try("extwatch", "block", free); code == 0 || !strings.Contains(errs, "administrator") {
		t.Errorf("an ordinary person may block what is harmless: exit %d %s%s", code, out, errs)
	}
	t.Log(s.do("extwatch", "block", thief, "--reason", "it steals"))
	s.states("blocked, no other policy", map[string]string{thief: off, listed: on, set: on, free: on})

	list := fmt.Sprintf("// the company's\n{\"ExtensionInstallBlocklist\": [%q], \"ShowHomeButton\": true}\n", listed)
	writeIn(t, b, managed+"company.json", list)
	s.states("the administrator adds a list", map[string]string{thief: off, listed: off, set: on, free: on})
	waitFor(t, "ours to leave the list", 10*time.Second, func() bool {
		return strings.Contains(b.must(t, "cat", managed+"zz-extwatch.json"), "ExtensionSettings")
	})
	settings := fmt.Sprintf("{\"ExtensionSettings\": {%q: {\"installation_mode\": \"blocked\"}}}\n", set)
	writeIn(t, b, managed+"more.json", settings)
	s.states("the administrator adds settings", map[string]string{thief: off, listed: off, set: off, free: on})
	t.Log(b.must(t, "sh", "-c", "cd "+managed+"; ls -la; tail -n +1 *"))
	t.Log(b.must(t, "extwatch", "unblock", thief))
	s.states("unblocked", map[string]string{thief: on, listed: off, set: off, free: on})
	if got := b.must(t, "sh", "-c", "cd "+managed+"; cat *"); got != list+settings {
		t.Errorf("the administrator's files are %q", got)
	}

	writeIn(t, b, managed+"more.json", fmt.Sprintf(`{"ExtensionSettings": {%q: {"installation_mode": "allowed"}}}`, thief))
	out, errs, code := b.all("extwatch", "block", thief)
	if code == 0 || !strings.Contains(errs, "administrator wants") {
		t.Errorf("a block against the administrator's word: exit %d %s%s", code, out, errs)
	}
	b.must(t, "sh", "-c", "rm "+managed+"*")
	s.states("the administrator leaves", map[string]string{thief: on, listed: on, set: on, free: on})

	// Without being asked, when the settings say so.
	b.must(t, "mkdir", "-p", "/etc/extwatch")
	writeIn(t, b, "/etc/extwatch/config.yml", "block:\n  automatic: true\n")
	s.leave()
	second := s.sideload(thiefFolder)
	s.browser()
	s.states("blocked without a word", map[string]string{thief: off, second: off, free: on})
	waitFor(t, "the status to say so", 30*time.Second, func() bool { // when the browser has written it down
		st, _ := b.status(t)
		return st.Blocked == 2 && st.Malicious+st.Suspicious == 0
	})
	t.Log(b.must(t, "extwatch", "status"))

	s.leave()
	t.Log(b.must(t, "extwatch", "service", "uninstall", "--purge"))
	b.must(t, "rm", "-r", "/etc/extwatch")
	s.goAway()
	if diff := difference(before, b.snapshot(t)); len(diff) > 0 {
		t.Errorf("not as before: %q", diff)
	}
}

// A Chromium that has just started may miss a policy; it is told again.
func TestBlockOfABrowserThatJustStarted(t *testing.T) {
	b := boot(t)
	b.must(t, "extwatch", "service", "install")
	s := b.trader(t, "ada")
	s.screen("1000x700")
	thief := s.sideload(thiefFolder)
	s.browser()
	waitFor(t, "the finding", 60*time.Second, func() bool { st, _ := b.status(t); return st.Malicious == 1 })
	s.states("at first", map[string]string{thief: "ENABLED"})
	for _, after := range []time.Duration{300 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second} {
		s.leave()
		s.browser()
		time.Sleep(after)
		b.must(t, "extwatch", "block", thief)
		s.states(fmt.Sprintf("blocked %v after the start", after), map[string]string{thief: "DISABLED"})
		b.must(t, "extwatch", "unblock", thief)
		s.states("unblocked", map[string]string{thief: "ENABLED"})
	}
	for i := range 6 { // one right after the other
		b.must(t, "extwatch", "block", thief)
		s.states(fmt.Sprintf("block %d", i), map[string]string{thief: "DISABLED"})
		b.must(t, "extwatch", "unblock", thief)
		s.states("unblocked", map[string]string{thief: "ENABLED"})
	}
}

// Firefox ESR obeys when it starts again, and what its administrator set still holds.
func TestBlockInFirefox(t *testing.T) {
	b := boot(t)
	b.must(t, "rm", "-rf", "/etc/firefox")
	b.must(t, "extwatch", "service", "install")
	s := b.trader(t, "ada")
	s.screen("1000x700")
	const thief, company = "rates@extwatch.example", "company@extwatch.example"
	manifest := `{"manifest_version":2,"name":%q,"version":"1.0","permissions":["cookies","https://*.binance.com/*","https://collect.example/*"],` +
		`"background":{"scripts":["bg.js"]},"browser_specific_settings":{"gecko":{"id":%q}}}`
	profile := s.home() + "/.mozilla/firefox/abcd1234.trading"
	s.write(s.home()+"/.mozilla/firefox/profiles.ini", []byte("[Profile0]\nName=trading\nIsRelative=1\nPath=abcd1234.trading\nDefault=1\n"))
	s.write(profile+"/user.js", []byte("user_pref(\"xpinstall.signatures.required\", false);\nuser_pref(\"extensions.autoDisableScopes\", 0);\nuser_pref(\"extensions.enabledScopes\", 15);\n"))
	s.write(profile+"/extensions/"+thief+".xpi", xpi(t, fmt.Sprintf(manifest, "Rate Helper", thief), plantedCode))
	s.write("/tmp/company.xpi", xpi(t, fmt.Sprintf(`{"manifest_version":2,"name":"Company","version":"1.0","browser_specific_settings":{"gecko":{"id":%q}}}`, company), ""))
	policy := fmt.Sprintf("{\n  \"policies\": {\n    \"DisableTelemetry\": true,\n    \"ExtensionSettings\": {%q: {\"installation_mode\": \"force_installed\", \"install_url\": \"file:///tmp/company.xpi\"}}\n  }\n}\n", company)
	b.must(t, "mkdir", "-p", "/etc/firefox/policies")
	writeIn(t, b, "/etc/firefox/policies/policies.json", policy)

	run := func(what string, want map[string]string) {
		t.Helper()
		s.unit("firefox", firefoxBinary, "--headless", "--no-remote", "--profile", profile, "about:blank")
		got := map[string]string{}
		for end := time.Now().Add(60 * time.Second); fmt.Sprint(got) != fmt.Sprint(want); time.Sleep(300 * time.Millisecond) {
			if time.Now().After(end) {
				out, _ := b.run("cat", "/etc/firefox/policies/policies.json")
				t.Fatalf("%s: Firefox has %v, want %v\n%s", what, got, want, out)
			}
			got = s.addons(profile, thief, company)
		}
		t.Logf("%s: %v", what, got)
		s.do("systemctl", "--user", "stop", "firefox.service")
	}
	run("before", map[string]string{thief: "active", company: "active"})
	waitFor(t, "the finding", 30*time.Second, func() bool { st, _ := b.status(t); return st.Malicious == 1 })
	out, errs, code := s.try("extwatch", "block", thief, "--reason", "it steals")
	t.Logf("block: exit %d\n%s%s", code, out, errs)
	run("after the block and a restart", map[string]string{thief: "absent", company: "active"})
	t.Log(b.must(t, "cat", "/etc/firefox/policies/policies.json"))
	t.Log(b.must(t, "extwatch", "unblock", thief))
	if got := b.must(t, "cat", "/etc/firefox/policies/policies.json"); got != policy {
		t.Errorf("the administrator's file is %q", got)
	}
}
