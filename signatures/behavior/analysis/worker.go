package analysis

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"slices"
	"sync"
	"time"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/behavior"
)

const (
	// maxSilence is how long a worker may work without a word. It is silent while it follows the code.
	maxSilence = maxTime + 10*time.Second
	// maxWhole is how long it may work on one extension.
	maxWhole = maxTime + maxSilence
	// maxDeaths is how many workers one extension may kill before its code is only looked at without parsing.
	maxDeaths = 4
	// maxSent bounds the bytes that a worker may ask for: each file is read once, and some are peeked at before.
	maxSent = maxRead + 64<<20
)

// A Pool analyses extensions in worker processes. A worker that dies, hangs or takes too much memory is replaced, and
// costs the one file that it was working on.
type Pool struct {
	command []string
	roomy   chan slot // the one whose worker may use much memory
	slots   chan slot // all others
	silence time.Duration
	whole   time.Duration
	cache   cache
	closing sync.Once
}

// NewPool makes a pool of at most n workers. A worker is a process that command starts and that calls Serve; it is
// started when it is first wanted. Close ends them.
func NewPool(n int, command []string) *Pool {
	n = max(n, 1)
	p := &Pool{command: slices.Clone(command), slots: make(chan slot, n-1), roomy: make(chan slot, 1), silence: maxSilence, whole: maxWhole}
	for range n - 1 {
		p.slots <- slot{}
	}
	p.roomy <- slot{roomy: true}
	return p
}

// A slot is a place for a worker. One of them is roomy: its worker may use much memory, and keeps it for the next giant, so
// that all together need little more than that.
type slot struct {
	worker *worker // nil: to be started when wanted
	roomy  bool
	gone   bool // it was given back
}

// end ends the worker.
func (s *slot) end() {
	if s.worker != nil {
		s.worker.end()
		s.worker = nil
	}
}

// Close ends the workers, after the analyses that run. The pool must not be used afterwards. Calling it twice, even at the
// same time, does no harm.
func (p *Pool) Close() {
	p.closing.Do(func() {
		for range cap(p.slots) {
			s := <-p.slots
			s.end()
		}
		s := <-p.roomy
		s.end()
	})
}

// Analyze says what the code of an extension does, as the function Analyze does, but outlives whatever the code does to
// the parser. Its errors are that ctx ended or that no worker can be started; everything else is in the report.
//
// When the input has a key, the same content is analysed once, however many ask for it, also at the same time. Reports
// share their parts then: they must not be changed.
func (p *Pool) Analyze(ctx context.Context, in Input) (behavior.Report, error) {
	if in.Key == "" || len(in.Skip) > 0 {
		r, _, err := p.analyze(ctx, in)
		return r, err
	}
	r, found, err := p.cache.get(ctx, in.Key)
	if err != nil {
		return behavior.Report{}, fmt.Errorf("waiting for the analysis of the same content: %w", err)
	}
	if found {
		return r, nil
	}
	size := 0
	defer func() { p.cache.done(in.Key, r, size) }()
	r, size, err = p.analyze(ctx, in)
	return r, err
}

// analyze has a worker analyse an extension. The number is the size of the report, or 0 when it must not be kept.
func (p *Pool) analyze(ctx context.Context, in Input) (behavior.Report, int, error) {
	t := task{Manifest: in.Manifest, Skip: slices.Clone(in.Skip)}
	served, problems := listFiles(in.Files)
	t.Names = served.names
	defer served.close()
	place, err := p.take(ctx, false)
	if err != nil {
		return behavior.Report{}, 0, err
	}
	defer func() { p.put(place) }()
	for deaths := 0; ; deaths++ {
		if place.worker == nil {
			if place.worker, err = startWorker(p.command); err != nil {
				place.worker = nil
				return behavior.Report{}, 0, fmt.Errorf("starting a worker for the analysis: %w", err)
			}
		}
		t.Roomy = place.roomy
		result, err := place.worker.analyze(ctx, p, t, served)
		if err == nil && result.Giant && !place.roomy {
			place.worker.used = true
			p.put(place)
			if place, err = p.take(ctx, true); err != nil {
				return behavior.Report{}, 0, err
			}
			deaths--
			continue
		}
		if err == nil {
			place.worker.used = true
			size := place.worker.reported
			if result.Stuck {
				place.end()
			}
			note(&result.Report, problems)
			if len(problems) > 0 {
				return result.Report, 0, nil
			}
			return result.Report, size, nil
		}
		last := place.worker
		place.end()
		if ctx.Err() != nil {
			return behavior.Report{}, 0, fmt.Errorf("analysing the code: %w", ctx.Err())
		}
		if !last.spoke {
			if last.used { // it died while it waited for work
				deaths--
				continue
			}
			return behavior.Report{}, 0, fmt.Errorf("the worker for the analysis does not answer: %w%s", err, last.said())
		}
		problem := manifests.Problem{File: last.file, Reason: "the analysis of it had to be stopped: " + err.Error() + last.said()}
		problems = append(problems, problem)
		switch {
		case t.Plain:
			r := behavior.Report{}
			note(&r, problems)
			return r, 0, nil
		case deaths+1 >= maxDeaths:
			t.Plain = true
		case last.doing == parsing && last.file != "" && !slices.Contains(t.Skip, last.file):
			t.Skip = append(t.Skip, last.file)
		case last.doing == following && !t.NoFlows:
			t.NoFlows = true
		default:
			t.Plain = true
		}
	}
}

// take waits for a free slot: for the roomy one, or for any. One whose worker runs is preferred, since to start one takes
// longer than a small analysis; the roomy one is the first to be started.
func (p *Pool) take(ctx context.Context, roomy bool) (slot, error) {
	others := p.slots
	if roomy {
		others = nil
	}
	var s slot
	select {
	case s = <-p.roomy:
		return s, nil
	default:
	}
	select {
	case s = <-p.roomy:
	case s = <-others:
	case <-ctx.Done():
		return slot{gone: true}, fmt.Errorf("waiting for a worker: %w", ctx.Err())
	}
	for range cap(p.slots) {
		if s.worker != nil || s.roomy {
			break
		}
		select {
		case other := <-p.slots:
			p.slots <- s
			s = other
		default:
			return s, nil
		}
	}
	return s, nil
}

func (p *Pool) put(s slot) {
	switch {
	case s.gone:
	case s.roomy:
		p.roomy <- s
	default:
		p.slots <- s
	}
}

// note adds problems to a report that is incomplete because of them.
func note(r *behavior.Report, problems []manifests.Problem) {
	if len(problems) > 0 {
		r.Complete = false
		r.Problems = append(r.Problems, problems...)
	}
}

// A worker is a process that analyses one extension at a time.
type worker struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     io.ReadCloser
	errors  *stderrText
	job     io.Closer // what ends the process with this one, where the system has that
	buf     []byte
	sending []byte // that files are read into

	used  bool   // it has done a task before
	spoke bool   // it has written something
	doing phase  // what it did last
	file  string // with which file

	reported int // bytes of the last report
}

func startWorker(command []string) (*worker, error) {
	if len(command) == 0 {
		return nil, errors.New("no command is set")
	}
	w := &worker{command: exec.Command(command[0], command[1:]...), errors: &stderrText{}}
	w.command.Env = []string{"GOTRACEBACK=none"} // nothing of the parent's environment is its business
	w.command.Stderr = w.errors
	var err error
	if w.in, err = w.command.StdinPipe(); err != nil {
		return nil, err
	}
	if w.out, err = w.command.StdoutPipe(); err != nil {
		return nil, err
	}
	if err := w.command.Start(); err != nil {
		return nil, err
	}
	w.job = confine(w.command.Process.Pid, hardMemory)
	return w, nil
}

// end ends the process, whatever it does.
func (w *worker) end() {
	w.in.Close() // an error says that the process is gone, which is what is wanted
	if w.command.Process != nil {
		_ = w.command.Process.Kill()
	}
	_ = w.command.Wait()
	if w.job != nil {
		w.job.Close()
	}
}

// said returns what the process wrote before it died, in parentheses.
func (w *worker) said() string {
	line, _, _ := bytes.Cut(bytes.TrimSpace(w.errors.bytes()), []byte("\n"))
	if len(line) == 0 {
		return ""
	}
	return fmt.Sprintf(" (%q)", line[:min(len(line), 120)])
}

// analyze has the worker do a task, and gives it the bytes that it asks for. On error the worker is of no use any more.
func (w *worker) analyze(ctx context.Context, p *Pool, t task, files *served) (answer, error) {
	w.spoke, w.doing, w.file = false, reading, ""
	kill := func() { _ = w.command.Process.Kill() }
	stop := context.AfterFunc(ctx, kill)
	defer stop()
	var late sync.Once
	reason := ""
	expire := func(why string) func() {
		return func() { late.Do(func() { reason = why; kill() }) }
	}
	whole := time.AfterFunc(p.whole, expire("it took too long"))
	defer whole.Stop()
	silence := time.AfterFunc(p.silence, expire("it took too long"))
	defer silence.Stop()
	fail := func(err error) (answer, error) {
		late.Do(func() {}) // from here on nothing is written to reason
		if reason != "" {
			return answer{}, errors.New(reason)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return answer{}, errors.New("its process died")
		}
		return answer{}, err
	}
	if err := writeJSON(w.in, frameStart, t); err != nil {
		return fail(err)
	}
	files.sent, files.buf = 0, w.sending
	defer func() { w.sending = files.buf }()
	for {
		kind, payload, err := readFrame(w.out, &w.buf)
		if err != nil {
			return fail(err)
		}
		silence.Reset(p.silence)
		w.spoke = true
		switch kind {
		case framePhase:
			if len(payload) > 0 {
				w.doing, w.file = phase(payload[0]), string(payload[1:])
			}
		case frameRead:
			kind, data := files.read(payload)
			if err := writeFrame(w.in, kind, data); err != nil {
				return fail(err)
			}
		case frameReport:
			var a answer
			if err := json.Unmarshal(payload, &a); err != nil {
				return fail(fmt.Errorf("reading the report: %w", err))
			}
			w.reported = len(payload)
			compact(&a.Report)
			return a, nil
		default:
			return fail(fmt.Errorf("a frame of unknown kind %q", kind))
		}
	}
}

// A stderrText keeps the first bytes of what a process says.
type stderrText struct {
	mu   sync.Mutex
	text []byte
}

func (t *stderrText) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p[:min(len(p), max(0, 1024-len(t.text)))]...)
	return len(p), nil
}

func (t *stderrText) bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Clone(t.text)
}

// served are the files of an extension, read for a worker.
type served struct {
	files  fs.FS
	names  [][]byte
	open   fs.File // the file that was read last
	number int
	offset int64
	sent   int64
	buf    []byte
}

// listFiles notes the names of all files. What is no regular file is not offered.
func listFiles(files fs.FS) (*served, []manifests.Problem) {
	s := &served{files: files}
	if files == nil {
		return s, []manifests.Problem{{Reason: "there are no files"}}
	}
	c := newCollector(nil, files, defaultLimits())
	c.list()
	for _, name := range c.order {
		s.names = append(s.names, []byte(name))
	}
	return s, c.problems
}

func (s *served) close() {
	if s.open != nil {
		s.open.Close() // read only: nothing can be lost
		s.open = nil
	}
}

// read answers a request of a worker, which may be anything: the worker may be in the hands of what it parsed.
func (s *served) read(request []byte) (kind byte, data []byte) {
	number, offset, n, ok := parseReadRequest(request)
	switch {
	case !ok || number >= len(s.names):
		return frameError, []byte("no such file")
	case s.sent > maxSent:
		return frameError, []byte("too much was read already")
	}
	if s.open == nil || s.number != number || s.offset != offset {
		if err := s.seek(number, offset); err != nil {
			return frameError, []byte(err.Error())
		}
	}
	if cap(s.buf) < n {
		s.buf = make([]byte, n)
	}
	got, err := io.ReadFull(s.open, s.buf[:n])
	s.offset += int64(got)
	s.sent += int64(got)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		s.close()
		return frameError, []byte(err.Error())
	}
	return frameData, s.buf[:got]
}

func (s *served) seek(number int, offset int64) error {
	s.close()
	f, err := s.files.Open(string(s.names[number]))
	if err != nil {
		return err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		f.Close()
		return errors.New("no regular file")
	}
	s.open, s.number, s.offset = f, number, 0
	if offset > 0 {
		n, err := io.CopyN(io.Discard, f, min(offset, maxFile+1))
		s.offset = n
		s.sent += n
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
	return nil
}
