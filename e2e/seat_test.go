//go:build linux

package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A seat is an ordinary person at a screen of a box: an account, a session with a bus, and, after screen, an X server and
// a program that shows notifications.
type seat struct {
	*box
	t    *testing.T
	name string
	uid  string
}

// seatDisplay is the X display of the person.
const seatDisplay = ":77"

// seat gives a box a person who is logged in.
func (b *box) seat(t *testing.T, name string) *seat {
	t.Helper()
	b.must(t, "useradd", "-m", "-s", "/bin/bash", name)
	s := &seat{box: b, t: t, name: name, uid: strings.TrimSpace(b.must(t, "id", "-u", name))}
	b.must(t, "loginctl", "enable-linger", name)
	waitFor(t, "the session bus of "+name, 20*time.Second, func() bool {
		_, code := b.run("test", "-S", "/run/user/"+s.uid+"/bus")
		return code == 0
	})
	return s
}

// home is the person's home, seen from outside of the box.
func (s *seat) home() string { return filepath.Join("/home", s.name) }

// do runs a command in the person's session; it has to succeed.
func (s *seat) do(args ...string) string {
	s.t.Helper()
	out, errs, code := s.try(args...)
	if code != 0 {
		s.t.Fatalf("%s: %s: exit %d\n%s%s", s.name, strings.Join(args, " "), code, out, errs)
	}
	return out
}

func (s *seat) try(args ...string) (stdout, stderr string, code int) {
	env := []string{"env", "HOME=" + s.home(), "DISPLAY=" + seatDisplay, "XDG_RUNTIME_DIR=/run/user/" + s.uid,
		"DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/" + s.uid + "/bus"}
	return s.as(s.name, append(env, args...)...)
}

// unit starts a program that stays in the person's session.
func (s *seat) unit(name string, args ...string) {
	s.t.Helper()
	s.do(append([]string{"systemd-run", "--user", "--quiet", "--collect", "--unit=" + name, "--"}, args...)...)
}

// write writes a file of the person's.
func (s *seat) write(name string, data []byte) {
	s.t.Helper()
	cmd := exec.Command("nsenter", "-t", strconv.Itoa(s.leader), "-m", "-p", "--", "runuser", "-u", s.name, "--",
		"/bin/sh", "-c", `mkdir -p "$(dirname "$1")" && cat > "$1"`, "write", name)
	cmd.Stdin = strings.NewReader(string(data))
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("write %s: %v\n%s", name, err, out)
	}
}

// screen starts an X server and a program that shows notifications, and tells the session of it, as a desktop does.
func (s *seat) screen(size string) {
	s.t.Helper()
	s.unit("screen", "Xvfb", seatDisplay, "-screen", "0", size+"x24", "-nolisten", "tcp")
	waitFor(s.t, "the X server", 20*time.Second, func() bool {
		_, _, code := s.try("xdotool", "getmouselocation")
		return code == 0
	})
	s.do("systemctl", "--user", "set-environment", "DISPLAY="+seatDisplay)
	s.write(s.home()+"/.config/dunst/dunstrc", []byte(dunstrc))
	s.unit("notifications", "dunst", "-config", s.home()+"/.config/dunst/dunstrc")
}

// dial connects to an address of the box.
func (b *box) dial(address string) (net.Conn, error) {
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", b.leader))
		if err == nil {
			defer ns.Close()
			err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)
		}
		if err != nil {
			done <- result{nil, err}
			return
		}
		// Not net.Dial: it may connect from another thread.
		conn, err := connect(address)
		done <- result{conn, err}
	}()
	r := <-done
	return r.conn, r.err
}

func connect(address string) (net.Conn, error) {
	to, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), address)
	defer f.Close()
	sa := &unix.SockaddrInet4{Port: to.Port}
	copy(sa.Addr[:], to.IP.To4())
	if err := unix.Connect(fd, sa); err != nil {
		return nil, err
	}
	return net.FileConn(f)
}

// record notes all notifications on the person's bus, and when they came.
func (s *seat) record() {
	s.t.Helper()
	match := "interface='org.freedesktop.Notifications',member='Notify'"
	for name, how := range map[string]string{"times": "--profile", "texts": "--monitor"} {
		s.do("systemd-run", "--user", "--quiet", "--collect", "--unit=bus-"+name, "-p", "StandardOutput=file:/tmp/bus-"+s.name+"-"+name,
			"--", "stdbuf", "-oL", "dbus-monitor", "--session", how, match)
		waitFor(s.t, "the recording", 10*time.Second, func() bool {
			out, _ := s.run("cat", "/tmp/bus-"+s.name+"-"+name)
			return out != ""
		})
	}
}

// bus is what all notifications said.
func (s *seat) bus() string {
	out, _ := s.run("cat", "/tmp/bus-"+s.name+"-texts")
	return out
}

// notified is when notifications came, in seconds.
func (s *seat) notified() (times []float64) {
	out, _ := s.run("cat", "/tmp/bus-"+s.name+"-times")
	for line := range strings.Lines(out) {
		var at float64
		if strings.Contains(line, "\tNotify") && strings.HasPrefix(line, "mc\t") {
			fmt.Sscan(strings.Fields(line)[1], &at)
			times = append(times, at)
		}
	}
	return times
}

// fresh is how many notifications took no other's place.
func (s *seat) fresh() int {
	n := 0
	for call := range strings.SplitSeq(s.bus(), "method call ") {
		if lines := strings.SplitN(call, "\n", 4); len(lines) == 4 && strings.Contains(lines[0], "member=Notify") && strings.TrimSpace(lines[2]) == "uint32 0" {
			n++
		}
	}
	return n
}

// opens gives the person a browser that only writes down which address it is to open.
func (s *seat) opens() {
	s.t.Helper()
	script := s.home() + "/note"
	s.write(script, []byte("#!/bin/sh\necho \"$1\" > ~/opened\n"))
	s.do("chmod", "+x", script)
	s.write(s.home()+"/.local/share/applications/noted.desktop", []byte("[Desktop Entry]\nType=Application\nName=Noted\nExec="+script+" %u\n"))
	s.write(s.home()+"/.config/mimeapps.list", []byte("[Default Applications]\nx-scheme-handler/http=noted.desktop\n"))
}

// warnedAndOpens waits for a warning, clicks it, and reads the page that the person's browser is told to open.
func (s *seat) warnedAndOpens() {
	s.t.Helper()
	waitFor(s.t, "the warning on the bus", 20*time.Second, func() bool { return len(s.notified()) > 0 })
	time.Sleep(500 * time.Millisecond) // dunst draws
	s.do("xdotool", "mousemove", "380", "60", "click", "1")
	address := ""
	waitFor(s.t, "the browser to be opened", 20*time.Second, func() bool {
		out, _ := s.run("cat", s.home()+"/opened")
		address = strings.TrimSpace(out)
		return address != ""
	})
	jar, _ := cookiejar.New(nil) // without options it has no error
	client := http.Client{Jar: jar, Timeout: 10 * time.Second, Transport: &http.Transport{
		DialContext: func(_ context.Context, _, address string) (net.Conn, error) { return s.dial(address) },
	}}
	answer, err := client.Get(address)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		s.t.Fatalf("the page: %s %v", answer.Status, err)
	}
	for _, want := range []string{"What to do now", "Rate Helper", "/block"} {
		if !strings.Contains(string(page), want) {
			s.t.Errorf("the page at %s lacks %q", answer.Request.URL, want)
		}
	}
	s.t.Logf("a click on the warning opened %s", answer.Request.URL.Path)
}
