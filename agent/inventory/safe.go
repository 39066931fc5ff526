package inventory

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/manifests/archive"
)

const (
	// Chromium itself takes a manifest of 40 MB. Real ones stay below 200 KB, with very long lists of sites below 2 MB.
	maxManifest = 8 << 20
	// Messages of one locale. The largest in use are some 500 KB.
	maxMessages = 2 << 20
	// Preferences of people with hundreds of extensions and years of site settings reach about 10 MB.
	maxPreferences = 32 << 20
	// More locales than browsers have; each costs an open and a read.
	maxLocales = 200
	// More than any person has; a folder or file that lists more was made to keep us busy.
	maxExtensions = 10_000
	// Names in one folder that are looked at.
	maxNames = 100_000
)

var (
	errNotRegular = errors.New("it is not a regular file")
	errIsLink     = errors.New("it is a link; the browser writes a plain file here")
)

// A sizeError says that a file is larger than what is read.
type sizeError struct{ limit int64 }

func (e sizeError) Error() string { return fmt.Sprintf("it is larger than %d MB", e.limit>>20) }

// beneath returns path relative to dir when it lies in it.
func beneath(dir, path string) (string, bool) {
	if dir == "" || !filepath.IsAbs(dir) {
		return "", false
	}
	rel, err := filepath.Rel(dir, path)
	if err != nil || !filepath.IsLocal(rel) {
		return "", false
	}
	return rel, true
}

// openRegular opens a regular file below root without waiting for anything.
func openRegular(root *os.Root, name string) (*os.File, fs.FileInfo, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, nil, err
	}
	fi, err := f.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, fi, nil
}

// readRegular reads a regular file below root, of at most limit bytes.
func readRegular(root *os.Root, name string, limit int64) ([]byte, error) {
	f, fi, err := openRegular(root, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if fi.Size() > limit {
		return nil, sizeError{limit}
	}
	// One byte more than the size lets the common file be read without growing the buffer. It may grow while it is read.
	data := make([]byte, 0, fi.Size()+1)
	for {
		n, err := f.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case err == io.EOF:
			return data, nil
		case err != nil:
			return nil, err
		case int64(len(data)) > limit:
			return nil, sizeError{limit}
		case len(data) == cap(data):
			data = append(data, 0)[:len(data)]
		}
	}
}

// statPlain returns the state of a file that the browser itself writes, which is never a link.
func statPlain(root *os.Root, name string) (fs.FileInfo, error) {
	fi, err := root.Lstat(name)
	switch {
	case err != nil:
		return nil, err
	case fi.Mode()&fs.ModeSymlink != 0:
		return nil, errIsLink
	case !fi.Mode().IsRegular():
		return nil, errNotRegular
	}
	return fi, nil
}

// readNames lists a folder below root, at most maxNames of it; more says that there were more.
func readNames(root *os.Root, name string) (entries []fs.DirEntry, more bool, err error) {
	f, err := root.OpenFile(name, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	for len(entries) < maxNames {
		batch, err := f.ReadDir(1024)
		entries = append(entries, batch...)
		if err == io.EOF {
			return entries, false, nil
		}
		if err != nil {
			return entries, false, err
		}
	}
	return entries, true, nil
}

// openFiles opens the extension called name, a folder or a package, below the folder that hold opens.
func openFiles(hold func() (*os.Root, error), name string) (manifests.Files, error) {
	root, err := hold()
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err // its path is that of a folder further up
		}
		return nil, &fs.PathError{Op: "open the extension", Path: name, Err: err}
	}
	defer root.Close()
	a, err := archive.OpenRoot(root, name, archive.Limits{})
	if err != nil {
		return nil, err // it says what could not be opened, and why
	}
	return a, nil
}

// problemAt makes a Problem about a place on the machine.
func problemAt(path, format string, args ...any) manifests.Problem {
	return manifests.Problem{Path: path, Reason: fmt.Sprintf(format, args...)}
}

// slashed returns path with the separators of this system, from one written on the system os.
func slashed(os, path string) string {
	if os == "windows" {
		path = strings.ReplaceAll(path, `\`, "/")
	}
	return filepath.FromSlash(path)
}
