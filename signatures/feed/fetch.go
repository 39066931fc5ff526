package feed

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A fetch is go-tuf's fetcher for one update from one mirror. It keeps the metadata that it returned.
type fetch struct {
	ctx    context.Context
	source source
	limits Limits
	got    map[string][]byte
}

// DownloadFile implements go-tuf's Fetcher. Metadata that can be read in two ways, or is no JSON, goes no farther.
func (f *fetch) DownloadFile(url string, limit int64, _ time.Duration) ([]byte, error) {
	name, ok := strings.CutPrefix(url, "mirror:/")
	if !ok || !fs.ValidPath(name) {
		return nil, fmt.Errorf("fetch %q: not a name on a mirror", url)
	}
	isMetadata := strings.HasPrefix(name, "metadata/")
	if most := f.limits.Target; !isMetadata && limit > most {
		return nil, fmt.Errorf("fetch %s: %d bytes, and %d are allowed", name, limit, most)
	}
	if isMetadata { // the length is what another role signed, if it was asked
		limit = min(limit, f.limits.Metadata)
	}
	if err := f.ctx.Err(); err != nil {
		return nil, fmt.Errorf("fetch %s: %w", name, context.Cause(f.ctx))
	}
	data, err := f.source.get(f.ctx, name, limit)
	if err != nil {
		return nil, err
	}
	if isMetadata {
		if err := checkJSON(data); err != nil {
			return nil, fmt.Errorf("fetch %s: %w", name, err)
		}
		f.got[name] = data
	}
	return data, nil
}

func (f *fetch) fetched(name string) []byte { return f.got[name] }

// nowhere is the fetcher of a proof without any mirror.
type nowhere struct{}

func (nowhere) DownloadFile(url string, _ int64, _ time.Duration) ([]byte, error) {
	return nil, fmt.Errorf("%s is missing in the folder", strings.TrimPrefix(url, "mirror:/"))
}

func (nowhere) fetched(string) []byte { return nil }

// localRoles returns a reader of metadata in a folder.
func localRoles(dir string, limit int64) func(role string) []byte {
	return func(role string) []byte {
		f, err := os.Open(filepath.Join(dir, role+".json"))
		if err != nil {
			return nil
		}
		defer f.Close()
		data, err := readAtMost(f, limit)
		if err != nil {
			return nil
		}
		return data
	}
}
