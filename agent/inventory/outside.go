package inventory

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// An extension may lie anywhere: preferences name unpacked ones by an absolute path, and whoever can write the
// preferences can write any path. What may be opened is decided here.

var (
	errRemote  = errors.New("its folder is on another computer; such paths are not opened")
	errSystem  = errors.New("its path leads into the system's own /proc, /sys or /dev, which hold no extension")
	errForeign = errors.New("its folder belongs to another user; run extwatch as that user to read it")
	errClosed  = errors.New("its folder is not open to everybody nor its user's own, and whether a group lets the user in is not known; run extwatch as that user to read it")
	errFile    = errors.New("it is not a folder")
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
	} else if isSystem(r.os, path) {
		return "", errSystem
	}
	path = filepath.Clean(slashed(r.os, path))
	if r.root != "" {
		return filepath.Join(r.root, r.spelled(strings.TrimLeft(filepath.ToSlash(path), "/"))), nil
	}
	return path, nil
}

// isSystem reports whether an absolute path leads into a file system of the kernel.
func isSystem(os, path string) bool {
	clean := filepath.ToSlash(filepath.Clean(path))
	if os == "darwin" {
		clean = strings.ToLower(clean)
	}
	for _, dir := range []string{"/proc", "/sys", "/dev"} {
		if clean == dir || strings.HasPrefix(clean, dir+"/") {
			return os != "windows"
		}
	}
	return false
}

// spelled returns a path below the mounted disk as the disk spells it: to Windows and macOS C:\USERS and C:\Users are the
// same, to the system that mounts their disk they may not be. What is not there stays as it is.
func (r *Reader) spelled(rel string) string {
	if r.os != "windows" && r.os != "darwin" {
		return filepath.FromSlash(rel)
	}
	root, err := openFolderAt(r.root)
	if err != nil {
		return filepath.FromSlash(rel)
	}
	defer root.Close()
	at := "."
	for name := range strings.SplitSeq(rel, "/") {
		next := filepath.Join(at, name)
		if _, err := root.Lstat(next); errors.Is(err, fs.ErrNotExist) {
			entries, _, _ := readNames(root, at)
			for _, e := range entries {
				if strings.EqualFold(e.Name(), name) {
					next = filepath.Join(at, e.Name())
					break
				}
			}
		}
		at = next
	}
	return at
}

// resolve returns an absolute path of this machine without links, as Chromium records it. A path that must not be
// touched, or is not there, stays as it is.
func (r *Reader) resolve(path string) string {
	if r.root != "" {
		return path
	}
	place, err := r.local(path)
	if err != nil {
		return path
	}
	at, err := follow(place)
	if err != nil {
		return place
	}
	if real, err := filepath.EvalSymlinks(at); err == nil { // there are no links left; on Windows it also writes names in full
		return real
	}
	return at
}

// quoted shows a path of the preferences that is not opened.
func quoted(path string) string {
	const most = 300 // longer than people's; a thief's may have megabytes
	if len(path) <= most {
		return fmt.Sprintf("%q", path)
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(path[cut]) {
		cut--
	}
	return fmt.Sprintf("%q…", path[:cut])
}
