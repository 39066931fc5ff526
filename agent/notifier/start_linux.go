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
