package notifier

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// lookForPeople is how often the owner of the console is looked up: macOS tells only programs of a session.
const lookForPeople = 15 * time.Second

// console returns the user at the screen: the owner of /dev/console. It is root at the login window.
func console() (uid int, ok bool) {
	info, err := os.Stat("/dev/console")
	if err != nil {
		return 0, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	// IDs below 501 belong to the system: _windowserver owns the console during updates.
	return int(stat.Uid), ok && stat.Uid >= 501
}

// start runs the process in the person's session. `launchctl asuser` alone changes the session and stays root.
func (d *Desktop) start(p Person) (*process, error) {
	if uid, ok := console(); !ok || uid != p.UID {
		return nil, fmt.Errorf("%w: %s is not at the screen", ErrNotDelivered, p.Name)
	}
	args := d.cfg.Command
	if os.Geteuid() != p.UID {
		id := strconv.Itoa(p.UID)
		args = append([]string{"/bin/launchctl", "asuser", id, "/usr/bin/sudo", "-n", "-u", "#" + id, "--"}, args...)
	}
	return launch(exec.Command(args[0], args[1:]...))
}

// Watch calls came, from its own goroutine, with the ID of each user who is at the screen or comes to it, until the context ends.
func (d *Desktop) Watch(ctx context.Context, came func(uid int)) error {
	for last := -1; ; {
		uid, ok := console()
		if ok && uid != last {
			came(uid)
		}
		last = uid
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(lookForPeople):
		}
	}
}
