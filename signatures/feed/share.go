package feed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// A share is a mirror that is a folder: a network share, a stick.
type share struct {
	dir  string
	held chan struct{} // while a read hangs on a server that is gone
}

// get reads a regular file below the folder, through no link that leads out of it.
func (s *share) get(ctx context.Context, name string, limit int64) ([]byte, error) {
	if s.held != nil { // an update asks one mirror at a time, so there is no race
		select {
		case <-s.held:
		default:
			return nil, fmt.Errorf("read %s: %s has not answered an earlier try yet", name, s.dir)
		}
	}
	s.held = make(chan struct{})
	var data []byte
	var err error
	done := s.held
	go func() {
		defer close(done)
		data, err = s.read(name, limit)
	}()
	select {
	case <-done:
		return data, err
	case <-ctx.Done(): // a dead share can't be given up, only left alone
		return nil, fmt.Errorf("read %s: %s does not answer: %w", name, s.dir, context.Cause(ctx))
	}
}

func (s *share) read(name string, limit int64) ([]byte, error) {
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return nil, fmt.Errorf("open the mirror's folder: %w", err)
	}
	defer root.Close()
	local := filepath.FromSlash(name)
	stat, err := root.Stat(local)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &metadata.ErrDownloadHTTP{StatusCode: http.StatusNotFound, URL: filepath.Join(s.dir, local)}
	}
	if err != nil {
		return nil, err
	}
	if !stat.Mode().IsRegular() { // opening a pipe would wait for ever
		return nil, fmt.Errorf("%s is not a regular file", filepath.Join(s.dir, local))
	}
	if stat.Size() > limit {
		return nil, &metadata.ErrDownloadLengthMismatch{Msg: fmt.Sprintf("%s has %d bytes; %d are allowed", name, stat.Size(), limit)}
	}
	f, err := root.Open(local)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAtMost(f, limit)
}
