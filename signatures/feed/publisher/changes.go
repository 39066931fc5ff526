package publisher

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Change is one file of source/ that differs from what is published.
type Change struct {
	Path string
	What string // added, changed, removed
	// Added and Removed are rows of a list of indicators, or decisions, one line each; empty for other files.
	Added, Removed []string
}

// Diff says what Publish would publish against what is published.
func (p *Publisher) Diff(ctx context.Context) ([]Change, error) {
	root, err := p.source()
	if err != nil {
		return nil, err
	}
	defer root.Close()
	changes, err := p.changes(root.FS())
	return changes, errors.Join(err, ctx.Err())
}

func (p *Publisher) changes(source fs.FS) ([]Change, error) {
	now, err := plain(context.Background(), source, nil)
	if err != nil {
		return nil, fmt.Errorf("read source/: %w", err)
	}
	before := map[string][]byte{}
	if _, err := os.Stat(p.path("published")); err == nil {
		root, err := os.OpenRoot(p.path("published"))
		if err != nil {
			return nil, fmt.Errorf("read what was published: %w", err)
		}
		defer root.Close()
		if before, err = plain(context.Background(), root.FS(), nil); err != nil {
			return nil, fmt.Errorf("read what was published: %w", err)
		}
	}
	names := maps.Clone(now)
	maps.Copy(names, before)
	var changes []Change
	for _, name := range slices.Sorted(maps.Keys(names)) {
		a, had := before[name]
		b, has := now[name]
		c := Change{Path: name, What: "changed"}
		switch {
		case had && has && bytes.Equal(a, b):
			continue
		case !had:
			c.What = "added"
		case !has:
			c.What = "removed"
		}
		c.Added, c.Removed = compare(rows(name, a), rows(name, b))
		changes = append(changes, c)
	}
	return changes, nil
}

// rows splits a list into its entries, sorted and each once.
func rows(name string, data []byte) (list []string) {
	switch {
	case path.Ext(name) == ".csv":
		first := true
		list = make([]string, 0, bytes.Count(data, []byte{'\n'})+1)
		for line := range strings.Lines(string(data)) {
			if line = strings.TrimSpace(line); line != "" && !first {
				list = append(list, line)
			}
			first = false
		}
	case path.Base(name) == "decisions.yml":
		var file struct {
			Decisions []map[string]any `yaml:"decisions"`
		}
		if yaml.Unmarshal(data, &file) != nil { // Check says what is wrong with it
			return nil
		}
		for _, d := range file.Decisions {
			var words []string
			for _, key := range slices.Sorted(maps.Keys(d)) {
				words = append(words, fmt.Sprintf("%s: %v", key, d[key]))
			}
			list = append(list, strings.Join(words, ", "))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// compare goes through two sorted lists side by side: a million rows need no map.
func compare(a, b []string) (added, removed []string) {
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(a) == 0 || len(b) > 0 && b[0] < a[0]:
			added, b = append(added, b[0]), b[1:]
		case len(b) == 0 || a[0] < b[0]:
			removed, a = append(removed, a[0]), a[1:]
		default:
			a, b = a[1:], b[1:]
		}
	}
	return added, removed
}
