package reader

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime/debug"
	"sync"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/agent/inventory"
	"github.com/extwatch/extwatch/manifests"
)

const (
	// maxOpen bounds the extensions and files that are open at the same time.
	maxOpen = 512
	// maxHandles bounds the listed extensions that can be opened: those of the last listings.
	maxHandles = 20_000
)

// Serve is the work of a child: it answers requests until in ends. The caller has given up all rights before (see
// agent/sandbox). Each request runs by itself, so that a disk that does not answer holds up only who asked for it.
func Serve(in io.Reader, out io.Writer) error {
	s := &server{out: out, readers: map[string]*inventory.Reader{}, handles: map[int]func() (manifests.Files, error){}, open: map[int]manifests.Files{}, files: map[int]fs.File{}}
	r := bufio.NewReader(in)
	for {
		number, text, _, err := readMessage(r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var q request
		if err := json.Unmarshal(text, &q); err != nil {
			return fmt.Errorf("a request that is no JSON: %w", err)
		}
		go s.one(number, q)
	}
}

type server struct {
	write sync.Mutex
	out   io.Writer

	mu      sync.Mutex
	readers map[string]*inventory.Reader
	last    int
	order   []int
	handles map[int]func() (manifests.Files, error)
	open    map[int]manifests.Files
	files   map[int]fs.File
}

func (s *server) one(number uint64, q request) {
	var value any
	var data []byte
	var err error
	func() {
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("a mistake in this program: %v\n%s", v, debug.Stack())
			}
		}()
		value, data, err = s.do(q)
	}()
	var a answer
	if err == nil {
		a.Value, err = json.Marshal(value)
	}
	if err != nil {
		a, data = answer{Failure: failureOf(err)}, nil
	}
	s.write.Lock()
	defer s.write.Unlock()
	if err := writeMessage(s.out, number, a, data); err != nil {
		writeMessage(s.out, number, answer{Failure: failureOf(err)}, nil) // too large; if the parent is gone, stdin ends
	}
}

func (s *server) do(q request) (any, []byte, error) {
	ctx := context.Background() // the parent ends us
	switch q.Op {
	case opFind:
		f := q.Find
		m, err := browsers.Find(ctx, browsers.Config{OS: f.OS, Root: f.Root, Users: []browsers.User{f.User},
			Processes: func() ([]browsers.Process, error) { return f.Processes, nil }})
		return m, nil, err
	case opRead:
		return s.list(ctx, q.Read)
	case opOpen:
		return s.openExtension(q.Handle)
	}
	s.mu.Lock()
	files, opened := s.open[q.Files], s.files[q.File]
	s.mu.Unlock()
	if files == nil {
		return nil, nil, fs.ErrClosed
	}
	switch q.Op {
	case opProblems:
		return files.Problems(), nil, nil
	case opClose:
		s.mu.Lock()
		delete(s.open, q.Files)
		s.mu.Unlock()
		return nil, nil, files.Close()
	case opStat:
		fi, err := fs.Stat(files, q.Name)
		if err != nil {
			return nil, nil, err
		}
		return infoOf(fi), nil, nil
	case opList:
		return folderList(files, q.Name)
	case opFile:
		return s.openFile(files, q.Name)
	}
	if opened == nil {
		return nil, nil, fs.ErrClosed
	}
	switch q.Op {
	case opMore:
		return s.more(q.File, opened, info{})
	case opDone:
		s.forget(q.File)
		return nil, nil, opened.Close()
	}
	return nil, nil, fmt.Errorf("there is no request %q", q.Op)
}

// list reads a profile, and keeps how its extensions are opened.
func (s *server) list(ctx context.Context, q *readRequest) (any, []byte, error) {
	l, err := s.reader(q).Read(ctx, q.Profile)
	if err != nil {
		return nil, nil, err
	}
	out := listing{Problems: l.Problems}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range l.Extensions {
		x := listed{Extension: e}
		if e.Open != nil {
			s.last++
			x.Handle = s.last
			s.handles[s.last] = e.Open
			s.order = append(s.order, s.last)
		}
		x.Extension.Open = nil
		out.Extensions = append(out.Extensions, x)
	}
	for len(s.order) > maxHandles {
		delete(s.handles, s.order[0])
		s.order = s.order[1:]
	}
	return out, nil, nil
}

// reader returns the reader for a kind of listing: it remembers what it has parsed.
func (s *server) reader(q *readRequest) *inventory.Reader {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := q.OS + "\x00" + q.Root + "\x00" + q.Locale
	if s.readers[key] == nil {
		s.readers[key] = inventory.NewReader(inventory.Config{OS: q.OS, Root: q.Root, Locale: q.Locale})
	}
	return s.readers[key]
}

func (s *server) openExtension(handle int) (any, []byte, error) {
	s.mu.Lock()
	open, many := s.handles[handle], len(s.open) >= maxOpen
	s.mu.Unlock()
	switch {
	case open == nil:
		return nil, nil, errForgotten
	case many:
		return nil, nil, errors.New("too many extensions are open")
	}
	files, err := open()
	if err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	s.open[s.last] = files
	return openAnswer{s.last}, nil, nil
}

func folderList(files fs.FS, name string) (any, []byte, error) {
	entries, err := fs.ReadDir(files, name)
	if err != nil {
		return nil, nil, err
	}
	list := make([]info, 0, len(entries))
	for _, e := range entries {
		i := info{N: e.Name(), M: e.Type()}
		if fi, err := e.Info(); err == nil {
			i = infoOf(fi)
		}
		list = append(list, i)
	}
	return list, nil, nil
}

func (s *server) openFile(files fs.FS, name string) (any, []byte, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, nil, err
	}
	fi, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	if fi.IsDir() {
		f.Close()
		return fileAnswer{Info: infoOf(fi)}, nil, nil
	}
	s.mu.Lock()
	many := len(s.files) >= maxOpen
	s.last++
	id := s.last
	s.mu.Unlock()
	if many {
		f.Close()
		return nil, nil, errors.New("too many files are open")
	}
	return s.more(id, f, infoOf(fi))
}

// more reads the next bytes of a file, and closes it after the last.
func (s *server) more(id int, f fs.File, i info) (any, []byte, error) {
	buf := make([]byte, chunk)
	n, err := io.ReadFull(f, buf)
	switch {
	case err == nil:
		s.mu.Lock()
		s.files[id] = f
		s.mu.Unlock()
		return fileAnswer{File: id, Info: i}, buf, nil
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		s.forget(id)
		return fileAnswer{Info: i}, buf[:n], f.Close()
	}
	s.forget(id)
	f.Close()
	return nil, nil, err
}

func (s *server) forget(id int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.files, id)
}
