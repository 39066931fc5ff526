package publisher

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// pathLetters are what every file system and every address takes as it is; agents accept no others.
const (
	pathLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
	maxPath     = 150
)

// Belongs reports whether a path is one that a feed's source may hold. role is who signs it: "targets" or "org".
func Belongs(name string) (role string, ok bool) {
	role = roleTargets
	if ofOrg(name) {
		role, name = roleOrg, strings.TrimPrefix(name, "org/")
	}
	dir, base := path.Split(name)
	if len(name) > maxPath || strings.Trim(base, pathLetters) != "" {
		return role, false
	}
	switch dir {
	case "":
		ok = base == "decisions.yml" || base == "version.txt" && role == roleTargets
	case "campaigns/", "techniques/":
		ok = path.Ext(base) == ".yml"
	case "catalog/":
		ok = path.Ext(base) == ".yml" && role == roleTargets
	case "indicators/":
		ok = slices.Contains([]string{"extensions.csv", "files.csv", "domains.csv"}, base)
	}
	return role, ok
}

// skipped reports whether a name is an editor's or a version control's, not the author's.
func skipped(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") || strings.HasSuffix(name, ".swp")
}

// strangers lists what does not belong in source/.
func strangers(source fs.FS) (defects []error) {
	n, seen := 0, map[string]bool{}
	err := fs.WalkDir(source, ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && skipped(e.Name()):
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		case e.IsDir():
			return nil
		}
		if n++; n > maxTargets {
			return refuse("merge small files", "source/ holds more than %d files", maxTargets)
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		_, ok := Belongs(name)
		if low := strings.ToLower(name); seen[low] {
			defects = append(defects, fmt.Errorf("%s: another file has this name in other letters", name))
		} else {
			seen[low] = true
		}
		switch {
		case !info.Mode().IsRegular():
			defects = append(defects, fmt.Errorf("%s: is no plain file", name))
		case !ok:
			defects = append(defects, fmt.Errorf("%s: does not belong in a feed; rules are campaigns/*.yml and techniques/*.yml, with plain letters, digits and hyphens", name))
		case info.Size() > mostOf(name):
			defects = append(defects, fmt.Errorf("%s: %d bytes; at most %d are published", name, info.Size(), mostOf(name)))
		}
		return nil
	})
	if err != nil {
		defects = append(defects, fmt.Errorf("read source/: %w", err))
	}
	return defects
}

// mostOf is how large a file in source/ may be. Lists are published in another, smaller form.
func mostOf(name string) int64 {
	if path.Ext(name) == ".csv" {
		return maxList
	}
	return maxTarget
}

// plain publishes source/ as it is.
func plain(_ context.Context, source, _ fs.FS) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := fs.WalkDir(source, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name != "." && skipped(e.Name()) {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if e.IsDir() {
			return nil
		}
		files[name], err = fs.ReadFile(source, name)
		return err
	})
	return files, err
}

// check returns all that is wrong with source/.
func (p *Publisher) check(ctx context.Context, source fs.FS) []error {
	defects := strangers(source)
	if p.cfg.Check != nil && len(defects) == 0 {
		defects = p.cfg.Check(ctx, source)
	}
	return defects
}

// Check returns all that is wrong with source/ and would keep Publish from publishing.
func (p *Publisher) Check(ctx context.Context) ([]error, error) {
	root, err := p.source()
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return p.check(ctx, root.FS()), ctx.Err()
}

// prepared is what Publish would publish, by path, and what the metadata will say of it.
type prepared struct {
	data map[string][]byte
	said map[string]*metadata.TargetFiles
}

// of returns the part of one role.
func (f *prepared) of(role string) map[string]*metadata.TargetFiles {
	part := map[string]*metadata.TargetFiles{}
	for name, t := range f.said {
		if ofOrg(name) == (role == roleOrg) {
			part[name] = t
		}
	}
	return part
}

func (p *Publisher) prepare(ctx context.Context, r *repository, source fs.FS) (*prepared, error) {
	published, err := p.published(r)
	if err != nil {
		return nil, err
	}
	make := p.cfg.Prepare
	if make == nil {
		make = plain
	}
	data, err := make(ctx, source, published)
	if err != nil {
		return nil, fmt.Errorf("prepare the files: %w", err)
	}
	f := &prepared{data: data, said: map[string]*metadata.TargetFiles{}}
	for name, b := range data {
		if !fs.ValidPath(name) || len(b) > maxTarget {
			return nil, fmt.Errorf("prepare the files: %q cannot be published", name)
		}
		if f.said[name], err = describe(name, b); err != nil {
			return nil, fmt.Errorf("prepare the files: %w", err)
		}
	}
	return f, nil
}

// remember keeps source/ as it is published now, for the part of the roles.
func (p *Publisher) remember(source fs.FS, roles []string) error {
	err := p.rememberPart(source, roles)
	if err != nil {
		return fmt.Errorf("keep a copy of what was published: %w", err)
	}
	return nil
}

func (p *Publisher) rememberPart(source fs.FS, roles []string) error {
	files, err := plain(context.Background(), source, nil)
	if err != nil {
		return err
	}
	dir := p.path("published")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	old, err := plain(context.Background(), root.FS(), nil)
	if err != nil {
		return err
	}
	for name := range old {
		if role, _ := Belongs(name); slices.Contains(roles, role) && files[name] == nil {
			if err := root.Remove(filepath.FromSlash(name)); err != nil {
				return err
			}
		}
	}
	for name, data := range files {
		if role, _ := Belongs(name); !slices.Contains(roles, role) || string(old[name]) == string(data) && old[name] != nil {
			continue
		}
		if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
			return err
		}
		if err := writeIn(root, name, data); err != nil {
			return err
		}
	}
	return nil
}

func writeIn(root *os.Root, name string, data []byte) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}
