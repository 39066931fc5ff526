package notifier

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/extwatch/extwatch/signatures"
)

// A paper is a screen of a test.
type paper struct {
	out   chan Choice
	mu    sync.Mutex
	title string
	fails error
	at    uint32
}

func (p *paper) show(_ context.Context, t Text) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.title = t.Title
	return p.fails
}

func (p *paper) hide()                              { p.mu.Lock(); p.title = ""; p.mu.Unlock() }
func (p *paper) choices() <-chan Choice             { return p.out }
func (p *paper) languages(context.Context) []string { return []string{"zh_CN.UTF-8"} }
func (p *paper) adopt(place uint32)                 { p.at = place }
func (p *paper) place() uint32                      { return p.at }
func (p *paper) keeps() bool                        { return true }
func (p *paper) close()                             {}

func (p *paper) shown() string { p.mu.Lock(); defer p.mu.Unlock(); return p.title }

// A talk is Serve with both ends in hand.
type talk struct {
	t     *testing.T
	in    io.WriteCloser
	out   *bufio.Scanner
	ended chan error
}

func begin(t *testing.T, p *paper) *talk {
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	k := &talk{t: t, in: inW, out: bufio.NewScanner(outR), ended: make(chan error, 1)}
	go func() {
		err := serve(context.Background(), inR, outW, func(context.Context, time.Duration) (screen, error) { return p, nil })
		inR.Close()
		outW.Close()
		k.ended <- err
	}()
	return k
}

func (k *talk) say(o order) {
	k.t.Helper()
	if err := json.NewEncoder(k.in).Encode(o); err != nil {
		k.t.Fatal(err)
	}
}

func (k *talk) hears(want answer) {
	k.t.Helper()
	var got answer
	if !k.out.Scan() {
		k.t.Fatal("it ended")
	}
	if err := json.Unmarshal(k.out.Bytes(), &got); err != nil {
		k.t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		k.t.Fatalf("(-want +got)\n%s", diff)
	}
}

func TestServe(t *testing.T) {
	p := &paper{out: make(chan Choice)}
	k := begin(t, p)
	one, two := helper(), helper()
	two.Key, two.Name, two.Verdict = "k2", "Other", signatures.Suspicious

	k.say(order{Show: []Warning{one}})
	k.hears(answer{Keys: []string{"k1"}, Shown: true})
	if got := p.shown(); got != "危险的浏览器扩展：Aggr Helper" { // in the person's own language
		t.Error(got)
	}
	p.out <- WhatNow // what is malicious stays
	k.hears(answer{Keys: []string{"k1"}, Choice: WhatNow})
	k.say(order{Show: []Warning{two}, Language: "en"})
	k.hears(answer{Keys: []string{"k2"}, Shown: true})
	if got := p.shown(); got != "2 browser extensions need your attention" {
		t.Error(got)
	}
	k.say(order{Show: []Warning{one}, Language: "en"}) // again: in the place of the one before
	k.hears(answer{Keys: []string{"k1"}, Shown: true})
	if got := p.shown(); got != "2 browser extensions need your attention" {
		t.Error(got)
	}
	k.say(order{Withdraw: []string{"k1", "unknown"}, Language: "en"})
	k.say(order{Show: []Warning{two}, Language: "en"})
	k.hears(answer{Keys: []string{"k2"}, Shown: true})
	if got := p.shown(); got != "Suspicious browser extension: Other" {
		t.Error(got)
	}
	p.out <- Block
	k.hears(answer{Keys: []string{"k2"}, Choice: Block})
	p.mu.Lock()
	p.fails = fmt.Errorf("%w: gone", ErrNotDelivered)
	p.mu.Unlock()
	k.say(order{Show: []Warning{one}})
	k.hears(answer{Keys: []string{"k1"}, Error: "gone", Nobody: true})
	if err := <-k.ended; err == nil {
		t.Error("it could not show, and went on")
	}
}

func TestServeEndsWithItsInput(t *testing.T) {
	k := begin(t, &paper{})
	k.in.Close()
	if err := <-k.ended; err != nil {
		t.Error(err)
	}
	k = begin(t, &paper{})
	go io.WriteString(k.in, "no json\n")
	if err := <-k.ended; err == nil {
		t.Error("no error")
	}
}

// hostile is set in this test program when it runs as a process in somebody's session.
const hostile = "EXTWATCH_NOTIFIER_TEST"

func TestMain(m *testing.M) {
	switch os.Getenv(hostile) {
	case "":
		os.Exit(m.Run())
	case "lies": // about keys that it was not given, and with choices that there are not
		bufio.NewReader(os.Stdin).ReadString('\n')
		fmt.Println(`{"keys":["other"],"choice":"block"}`)
		fmt.Println(`{"keys":["k1"],"choice":"format c:"}`)
		fmt.Println(`{"keys":["k1","other"],"shown":true}`)
		fmt.Println(`{"keys":["k1"],"choice":"trust"}`)
	case "floods":
		os.Stdout.WriteString(strings.Repeat("x", 3*maxLine))
	case "dies":
	}
}

// What runs with a person's rights may be anything: it says nothing about what it was not given, and costs nothing.
func TestProcessesAreNotTrusted(t *testing.T) {
	if runtime.GOOS == "windows" { // launch is for the others; there it is a token that starts it
		return
	}
	for mode, want := range map[string][]string{
		"lies": {"shown [k1]", "trust [k1]"}, "floods": {"failed [k1]"}, "dies": {"failed [k1]"},
	} {
		got := make(chan string, 8)
		d, err := NewDesktop(Config{Command: []string{"unused"}, Report: func(r Report) {
			what := string(r.Choice)
			if r.Shown {
				what = "shown"
			}
			if r.Err != nil {
				what = "failed"
			}
			got <- fmt.Sprintf("%s %v", what, r.Keys)
		}})
		if err != nil {
			t.Fatal(err)
		}
		w := &worker{d: d, person: Person{Name: "ada", UID: os.Getuid()}, orders: make(chan order, maxOrders)}
		p, err := testProcess(mode)
		if err != nil {
			t.Fatal(err)
		}
		w.serve(p)
		w.orders <- order{Show: []Warning{helper()}}
		d.wg.Go(w.run)
		for _, line := range want {
			select {
			case g := <-got:
				if g != line {
					t.Errorf("%s: %q, want %q", mode, g, line)
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("%s: nothing was reported, want %q", mode, line)
			}
		}
		d.Close()
		if err := d.Show(Person{Name: "ada"}, helper()); err == nil {
			t.Error("it is closed, and takes warnings")
		}
	}
}

// A new process takes the place of what an older one left on the screen.
func TestServeAdopts(t *testing.T) {
	p := &paper{out: make(chan Choice)}
	k := begin(t, p)
	k.say(order{Show: []Warning{{Key: "a", Name: "A"}}, Adopt: true, Place: 42})
	k.hears(answer{Keys: []string{"a"}, Shown: true, Place: 42})
	k.say(order{Show: []Warning{{Key: "b", Name: "B"}}, Adopt: true, Place: 43}) // beside another one
	k.hears(answer{Keys: []string{"b"}, Shown: true, Place: 42})
}
