package inventory

import (
	"os"
	"path/filepath"

	"github.com/extwatch/extwatch/agent/browsers"
)

// openFolderAt holds the folder at path. Whatever else is there is refused without waiting: os.OpenRoot alone waits on a
// pipe until somebody writes to it.
func openFolderAt(path string) (*os.Root, error) { return os.OpenRoot(path + asFolder) }

// openFolder holds the folder name below root, like openFolderAt.
func openFolder(root *os.Root, name string) (*os.Root, error) { return root.OpenRoot(name + asFolder) }

// held is a profile whose folders are held open, so that names beneath them cannot lead elsewhere.
type held struct {
	home    *os.Root // nil when the profile does not lie in its user's home
	dir     *os.Root
	homeDir string
	path    string // the profile's folder
	owner   int    // user ID whose files may be read; -1 when unknown
}

// hold opens the profile's folder, through the user's home when it lies there.
func (r *Reader) hold(p browsers.Profile) (*held, error) {
	h := &held{path: p.Dir, owner: p.User.UID}
	if rel, ok := beneath(p.User.Home, p.Dir); ok {
		home, err := openFolderAt(p.User.Home)
		if err != nil {
			return nil, err
		}
		dir, err := openFolder(home, rel)
		if err != nil {
			home.Close()
			return nil, err
		}
		h.home, h.dir, h.homeDir = home, dir, p.User.Home
	} else {
		dir, err := r.openNamed(p, p.Dir)
		if err != nil {
			return nil, err
		}
		h.dir = dir
	}
	if h.owner < 0 || p.User == (browsers.User{}) {
		if fi, err := h.dir.Stat("."); err == nil {
			h.owner = owner(fi)
		}
	}
	return h, nil
}

// openNamed opens a folder outside the home of the profile's user. A link or a command line of that user led to it, and
// what lies there may have been exchanged since it was found, so it is judged again. A profile without a browser is one
// that the person who runs us named, and whom we trust with it.
func (r *Reader) openNamed(p browsers.Profile, dir string) (*os.Root, error) {
	if r.root != "" || p.Browser == "" || p.User.UID == 0 || !privileged() {
		return openFolderAt(dir)
	}
	return r.openOutside(dir, p.User.UID)
}

func (h *held) close() {
	h.dir.Close()
	if h.home != nil {
		h.home.Close()
	}
}

// sub opens a folder of the profile. When it is a link to a place in the user's home, as of a profile that was moved to
// save space, that place is opened: Chromium installs through such a link.
func (h *held) sub(name string) (*os.Root, error) {
	root, err := openFolder(h.dir, name)
	if err == nil || !isEscape(err) || h.home == nil {
		return root, err
	}
	target, lerr := h.dir.Readlink(name)
	if lerr != nil {
		return nil, err
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(h.path, target)
	}
	rel, ok := beneath(h.homeDir, target)
	if !ok {
		return nil, err
	}
	return openFolder(h.home, rel)
}
