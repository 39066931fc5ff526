package dashboard

import (
	"slices"

	"github.com/extwatch/extwatch/agent/store"
	"github.com/extwatch/extwatch/manifests"
)

// maxChanged bounds the names of one kind of change.
const maxChanged = 12

// A change is one kind of thing in which a version differs from the one before it.
type change struct {
	Key   string // of the text
	Names []string
	More  int
}

// changes tells what a version has that the one before it had not, and the other way round.
func changes(before, after *store.Version) []change {
	var out []change
	add := func(key string, names []string) {
		if len(names) == 0 {
			return
		}
		c := change{Key: key, Names: names}
		if n := len(names) - maxChanged; n > 0 {
			c.Names, c.More = names[:maxChanged], n
		}
		out = append(out, c)
	}
	if a, b := before.Manifest, after.Manifest; a != nil && b != nil {
		if a.Name != b.Name {
			add("change.name", []string{a.Name + " → " + b.Name})
		}
		for _, k := range []struct {
			key string
			of  func(*manifests.Manifest) []string
		}{
			{"permissions", func(m *manifests.Manifest) []string { return m.Permissions }},
			{"hosts", func(m *manifests.Manifest) []string { return m.Hosts }},
			{"optional", func(m *manifests.Manifest) []string { return slices.Concat(m.OptionalPermissions, m.OptionalHosts) }},
			{"scripts", scriptSites},
		} {
			add("change."+k.key+".new", missing(k.of(b), k.of(a)))
			add("change."+k.key+".gone", missing(k.of(a), k.of(b)))
		}
	}
	if before.Files != nil && after.Files != nil {
		var added, changed, removed []string
		for name, hash := range after.Files {
			switch was, ok := before.Files[name]; {
			case !ok:
				added = append(added, name)
			case was != hash:
				changed = append(changed, name)
			}
		}
		for name := range before.Files {
			if _, ok := after.Files[name]; !ok {
				removed = append(removed, name)
			}
		}
		for _, l := range [][]string{added, changed, removed} {
			slices.Sort(l)
		}
		add("change.files.new", added)
		add("change.files.changed", changed)
		add("change.files.gone", removed)
	} else if before.Content != after.Content && before.Content != "" && after.Content != "" {
		add("change.content", []string{clip(16, after.Content)})
	}
	return out
}

func scriptSites(m *manifests.Manifest) []string {
	var out []string
	for i := range m.ContentScripts {
		out = append(out, m.ContentScripts[i].Matches...)
	}
	return out
}

// missing are those of a list that the other lacks, each once.
func missing(of, from []string) []string {
	var out []string
	for _, s := range of {
		if !slices.Contains(from, s) && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
