package analysis

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior/syntax"
)

// Bundlers cut large programs into chunks, whose names a script puts together when it wants one. A part of such a name
// stands in that script. What no part of its name stands for anywhere is not run; much of it is left over, and nearly
// all of the code of some extensions.

const (
	// minPart is the length of a part of a name that tells files apart.
	minPart = 4
	// maxIdle is how many bytes of such scripts are parsed all the same, the most telling ones first: a name can be made
	// of less than its parts.
	maxIdle = 256 << 10
)

// idle returns the scripts that are not used so far, and whose names no script has a part of.
func (c *collector) idle() map[string]bool {
	out := map[string]bool{}
	parts := map[string][]string{}
	for _, name := range c.order {
		if c.used[name] || c.webAccessible(name) {
			continue
		}
		switch strings.ToLower(path.Ext(name)) {
		case ".js", ".mjs", ".cjs", ".jsm":
		default:
			continue
		}
		part := tellingPart(name)
		if len(part) < minPart {
			continue
		}
		out[name] = true
		parts[part] = append(parts[part], name)
	}
	if len(out) == 0 {
		return nil
	}
	t := syntax.NewWordTable(map[features][]string{1: slices.Collect(maps.Keys(parts))})
	for _, u := range c.units {
		eachWord(u.text, func(w []byte) {
			if t.Of(w) != 0 {
				for _, name := range parts[string(w)] {
					delete(out, name)
				}
			}
		})
	}
	return out
}

func eachWord(text []byte, visit func(w []byte)) {
	for i := 0; i < len(text); i++ {
		if !syntax.InWord(text[i]) {
			continue
		}
		start := i
		for i < len(text) && syntax.InWord(text[i]) {
			i++
		}
		visit(text[start:i])
	}
}

// tellingPart returns the part of a file's name that tells it best from others: a hash, or else the longest word.
func tellingPart(name string) string {
	base := path.Base(name)
	base = strings.TrimSuffix(base, path.Ext(base))
	words := strings.FieldsFunc(base, func(r rune) bool { return r < 0x80 && !syntax.IsWordByte(byte(r)) })
	return slices.MaxFunc(append(words, ""), func(a, b string) int {
		return cmp.Or(cmp.Compare(hashLike(a), hashLike(b)), cmp.Compare(len(a), len(b)))
	})
}

// hashLike is 1 for a text such as those that bundlers put into names: long, with digits.
func hashLike(s string) int {
	if len(s) >= 6 && strings.ContainsAny(s, "0123456789") {
		return 1
	}
	return 0
}

// quieten keeps of the idle scripts only as many as may be parsed.
func (c *collector) quieten() {
	var list []*unit
	for _, u := range c.units {
		if u.idle && u.text != nil {
			list = append(list, u)
		}
	}
	slices.SortStableFunc(list, func(a, b *unit) int {
		return cmp.Or(cmp.Compare(b.rank(), a.rank()), cmp.Compare(len(a.text), len(b.text)), cmp.Compare(a.File, b.File))
	})
	left := maxIdle
	for _, u := range list {
		if len(u.text) > left {
			u.text, c.loaded[u.File].text = nil, nil
			continue
		}
		left -= len(u.text)
	}
}
