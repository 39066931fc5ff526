package response

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// A ledger is all that we have written, and what it takes to undo it.
type ledger struct {
	Blocks []Record `json:"blocks"`
	// Made lists the folders that were not there before, deepest first.
	Made []string `json:"made,omitempty"`
	// Prepared lists the folders that Prepare made.
	Prepared []string `json:"prepared,omitempty"`
	// Before holds what a file was before we changed it, by its path; null: it was not there.
	Before map[string]*string `json:"before,omitempty"`
	// After holds what we last wrote there: if it is something else now, somebody changed it, and only our entries go.
	After map[string]string `json:"after,omitempty"`
}

const ledgerName = "blocks.json"

func (b *Blocker) ledger() (ledger, error) {
	l := ledger{Before: map[string]*string{}, After: map[string]string{}}
	data, err := os.ReadFile(filepath.Join(b.cfg.Folder, ledgerName))
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &l)
	}
	if err != nil {
		return l, fmt.Errorf("read the list of blocks: %w", err)
	}
	if l.Before == nil {
		l.Before = map[string]*string{}
	}
	if l.After == nil {
		l.After = map[string]string{}
	}
	return l, nil
}

func (b *Blocker) save(l ledger) error {
	file := filepath.Join(b.cfg.Folder, ledgerName)
	if len(l.Blocks) == 0 && len(l.Before) == 0 && len(l.Made) == 0 && len(l.Prepared) == 0 {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("write the list of blocks: %w", err)
		}
		return nil
	}
	data, err := json.MarshalIndent(l, "", "\t")
	if err == nil {
		err = os.MkdirAll(b.cfg.Folder, 0o700)
	}
	if err == nil {
		err = replace(file, b.cfg.Folder, data, 0o600)
	}
	if err != nil {
		return fmt.Errorf("write the list of blocks: %w", err)
	}
	return nil
}

// ids lists the blocked IDs of a browser, sorted.
func (l ledger) ids(browser, packaging string) []string {
	var ids []string
	for _, r := range l.Blocks {
		if r.Browser == browser && r.Packaging == packaging {
			ids = append(ids, r.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// replace writes a file whole: in the folder staging, which must be on the same disk, then by a rename. A browser reads
// every file of its policy folder, also half written ones with a strange name, so staging lies outside of it.
func replace(file, staging string, data []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(staging, ".extwatch-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // an error once it is renamed
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode) // whatever the umask: a browser that runs as its user must read it
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	return err
}

// makeFolder makes a folder that everybody may read, and notes what of it was not there.
func (l *ledger) makeFolder(dir string) error {
	var missing []string
	for d := dir; !exists(d); d = filepath.Dir(d) {
		missing = append(missing, d)
	}
	for _, d := range slices.Backward(missing) {
		if err := os.Mkdir(d, 0o755); err != nil {
			return err
		}
		if err := os.Chmod(d, 0o755); err != nil {
			return err
		}
		l.Made = slices.Insert(l.Made, 0, d)
	}
	return nil
}

// removeFolders removes the folders that we made and that are empty.
func (l *ledger) removeFolders() {
	l.Made = slices.DeleteFunc(l.Made, func(d string) bool {
		err := os.Remove(d)
		return err == nil || errors.Is(err, fs.ErrNotExist)
	})
}
