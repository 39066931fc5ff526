package publisher

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/config"
	"github.com/theupdateframework/go-tuf/v2/metadata/updater"
)

// A shop is a feed in a temporary folder, with the sticks of its root keys.
type shop struct {
	t      *testing.T
	cfg    Config
	sticks []string
	asked  []string // names of keys whose passphrase was asked for
	back   time.Duration
}

// open makes a feed with cheap passphrases.
func open(t *testing.T, plan Plan) *shop {
	t.Helper()
	tmp := t.TempDir()
	s := &shop{t: t}
	for _, stick := range []string{"a", "b", "c"} {
		s.sticks = append(s.sticks, filepath.Join(tmp, "stick-"+stick))
	}
	s.cfg = Config{Dir: filepath.Join(tmp, "feed"), RootKeys: s.sticks,
		Now: func() time.Time { return time.Now().Add(-s.back) },
		Passphrase: func(_ context.Context, key string, _ bool) ([]byte, error) {
			s.asked = append(s.asked, key)
			return []byte("four words put together"), nil
		}}
	plan.Organisation, plan.Scrypt = "Example Ltd", minScrypt
	if _, err := Init(t.Context(), s.cfg, plan); err != nil {
		t.Fatal(err)
	}
	return s
}

// publisher opens the folder as a new process does.
func (s *shop) publisher() *Publisher {
	s.t.Helper()
	p, err := Open(s.cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

func (s *shop) put(name, data string) {
	s.t.Helper()
	file := filepath.Join(s.cfg.Dir, "source", filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(data), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) publish(q Request) Published {
	s.t.Helper()
	out, err := s.publisher().Publish(s.t.Context(), q)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

func (s *shop) rotate(q Rotation) Published {
	s.t.Helper()
	out, err := s.publisher().Rotate(s.t.Context(), q)
	if err != nil {
		s.t.Fatalf("rotate %s: %v", q.Role, err)
	}
	return out
}

func (s *shop) public() string { return filepath.Join(s.cfg.Dir, "public") }

// folderFetcher reads a repository from a folder, as go-tuf's clients ask for it.
type folderFetcher struct{ dir string }

func (f folderFetcher) DownloadFile(address string, limit int64, _ time.Duration) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(f.dir, filepath.FromSlash(strings.TrimPrefix(u.Path, "/"))))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &metadata.ErrDownloadHTTP{StatusCode: 404, URL: address}
	}
	if err == nil && int64(len(data)) > limit {
		return nil, &metadata.ErrDownloadLengthMismatch{Msg: "too long"}
	}
	return data, err
}

// A reader is a client with a memory: go-tuf's own updater, which no line of this package takes part in.
type reader struct {
	dir  string
	root []byte
}

func (s *shop) reader() *reader {
	s.t.Helper()
	root, err := os.ReadFile(filepath.Join(s.cfg.Dir, rootName))
	if err != nil {
		s.t.Fatal(err)
	}
	return &reader{dir: s.t.TempDir(), root: root}
}

// update fetches a repository and returns all files that it could be asked for.
func (r *reader) update(public string) (map[string]string, error) {
	cfg, err := config.New("https://feed.example/metadata", r.root)
	if err != nil {
		return nil, err
	}
	cfg.Fetcher, cfg.RemoteTargetsURL = folderFetcher{public}, "https://feed.example/targets"
	cfg.LocalMetadataDir, cfg.LocalTargetsDir = r.dir, filepath.Join(r.dir, "targets")
	u, err := updater.New(cfg)
	if err != nil {
		return nil, err
	}
	if err := u.Refresh(); err != nil {
		return nil, err
	}
	files := map[string]string{}
	names := slices.Collect(maps.Keys(u.GetTopLevelTargets()))
	for _, name := range []string{"org/decisions.yml", "org/campaigns/ours.yml", "org/indicators/domains.csv"} {
		if _, err := u.GetTargetInfo(name); err == nil {
			names = append(names, name)
		}
	}
	for _, name := range names {
		info, err := u.GetTargetInfo(name)
		if err != nil {
			return nil, err
		}
		_, data, err := u.DownloadTarget(info, filepath.Join(r.dir, "target"), "")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		files[name] = string(data)
	}
	return files, nil
}

func (s *shop) wantFiles(r *reader, want map[string]string) {
	s.t.Helper()
	got, err := r.update(s.public())
	if err != nil {
		s.t.Fatalf("a client refuses the feed: %v", err)
	}
	if !maps.Equal(got, want) {
		s.t.Fatalf("a client has %v, want %v", got, want)
	}
}

// hint returns the hint of an error, which must be a refusal.
func hint(t *testing.T, err error) string {
	t.Helper()
	var r *Refusal
	if !errors.As(err, &r) {
		t.Fatalf("no refusal: %v", err)
	}
	return r.Hint
}
