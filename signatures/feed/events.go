package feed

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// maxLine is the longest line of an event stream; a hint is one number.
	maxLine = 1 << 10
	// maxStream is how many bytes a minute a stream may send. Hints and signs of life are a few hundred.
	maxStream = 64 << 10
	// maxIdle is how long a stream may be silent. A server sends a comment every half minute; without one, the connection
	// may be dead without anybody noticing.
	maxIdle = 100 * time.Second
	// noStream is the time until a mirror that has no stream is asked for one again.
	noStream = time.Hour
)

var (
	errFlood    = errors.New("the event stream sends too much")
	errNoStream = errors.New("the mirror has no event stream")
)

// An events reads hints from an event stream until it ends: the versions that it names.
type events struct {
	scan *bufio.Scanner
	data []byte
	many bool // more than one data line: not a hint
}

func newEvents(r io.Reader) *events {
	e := &events{scan: bufio.NewScanner(r)}
	e.scan.Buffer(make([]byte, 0, maxLine), maxLine)
	e.scan.Split(splitLine)
	return e
}

// next returns the next hint. What is not a hint is passed over.
func (e *events) next() (int64, error) {
	for e.scan.Scan() {
		line := e.scan.Bytes()
		if len(line) > 0 {
			if value, ok := bytes.CutPrefix(line, []byte("data:")); ok {
				e.many = e.many || e.data != nil
				e.data = append([]byte{}, bytes.TrimPrefix(value, []byte(" "))...)
			}
			continue
		}
		data, many := e.data, e.many
		e.data, e.many = nil, false
		version, err := strconv.ParseInt(string(data), 10, 64)
		if err == nil && version > 0 && !many {
			return version, nil
		}
	}
	if err := e.scan.Err(); err != nil {
		return 0, fmt.Errorf("read the event stream: %w", err)
	}
	return 0, io.EOF
}

// splitLine splits at \n, \r and \r\n, as event streams may end their lines.
func splitLine(data []byte, atEOF bool) (int, []byte, error) {
	i := bytes.IndexAny(data, "\r\n")
	switch {
	case i < 0 && atEOF:
		return len(data), nil, nil // an event that was cut off is none
	case i < 0:
		return 0, nil, nil
	case data[i] == '\n':
		return i + 1, data[:i], nil
	case i+1 < len(data) && data[i+1] == '\n':
		return i + 2, data[:i], nil
	case i+1 < len(data):
		return i + 1, data[:i], nil
	case atEOF:
		return i + 1, data[:i], nil
	}
	return 0, nil, nil // whether \n follows is seen with the next byte
}

// listen keeps a mirror's event stream open and passes its hints on, until ctx is done.
func (f *Feed) listen(ctx context.Context, m *mirror, w *web, hint func(version int64)) {
	for fails := 0; ctx.Err() == nil; {
		began := f.cfg.Now()
		err := w.listen(ctx, func() { m.connected(true) }, hint)
		m.connected(false)
		wait := noStream/2 + time.Duration(f.cfg.Rand()*float64(noStream/2))
		if !errors.Is(err, errNoStream) {
			if f.cfg.Now().Sub(began) > 2*maxIdle {
				fails = 0
			}
			fails++
			wait = backoff(fails, f.cfg.Interval, f.cfg.Rand)
			if fails == 1 { // a server that is restarted, a line that was cut: soon, but not all at once
				wait = time.Duration(f.cfg.Rand() * float64(min(5*time.Second, f.cfg.Interval)))
			}
		}
		f.cfg.Log.Debug("feed: event stream", "mirror", m.address, "error", err, "wait", wait)
		sleep(ctx, wait)
	}
}

// listen reads one connection to its end.
func (w *web) listen(ctx context.Context, connected func(), hint func(version int64)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	idle := time.AfterFunc(w.cfg.Limits.Request, func() { cancel(errors.New("the event stream is silent")) })
	defer idle.Stop()
	req, err := w.request(ctx, "events")
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Cache-Control", "no-cache")
	client := *w.client
	client.Timeout = 0
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	if resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests {
		return fmt.Errorf("event stream: http status %d", resp.StatusCode)
	}
	if resp.StatusCode != http.StatusOK || !strings.EqualFold(strings.TrimSpace(kind), "text/event-stream") {
		return errNoStream
	}
	connected()
	idle.Reset(maxIdle)
	e := newEvents(&meter{r: resp.Body, now: w.cfg.Now, alive: func() { idle.Reset(maxIdle) }})
	for {
		version, err := e.next()
		if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				return cause
			}
			return err
		}
		hint(version)
	}
}

// A meter ends a stream that sends more than maxStream in a minute.
type meter struct {
	r     io.Reader
	now   func() time.Time
	alive func()
	since time.Time
	sent  int
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if n > 0 {
		m.alive()
	}
	now := m.now()
	if age := now.Sub(m.since); age < 0 || age > time.Minute {
		m.since, m.sent = now, 0
	}
	if m.sent += n; m.sent > maxStream {
		return 0, errFlood
	}
	return n, err
}

// hints collects what event streams say, and lets only so many polls a minute come of it.
type hints struct {
	wake chan struct{}
	now  func() time.Time
	most int

	mu    sync.Mutex
	polls []time.Time // within the last minute
}

func (h *hints) hint() {
	select {
	case h.wake <- struct{}{}:
	default: // one is waiting
	}
}

// wait is the time until a hint may cause a poll, which is counted.
func (h *hints) wait() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.now()
	for len(h.polls) > 0 {
		if age := now.Sub(h.polls[0]); age >= 0 && age < time.Minute {
			break
		}
		h.polls = h.polls[1:]
	}
	if len(h.polls) < h.most {
		h.polls = append(h.polls, now)
		return 0
	}
	at := h.polls[0].Add(time.Minute)
	h.polls = append(h.polls[1:], at)
	return at.Sub(now)
}
