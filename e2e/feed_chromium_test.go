//go:build linux

package e2e

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A person is ada on her host, in a session with a bus and a screen.
type person struct {
	*host
	mu  sync.Mutex
	bus strings.Builder // what notifications said
}

// session gives ada a bus, a screen, and a program that shows notifications, and records them.
func (h *host) session(display string) *person {
	h.t.Helper()
	p := &person{host: h}
	run := filepath.Join(h.dir, "run", "user", strconv.Itoa(adaUID))
	if err := os.MkdirAll(run, 0o700); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Chown(run, adaUID, adaUID); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(run), 0o755); err != nil {
		h.t.Fatal(err)
	}
	env := []string{"DISPLAY=" + display, "XDG_RUNTIME_DIR=/run/user/" + strconv.Itoa(adaUID),
		"DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/" + strconv.Itoa(adaUID) + "/bus"}
	p.stays(nil, env, "dbus-daemon", "--session", "--address=unix:path=/run/user/"+strconv.Itoa(adaUID)+"/bus", "--nofork", "--nopidfile")
	waitFor(h.t, "the bus", 10*time.Second, func() bool { _, err := os.Stat(filepath.Join(run, "bus")); return err == nil })
	p.stays(nil, env, "Xvfb", display, "-screen", "0", "760x300x24", "-nolisten", "tcp")
	waitFor(h.t, "the X server", 10*time.Second, func() bool {
		_, _, code := h.run("env", "DISPLAY="+display, "xdotool", "getmouselocation")
		return code == 0
	})
	writeFile(h.t, filepath.Join(h.dir, "home", "ada", "dunstrc"), dunstrc)
	p.stays(nil, env, "dunst", "-config", "/home/ada/dunstrc")
	p.stays(p, env, "stdbuf", "-oL", "dbus-monitor", "--session", "interface='org.freedesktop.Notifications',member='Notify'")
	return p
}

// Write takes what the bus's monitor says.
func (p *person) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bus.Write(text)
}

func (p *person) told(what string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Contains(p.bus.String(), what)
}

// as prepares a command of ada's.
func (h *host) as(args ...string) *exec.Cmd {
	id := strconv.Itoa(adaUID)
	cmd := h.command(context.Background(), append([]string{"setpriv", "--reuid", id, "--regid", id, "--clear-groups", "--"}, args...)...)
	cmd.Env = append(cmd.Env, "HOME=/home/ada")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = 3 * time.Second
	return cmd
}

// stays starts a program that runs until the test ends.
func (h *host) stays(out io.Writer, env []string, args ...string) {
	h.t.Helper()
	cmd := h.as(args...)
	cmd.Env, cmd.Stdout = append(cmd.Env, env...), out
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
}

// An administrator writes a rule for an extension that is installed in a real Chromium, which runs; after `feed publish` the
// person is warned on the own desktop, and nobody installs anything anew.
func TestFeedWarnsOfWhatIsInstalled(t *testing.T) {
	n := newLAN(t)
	admin := n.host("publisher", 1).publishes()
	desk := n.host("desk", 2)
	ada := desk.session(":79")
	product := newProduct(t)
	crx, _ := product.packWith(fmt.Sprintf(colourManifest, 7), colourCode)
	home := filepath.Join(desk.dir, "home", "ada")
	writeFile(t, filepath.Join(home, "colours.crx"), string(crx))
	writeFile(t, filepath.Join(home, ".config", "chromium", "External Extensions", product.id+".json"), `{"external_crx":"/home/ada/colours.crx","external_version":"1.0"}`)
	err := filepath.WalkDir(home, func(name string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(name, adaUID, adaUID)
	})
	if err != nil {
		t.Fatal(err)
	}
	desk.stays(nil, nil, chromiumBinary, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-component-update", "--disable-sync", "--enable-remote-extensions", "--user-data-dir=/home/ada/.config/chromium", "about:blank")
	version := filepath.Join(home, ".config", "chromium", "Default", "Extensions", product.id, "1.0_0")
	waitFor(t, "Chromium to install it", patience, func() bool { _, err := os.Stat(filepath.Join(version, "manifest.json")); return err == nil })
	installed, err := os.Stat(version)
	if err != nil {
		t.Fatal(err)
	}

	desk.follows(admin, "")
	service := desk.start()
	waitFor(t, "the service to know it, and the publisher to be heard", patience, func() bool {
		s := service.status()
		return s.Ready && s.Extensions > 0 && s.Updates.Version == 1 && s.Updates.Events
	})
	if s := service.status(); s.Suspicious != 0 {
		t.Fatalf("before the rule: %+v\n%s", s, service.log())
	}
	published := admin.publish(colourRule(7))
	waitFor(t, "the warning on ada's screen", 30*time.Second, func() bool { return ada.told("Chart Colours 7") })
	t.Logf("published to notification on the session bus: %v", time.Since(published).Round(time.Millisecond))
	at, line := service.said(published.Add(-time.Minute), "msg=finding", "rule=colour-thief-7", product.id)
	t.Logf("published to found: %v: %s", at.Sub(published).Round(time.Millisecond), line)
	if now, err := os.Stat(version); err != nil || !now.ModTime().Equal(installed.ModTime()) || installed.ModTime().After(published) {
		t.Errorf("the extension was installed anew: %v, before %v", now.ModTime(), installed.ModTime())
	}
	if out, _, _ := desk.run("extwatch", "history", product.id); !strings.Contains(out, "colour-thief-7") {
		t.Errorf("the history does not name the rule:\n%s", out)
	}
}
