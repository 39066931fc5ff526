package notifier

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/godbus/dbus/v5"
)

// busWithin is how long a session may take from its folder to its bus.
const busWithin = 30 * time.Second

// bus returns the session bus of a user: a socket of that user's own in the folder that logind makes at login.
func (d *Desktop) bus(uid int) (string, bool) {
	path := filepath.Join(d.cfg.Runtime, strconv.Itoa(uid), "bus")
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Type() != fs.ModeSocket {
		return "", false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return path, ok && int(stat.Uid) == uid
}

func (d *Desktop) start(p Person) (*process, error) {
	path, ok := d.bus(p.UID)
	if !ok {
		return nil, fmt.Errorf("%w: %s has no session", ErrNotDelivered, p.Name)
	}
	cmd := exec.Command(d.cfg.Command[0], d.cfg.Command[1:]...)
	cmd.Env = []string{"DBUS_SESSION_BUS_ADDRESS=unix:path=" + path, "XDG_RUNTIME_DIR=" + filepath.Dir(path), "PATH=/usr/bin:/bin"}
	as(cmd, p)
	return launch(cmd)
}

// sessionsBegun gives the user of each session that logind begins, until the context ends. A user whose processes linger
// has a folder and a bus all the time, so that neither tells when they log in. Without logind it gives nothing.
func sessionsBegun(ctx context.Context) <-chan int {
	const login = "org.freedesktop.login1"
	conn, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		return nil
	}
	if err := conn.AddMatchSignal(dbus.WithMatchInterface(login+".Manager"), dbus.WithMatchMember("SessionNew")); err != nil {
		conn.Close()
		return nil
	}
	signals := make(chan *dbus.Signal, 64)
	conn.Signal(signals)
	out := make(chan int)
	go func() {
		defer conn.Close()
		for {
			select {
			case <-ctx.Done():
				return
			case signal, ok := <-signals:
				if !ok {
					return // the bus is gone; folders tell the rest
				}
				if uid, ok := sessionUser(ctx, conn, signal); ok {
					select {
					case out <- uid:
					case <-ctx.Done():
					}
				}
			}
		}
	}()
	return out
}

// sessionUser asks logind whose a new session is.
func sessionUser(ctx context.Context, conn *dbus.Conn, signal *dbus.Signal) (int, bool) {
	if len(signal.Body) != 2 {
		return 0, false
	}
	path, ok := signal.Body[1].(dbus.ObjectPath)
	if !ok {
		return 0, false
	}
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	var v dbus.Variant
	if conn.Object("org.freedesktop.login1", path).CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0,
		"org.freedesktop.login1.Session", "User").Store(&v) != nil {
		return 0, false
	}
	user, ok := v.Value().([]any) // (uid, path)
	if !ok || len(user) != 2 {
		return 0, false
	}
	uid, ok := user[0].(uint32)
	return int(uid), ok && uid > 0
}

// Watch calls came, from its own goroutine, with the ID of each user who has a session now or begins one, until the
// context ends. The desktop may not be there yet: Show waits for it.
func (d *Desktop) Watch(ctx context.Context, came func(uid int)) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch for people who log in: %w", err)
	}
	defer w.Close()
	if err := w.Add(d.cfg.Runtime); err != nil {
		return fmt.Errorf("watch for people who log in: %w", err)
	}
	expected := map[int]time.Time{} // user → when to give up
	expect := func(name string) {
		if uid, err := strconv.Atoi(filepath.Base(name)); err == nil {
			expected[uid] = time.Now().Add(busWithin)
		}
	}
	folders, err := os.ReadDir(d.cfg.Runtime) // after the watch: no login goes unseen in between
	if err != nil {
		return fmt.Errorf("watch for people who log in: %w", err)
	}
	for _, f := range folders {
		expect(f.Name())
	}
	logins := sessionsBegun(ctx)
	for {
		var look <-chan time.Time
		if len(expected) > 0 {
			look = time.After(100 * time.Millisecond)
		}
		select {
		case <-ctx.Done():
			return nil
		case err := <-w.Errors:
			return fmt.Errorf("watch for people who log in: %w", err)
		case uid := <-logins:
			expect(strconv.Itoa(uid))
		case e := <-w.Events:
			if e.Has(fsnotify.Create) {
				expect(e.Name)
			}
		case now := <-look:
			for uid, until := range expected {
				if _, ok := d.bus(uid); ok {
					delete(expected, uid)
					came(uid)
				} else if now.After(until) {
					delete(expected, uid)
				}
			}
		}
	}
}
