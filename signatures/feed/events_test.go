package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestEventStream(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]int64{
		"":                                        nil,
		"data: 7\n\n":                             {7},
		"data:7\r\n\r\ndata: 8\r\n\r\n":           {7, 8},
		"data: 7\r\rdata: 8\r\r":                  {7, 8},
		": alive\n\n: alive\n\ndata: 9\n\n":       {9},
		"id: 4\nevent: publish\ndata: 10\n\n":     {10},
		"data: 7\n":                               nil, // cut off
		"data: 7":                                 nil,
		"data: 7\ndata: 8\n\ndata: 9\n\n":         {9}, // two lines are no number
		"data: x\n\ndata: -1\n\ndata: 0\n\n":      nil,
		"data: 99999999999999999999\n\n":          nil,
		"data\n\ndatum: 5\n\n data: 5\n\n":        nil,
		"data: 7\n\n" + strings.Repeat("x", 5000): {7},
	} {
		e := newEvents(strings.NewReader(text))
		var got []int64
		for {
			version, err := e.next()
			if err != nil {
				if long := len(text) > maxLine; errors.Is(err, io.EOF) == long {
					t.Errorf("%.40q: %v", text, err)
				}
				break
			}
			got = append(got, version)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%.40q: got %v; want %v", text, got, want)
		}
	}
}

// A stream is a body that says what a test tells it to, in the test's time.
type stream struct {
	lines chan string
	ctx   context.Context
	rest  string
}

func (s *stream) Close() error { return nil }

func (s *stream) Read(p []byte) (int, error) {
	if s.rest == "" {
		select {
		case line, ok := <-s.lines:
			if !ok {
				return 0, io.EOF
			}
			s.rest = line
		case <-s.ctx.Done():
			return 0, s.ctx.Err()
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// An agent is a feed that runs, with what its mirror sees of it.
type agent struct {
	*repo
	f              *Feed
	lines          chan string // what the event stream says
	changes        chan Update
	polls, streams atomic.Int64
}

// running runs a feed in a bubble of time whose mirror offers this stream, and counts polls and connections.
func running(t *testing.T, streaming bool, test func(a *agent)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRepo(t)
		a := &agent{repo: r, lines: make(chan string), changes: make(chan Update, 10)}
		r.answer = func(name string, req *http.Request) *http.Response {
			switch {
			case name == "events" && streaming:
				a.streams.Add(1)
				resp := reply(req, http.StatusOK, nil)
				resp.Header.Set("Content-Type", "text/event-stream; charset=utf-8")
				resp.Body = &stream{lines: a.lines, ctx: req.Context()}
				return resp
			case name == "events":
				a.streams.Add(1)
			case name == "metadata/timestamp.json":
				a.polls.Add(1)
			}
			return nil
		}
		a.f = r.open(func(c *Config) { c.Now = time.Now })
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := a.f.Run(ctx, func(u Update) { a.changes <- u }); err != nil {
				t.Error(err)
			}
		})
		test(a)
		cancel()
		wg.Wait()
	})
}

func TestRunPolls(t *testing.T) {
	t.Parallel()
	running(t, false, func(a *agent) {
		time.Sleep(24 * time.Hour)
		if n := a.polls.Load(); n < 90 || n > 100 {
			t.Errorf("%d polls a day", n)
		}
		if n := a.streams.Load(); n > 48 {
			t.Errorf("%d tries for an event stream that isn't offered", n)
		}
		if u := <-a.changes; !u.Changed || u.Version != 1 {
			t.Errorf("%+v", u)
		}
		a.mu.Lock()
		a.answer = serveNothing
		a.mu.Unlock()
		time.Sleep(7 * 24 * time.Hour) // a week without a mirror: the client must not be stranded
		if err := a.f.State().Err; err == nil {
			t.Error("no error")
		}
		a.mu.Lock()
		a.answer = nil
		a.change()
		a.mu.Unlock()
		time.Sleep(16 * time.Minute)
		if u := <-a.changes; u.Version != 2 {
			t.Errorf("%+v", u)
		}
	})
}

func TestRunFollowsEvents(t *testing.T) {
	t.Parallel()
	running(t, true, func(a *agent) {
		time.Sleep(time.Minute)
		<-a.changes
		if s := a.f.State(); !s.Mirrors[0].Events {
			t.Error("the state does not tell of the event stream")
		}
		for i := range 3 {
			a.mu.Lock()
			a.change()
			a.mu.Unlock()
			begin := time.Now()
			a.lines <- fmt.Sprintf("data: %d\n\n", i+2)
			<-a.changes
			if took := time.Since(begin); took > 3*time.Second {
				t.Errorf("change %d: after %v", i, took)
			}
			time.Sleep(time.Minute)
			a.lines <- ": alive\n\n"
		}
		before := a.polls.Load()
		a.lines <- "data: 4\n\n" // known
		time.Sleep(time.Minute)
		if n := a.polls.Load() - before; n > 1 {
			t.Errorf("%d polls for nothing new", n)
		}
		time.Sleep(10 * time.Minute) // silence: the connection is made anew
		if n := a.streams.Load(); n < 3 || n > 12 {
			t.Errorf("%d connections", n)
		}
	})
}

// The stream says "look now" all the time, each time with another number.
func TestAttackLyingEvents(t *testing.T) {
	t.Parallel()
	running(t, true, func(a *agent) {
		time.Sleep(10 * time.Second)
		begin, end := a.polls.Load(), time.Now().Add(10*time.Minute)
		for i := 1000; time.Now().Before(end); i++ {
			a.lines <- fmt.Sprintf("data: %d\n\n", i)
			time.Sleep(100 * time.Millisecond)
		}
		if n := a.polls.Load() - begin; n < 10 || n > 66 {
			t.Errorf("%d polls in ten minutes", n)
		}
	})
}

// The stream sends as much as it can: it is left, and tried again ever more rarely.
func TestAttackEventFlood(t *testing.T) {
	t.Parallel()
	for _, line := range []string{strings.Repeat(":"+strings.Repeat("x", 100)+"\n", 10), strings.Repeat("x", 1000), "\n\n\n\n\n\n\n\n\n\n"} {
		running(t, true, func(a *agent) {
			var sent atomic.Int64
			stop := time.After(2 * time.Hour)
			for done := false; !done; {
				select {
				case a.lines <- line:
					sent.Add(int64(len(line)))
				case <-stop:
					done = true
				}
			}
			if n := a.streams.Load(); n < 3 || n > 30 {
				t.Errorf("%d connections in two hours", n)
			}
			if n := sent.Load(); n > 3<<20 {
				t.Errorf("%d bytes were read in two hours", n)
			}
			if n := a.polls.Load(); n > 12 {
				t.Errorf("%d polls", n)
			}
		})
	}
}

// Over a real connection: a server that publishes, and one that answers something else.
func TestEventsOverHTTP(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	hello := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path != "/events" {
			r.mu.Lock()
			defer r.mu.Unlock()
			if data, ok := r.files[strings.TrimPrefix(req.URL.Path, "/")]; ok {
				w.Write(data)
				return
			}
			http.NotFound(w, req)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		select {
		case <-hello:
			fmt.Fprint(w, "data: 2\n\n")
			w.(http.Flusher).Flush()
		case <-req.Context().Done():
		}
		<-req.Context().Done()
	}))
	defer server.Close()
	f := r.open(func(c *Config) {
		c.Client, c.Proxy, c.Mirrors, c.Limits.HintSpread = nil, "none", []string{server.URL}, time.Millisecond
	})
	ctx, cancel := context.WithCancel(t.Context())
	changes := make(chan Update)
	done := make(chan error)
	go func() { done <- f.Run(ctx, func(u Update) { changes <- u }) }()
	<-changes
	r.mu.Lock()
	r.change()
	r.mu.Unlock()
	hello <- struct{}{}
	if u := <-changes; u.Version != 2 {
		t.Errorf("%+v", u)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	for kind, status := range map[string]int{"text/html": 200, "text/event-stream": 404} {
		w := f.mirrors[0].source.(*web)
		other := &web{cfg: w.cfg, base: w.base, client: &http.Client{Transport: answering{kind, status}}}
		if err := other.listen(t.Context(), func() { t.Error("connected") }, nil); !errors.Is(err, errNoStream) {
			t.Errorf("%s, %d: %v", kind, status, err)
		}
	}
}

type answering struct {
	kind   string
	status int
}

func (a answering) RoundTrip(req *http.Request) (*http.Response, error) {
	resp := reply(req, a.status, []byte("data: 1\n\n"))
	resp.Header.Set("Content-Type", a.kind)
	return resp, nil
}
