//go:build linux

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/extwatch/extwatch/manifests/archive/archivetest"
)

const firefoxBinary = "/usr/lib/firefox-esr/firefox-esr"

// What a policy installs in Firefox ESR is found in its XPI, whatever the profile's folder is called.
func TestFirefoxPolicy(t *testing.T) {
	const id = "quotes@extwatch.example"
	l := newLab(t)
	xpi := filepath.Join(l.tmp, "quotes.xpi")
	data, err := archivetest.PackZip(fstest.MapFS{
		"manifest.json": {Data: []byte(`{"manifest_version":2,"name":"Company Quotes","version":"4.5","permissions":["cookies","*://*.binance.com/*"],
			"background":{"scripts":["bg.js"]},"browser_specific_settings":{"gecko":{"id":"` + id + `"}}}`)},
		"bg.js": {Data: []byte("self.quotes = 1;\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(xpi, data, 0o644); err != nil {
		t.Fatal(err)
	}
	writeFile(t, "/etc/firefox/policies/policies.json", fmt.Sprintf(
		`{"policies":{"ExtensionSettings":{"%s":{"installation_mode":"force_installed","install_url":"file://%s"}}}}`, id, xpi))
	profile := filepath.Join(l.home, ".mozilla", "firefox", "abcd1234.trading")
	writeFile(t, filepath.Join(profile, "user.js"), `user_pref("xpinstall.signatures.required", false);`+"\n")

	l.run(t)
	stop := startFirefox(t, l.home, profile)
	waitFor(t, "the extension", patience, func() bool { return l.count("new", id) > 0 })
	waitFor(t, "Firefox to record it", patience, func() bool { return l.last(id).Extension.Origin == "policy" })
	stop()
	e := l.scan(t, id)
	if e == nil {
		t.Fatal("scan does not list it")
	}
	got := extension{Browser: e.Browser, Name: e.Name, Version: e.Version, Origin: e.Origin, Enabled: e.Enabled, Verdict: e.Verdict}
	want := extension{Browser: "firefox", Name: "Company Quotes", Version: "4.5", Origin: "policy", Enabled: true, Verdict: "capable"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("scan says  %+v\nwant       %+v", got, want)
	}
	if !e.reaches("binance") {
		t.Errorf("scan does not say that it reaches Binance: %+v", e.Reach)
	}
	expectOnce(t, l, id, 0)
}

func startFirefox(t *testing.T, home, profile string) (stop func()) {
	t.Helper()
	var log bytes.Buffer
	cmd := exec.Command(firefoxBinary, "--headless", "--no-remote", "--profile", profile, "about:blank")
	cmd.Env = append(os.Environ(), "HOME="+home, "MOZ_HEADLESS=1", "XDG_CONFIG_HOME=", "XDG_CACHE_HOME=")
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatalf("start Firefox (is the package firefox-esr installed?): %v", err)
	}
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
		if t.Failed() {
			t.Logf("Firefox said:\n%s", log.String())
		}
	}
	t.Cleanup(stop)
	return stop
}
