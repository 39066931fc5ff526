package reader

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"github.com/extwatch/extwatch/agent/browsers"
)

// A child is the process that reads for one user.
type child struct {
	user browsers.User
	cfg  Config

	in      io.WriteCloser
	stop    func()
	ended   chan struct{}
	idle    atomic.Bool // it ended because it had nothing to do
	why     error       // set before ended is closed
	write   sync.Mutex
	mu      sync.Mutex
	number  uint64
	waiting map[uint64]chan<- message
	open    int       // opened extensions
	used    time.Time // when it was last asked
	timer   *time.Timer
}

type message struct {
	answer
	data []byte
	err  error
}

func newChild(u browsers.User, cfg Config) *child {
	return &child{user: u, cfg: cfg, ended: make(chan struct{}), waiting: map[uint64]chan<- message{}, used: time.Now()}
}

// start runs the program with the user's rights.
func (c *child) start() error {
	cmd := exec.Command(c.cfg.Command[0], c.cfg.Command[1:]...)
	cmd.Dir = string(os.PathSeparator)
	cmd.Env = []string{"HOME=" + c.user.Home, "PATH=/usr/bin:/bin", "GOMEMLIMIT=200MiB", "GOMAXPROCS=2"}
	if root := os.Getenv("SystemRoot"); root != "" { // Windows programs do not start without
		cmd.Env = append(cmd.Env, "SystemRoot="+root, "SystemDrive="+os.Getenv("SystemDrive"), "USERPROFILE="+c.user.Home)
	}
	if err := as(cmd, c.user); err != nil {
		return err
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	cmd.Stderr = &lines{log: func(text string) { c.cfg.Logger.Warn("reader", "user", c.user.Name, "said", text) }}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.stop = func() { cmd.Process.Kill() }
	c.run(in, out, cmd.Wait)
	return nil
}

// run takes over the pipes of a child that was started.
func (c *child) run(in io.WriteCloser, out io.Reader, wait func() error) {
	c.in = in
	c.timer = time.AfterFunc(idleAfter, c.rest)
	go func() {
		err := c.receive(bufio.NewReaderSize(out, 1<<16))
		c.kill()
		if werr := wait(); werr != nil && err == io.EOF {
			err = werr
		}
		c.finish(err)
	}()
}

// rest ends the child when it has nothing to do.
func (c *child) rest() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) > 0 || c.open > 0 {
		c.timer.Reset(idleAfter)
		return
	}
	c.idle.Store(true)
	c.in.Close()
}

// busy reports whether it has something to do.
func (c *child) busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waiting) > 0 || c.open > 0
}

// since is when it was last asked.
func (c *child) since() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used
}

func (c *child) idled() bool { return c.idle.Load() }

func (c *child) alive() bool {
	select {
	case <-c.ended:
		return false
	default:
		return !c.idled()
	}
}

func (c *child) kill() {
	if c.stop != nil {
		c.stop()
	}
}

func (c *child) finish(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer.Stop()
	c.why = fmt.Errorf("%w: %v", errEnded, why)
	if c.idled() {
		c.why = errEnded
	}
	close(c.ended)
	for _, w := range c.waiting {
		w <- message{err: c.why}
	}
	c.waiting = nil
}

// receive hands answers to those who wait for them.
func (c *child) receive(out io.Reader) error {
	for {
		number, text, data, err := readMessage(out)
		if err != nil {
			return err
		}
		m := message{data: data}
		if err := json.Unmarshal(text, &m.answer); err != nil {
			return fmt.Errorf("an answer that is no JSON: %w", err)
		}
		c.mu.Lock()
		w := c.waiting[number]
		delete(c.waiting, number)
		c.mu.Unlock()
		if w != nil { // else nobody waits any longer
			w <- m
		}
	}
}

// ask sends a request and waits for its answer.
func (c *child) ask(ctx context.Context, q request, value any) error {
	_, err := c.askData(ctx, q, value)
	return err
}

func (c *child) askData(ctx context.Context, q request, value any) ([]byte, error) {
	reply := make(chan message, 1)
	c.mu.Lock()
	if c.waiting == nil || c.idled() {
		why := c.why
		c.mu.Unlock()
		if why == nil {
			why = errEnded
		}
		return nil, why
	}
	c.used = time.Now()
	c.number++
	number := c.number
	c.waiting[number] = reply
	c.timer.Reset(idleAfter)
	c.mu.Unlock()

	c.write.Lock()
	err := writeMessage(c.in, number, q, nil)
	c.write.Unlock()
	if err != nil {
		c.kill() // finish tells everybody, us as well
	}
	select {
	case m := <-reply:
		return c.take(q, m, value)
	case <-ctx.Done():
		c.mu.Lock()
		delete(c.waiting, number)
		c.mu.Unlock()
		return nil, ctx.Err()
	}
}

func (c *child) take(q request, m message, value any) ([]byte, error) {
	switch {
	case m.err != nil:
		return nil, m.err
	case m.Failure != nil:
		return nil, m.Failure.err()
	}
	c.mu.Lock()
	switch q.Op {
	case opOpen:
		c.open++
	case opClose:
		c.open--
	}
	c.mu.Unlock()
	if value == nil {
		return m.data, nil
	}
	if err := json.Unmarshal(m.Value, value); err != nil {
		c.kill()
		return nil, fmt.Errorf("an answer that is not what was asked for: %w", err)
	}
	return m.data, nil
}

// lines logs what a child prints, bounded: what it read may make it print anything.
type lines struct {
	log func(string)
	n   int
}

const (
	maxLines = 50
	maxLine  = 500
)

func (l *lines) Write(p []byte) (int, error) {
	if l.n++; l.n <= maxLines {
		l.log(string(p[:min(len(p), maxLine)]))
	}
	return len(p), nil
}
