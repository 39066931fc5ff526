//go:build linux && figures

package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/remote"
	"github.com/extwatch/extwatch/manifests/archive/archivetest"
)

// debugPort is where the browser of a person at a seat can be asked what it shows.
const debugPort = 9333

// A trader is a person at a seat who uses Chromium.
type trader struct {
	*seat
	manager *tab // of the browser's extensions
}

func (b *box) trader(t *testing.T, name string) *trader {
	t.Helper()
	return &trader{seat: b.seat(t, name)}
}

// browser starts Chromium on the screen, as the person's usual browser.
func (s *trader) browser(flags ...string) {
	s.t.Helper()
	s.write(s.home()+"/.config/mimeapps.list", []byte("[Default Applications]\nx-scheme-handler/http=chromium.desktop\ntext/html=chromium.desktop\n"))
	args := []string{chromiumBinary, "--no-sandbox", "--test-type", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-default-browser-check",
		"--disable-component-update", "--disable-sync", "--enable-remote-extensions", "--password-store=basic",
		"--user-data-dir=" + s.home() + "/.config/chromium", "--remote-debugging-port=" + strconv.Itoa(debugPort), "--remote-allow-origins=*"}
	s.unit("chromium", append(append(args, flags...), "about:blank")...)
}

// leave closes the browser as a person does, so that it writes its preferences.
func (s *trader) leave() {
	s.t.Helper()
	s.manager = nil
	s.do("systemctl", "--user", "stop", "chromium.service")
	waitFor(s.t, "Chromium to end", 20*time.Second, func() bool {
		_, code := s.run("pgrep", "-u", s.name, "chromium")
		return code != 0
	})
}

// A shownTab is an open tab of the browser.
type shownTab struct{ ID, Type, Title, URL string }

// tabs lists what the browser shows.
func (s *trader) tabs() []shownTab {
	client := http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) {
		return s.dial(fmt.Sprintf("127.0.0.1:%d", debugPort))
	}}}
	answer, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d/json/list", debugPort))
	if err != nil {
		return nil
	}
	defer answer.Body.Close()
	var list []shownTab
	json.NewDecoder(answer.Body).Decode(&list)
	return list
}

// sideload has the person's browser install an extension when it starts, as programs that come with extensions do.
func (s *trader) sideload(folder string) (id string) {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	crx, id, err := archivetest.PackCRX3(os.DirFS(folder), key)
	if err != nil {
		s.t.Fatal(err)
	}
	file := filepath.Join(s.home(), "Downloads", id+".crx")
	s.write(file, crx)
	version := struct{ Version string }{}
	data, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err == nil {
		err = json.Unmarshal(data, &version)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.write(filepath.Join(s.home(), ".config/chromium/External Extensions", id+".json"),
		fmt.Appendf(nil, `{"external_crx":%q,"external_version":%q}`, file, version.Version))
	return id
}

// installed returns when the browser put the version's folder in place, in seconds, "" before.
func (s *trader) installed(id string) string {
	out, _ := s.run("sh", "-c", "stat -c %.9Z "+s.home()+"/.config/chromium/Default/Extensions/"+id+"/*_0")
	return strings.TrimSpace(out)
}

// preference is what the browser remembers of an extension.
func (s *trader) preference(id string) string {
	out, _ := s.run("cat", s.home()+"/.config/chromium/Default/Preferences")
	var prefs struct {
		Extensions struct {
			Settings map[string]json.RawMessage
		}
	}
	json.Unmarshal([]byte(out), &prefs)
	return string(prefs.Extensions.Settings[id])
}

// delay is how long after the last step of the install the first notification came.
func (s *trader) delay(id string) time.Duration {
	var at float64
	fmt.Sscan(s.installed(id), &at)
	for _, told := range s.notified() {
		if told > at {
			return time.Duration((told - at) * 1e9).Round(time.Millisecond)
		}
	}
	return -1
}

// control drives a tab of the person's browser.
func (s *trader) control(tabID string) *tab {
	s.t.Helper()
	waitFor(s.t, "the browser to answer", 30*time.Second, func() bool { return len(s.tabs()) > 0 })
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	s.t.Cleanup(cancel)
	ctx, cancel = remote.NewAllocator(ctx, "http://"+s.forward(s.t, debugPort))
	s.t.Cleanup(cancel)
	b := &tab{t: s.t}
	if tabID == "" {
		b.ctx, cancel = chromedp.NewContext(ctx)
	} else {
		b.ctx, cancel = chromedp.NewContext(ctx, chromedp.WithTargetID(target.ID(tabID)))
	}
	s.t.Cleanup(cancel)
	return b
}

// extensionState asks the browser's own page of extensions.
func (s *trader) extensionState(id string) string {
	s.t.Helper()
	if s.manager == nil {
		s.manager = s.control("")
		s.manager.do(chromedp.Navigate("chrome://extensions"))
	}
	return eval[string](s.manager, fmt.Sprintf(
		`chrome.developerPrivate.getExtensionInfo(%q).then((i) => i.state).catch((e) => "ABSENT")`, id))
}

// show brings the tab to the front.
func (b *tab) show() {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, page.BringToFront, struct{}{}); err != nil {
		b.t.Fatal(err)
	}
	time.Sleep(time.Second) // it is drawn
}

// addons says which add-ons a profile of Firefox has: "active", "off" or "absent".
func (s *trader) addons(profile string, ids ...string) map[string]string {
	out, _ := s.run("cat", profile+"/extensions.json")
	var file struct {
		Addons []struct {
			ID     string
			Active bool
		}
	}
	json.Unmarshal([]byte(out), &file)
	states := map[string]string{}
	for _, id := range ids {
		states[id] = "absent"
		for _, a := range file.Addons {
			if a.ID == id {
				states[id] = map[bool]string{true: "active", false: "off"}[a.Active]
			}
		}
	}
	return states
}

// xpi packs an add-on for Firefox.
func xpi(t *testing.T, manifest, code string) []byte {
	t.Helper()
	data, err := archivetest.PackZip(fstest.MapFS{"manifest.json": {Data: []byte(manifest)}, "bg.js": {Data: []byte(code)}})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// goAway ends the person's session and removes the account.
func (s *trader) goAway() {
	s.t.Helper()
	s.must(s.t, "loginctl", "disable-linger", s.name)
	s.run("loginctl", "terminate-user", s.name)
	waitFor(s.t, "the session to end", 20*time.Second, func() bool { _, code := s.run("pgrep", "-u", s.name); return code != 0 })
	s.must(s.t, "userdel", "-r", s.name)
}

// picture takes one of a part of the screen, into docs/images when that is wanted.
func (s *trader) picture(name, part string) {
	s.t.Helper()
	s.do("import", "-window", "root", "-crop", part, "+repage", "-resize", "75%", "+dither", "-colors", "40", "-strip", "/tmp/"+name+".png")
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/root/tmp/%s.png", s.leader, name))
	if err != nil {
		s.t.Fatal(err)
	}
	folder := s.t.ArtifactDir()
	if os.Getenv(imagesWanted) != "" {
		folder = imagesFolder
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), data, 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// forward makes a port of the box's reachable from here, and returns its address.
func (b *box) forward(t *testing.T, port int) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer in.Close()
				out, err := b.dial(fmt.Sprintf("127.0.0.1:%d", port))
				if err != nil {
					return
				}
				defer out.Close()
				go func() { io.Copy(out, in); out.Close() }()
				io.Copy(in, out)
			}()
		}
	}()
	return l.Addr().String()
}
