package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/extwatch/extwatch/signatures/feed/publisher"
	"github.com/extwatch/extwatch/signatures/indicators"
)

// prepareFiles makes what is published of a feed's source: its files as they are, but the lists of indicators as segments,
// so that machines fetch only what has changed in a list of a million.
func prepareFiles(_ context.Context, source, published fs.FS) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := fs.WalkDir(source, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if _, ok := publisher.Belongs(name); !ok || e.IsDir() || path.Ext(name) == ".csv" {
			return nil // mistakes are Check's
		}
		files[name], err = fs.ReadFile(source, name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read source/: %w", err)
	}
	for _, folder := range []string{"indicators", "org/indicators"} {
		for _, kind := range indicators.Kinds() {
			if err := prepareList(files, source, published, folder, kind); err != nil {
				return nil, err
			}
		}
	}
	return files, nil
}

// prepareList makes the segments of one list. One that is gone takes its rows back: what is published stays a chain.
func prepareList(files map[string][]byte, source, published fs.FS, folder string, kind indicators.Kind) error {
	name := path.Join(folder, kind.File())
	data, err := fs.ReadFile(source, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read source/: %w", err)
	}
	var rows []indicators.Row
	if err == nil {
		mistakes := indicators.ReadCSV(kind, data, func(r indicators.Row) error {
			rows = append(rows, r)
			return nil
		})
		if len(mistakes) > 0 {
			return fmt.Errorf("%s: line %d: %s", name, mistakes[0].Line, mistakes[0].Reason)
		}
	}
	segments := path.Join(folder, "segments")
	var before fs.FS
	if _, err := fs.Stat(published, segments); err == nil {
		if before, err = fs.Sub(published, segments); err != nil {
			return fmt.Errorf("look at what is published: %w", err)
		}
	}
	change, err := indicators.Update(before, kind, rows)
	if err != nil {
		return fmt.Errorf("make the segments of %s: %w", name, err)
	}
	for file, data := range change.Files {
		files[path.Join(segments, file)] = data
	}
	return nil
}
