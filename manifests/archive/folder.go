package archive

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sync"
	"time"
)

const (
	// listChunk is how many entries are asked for at once, so that a folder of millions costs no more than the limit.
	listChunk = 1024
	// readPatience is how long one read may wait where waiting can be bounded: files such as /proc/kmsg say that they are
	// regular and then block.
	readPatience = 5 * time.Second
)

// beneath is what folder needs of an os.Root. Tests put races and refusals in between.
type beneath interface {
	Lstat(name string) (fs.FileInfo, error)
	Stat(name string) (fs.FileInfo, error)
	OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error)
	Close() error
}

// A folder is an unpacked extension.
type folder struct {
	*problems
	root   beneath
	limits Limits

	mu      sync.Mutex
	read    map[string]int64 // how far each file was read at most
	bytes   int64            // sum of read
	listed  map[string]int   // how many entries of each folder were listed at most
	entries int              // sum of listed
	plain   map[string]bool  // what listing said to be a regular file or a folder
}

func newFolder(root beneath, path string, limits Limits) *Archive {
	return &Archive{Form: FormFolder, Files: &folder{
		problems: &problems{path: path},
		root:     root,
		limits:   limits.withDefaults(),
		read:     map[string]int64{},
		listed:   map[string]int{},
		plain:    map[string]bool{},
	}}
}

func (d *folder) Close() error { return d.root.Close() }

// Open implements fs.FS.
func (d *folder) Open(name string) (fs.File, error) {
	if err := d.limits.checkName(name); err != nil {
		return nil, d.fail(name, err)
	}
	open := openChecked
	if d.isPlain(name) {
		open = openPlain
	}
	file, info, err := open(d.root, name)
	if err != nil {
		return nil, d.fail(name, err)
	}
	if info.IsDir() {
		if n, ok := d.root.(*near); ok {
			n.listing(name)
		}
		if name == "manifest.json" {
			d.add(name, "it is a folder where a file belongs")
		}
		return &folderList{of: d, name: name, file: file}, nil
	}
	if err := d.limits.tooLarge(info.Size()); err != nil {
		file.Close()
		return nil, d.fail(name, err)
	}
	return &folderFile{
		of: d, name: name, file: file, size: info.Size(),
		canWait: file.SetReadDeadline(time.Time{}) == nil,
	}, nil
}

// fail notes why name was not opened, unless it just is not there, and returns the caller's error.
func (d *folder) fail(name string, err error) error {
	reason, err := explain(err)
	if reason != "" {
		d.add(name, reason)
	}
	return pathError(name, err)
}

// isPlain reports whether listing its folder has shown that name is a regular file or a folder.
func (d *folder) isPlain(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.plain[name]
}

// openChecked opens a regular file or a folder and nothing else. It looks before it opens, since opening a device can
// set it in motion; openPlain looks again, since the name may lead elsewhere by then.
func openChecked(root beneath, name string) (*os.File, fs.FileInfo, error) {
	info, err := root.Lstat(name)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		info, err = root.Stat(name)
	}
	if err == nil {
		err = checkMode(info.Mode())
	}
	if err != nil {
		return nil, nil, err
	}
	return openPlain(root, name)
}

// openPlain opens what has been looked at.
func openPlain(root beneath, name string) (*os.File, fs.FileInfo, error) {
	file, err := root.OpenFile(name, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := file.Stat()
	if err == nil {
		err = checkMode(info.Mode())
	}
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return file, info, nil
}

// checkMode refuses everything that is neither a regular file nor a folder.
func checkMode(mode fs.FileMode) error {
	switch {
	case mode.IsRegular(), mode.IsDir():
		return nil
	case mode&fs.ModeNamedPipe != 0:
		return refusal("it is a FIFO")
	case mode&fs.ModeSocket != 0:
		return refusal("it is a socket")
	case mode&fs.ModeDevice != 0:
		return refusal("it is a device")
	}
	return refusal("it is neither a file nor a folder")
}

// charge counts the bytes of name up to offset to and returns how many of the last n of them the budget allows.
func (d *folder) charge(name string, to int64, n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	more := to - d.read[name]
	if more <= 0 {
		return n
	}
	if over := d.bytes + more - d.limits.Bytes; over > 0 {
		more -= over
		n -= int(over)
	}
	if more > 0 {
		d.bytes += more
		d.read[name] += more
	}
	return max(n, 0)
}

// admit counts the entry that is number count of folder name and says whether it may still be listed.
func (d *folder) admit(name string, count int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if count <= d.listed[name] {
		return true
	}
	if d.entries >= d.limits.Files {
		return false
	}
	d.entries++
	d.listed[name] = count
	return true
}

// A folderFile is an open regular file.
type folderFile struct {
	of      *folder
	name    string
	file    *os.File
	size    int64 // when it was opened
	offset  int64
	canWait bool // reads may block, and can be given a time limit
	err     error
}

func (f *folderFile) Stat() (fs.FileInfo, error) { return f.file.Stat() }
func (f *folderFile) Close() error               { return f.file.Close() }

// Read reads no more than the limits allow, whatever the file's size said.
func (f *folderFile) Read(p []byte) (int, error) {
	if f.err != nil || len(p) == 0 {
		return 0, f.err
	}
	left := f.of.limits.FileBytes - f.offset
	if int64(len(p)) > left+1 {
		p = p[:left+1] // one more, to tell a file of just the limit from a longer one
	}
	if f.canWait {
		f.err = f.file.SetReadDeadline(time.Now().Add(readPatience))
		if f.err != nil {
			return 0, f.err
		}
	}
	n, err := f.file.Read(p)
	switch {
	case err == nil, err == io.EOF:
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = f.of.fail(f.name, refusal(fmt.Sprintf("it gave nothing to read for %s", readPatience)))
	default:
		err = f.of.fail(f.name, err)
	}
	if int64(n) > left {
		n, err = int(left), f.of.fail(f.name, f.of.limits.tooLarge(f.offset+int64(n)))
	}
	if allowed := f.of.charge(f.name, f.offset+int64(n), n); allowed < n {
		n, err = allowed, f.of.fail(f.name, refusal(overBudget(f.of.limits)))
	}
	f.offset += int64(n)
	if err == nil && n < len(p) && f.offset == f.size && !f.canWait {
		err = io.EOF // a disk gives less than it is asked for at the end only; to ask again costs as much as to open
	}
	if err == io.EOF && f.offset != f.size {
		f.of.add(f.name, "it changed while it was read")
	}
	f.err = err
	return n, err
}

func overBudget(l Limits) string {
	return fmt.Sprintf("the extension's files together have more than the limit of %s", bytesText(l.Bytes))
}

// A folderList is an open folder.
type folderList struct {
	of    *folder
	name  string
	file  *os.File
	count int
	done  bool
}

func (l *folderList) Stat() (fs.FileInfo, error) { return l.file.Stat() }
func (l *folderList) Close() error               { return l.file.Close() }

func (l *folderList) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: shown(l.name), Err: errors.New("is a folder")}
}

// ReadDir implements fs.ReadDirFile. Entries over the limit are left out, with a problem and no error, so that a walk
// still sees the others.
func (l *folderList) ReadDir(n int) ([]fs.DirEntry, error) {
	var list []fs.DirEntry
	for !l.done && (n <= 0 || len(list) < n) {
		chunk := listChunk
		if n > 0 {
			chunk = min(chunk, n-len(list))
		}
		entries, err := l.file.ReadDir(chunk)
		for _, entry := range entries {
			l.count++
			if !l.of.admit(l.name, l.count) {
				l.of.add(l.name, fmt.Sprintf("the extension has more than %d files and folders; the rest is left out", l.of.limits.Files))
				l.done = true
				break
			}
			name := path.Join(l.name, entry.Name())
			l.inspect(name, entry)
			list = append(list, entry) // package os has looked at each: its Info needs no path
		}
		if err == io.EOF || err == nil && len(entries) < chunk { // package os returns fewer at the end only
			l.done = true
		} else if err != nil {
			return list, l.of.fail(l.name, err)
		}
	}
	if n > 0 && len(list) == 0 {
		return nil, io.EOF
	}
	return list, nil
}

// inspect notes what will be refused, even if nobody asks for it by name.
func (l *folderList) inspect(name string, entry fs.DirEntry) {
	if reason := oddName(entry.Name()); reason != "" {
		l.of.add(name, reason)
	}
	mode := entry.Type()
	if mode.IsRegular() || mode.IsDir() {
		l.of.mu.Lock()
		l.of.plain[name] = true
		l.of.mu.Unlock()
		return
	}
	if mode&fs.ModeSymlink != 0 {
		info, err := l.of.root.Stat(name)
		if err != nil {
			l.of.fail(name, err)
			return
		}
		mode = info.Mode()
	}
	if err := checkMode(mode); err != nil {
		l.of.fail(name, err)
	}
}
