package response

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/extwatch/extwatch/manifests"
)

const (
	// ourName sorts after what administrators commonly call their files; lastName after everything made of letters.
	ourName  = "zz-extwatch.json"
	lastName = "~extwatch.json"
	// maxPolicy bounds a policy file. One of a large company has some hundred kilobytes.
	maxPolicy = 8 << 20
	// maxPolicies bounds how many are read.
	maxPolicies = 256

	blocklist = "ExtensionInstallBlocklist"
	settings  = "ExtensionSettings"
)

// A chromiumFile is our file among Chromium's managed policies on Linux.
type chromiumFile struct {
	dir     string
	browser string
}

func (c *chromiumFile) key() string    { return filepath.Join(c.dir, c.name()) }
func (c *chromiumFile) effect() Effect { return Soon }
func (c *chromiumFile) note() string   { return "" }

// name is our file's name: the one that is there, else the usual one.
func (c *chromiumFile) name() string {
	if exists(filepath.Join(c.dir, lastName)) {
		return lastName
	}
	return ourName
}

// admins are the policies of others that matter here.
type admins struct {
	settings  gjson.Result // ExtensionSettings, as the browser takes it
	blocklist gjson.Result
	from      map[string]string // which file each is from
}

// others reads the policies of others. Chromium reads every regular file, ignores those that are broken, and takes each
// policy from the last file that sets it.
func (c *chromiumFile) others() (admins, error) {
	a := admins{from: map[string]string{}}
	entries, err := os.ReadDir(c.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return a, err
	}
	if len(entries) > maxPolicies {
		return a, fmt.Errorf("%s holds more than %d files", c.dir, maxPolicies)
	}
	for _, e := range entries { // sorted by name
		if e.Name() == ourName || e.Name() == lastName || e.IsDir() {
			continue
		}
		data, err := readBounded(filepath.Join(c.dir, e.Name()))
		if err != nil {
			return a, err
		}
		text, err := manifests.Standardize(data)
		if err != nil || !gjson.ValidBytes(text) {
			continue
		}
		gjson.ParseBytes(text).ForEach(func(k, v gjson.Result) bool {
			switch k.Str {
			case settings:
				if v.IsObject() {
					a.settings, a.from[settings] = v, e.Name()
				}
			case blocklist:
				if v.IsArray() {
					a.blocklist, a.from[blocklist] = v, e.Name()
				}
			}
			return true
		})
	}
	return a, nil
}

func readBounded(name string) ([]byte, error) {
	fi, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, nil // Chromium does not read it either
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPolicy+1))
	if err == nil && len(data) > maxPolicy {
		err = fmt.Errorf("%s is larger than %d MB", name, maxPolicy>>20)
	}
	return data, err
}

// wanted returns the mode by which the settings ask for an extension by its ID, "" when they do not.
func wanted(settings gjson.Result, id string) string {
	mode := ""
	settings.ForEach(func(k, v gjson.Result) bool {
		for one := range strings.SplitSeq(k.Str, ",") { // several IDs may share an entry
			if strings.TrimSpace(one) == id {
				mode = v.Get("installation_mode").Str
			}
		}
		return true
	})
	switch mode {
	case "allowed", "force_installed", "normal_installed":
		return mode
	}
	return ""
}

// content returns our file's bytes and its name; nil when there is nothing to block. It takes the policy that the
// administrator does not use, so that both hold. If both are used, it is the list of theirs and ours.
func (c *chromiumFile) content(ids []string) ([]byte, string, error) {
	if len(ids) == 0 {
		return nil, "", nil
	}
	a, err := c.others()
	if err != nil {
		return nil, "", err
	}
	for _, id := range ids {
		if mode := wanted(a.settings, id); mode != "" {
			return nil, "", fmt.Errorf("%w: %s says %q of %s", ErrOverruled, filepath.Join(c.dir, a.from[settings]), mode, id)
		}
	}
	name := ourName
	policy := map[string]any{}
	switch {
	case a.from[blocklist] == "":
		policy[blocklist] = ids
	case a.from[settings] == "":
		entries := map[string]any{}
		for _, id := range ids {
			entries[id] = map[string]string{"installation_mode": "blocked"}
		}
		policy[settings] = entries
	default:
		all := map[string]bool{}
		for _, v := range a.blocklist.Array() {
			all[v.Str] = true
		}
		for _, id := range ids {
			all[id] = true
		}
		policy[blocklist] = slices.Sorted(maps.Keys(all))
		if a.from[blocklist] > ourName {
			name = lastName
		}
		if a.from[blocklist] > lastName {
			return nil, "", fmt.Errorf("the file %s sorts after ours and sets %s: rename it, or add %s to it",
				filepath.Join(c.dir, a.from[blocklist]), blocklist, strings.Join(ids, ", "))
		}
	}
	data, err := json.MarshalIndent(policy, "", "\t")
	return append(data, '\n'), name, err
}

func (c *chromiumFile) holds(ids []string) (bool, error) {
	want, name, err := c.content(ids)
	if err != nil || want == nil {
		return !exists(c.key()), err
	}
	got, err := os.ReadFile(filepath.Join(c.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && string(got) == string(want), err
}

func (c *chromiumFile) write(ids []string, l *ledger) (func() error, error) {
	before := map[string][]byte{}
	for _, name := range []string{ourName, lastName} {
		file := filepath.Join(c.dir, name)
		if data, err := os.ReadFile(file); err == nil {
			before[file] = data
		}
	}
	undo := func() error { return c.restore(before) }
	data, name, err := c.content(ids)
	if err != nil {
		return undo, err
	}
	for file := range before {
		if data == nil || filepath.Base(file) != name {
			if err := os.Remove(file); err != nil {
				return undo, errors.Join(err, undo())
			}
		}
	}
	if data == nil {
		// The folders stay until UndoAll: a Chromium for which they go and come back at once may watch neither.
		return undo, nil
	}
	if err := l.makeFolder(c.dir); err != nil {
		return undo, unwritable(err, c.dir)
	}
	if err := replace(filepath.Join(c.dir, name), filepath.Dir(c.dir), data, 0o644); err != nil {
		return undo, errors.Join(unwritable(err, c.dir), undo())
	}
	return undo, nil
}

// unwritable says what to do about a folder that may not be written.
func unwritable(err error, dir string) error {
	if errors.Is(err, fs.ErrPermission) || isReadOnly(err) {
		return fmt.Errorf("%s may not be written by this process: 'sudo systemctl restart extwatch' lets the service write there (%w)", dir, err)
	}
	return err
}

func (c *chromiumFile) restore(before map[string][]byte) error {
	var errs []error
	for _, name := range []string{ourName, lastName} {
		file := filepath.Join(c.dir, name)
		data, was := before[file]
		switch {
		case was:
			errs = append(errs, replace(file, filepath.Dir(c.dir), data, 0o644))
		case exists(file):
			errs = append(errs, os.Remove(file))
		}
	}
	return errors.Join(errs...)
}

// touch touches the folders too: a Chromium for which they were just made may watch only the one above (measured on
// Chromium 156.0.8078.79, Linux, on a busy machine), and looks again when they change.
func (c *chromiumFile) touch(now time.Time) error {
	if !exists(c.key()) {
		return nil
	}
	return errors.Join(os.Chtimes(filepath.Dir(c.dir), now, now), os.Chtimes(c.dir, now, now), os.Chtimes(c.key(), now, now))
}
