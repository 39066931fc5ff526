package browsers

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A folder is a folder on disk, held so that nothing that is opened in it can lie outside root: a link that is put in
// the way after we looked is refused by the system (os.Root), not followed.
type folder struct {
	path string // absolute, links resolved
	root *os.Root
	rel  string // path below root
	max  int    // of entries that are listed
}

var (
	errNotFolder = errors.New("it is not a folder")
	errNotFile   = errors.New("it is not a regular file")
	errTooLarge  = errors.New("it is larger than we read")
	errTooMany   = errors.New("it has more entries than we read")
	errLinks     = errors.New("too many links")
	errRemote    = errors.New("it is on another machine")
)

// openFolder holds the folder at path, of which at most so many entries are listed. The "/." makes the system refuse a FIFO or device instead of waiting on it.
func openFolder(path string, most int) (folder, error) {
	root, err := os.OpenRoot(path + string(filepath.Separator) + ".")
	if err != nil {
		return folder{}, err
	}
	return folder{path: path, root: root, rel: ".", max: most}, nil
}

func (f folder) join(name string) folder {
	return folder{path: filepath.Join(f.path, name), root: f.root, rel: filepath.Join(f.rel, name), max: f.max}
}

// list returns the entries' names, sorted. With errTooMany it returns those that it read. (os.File.ReadDir would look at
// every entry, because the folder is opened in a root; most are of no interest.)
func (f folder) list() ([]string, error) {
	d, err := f.root.OpenFile(f.rel, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	if fi, err := d.Stat(); err != nil {
		return nil, err
	} else if !fi.IsDir() {
		return nil, errNotFolder
	}
	names, err := d.Readdirnames(f.max + 1)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if len(names) > f.max {
		names, err = names[:f.max], errTooMany
	}
	slices.Sort(names)
	return names, err
}

// entry looks at one entry. A link is not followed.
func (f folder) entry(name string) (fs.FileInfo, error) {
	return f.root.Lstat(filepath.Join(f.rel, name))
}

// read returns a regular file of at most limit bytes. On Windows os.Root opens files in a way that lets the browser
// replace them meanwhile; os.ReadFile would make that fail.
func (f folder) read(name string, limit int) ([]byte, error) {
	file, err := f.root.OpenFile(filepath.Join(f.rel, name), os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	fi, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, errNotFile
	}
	return readAll(file, fi.Size(), limit)
}

// readAll reads at most limit bytes from r, which is expected to hold size bytes.
func readAll(r io.Reader, size int64, limit int) ([]byte, error) {
	if size > int64(limit) {
		return nil, fmt.Errorf("%w: %d bytes, limit %d", errTooLarge, size, limit)
	}
	b := make([]byte, 0, max(size, 0)+512)
	for len(b) <= limit {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%w: more than %d bytes", errTooLarge, limit)
}

// resolve returns path without links. Below a mounted disk (root not empty) absolute links start at root and ".." stops
// there, as they would if the disk's own system ran.
func resolve(root, path string) (string, error) {
	if len(path) > maxPath {
		return "", fmt.Errorf("a path of %d bytes is too long", len(path))
	}
	start := func(p string) string { // where an absolute path begins
		if root != "" {
			return root
		}
		return filepath.VolumeName(p) + string(filepath.Separator)
	}
	rest := path[len(filepath.VolumeName(path)):]
	if root != "" {
		rest = strings.TrimPrefix(path, root)
	}
	if isRemote(path) {
		return "", errRemote
	}
	base := start(path)
	at, todo := base, split(rest)
	for links := 0; len(todo) > 0; {
		name := todo[0]
		todo = todo[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			if at != base {
				at = filepath.Dir(at)
			}
			continue
		}
		next := filepath.Join(at, name)
		target, isLink, err := readLink(next)
		if err != nil {
			return "", err
		}
		if !isLink {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return "", errLinks
		}
		if isRemote(target) {
			return "", errRemote
		}
		if filepath.IsAbs(target) {
			base = start(target)
			at = base
			target = target[len(filepath.VolumeName(target)):]
		}
		todo = append(split(target), todo...)
	}
	return at, nil
}

// readLink returns where path leads, if it is a link. Windows has odd folders that are none (OneDrive, deduplication).
func readLink(path string) (target string, isLink bool, err error) {
	fi, err := os.Lstat(path)
	if err != nil || fi.Mode()&(fs.ModeSymlink|fs.ModeIrregular) == 0 {
		return "", false, err
	}
	target, err = os.Readlink(path)
	if err != nil && fi.Mode()&fs.ModeSymlink == 0 {
		return "", false, nil
	}
	return target, true, err
}

func split(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r < 128 && os.IsPathSeparator(uint8(r)) })
}

// isRemote reports whether path names another machine, or a device, on Windows. Opening one would send the account's
// password hash to whoever chose the name.
func isRemote(path string) bool {
	v := filepath.VolumeName(path)
	return strings.HasPrefix(v, `\\`) || strings.HasPrefix(v, "//")
}

// below reports whether path is dir or lies in it. Both are absolute and clean.
func below(dir, path string) bool {
	if path == dir {
		return true
	}
	if !strings.HasSuffix(dir, string(filepath.Separator)) {
		dir += string(filepath.Separator)
	}
	return strings.HasPrefix(path, dir)
}
