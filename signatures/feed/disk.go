package feed

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// unproven ends the name of everything that is not whole or not proven yet.
const unproven = ".unverified"

// A disk changes the feed's folder, in steps that are each whole or not there after a power cut. Names are below root and
// use slashes.
type disk struct {
	root   string
	step   func(what string) error // nil but in tests: may fail like a full disk, or panic like a process that is killed
	noSync bool
}

func (d disk) path(name string) string { return filepath.Join(d.root, filepath.FromSlash(name)) }

func (d disk) before(op, name string) error {
	if d.step == nil {
		return nil
	}
	return d.step(op + " " + name)
}

// prepare makes the folders. They belong to the service alone: what is in them was verified once and is believed later.
func (d disk) prepare() error {
	for _, name := range []string{"", "metadata", "targets", "trees"} {
		if _, err := os.Stat(d.path(name)); err == nil {
			continue
		}
		if err := d.before("mkdir", name); err != nil {
			return err
		}
		if err := os.MkdirAll(d.path(name), 0o700); err != nil {
			return err
		}
	}
	return nil
}

func (d disk) mkdir(name string) error {
	if err := d.before("mkdir", name); err != nil {
		return err
	}
	return os.Mkdir(d.path(name), 0o700)
}

// write makes the file name with this content, or leaves what was there.
func (d disk) write(name string, data []byte) error {
	temp := name + unproven
	if err := d.fill(temp, data); err != nil {
		os.Remove(d.path(temp)) // what a full disk needs most; it is also removed at the next start
		return err
	}
	return d.rename(temp, name)
}

func (d disk) fill(name string, data []byte) error {
	if err := d.before("create", name); err != nil {
		return err
	}
	f, err := os.OpenFile(d.path(name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err = f.Write(data[:len(data)/2]); err != nil {
		return err
	}
	if err := d.before("write", name); err != nil { // a process may die in the midst of it
		return err
	}
	if _, err = f.Write(data[len(data)/2:]); err != nil {
		return err
	}
	if err := d.before("sync", name); err != nil {
		return err
	}
	if !d.noSync {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	return f.Close()
}

func (d disk) rename(from, to string) error {
	if err := d.before("rename", to); err != nil {
		return err
	}
	if err := os.Rename(d.path(from), d.path(to)); err != nil {
		return err
	}
	return d.syncDir(to)
}

// syncDir makes the names in the folder of a file durable. Windows does that with the rename.
func (d disk) syncDir(name string) error {
	if err := d.before("syncdir", name); err != nil {
		return err
	}
	if runtime.GOOS == "windows" || d.noSync {
		return nil
	}
	f, err := os.Open(filepath.Dir(d.path(name)))
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// remove removes a file or a folder; that it isn't there is fine.
func (d disk) remove(name string) error {
	if err := d.before("remove", name); err != nil {
		return err
	}
	return os.RemoveAll(d.path(name))
}

// read reads a file of at most limit bytes.
func (d disk) read(name string, limit int64) ([]byte, error) {
	f, err := os.Open(d.path(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAtMost(f, limit)
}

func readAtMost(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = &metadata.ErrDownloadLengthMismatch{Msg: fmt.Sprintf("more than %d bytes", limit)}
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}

// collect removes what neither the pointer's trees nor the metadata need. A file that is open on Windows stays until the
// next time.
func (d disk) collect(keep []string, hashes map[string]bool) error {
	var errs []error
	for _, e := range d.list("trees") {
		if !slices.Contains(keep, e.Name()) {
			errs = append(errs, d.remove("trees/"+e.Name()))
		}
	}
	for _, e := range d.list("targets") {
		if !hashes[e.Name()] {
			errs = append(errs, d.remove("targets/"+e.Name()))
		}
	}
	for _, dir := range []string{"metadata", "."} {
		for _, e := range d.list(dir) {
			if strings.HasSuffix(e.Name(), unproven) {
				errs = append(errs, d.remove(dir+"/"+e.Name()))
			}
		}
	}
	return errors.Join(errs...)
}

func (d disk) list(name string) []fs.DirEntry {
	entries, _ := os.ReadDir(d.path(name)) // what can't be listed can't be removed either
	return entries
}
