package inventory

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A reached is where an absolute path leads: to name in a folder that is held open, or to that folder itself.
type reached struct {
	root *os.Root
	name string // "." for the folder itself
	at   string // the path without links; on a mounted disk as given
}

// openOutside opens the folder at a path from local, for reading on behalf of the user uid (-1 when unknown).
func (r *Reader) openOutside(path string, uid int) (*os.Root, error) {
	to, err := r.reach(path, uid)
	if err != nil {
		return nil, err
	}
	if to.name != "." {
		to.root.Close()
		return nil, errFile
	}
	return to.root, nil
}

// reach finds what lies at a path from local, for reading on behalf of the user uid (-1 when unknown).
func (r *Reader) reach(path string, uid int) (reached, error) {
	var to reached
	var err error
	switch {
	case r.root != "":
		to, err = openBeneath(r.root, path)
	case privileged():
		to, err = openStepwise(path, uid)
	default: // with the user's own rights a link can show only what the user may see
		to, err = openFollowing(path)
	}
	if err != nil {
		return reached{}, err
	}
	if r.root == "" && isSystem(r.os, to.at) {
		err = errSystem
	} else {
		err = r.allowed(to, uid)
	}
	if err != nil {
		to.root.Close()
		return reached{}, err
	}
	return to, nil
}

// allowed refuses what belongs to neither uid nor root, or what uid may not read, when this process can read what uid
// cannot. On a mounted disk the numbers are those of another machine and mean nothing here.
func (r *Reader) allowed(to reached, uid int) error {
	if !privileged() || r.root != "" || uid < 0 {
		return nil
	}
	fi, err := to.root.Stat(to.name)
	if err != nil {
		return err
	}
	o := owner(fi)
	switch {
	case o > 0 && o != uid:
		return errForeign
	case !permits(fi, uid, 0o4):
		return errClosed
	}
	return nil
}

// permits reports whether the user uid may do with a file what bits (4 read, 1 enter) say. Which groups the user belongs
// to is not known, so what only a group may do counts as forbidden.
func permits(fi fs.FileInfo, uid int, bits fs.FileMode) bool {
	o := owner(fi)
	if uid <= 0 || o < 0 {
		return true
	}
	if o == uid {
		bits <<= 6
	}
	return fi.Mode().Perm()&bits == bits
}

func openBeneath(dir, path string) (reached, error) {
	rel, ok := beneath(dir, path)
	if !ok {
		return reached{}, errNotAbs
	}
	root, err := openFolderAt(dir)
	if err != nil {
		return reached{}, err
	}
	defer root.Close()
	fi, err := root.Stat(rel)
	if err != nil {
		return reached{}, err
	}
	to := reached{name: ".", at: path}
	if !fi.IsDir() {
		to.name, rel = filepath.Base(rel), filepath.Dir(rel)
	}
	to.root, err = openFolder(root, rel)
	return to, err
}

// openFollowing follows all links but those to other computers.
func openFollowing(path string) (reached, error) {
	at, err := follow(path)
	if err != nil {
		return reached{}, err
	}
	fi, err := os.Lstat(at)
	if err != nil {
		return reached{}, err
	}
	to, dir := reached{name: ".", at: at}, at
	if !fi.IsDir() {
		to.name, dir = filepath.Base(at), filepath.Dir(at)
	}
	to.root, err = openFolderAt(dir)
	return to, err
}

// openStepwise goes to an absolute path one name at a time, following only links that root owns (macOS has /tmp as one):
// any other link could be turned by its owner towards what only root may read. It enters only folders that the user uid
// may enter, so that nobody is shown by us what is closed to him.
func openStepwise(path string, uid int) (reached, error) {
	w := newRoute(path)
	root, err := openFolderAt(w.at)
	if err != nil {
		return reached{}, err
	}
	for len(w.rest) > 0 {
		name := w.rest[0]
		fi, err := root.Lstat(name)
		if err != nil {
			root.Close()
			return reached{}, err
		}
		target, isLink, err := linkOf(fi, func() (string, error) { return root.Readlink(name) })
		switch {
		case err != nil:
		case isLink && owner(fi) != 0:
			err = errLinked
		case isLink:
			if err = w.turn(target); err == nil {
				root.Close()
				if root, err = openFolderAt(w.at); err != nil {
					return reached{}, err
				}
			}
		case !fi.IsDir() && len(w.rest) == 1:
			return reached{root, name, filepath.Join(w.at, name)}, nil
		default:
			var next *os.Root
			if next, err = step(root, name, fi, uid); err == nil {
				root.Close()
				root = next
				w.advance()
			}
		}
		if err != nil {
			root.Close()
			return reached{}, err
		}
	}
	return reached{root, ".", w.at}, nil
}

// step opens the folder name of root, which was seen as fi and must still be that.
func step(root *os.Root, name string, fi fs.FileInfo, uid int) (*os.Root, error) {
	next, err := openFolder(root, name)
	if err != nil {
		return nil, err
	}
	now, err := next.Stat(".")
	switch {
	case err != nil:
	case !os.SameFile(fi, now):
		err = errLinked
	case !permits(now, uid, 0o1):
		err = errClosed
	}
	if err != nil {
		next.Close()
		return nil, err
	}
	return next, nil
}

// follow returns an absolute path without links. One to another computer is refused before it is touched, which would
// send the account's password hash there.
func follow(path string) (string, error) {
	w := newRoute(path)
	for len(w.rest) > 0 {
		next := filepath.Join(w.at, w.rest[0])
		fi, err := os.Lstat(next)
		if err != nil {
			return "", err
		}
		target, isLink, err := linkOf(fi, func() (string, error) { return os.Readlink(next) })
		switch {
		case err != nil:
			return "", err
		case !isLink:
			w.advance()
		default:
			if err := w.turn(target); err != nil {
				return "", err
			}
		}
	}
	return w.at, nil
}

// linkOf returns where an entry leads, if it is a link. Windows has odd folders that are none (OneDrive, deduplication).
func linkOf(fi fs.FileInfo, read func() (string, error)) (target string, isLink bool, err error) {
	if fi.Mode()&(fs.ModeSymlink|fs.ModeIrregular) == 0 {
		return "", false, nil
	}
	target, err = read()
	if err != nil && fi.Mode()&fs.ModeSymlink == 0 {
		return "", false, nil
	}
	return target, true, err
}

// A route is a walk along an absolute path: the part that was walked, which has no links, and the names left.
type route struct {
	at    string
	rest  []string
	links int
}

func newRoute(path string) *route {
	top := filepath.VolumeName(path) + string(filepath.Separator)
	return &route{at: top, rest: names(path[len(filepath.VolumeName(path)):])}
}

// advance notes that the next name is no link.
func (w *route) advance() { w.at, w.rest = filepath.Join(w.at, w.rest[0]), w.rest[1:] }

// turn takes the target of a link in place of the next name, and starts over at the top.
func (w *route) turn(target string) error {
	if w.links++; w.links > maxLinks {
		return fmt.Errorf("its path leads through more than %d links", maxLinks)
	}
	if isRemote(target) {
		return errRemote
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(w.at, target)
	}
	top := newRoute(filepath.Clean(target))
	w.at, w.rest = top.at, append(top.rest, w.rest[1:]...)
	return nil
}

// isRemote reports whether a path names another computer, or a device, on Windows.
func isRemote(path string) bool {
	v := filepath.VolumeName(path)
	return strings.HasPrefix(v, `\\`) || strings.HasPrefix(v, "//")
}

// elsewhere reports whether an error means that a path must not be touched again, not even to look what is there.
func elsewhere(err error) bool {
	return errors.Is(err, errRemote) || errors.Is(err, errSystem) || errors.Is(err, errLinked)
}

func names(path string) []string {
	return strings.FieldsFunc(path, func(c rune) bool { return c < 0x80 && os.IsPathSeparator(uint8(c)) })
}
