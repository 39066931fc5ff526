//go:build linux

package e2e

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

const (
	policyFile  = "/etc/chromium/policies/managed/extwatch-e2e.json"
	externalDir = "/usr/share/chromium/extensions"
	patience    = 40 * time.Second // Chromium writes its preferences 10 s late, and the machine may be busy
)

// What a managed policy forces on the browser is found, named and not warned of: it is capable, nothing more.
func TestForcedByPolicy(t *testing.T) {
	l, p := newLab(t), newProduct(t)
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + listen.Addr().String()
	crx, _ := p.pack(manifest("Company Quotes", "1.2.3"))
	mux := http.NewServeMux()
	mux.HandleFunc("/updates.xml", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `<?xml version='1.0'?><gupdate xmlns='http://www.google.com/update2/response' protocol='2.0'>
<app appid='%s'><updatecheck codebase='%s/x.crx' version='1.2.3'/></app></gupdate>`, p.id, base)
	})
	mux.HandleFunc("/x.crx", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-chrome-extension")
		w.Write(crx)
	})
	server := &http.Server{Handler: mux}
	go server.Serve(listen)
	t.Cleanup(func() { server.Close() })
	setPolicy(t, fmt.Sprintf(`{"ExtensionInstallForcelist":["%s;%s/updates.xml"]}`, p.id, base))

	l.run(t)
	b := startChromium(t, l.home)
	waitFor(t, "the forced extension", patience, func() bool { return l.count("new", p.id) > 0 })
	waitFor(t, "its preferences", patience, func() bool { return fileHas(preferences(l.home), p.id) })
	b.stop(t)
	e := l.scan(t, p.id)
	expect(t, e, extension{Name: "Company Quotes", Version: "1.2.3", Origin: "policy", Enabled: true, Verdict: "capable"})
	expectOnce(t, l, p.id, 0)
}

// What another program puts beside the browser is enabled on Linux without a question, and warned of within a second.
func TestExternalUpdatedDisabledRemoved(t *testing.T) {
	l, p := newLab(t), newProduct(t)
	external := filepath.Join(externalDir, p.id+".json")
	offer := func(version string) {
		crx, _ := p.pack(manifest("Quote Helper", version))
		file := filepath.Join(l.tmp, "quotes-"+version+".crx")
		if err := os.WriteFile(file, crx, 0o644); err != nil {
			t.Fatal(err)
		}
		writeFile(t, external, fmt.Sprintf(`{"external_crx":%q,"external_version":%q}`, file, version))
	}
	offer("1.0")
	t.Cleanup(func() { os.Remove(external) })

	l.run(t)
	b := startChromium(t, l.home)
	waitFor(t, "the first word of it", patience, func() bool { return l.count("new", p.id) > 0 })
	waitFor(t, "the warning", patience, func() bool { return l.count("warning", p.id) > 0 })
	reportDelays(t, l, p.id, "1.0_0")
	waitFor(t, "its preferences", patience, func() bool { return fileHas(preferences(l.home), p.id) })
	b.stop(t)
	expect(t, l.scan(t, p.id), extension{Name: "Quote Helper", Version: "1.0", Origin: "sideloaded", Enabled: true, Verdict: "suspicious"})

	offer("2.0")
	b = startChromium(t, l.home)
	waitFor(t, "the update", patience, func() bool { return l.last(p.id).Extension.Version == "2.0" })
	setPolicy(t, fmt.Sprintf(`{"ExtensionSettings":{"%s":{"installation_mode":"blocked"}}}`, p.id))
	waitFor(t, "it to be disabled", patience, func() bool {
		// The policy is lost when it arrives right after the browser's start; a touched file is read again.
		now := time.Now()
		os.Chtimes(policyFile, now, now)
		time.Sleep(6 * time.Second)
		e := l.last(p.id).Extension
		return e.Version == "2.0" && !e.Enabled
	})
	b.stop(t)
	e := l.scan(t, p.id)
	expect(t, e, extension{Name: "Quote Helper", Version: "2.0", Origin: "sideloaded", Enabled: false, Verdict: e.Verdict})
	if len(e.Disabled) == 0 {
		t.Error("scan does not say why it is disabled")
	}

	os.Remove(policyFile)
	os.Remove(external)
	b = startChromium(t, l.home)
	waitFor(t, "it to be gone", patience, func() bool { return l.count("gone", p.id) > 0 })
	b.stop(t)
	if e := l.scan(t, p.id); e != nil {
		t.Errorf("scan still lists it: %+v", e)
	}
	expectOnce(t, l, p.id, 1)
}

// A folder named on the command line runs only while that browser does.
func TestLoadedByCommandLine(t *testing.T) {
	l := newLab(t)
	folder := filepath.Join(l.home, "Downloads", "quotes")
	writeFile(t, filepath.Join(folder, "manifest.json"), manifest("Quotes from a folder", "0.9"))
	writeFile(t, filepath.Join(folder, "bg.js"), "self.quotes = 1;\n")

	l.run(t)
	b := startChromium(t, l.home, "--load-extension="+folder)
	waitFor(t, "the first word of it", patience, func() bool { return l.count("warning", "") > 0 })
	id := l.all("warning", "")[0].Extension.ID
	waitFor(t, "Chromium to write its preferences", patience, func() bool { return fileHas(preferences(l.home), id) })
	expect(t, l.scan(t, id), extension{Name: "Quotes from a folder", Version: "0.9", Origin: "unpacked", Enabled: true, Verdict: "suspicious"})
	b.stop(t)
	// Its entry stays in the preferences for ever; it does not run any more.
	e := l.scan(t, id)
	expect(t, e, extension{Name: "Quotes from a folder", Version: "0.9", Origin: "unpacked", Enabled: false, Verdict: e.Verdict})
	expectOnce(t, l, id, 1)
}

// Malware edits the preferences of a browser that is not running; the next start enables its folder without a word.
func TestPreferencesEditedWhileClosed(t *testing.T) {
	l := newLab(t)
	b := startChromium(t, l.home)
	waitFor(t, "Chromium to write its preferences", patience, func() bool { return fileHas(preferences(l.home), "extensions") })
	b.stop(t)
	folder := filepath.Join(l.home, ".cache", "update")
	writeFile(t, filepath.Join(folder, "manifest.json"), manifest("Docs Offline Update", "3.1"))
	writeFile(t, filepath.Join(folder, "bg.js"), "self.quotes = 1;\n")

	l.run(t)
	const claimed = "aaaabbbbccccddddeeeeffffgggghhhh"
	editPreferences(t, l.home, func(extensions map[string]any) {
		extensions["ui"] = map[string]any{"developer_mode": true}
		settings, _ := extensions["settings"].(map[string]any)
		if settings == nil {
			settings = map[string]any{}
			extensions["settings"] = settings
		}
		settings[claimed] = map[string]any{"location": 4, "path": folder, "creation_flags": 38}
	})
	waitFor(t, "the warning", patience, func() bool { return l.count("warning", claimed) > 0 })
	e := l.scan(t, claimed)
	expect(t, e, extension{Name: "Docs Offline Update", Version: "3.1", Origin: "unpacked", Enabled: true, Verdict: "suspicious"})
	expectOnce(t, l, claimed, 1)
}

func setPolicy(t *testing.T, text string) {
	t.Helper()
	// A temporary file inside the folder would itself be read as a policy.
	temp := filepath.Join(filepath.Dir(filepath.Dir(policyFile)), "e2e.tmp")
	writeFile(t, temp, text)
	if err := os.MkdirAll(filepath.Dir(policyFile), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(temp, policyFile); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(policyFile) })
}

func fileHas(name, text string) bool {
	data, err := os.ReadFile(name)
	return err == nil && bytes.Contains(data, []byte(text))
}

// expect compares what a scan says with what the test put there, and that it reaches Binance.
func expect(t *testing.T, got *extension, want extension) {
	t.Helper()
	if got == nil {
		t.Fatal("scan does not list it")
	}
	if got.Browser != "chromium" || got.Profile != "Default" {
		t.Errorf("scan finds it in browser %q, profile %q", got.Browser, got.Profile)
	}
	g := extension{Name: got.Name, Version: got.Version, Origin: got.Origin, Enabled: got.Enabled, Verdict: got.Verdict}
	if fmt.Sprint(g) != fmt.Sprint(want) {
		t.Errorf("scan says  %+v\nwant       %+v", g, want)
	}
	if got.Enabled && !got.reaches("binance") {
		t.Errorf("scan does not say that it reaches Binance: %+v", got.Reach)
	}
	if got.Pending {
		t.Error("scan says that the browser does not know it yet")
	}
}

// expectOnce checks that the agent told of the extension once.
func expectOnce(t *testing.T, l *lab, id string, warnings int) {
	t.Helper()
	if n := l.count("new", id) + l.count("found", id); n != 1 {
		t.Errorf("told %d times that it is new, want once", n)
	}
	if n := l.count("warning", id); n != warnings {
		t.Errorf("warned %d times, want %d", n, warnings)
	}
}

// reportDelays logs how long after the rename that ended the install the agent spoke. It is a report, not a check: the
// machine may be busy.
func reportDelays(t *testing.T, l *lab, id, version string) {
	t.Helper()
	info, err := os.Stat(filepath.Join(dataDir(l.home), "Default", "Extensions", id, version))
	if err != nil {
		t.Error(err)
		return
	}
	st := info.Sys().(*syscall.Stat_t)
	installed := time.Unix(st.Ctim.Sec, st.Ctim.Nsec) // the rename sets it
	t.Logf("on disk -> first verdict %v, -> printed warning %v",
		l.all("new", id)[0].read.Sub(installed).Round(100*time.Microsecond),
		l.all("warning", id)[0].read.Sub(installed).Round(100*time.Microsecond))
}
