package publisher

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

const (
	// keepVersions and keepFor bound how much of the past stays: a reader that began before the last update finds all
	// that it needs, also one that goes through a mirror that is copied once a day.
	keepVersions = 8
	keepFor      = 48 * time.Hour

	temporary = ".new-" // beginning of the names of files that are not whole yet; never served
)

// A change is one file below public/ that is to be written.
type change struct {
	file string // with slashes
	data []byte
}

// replace writes a file as a whole: whoever reads it sees the old or the new contents, also after a crash.
func replace(file string, data []byte, mode os.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(file), temporary+"*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	if err == nil && runtime.GOOS != "windows" {
		err = f.Chmod(mode)
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), file); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(file))
}

// syncFolder makes a rename last. Windows has no such call.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// write writes the changes in their order, which is what keeps readers from seeing half of an update.
func (p *Publisher) write(changes []change) error {
	for _, c := range changes {
		file := p.path(publicName, filepath.FromSlash(c.file))
		if have, err := os.ReadFile(file); err == nil && bytes.Equal(have, c.data) {
			continue
		}
		if p.cfg.wrote != nil {
			if err := p.cfg.wrote(c.file); err != nil {
				return err
			}
		}
		if err := makeFolder(filepath.Dir(file)); err != nil {
			return fmt.Errorf("publish %s: %w", c.file, err)
		}
		if err := replace(file, c.data, 0o644); err != nil {
			return fmt.Errorf("publish %s: %w", c.file, err)
		}
	}
	return nil
}

// makeFolder makes a folder that the web server can read, whatever the umask of who publishes.
func makeFolder(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if err := makeFolder(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.Chmod(dir, 0o755)
}

// prune removes metadata and files that no reader asks for any more, and what a crash left. Roots stay for ever: an agent that
// was off for years follows them from the one that it knows.
func (p *Publisher) prune(r *repository) error {
	dir := p.path(publicName, metadataName)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("tidy public/: %w", err)
	}
	now := p.cfg.now()
	keep := map[string]bool{}
	for _, e := range entries {
		version, role, ok := splitName(e.Name())
		if !ok {
			continue
		}
		current := r.versions()[role]
		if version > current-keepVersions || p.young(e, now) {
			if role == roleTargets || role == roleOrg {
				p.keepTargets(filepath.Join(dir, e.Name()), keep)
			}
			continue
		}
		if err := p.remove(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return filepath.WalkDir(p.path(publicName), func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(p.path(publicName), name)
		if err != nil {
			return err
		}
		target := strings.HasPrefix(filepath.ToSlash(rel), targetsName+"/") && !keep[filepath.ToSlash(rel)]
		if (target || strings.HasPrefix(e.Name(), temporary)) && !p.young(e, now) {
			return p.remove(name)
		}
		return nil
	})
}

func (p *Publisher) remove(file string) error {
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("tidy public/: %w", err)
	}
	return nil
}

func (p *Publisher) young(e fs.DirEntry, now time.Time) bool {
	info, err := e.Info()
	return err != nil || now.Sub(info.ModTime()) < keepFor
}

// keepTargets notes the files that a kept version names. One that cannot be read names none.
func (p *Publisher) keepTargets(file string, keep map[string]bool) {
	m, err := metadata.Targets().FromFile(file)
	if err != nil {
		return
	}
	for name, t := range m.Signed.Targets {
		if at, err := stored(name, t); err == nil {
			keep[at] = true
		}
	}
}

// splitName splits "12.targets.json". Roots are left out.
func splitName(name string) (version int64, role string, ok bool) {
	parts := strings.Split(name, ".")
	if len(parts) != 3 || parts[2] != "json" || !slices.Contains([]string{roleTargets, roleOrg, roleSnapshot}, parts[1]) {
		return 0, "", false
	}
	version, err := strconv.ParseInt(parts[0], 10, 64)
	return version, parts[1], err == nil
}
