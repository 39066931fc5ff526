package response

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/tidwall/gjson"
)

// A registry is the part of Windows' that policies live in, below HKEY_LOCAL_MACHINE.
type registry interface {
	values(key string) (map[string]string, error) // none when the key is missing
	set(key, name, value string) error            // makes the key
	remove(key, name string) error                // also the key, when nothing is left in it
	refresh() error                               // tells running programs that policies changed
}

// A chromiumKey is Chromium's list of blocked extensions in the registry. Its values are named 1, 2, 3 …; the browser
// stops at the first number that is missing.
type chromiumKey struct {
	reg  registry
	base string
}

func (c *chromiumKey) key() string           { return `HKLM\` + c.base + `\` + blocklist }
func (c *chromiumKey) effect() Effect        { return Soon }
func (c *chromiumKey) touch(time.Time) error { return c.reg.refresh() }
func (c *chromiumKey) note() string {
	return "If the browser does not obey within a minute, restart it: Windows tells programs of new policies in its own time."
}

// list returns the list in its order.
func (c *chromiumKey) list() ([]string, error) {
	values, err := c.reg.values(c.base + `\` + blocklist)
	if err != nil {
		return nil, err
	}
	var list []string
	for n := 1; ; n++ {
		v, ok := values[strconv.Itoa(n)]
		if !ok {
			return list, nil
		}
		list = append(list, v)
	}
}

// settings returns the administrator's ExtensionSettings: one value of JSON, or a key for each ID.
func (c *chromiumKey) settings(id string) (string, error) {
	values, err := c.reg.values(c.base)
	if err != nil {
		return "", err
	}
	if mode := wanted(gjson.Parse(values[settings]), id); mode != "" {
		return mode, nil
	}
	own, err := c.reg.values(c.base + `\` + settings + `\` + id)
	if err != nil {
		return "", err
	}
	entry, _ := json.Marshal(map[string]any{id: map[string]string{"installation_mode": own["installation_mode"]}})
	return wanted(gjson.ParseBytes(entry), id), nil
}

func (c *chromiumKey) holds(ids []string) (bool, error) {
	list, err := c.list()
	return err == nil && !slices.ContainsFunc(ids, func(id string) bool { return !slices.Contains(list, id) }), err
}

func (c *chromiumKey) write(ids []string, l *ledger) (func() error, error) {
	list, err := c.list()
	if err != nil {
		return func() error { return nil }, err
	}
	undo := func() error { return c.put(list) }
	for _, id := range ids {
		mode, err := c.settings(id)
		if err != nil {
			return undo, err
		}
		if mode != "" {
			return undo, fmt.Errorf(`%w: HKLM\%s\%s says %q of %s`, ErrOverruled, c.base, settings, mode, id)
		}
	}
	ours := split(l.After[c.key()])
	var want []string
	for _, id := range list {
		if !slices.Contains(ours, id) || slices.Contains(ids, id) {
			want = append(want, id)
		}
	}
	var added []string
	for _, id := range ids {
		if !slices.Contains(want, id) {
			want = append(want, id)
		}
		if !slices.Contains(list, id) || slices.Contains(ours, id) { // what the administrator lists stays when we go
			added = append(added, id)
		}
	}
	if err := c.put(want); err != nil {
		return undo, err
	}
	l.keep(c.key(), added)
	return undo, nil
}

// put makes the list what it is to be.
func (c *chromiumKey) put(want []string) error {
	key := c.base + `\` + blocklist
	values, err := c.reg.values(key)
	if err != nil {
		return err
	}
	for i, id := range want {
		if err := c.reg.set(key, strconv.Itoa(i+1), id); err != nil {
			return err
		}
	}
	for n := len(want) + 1; values[strconv.Itoa(n)] != ""; n++ {
		if err := c.reg.remove(key, strconv.Itoa(n)); err != nil {
			return err
		}
	}
	return c.reg.refresh()
}

// A geckoKey is Firefox's ExtensionSettings in the registry: a key for each ID.
type geckoKey struct {
	reg  registry
	base string
}

func (g *geckoKey) key() string           { return `HKLM\` + g.base + `\` + settings }
func (g *geckoKey) effect() Effect        { return AtRestart }
func (g *geckoKey) note() string          { return (&geckoFile{}).note() }
func (g *geckoKey) touch(time.Time) error { return nil }

func (g *geckoKey) mode(id string) (string, error) {
	values, err := g.reg.values(g.base + `\` + settings + `\` + id)
	return values["installation_mode"], err
}

func (g *geckoKey) holds(ids []string) (bool, error) {
	for _, id := range ids {
		if mode, err := g.mode(id); err != nil || mode != "blocked" {
			return false, err
		}
	}
	return true, nil
}

func (g *geckoKey) write(ids []string, l *ledger) (func() error, error) {
	nothing := func() error { return nil }
	values, err := g.reg.values(g.base)
	if err != nil {
		return nothing, err
	}
	if values[settings] != "" && len(ids) > 0 {
		return nothing, fmt.Errorf(`%w as one text in HKLM\%s\%s: add the extension there`, ErrOverruled, g.base, settings)
	}
	ours := split(l.After[g.key()])
	var added []string
	undo := func() error {
		for _, id := range added {
			if err := g.reg.remove(g.base+`\`+settings+`\`+id, "installation_mode"); err != nil {
				return err
			}
		}
		return nil
	}
	kept := slices.Clone(ours)
	for _, id := range ids {
		mode, err := g.mode(id)
		if err != nil {
			return undo, err
		}
		switch {
		case mode == "blocked":
			continue
		case mode != "":
			return undo, fmt.Errorf(`%w: HKLM\%s\%s\%s says %q`, ErrOverruled, g.base, settings, id, mode)
		}
		if err := g.reg.set(g.base+`\`+settings+`\`+id, "installation_mode", "blocked"); err != nil {
			return undo, err
		}
		added, kept = append(added, id), append(kept, id)
	}
	for _, id := range ours {
		if !slices.Contains(ids, id) {
			if err := g.reg.remove(g.base+`\`+settings+`\`+id, "installation_mode"); err != nil {
				return undo, err
			}
			kept = slices.DeleteFunc(kept, func(k string) bool { return k == id })
		}
	}
	l.keep(g.key(), kept)
	return undo, nil
}

// keep notes which IDs below a key are ours.
func (l *ledger) keep(key string, ids []string) {
	if len(ids) == 0 {
		delete(l.After, key)
		delete(l.Before, key)
		return
	}
	text, _ := json.Marshal(ids)
	l.After[key] = string(text)
	l.Before[key] = nil
}

func split(text string) []string {
	var ids []string
	json.Unmarshal([]byte(text), &ids) // empty when we wrote nothing
	return ids
}
