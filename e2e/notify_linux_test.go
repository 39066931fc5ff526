package e2e

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/extwatch/extwatch/agent/notifier"
	"github.com/extwatch/extwatch/signatures"
)

// update has the tests write the pictures in docs/images.
var update = flag.Bool("update", false, "write the pictures in docs/images anew")

// serveWarnings is set in the process that TestMain turns into `extwatch notify`.
const serveWarnings = "notify-for-e2e"

// notifyProcess is that process: this test program, started again as the second user.
func notifyProcess() {
	if err := notifier.Serve(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// A screenDesk is a second real user with a session bus and, after arrive, a screen with a notification daemon.
type screenDesk struct {
	t       *testing.T
	person  notifier.Person
	runtime string
	display string
	reports chan notifier.Report
	desktop *notifier.Desktop
}

func newScreenDesk(t *testing.T) *screenDesk {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("a second user needs root: run the tests as root")
	}
	if out, err := exec.Command("useradd", "--no-create-home", "--uid", "15077", "extwatch-e2e").CombinedOutput(); err != nil && !strings.Contains(string(out), "already exists") {
		t.Fatalf("useradd: %v\n%s", err, out) // /etc is an overlay that ends with the test
	}
	u, err := user.Lookup("extwatch-e2e")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	runtime, err := os.MkdirTemp("", "extwatch-run-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(runtime) })
	if err := os.Chmod(runtime, 0o755); err != nil {
		t.Fatal(err)
	}
	d := &screenDesk{t: t, runtime: runtime, display: ":78", reports: make(chan notifier.Report, 16),
		person: notifier.Person{Name: u.Username, UID: uid, GID: gid, Groups: []int{gid}}}
	// A copy of the test program that the second user may run.
	self := filepath.Join(runtime, serveWarnings)
	data, err := os.ReadFile(os.Args[0])
	if err == nil {
		err = os.WriteFile(self, data, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	d.desktop, err = notifier.NewDesktop(notifier.Config{Command: []string{self}, Language: "en", Runtime: runtime,
		Wait: 10 * time.Second, Report: func(r notifier.Report) { d.reports <- r }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.desktop.Close)
	return d
}

// login gives the user a session bus, as a login does.
func (d *screenDesk) login() {
	d.t.Helper()
	own := filepath.Join(d.runtime, strconv.Itoa(d.person.UID))
	if err := errors.Join(os.Mkdir(own, 0o700), os.Chown(own, d.person.UID, d.person.GID)); err != nil {
		d.t.Fatal(err)
	}
	d.asUser("dbus-daemon", "--session", "--address=unix:path="+own+"/bus", "--nofork", "--nopidfile")
	d.until("the bus", func() bool { _, err := os.Stat(own + "/bus"); return err == nil })
}

// screen starts an X server and a notification daemon on it.
func (d *screenDesk) screen() {
	d.t.Helper()
	d.start(exec.Command("Xvfb", d.display, "-screen", "0", "760x300x24", "-nolisten", "tcp"))
	d.until("the X server", func() bool { return d.x("xdotool", "getmouselocation") == nil })
	config := filepath.Join(d.runtime, "dunstrc")
	if err := os.WriteFile(config, []byte(dunstrc), 0o644); err != nil {
		d.t.Fatal(err)
	}
	d.asUser("dunst", "-config", config)
}

// dunstrc makes a warning readable in a picture. A left click is a click on the notification.
const dunstrc = `[global]
width = 700
height = 280
origin = top-center
offset = 0x20
font = DejaVu Sans 11
markup = full
format = "<b>%s</b>\n%b"
mouse_left_click = do_action
mouse_right_click = close_current
show_indicators = no
`

func (d *screenDesk) asUser(args ...string) {
	d.t.Helper()
	own := filepath.Join(d.runtime, strconv.Itoa(d.person.UID))
	cmd := exec.Command(args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(d.person.UID), Gid: uint32(d.person.GID)}}
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=/", "DISPLAY=" + d.display, "XDG_RUNTIME_DIR=" + own, "DBUS_SESSION_BUS_ADDRESS=unix:path=" + own + "/bus"}
	d.start(cmd)
}

func (d *screenDesk) start(cmd *exec.Cmd) {
	d.t.Helper()
	var said bytes.Buffer
	cmd.Stderr, cmd.WaitDelay = &said, time.Second
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if d.t.Failed() {
			d.t.Logf("%v said: %s", cmd.Args, said.String())
		}
	})
}

func (d *screenDesk) x(args ...string) error {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "DISPLAY="+d.display)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", args[0], err, out)
	}
	return nil
}

func (d *screenDesk) until(what string, ok func() bool) {
	d.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			d.t.Fatalf("waited 10 s for %s", what)
		}
	}
}

func (d *screenDesk) report(within time.Duration) notifier.Report {
	d.t.Helper()
	select {
	case r := <-d.reports:
		d.t.Logf("report: %+v", r)
		return r
	case <-time.After(within):
		d.t.Fatal("nothing was reported")
		return notifier.Report{}
	}
}

func warning(key, name string, v signatures.Verdict) notifier.Warning {
	return notifier.Warning{
		Key: key, ID: "abcdefghijklmnopabcdefghijklmnop", Name: name, Browser: "Chrome", Profile: "Work", Installed: time.Now().Add(-20 * time.Second),
		Verdict: v, Sends: "cookies", Party: "stranger",
		Reach: []signatures.Reach{{Exchange: "binance", Title: "Binance", Capabilities: []string{"session.read"}}},
		Findings: []signatures.Finding{{Rule: "exchange-session-theft", Title: "Sends your login at an exchange to a stranger",
			Response: signatures.Response{User: []string{"Freeze the account in the exchange's own app on your phone, now."}}}},
	}
}

// Root warns a second user on that user's own bus; the user clicks, and root reads the choice.
func TestWarningOnADesktop(t *testing.T) {
	d := newScreenDesk(t)
	ctx, stop := context.WithCancel(t.Context())
	came := make(chan int, 1)
	watching := make(chan error, 1)
	go func() { watching <- d.desktop.Watch(ctx, func(uid int) { came <- uid }) }()
	defer func() { stop(); <-watching }()

	bad := warning("k1", "Aggr Helper", signatures.Malicious)
	if err := d.desktop.Show(d.person, bad); err != nil {
		t.Fatal(err)
	}
	if r := d.report(5 * time.Second); !errors.Is(r.Err, notifier.ErrNotDelivered) {
		t.Fatalf("nobody is logged in: %+v", r)
	}
	d.login()
	select {
	case uid := <-came:
		if uid != d.person.UID {
			t.Fatalf("%d came", uid)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("nobody saw the login")
	}
	// The bus comes before the desktop: the warning waits for it.
	start := time.Now()
	if err := d.desktop.Show(d.person, bad); err != nil {
		t.Fatal(err)
	}
	d.screen()
	if r := d.report(15 * time.Second); !r.Shown || len(r.Keys) != 1 || r.Keys[0] != "k1" {
		t.Fatalf("%+v", r)
	}
	t.Logf("shown %v after the bus came", time.Since(start))
	time.Sleep(500 * time.Millisecond) // dunst draws
	picture := filepath.Join(t.TempDir(), "warning.png")
	if *update {
		picture = "../docs/images/warning.png"
	}
	shot := filepath.Join(t.TempDir(), "screen.png")
	if err := d.x("import", "-window", "root", shot); err != nil {
		t.Fatal(err)
	}
	if err := d.x("convert", shot, "-trim", "+repage", "-bordercolor", "#33475b", "-border", "16", "-colors", "64", "-strip", picture); err != nil {
		t.Fatal(err)
	}
	// A real click on the notification, which stands for "What to do now".
	if err := d.x("xdotool", "mousemove", "380", "60", "click", "1"); err != nil {
		t.Fatal(err)
	}
	if r := d.report(5 * time.Second); r.Choice != notifier.WhatNow || r.Keys[0] != "k1" || r.Person.UID != d.person.UID {
		t.Fatalf("%+v", r)
	}

	// A second one folds into the first; the process is the same, so this is the time that showing takes.
	start = time.Now()
	if err := d.desktop.Show(d.person, warning("k2", "Other <b>Helper</b>", signatures.Suspicious)); err != nil {
		t.Fatal(err)
	}
	if r := d.report(5 * time.Second); !r.Shown {
		t.Fatalf("%+v", r)
	}
	t.Logf("the second was shown after %v", time.Since(start))
}
