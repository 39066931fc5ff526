package analysis

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"time"
)

const (
	// A worker collects no garbage before it has used up so much memory: nearly all that an analysis makes lives until its
	// end, so that a collection gains little and costs much. Most extensions are done by then. Giants are a matter of the one
	// worker that may use more.
	softMemory  = 56 << 20
	roomyMemory = 112 << 20
	// giantCode is how much code makes a giant. An analysis needs some 45 times the size of its code.
	giantCode = 5 << 18
	// litter is how much an analysis may leave lying about. Hardly anything lives then, but to sweep up after a large one
	// takes some eight milliseconds, which the next one need not wait for.
	litter = 16 << 20
	// maxScratch is how much of the memory that files are read into is kept for the next analysis.
	maxScratch = 2 << 20
	// mostMemory is how far these grow for what does not fit. See giveMore.
	mostMemory = 512 << 20
	// hardMemory ends a worker. A syntax tree of the largest bundle needs a third of it.
	hardMemory = 1 << 30
	// maxProcessor is how much time of the processor one extension may take. Real ones take less than three seconds.
	maxProcessor = 20 * time.Second
	// maxStack is far above what the bounded parser and the engine need, and below what a machine notices.
	maxStack = 256 << 20
)

// Serve is the work of a worker process: it reads extensions to analyse from stdin, asks there for the bytes of their
// files, and writes reports to stdout, until stdin ends. Nothing else may use the two. The limits that it sets are for
// the whole process.
func Serve(stdin io.Reader, stdout io.Writer) error {
	debug.SetMemoryLimit(softMemory)
	collectBelow(softMemory, 0)
	debug.SetMaxStack(maxStack)
	limitMemory(hardMemory)
	giveMore()
	s := &server{in: bufio.NewReaderSize(stdin, 1<<16), out: stdout}
	for {
		stuck, err := s.one()
		if stuck || errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		clearUp()
	}
}

type server struct {
	in  *bufio.Reader
	out io.Writer
	buf []byte

	scratch []byte // that files are read into
}

// one analyses one extension.
func (s *server) one() (stuck bool, err error) {
	if _, err := s.in.Peek(1); err != nil {
		return false, io.EOF // the parent is done
	}
	kind, payload, err := readFrame(s.in, &s.buf)
	if err != nil {
		return false, err
	}
	var t task
	if kind != frameStart {
		return false, fmt.Errorf("a frame of kind %q instead of a task", kind)
	}
	if err := json.Unmarshal(payload, &t); err != nil {
		return false, fmt.Errorf("reading the task: %w", err)
	}
	limitTime(maxProcessor)
	setLimit(t.Roomy)
	files := &remote{s: s, numbers: make(map[string]int, len(t.Names))}
	for i, n := range t.Names {
		files.names = append(files.names, string(n))
		files.numbers[string(n)] = i
	}
	a := &analysis{in: Input{Manifest: t.Manifest, Files: files, Skip: t.Skip}, ctx: context.Background(), limits: defaultLimits(),
		plain: t.Plain, noFlows: t.NoFlows, scratch: s.scratch}
	a.phase = func(p phase, file string) {
		if files.err == nil {
			files.err = writeFrame(s.out, framePhase, append([]byte{byte(p)}, file...))
		}
	}
	if !t.Roomy && !t.Plain {
		a.most = giantCode
	}
	report := a.run()
	if s.scratch = a.scratch; len(s.scratch) > maxScratch {
		s.scratch = nil
	}
	if files.err != nil {
		return false, files.err
	}
	return a.parser.Stuck, writeJSON(s.out, frameReport, answer{Report: report, Stuck: a.parser.Stuck, Giant: a.giant})
}

// giveMore lets the process use more memory, after each collection from now on, when what lives leaves little to work
// with: to collect again and again cost three times as much as all the rest, for a tool of developers with 2 MB of code
// that runs.
func giveMore() {
	type mark struct{ _ *byte } // found dead by each collection
	var collected func(m *mark)
	collected = func(m *mark) {
		lives := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		if metrics.Read(lives); lives[0].Value.Kind() == metrics.KindUint64 {
			live := lives[0].Value.Uint64()
			limit := debug.SetMemoryLimit(-1)
			if want := int64(min(live*3/2+litter, mostMemory)); limit < want {
				limit = want
				debug.SetMemoryLimit(limit)
			}
			collectBelow(limit, live)
		}
		runtime.SetFinalizer(m, collected)
	}
	runtime.SetFinalizer(&mark{}, collected)
}

// collectBelow has the next collection begin a little before the limit is reached: within the last 5 % of it, the runtime
// gives memory back to the system, only to ask for it again. That was a quarter of all pages.
func collectBelow(limit int64, live uint64) {
	const least = 4 << 20 // the runtime's own minimum is so much for 100 %
	want := limit - limit/8
	percent := min(want*100/least, max(want*100/int64(max(live, 1))-100, 10))
	debug.SetGCPercent(int(percent))
}

// clearUp collects what an analysis left, after its report is on the way and before the next task is there.
func clearUp() {
	used := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	if metrics.Read(used); used[0].Value.Kind() == metrics.KindUint64 && used[0].Value.Uint64() > litter {
		runtime.GC()
	}
}

// setLimit sets how much memory an analysis may use.
func setLimit(roomy bool) {
	limit := int64(softMemory)
	if roomy {
		limit = roomyMemory
	}
	debug.SetMemoryLimit(limit)
	collectBelow(limit, 0)
}

// A remote gives the files that the parent holds.
type remote struct {
	s       *server
	names   []string
	numbers map[string]int
	err     error // of the connection: nothing works after that
}

// list returns the names of all files.
func (r *remote) list() []string { return r.names }

// Open opens nothing yet: the parent does, when the first bytes are wanted.
func (r *remote) Open(name string) (fs.File, error) {
	n, ok := r.numbers[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &remoteFile{r: r, number: n, name: name}, nil
}

type remoteFile struct {
	r      *remote
	number int
	name   string
	offset int64
	ended  bool // the last bytes were fewer than asked for
}

func (f *remoteFile) Read(p []byte) (int, error) {
	if f.r.err != nil {
		return 0, f.r.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	if f.ended {
		return 0, io.EOF
	}
	p = p[:min(len(p), maxChunk)]
	if f.r.err = writeFrame(f.r.s.out, frameRead, readRequest(f.number, f.offset, len(p))); f.r.err != nil {
		return 0, f.r.err
	}
	kind, payload, err := readFrame(f.r.s.in, &f.r.s.buf)
	if err != nil {
		f.r.err = err
		return 0, err
	}
	switch {
	case kind == frameError:
		return 0, errors.New(string(payload))
	case kind != frameData || len(payload) > len(p):
		f.r.err = fmt.Errorf("a frame of kind %q and %d bytes instead of data", kind, len(payload))
		return 0, f.r.err
	case len(payload) == 0:
		return 0, io.EOF
	}
	f.offset += int64(len(payload))
	f.ended = len(payload) < len(p)
	return copy(p, payload), nil
}

func (f *remoteFile) Close() error               { return nil }
func (f *remoteFile) Stat() (fs.FileInfo, error) { return remoteInfo{f.name}, nil }

// A remoteInfo says no more than that it is a file.
type remoteInfo struct{ name string }

func (i remoteInfo) Name() string       { return i.name[strings.LastIndexByte(i.name, '/')+1:] }
func (i remoteInfo) Size() int64        { return 0 }
func (i remoteInfo) Mode() fs.FileMode  { return 0o444 }
func (i remoteInfo) ModTime() time.Time { return time.Time{} }
func (i remoteInfo) IsDir() bool        { return false }
func (i remoteInfo) Sys() any           { return nil }
