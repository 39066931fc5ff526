package response

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// Folders lists the folders of this machine below which blocks are written, sorted. A service whose file system is
// read-only needs the right to write there.
func (b *Blocker) Folders() []string {
	if b.cfg.OS != "linux" {
		return nil
	}
	var list []string
	add := func(dir string) {
		for top := path.Dir(dir); top != "/etc"; top = path.Dir(top) {
			dir = top
		}
		list = append(list, dir)
	}
	for _, dir := range linuxChromium {
		add(dir)
	}
	for _, g := range geckoPolicies {
		add(g.linux)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Prepare makes those of Folders that are not there: a service that starts without one can never write there, as systemd
// looks when it starts. UndoAll removes them. It must run while no other process uses the Blocker's folder.
func (b *Blocker) Prepare() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, err := b.ledger()
	if err != nil {
		return err
	}
	var errs []error
	made := false
	for _, dir := range b.Folders() {
		err := os.Mkdir(b.path(dir), 0o755)
		if err == nil {
			err = os.Chmod(b.path(dir), 0o755) // whatever the umask: browsers run as their users
			l.Prepared, made = append(l.Prepared, b.path(dir)), true
		}
		if err != nil && !errors.Is(err, fs.ErrExist) {
			errs = append(errs, fmt.Errorf("make the folder of a browser's policies: %w", err))
		}
	}
	slices.Sort(l.Prepared)
	l.Prepared = slices.Compact(l.Prepared)
	if made {
		errs = append(errs, b.save(l))
	}
	return errors.Join(errs...)
}

// unprepare removes the folders that blocks needed and those that Prepare made, where nothing lies in them.
func (b *Blocker) unprepare() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, err := b.ledger()
	if err != nil || len(l.Made)+len(l.Prepared) == 0 {
		return err
	}
	l.removeFolders()
	for _, dir := range l.Prepared {
		if strings.HasPrefix(dir, b.path("/etc")) {
			os.Remove(dir) // an error means that somebody uses it by now
		}
	}
	l.Prepared = nil
	return b.save(l)
}
