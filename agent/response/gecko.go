package response

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"
)

// A geckoFile is Firefox's policies.json on Linux. There is one for everybody, so ours is merged into the
// administrator's, byte for byte where it is not ours. Firefox wants strict JSON: a comment or a byte order mark voids
// the whole file.
type geckoFile struct {
	file    string
	bundled string // the file beside the program, which file replaces whole
}

func (g *geckoFile) key() string    { return g.file }
func (g *geckoFile) effect() Effect { return AtRestart }
func (g *geckoFile) note() string {
	return "Firefox reads this when it starts: close it and open it again. It removes the extension then; unblocking does not bring it back."
}

// settingsPath is where Firefox's file has its extensions. An ID is never made part of a path: sjson leaves a document as it
// is, without an error, when a part of its path holds an at sign.
const settingsPath = "policies.ExtensionSettings"

const blockedEntry = `{"installation_mode":"blocked"}`

// modeOf returns the installation mode of an ID in a file, "" when it has none.
func modeOf(data []byte, id string) (mode string) {
	gjson.GetBytes(data, settingsPath).ForEach(func(k, v gjson.Result) bool {
		if k.Str == id {
			mode = v.Get("installation_mode").Str
		}
		return true
	})
	return mode
}

// edit adds the entries of add to a file and takes those of drop out, where they are exactly ours. The rest of the file
// stays as it is, byte for byte.
func edit(data []byte, add, drop []string) ([]byte, error) {
	var b strings.Builder
	entry := func(key, value string) {
		if b.Len() > 0 {
			b.WriteString(",")
		}
		b.WriteString(key + ":" + value)
	}
	dropped := false
	old := gjson.GetBytes(data, settingsPath)
	old.ForEach(func(k, v gjson.Result) bool {
		if slices.Contains(drop, k.Str) && v.Raw == blockedEntry {
			dropped = true
		} else {
			entry(k.Raw, v.Raw)
		}
		return true
	})
	if len(add) == 0 && !dropped {
		return data, nil
	}
	if len(add) > 0 && !dropped && old.IsObject() { // only append
		b.Reset()
		b.WriteString(strings.TrimRight(strings.TrimSuffix(old.Raw, "}")[1:], " \t\r\n"))
	}
	for _, id := range add {
		entry(strconv.Quote(id), blockedEntry) // no character of an ID needs escaping
	}
	return sjson.SetRawBytes(data, settingsPath, []byte("{"+b.String()+"}"))
}

// merged returns the file with the blocks of ids in it.
func merged(base []byte, ids []string, file string) ([]byte, error) {
	if len(bytes.TrimSpace(base)) == 0 {
		base = []byte("{}")
	}
	if !gjson.ValidBytes(base) || !gjson.ParseBytes(base).IsObject() {
		return nil, fmt.Errorf("%s is not strict JSON, so Firefox ignores all of it: repair it first", file)
	}
	var add []string
	for _, id := range ids {
		switch mode := modeOf(base, id); mode {
		case "allowed", "force_installed", "normal_installed":
			return nil, fmt.Errorf("%w: %s says %q of %s", ErrOverruled, file, mode, id)
		case "blocked":
		default:
			add = append(add, id)
		}
	}
	data, err := edit(base, add, nil)
	if err != nil {
		return nil, fmt.Errorf("change %s: %w", file, err)
	}
	for _, id := range ids {
		if modeOf(data, id) != "blocked" {
			return nil, fmt.Errorf("change %s: the entry of %s could not be added; add it by hand", file, id)
		}
	}
	return data, nil
}

// base returns what the file would be without us: what it was before, unless somebody has changed it since; then our
// entries are taken out of it.
func (g *geckoFile) base(l *ledger) (data []byte, from string, err error) {
	current, err := readBounded(g.file)
	there := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, "", err
	}
	before, ours := l.Before[g.file]
	switch {
	case ours && there && string(current) == l.After[g.file]:
		if before != nil {
			return []byte(*before), g.file, nil
		}
		there = false
	case ours && there:
		if current, err = edit(current, nil, entriesOf(l.After[g.file])); err != nil {
			return nil, "", err
		}
		return current, g.file, nil
	}
	if there {
		return current, g.file, nil
	}
	if g.bundled != "" { // ours replaces it whole, so what it says must be in ours
		data, err = readBounded(g.bundled)
		return data, g.bundled, err
	}
	return nil, g.file, nil
}

// entriesOf lists the IDs that a file of ours blocks.
func entriesOf(text string) []string {
	var ids []string
	gjson.Get(text, settingsPath).ForEach(func(k, v gjson.Result) bool {
		if v.Get("installation_mode").Str == "blocked" && validID(k.Str) {
			ids = append(ids, k.Str)
		}
		return true
	})
	return ids
}

func (g *geckoFile) holds(ids []string) (bool, error) {
	current, err := readBounded(g.file)
	if errors.Is(err, fs.ErrNotExist) {
		return len(ids) == 0, nil
	}
	if err != nil {
		return false, err
	}
	return !slices.ContainsFunc(ids, func(id string) bool {
		return modeOf(current, id) != "blocked"
	}), nil
}

func (g *geckoFile) write(ids []string, l *ledger) (func() error, error) {
	current, cerr := os.ReadFile(g.file)
	undo := func() error {
		if cerr != nil {
			return os.Remove(g.file)
		}
		return replace(g.file, filepath.Dir(g.file), current, 0o644)
	}
	base, from, err := g.base(l)
	if err != nil {
		return undo, err
	}
	if len(ids) == 0 {
		return undo, g.restore(base, from, l)
	}
	data, err := merged(base, ids, from)
	if err != nil {
		return undo, err
	}
	dir := filepath.Dir(g.file)
	if err := l.makeFolder(dir); err != nil {
		return undo, unwritable(err, dir)
	}
	if err := replace(g.file, dir, data, 0o644); err != nil {
		return undo, unwritable(err, dir)
	}
	if from == g.file && base != nil {
		text := string(base)
		l.Before[g.file] = &text
	} else {
		l.Before[g.file] = nil
	}
	l.After[g.file] = string(data)
	return undo, nil
}

// restore leaves the file as it is without us.
func (g *geckoFile) restore(base []byte, from string, l *ledger) error {
	delete(l.Before, g.file)
	delete(l.After, g.file)
	if from == g.file && base != nil {
		return replace(g.file, filepath.Dir(g.file), base, 0o644)
	}
	if err := os.Remove(g.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	l.removeFolders()
	return nil
}

// touch does nothing: Firefox reads the file when it starts.
func (g *geckoFile) touch(time.Time) error { return nil }
