package inventory

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// An extension may lie anywhere: preferences name unpacked ones by an absolute path, and whoever can write the
// preferences can write any path. What may be opened is decided here.

var (
	errRemote  = errors.New("its folder is on another computer; such paths are not opened")
	errSystem  = errors.New("its path leads into the system's own /proc, /sys or /dev, which hold no extension")
	errForeign = errors.New("its folder belongs to another user; run extwatch as that user to read it")
	errLinked  = errors.New("its path leads through a link that another user could turn; such links are not followed")
	errNotAbs  = errors.New("its path is neither absolute nor inside the Extensions folder")
)

// systemDrive is the drive that a mounted disk of Windows stands for: the one with the homes and their browsers.
const systemDrive = 'C'

// A link chain longer than this is a loop, as in Linux's own limit.
const maxLinks = 40

// absolute reports whether path is absolute on the system os.
func absolute(os, path string) bool {
	if os != "windows" {
		return strings.HasPrefix(path, "/")
	}
	return isDrive(path) || strings.HasPrefix(path, `\`) || strings.HasPrefix(path, "/")
}

// isDrive reports whether path begins with a drive, as in C:\x.
func isDrive(path string) bool {
	return len(path) >= 3 && path[1] == ':' && (path[2] == '\\' || path[2] == '/') &&
		('A' <= path[0]&^0x20 && path[0]&^0x20 <= 'Z')
}

// local returns the place on this machine of an absolute path in a preferences file: below the mounted disk if there is
// one. It refuses what must not be opened at all.
func (r *Reader) local(path string) (string, error) {
	if strings.ContainsRune(path, 0) {
		return "", errors.New("its path holds a NUL character")
	}
	if r.os == "windows" {
		// \\server\share would send the account's password hash to the server; \\?\ and \\.\ reach devices.
		if !isDrive(path) {
			return "", errRemote
		}
		if r.root != "" {
			if drive := path[0] &^ 0x20; drive != systemDrive {
				return "", fmt.Errorf("its folder lies on drive %c:, which is not here", drive)
			}
			path = path[2:]
		}
	} else {
		clean := filepath.ToSlash(filepath.Clean(path))
		for _, dir := range []string{"/proc", "/sys", "/dev"} {
			if clean == dir || strings.HasPrefix(clean, dir+"/") {
				return "", errSystem
			}
		}
	}
	path = filepath.Clean(slashed(r.os, path))
	if r.root != "" {
		return filepath.Join(r.root, path), nil
	}
	return path, nil
}

// resolve returns an absolute path of this machine without links, as Chromium records it. A path that must not be
// touched, or is not there, stays as it is.
func (r *Reader) resolve(path string) string {
	place, err := r.local(path)
	if err != nil || r.root != "" {
		return path
	}
	if real, err := filepath.EvalSymlinks(place); err == nil {
		return real
	}
	return place
}

// openOutside opens the folder at a path from local, for reading on behalf of the user uid (-1 when unknown).
func (r *Reader) openOutside(path string, uid int) (*os.Root, error) {
	var root *os.Root
	var err error
	switch {
	case r.root != "":
		root, err = openBeneath(r.root, path)
	case privileged():
		root, err = openStepwise(path)
	default: // with the user's own rights a link can show only what the user may see
		root, err = os.OpenRoot(path)
	}
	if err != nil {
		return nil, err
	}
	if err := r.allowed(root, ".", uid); err != nil {
		root.Close()
		return nil, err
	}
	return root, nil
}

// allowed refuses a file below root that belongs to neither uid nor root, when this process can read what uid cannot.
// On a mounted disk the numbers are those of another machine and mean nothing here.
func (r *Reader) allowed(root *os.Root, name string, uid int) error {
	if !privileged() || r.root != "" || uid < 0 {
		return nil
	}
	fi, err := root.Stat(name)
	if err != nil {
		return err
	}
	if o := owner(fi); o > 0 && o != uid {
		return errForeign
	}
	return nil
}

func openBeneath(dir, path string) (*os.Root, error) {
	rel, ok := beneath(dir, path)
	if !ok {
		return nil, errNotAbs
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.OpenRoot(rel)
}

// openStepwise opens an absolute folder one name at a time, following only links that root owns (macOS has /tmp as one):
// any other link could be turned by its owner towards what only root may read.
func openStepwise(path string) (*os.Root, error) {
	top := filepath.VolumeName(path) + string(filepath.Separator)
	root, err := os.OpenRoot(top)
	if err != nil {
		return nil, err
	}
	at := top
	rest := names(path[len(top):])
	for links := 0; len(rest) > 0; {
		name := rest[0]
		fi, err := root.Lstat(name)
		if err != nil {
			root.Close()
			return nil, err
		}
		if fi.Mode()&(fs.ModeSymlink|fs.ModeIrregular) == 0 {
			next, err := step(root, name, fi)
			root.Close()
			if err != nil {
				return nil, err
			}
			root, at, rest = next, filepath.Join(at, name), rest[1:]
			continue
		}
		target, err := root.Readlink(name)
		root.Close()
		links++
		switch {
		case err != nil:
			return nil, err
		case owner(fi) != 0:
			return nil, errLinked
		case links > maxLinks:
			return nil, fmt.Errorf("its path leads through more than %d links", maxLinks)
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(at, target)
		}
		target = filepath.Clean(target)
		rest = append(names(target[len(filepath.VolumeName(target)):]), rest[1:]...)
		at = top
		if root, err = os.OpenRoot(top); err != nil {
			return nil, err
		}
	}
	return root, nil
}

// step opens the folder name of root, which was seen as fi and must still be that.
func step(root *os.Root, name string, fi fs.FileInfo) (*os.Root, error) {
	next, err := root.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	now, err := next.Stat(".")
	if err == nil && !os.SameFile(fi, now) {
		err = errLinked
	}
	if err != nil {
		next.Close()
		return nil, err
	}
	return next, nil
}

func names(path string) []string {
	return strings.FieldsFunc(path, func(c rune) bool { return os.IsPathSeparator(uint8(c)) && c < 0x80 })
}
