package notifier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"time"
)

const (
	// maxOrders bounds what waits for one person's process; more is refused, and the caller keeps it.
	maxOrders = 64
	// shownWithin is how long a warning may take to be on the screen once its process has it: longer than the process
	// waits for a desktop.
	shownWithin = untilDesktop + 15*time.Second
	// stopWithin is how long a process may take to end by itself.
	stopWithin = time.Second
)

// Config says how people are told.
type Config struct {
	Command  []string // runs Serve: this program's file and "notify"
	Language string   // "" or "auto" is each person's own
	// Report is called with what became of warnings, from one goroutine for each person. It may call Show.
	Report func(Report)

	// Runtime is the folder with each user's own folder, named by the user ID; "" is /run/user. Linux only.
	Runtime string
	// Wait is how long to wait for a desktop in a session that has none yet; 0 is two minutes.
	Wait time.Duration
}

// A Desktop shows warnings to people. Its methods return at once and may be called from many goroutines.
type Desktop struct {
	cfg    Config
	ctx    context.Context
	cancel context.CancelFunc

	mu     sync.Mutex
	people map[string]chan order
	wg     sync.WaitGroup
}

// NewDesktop returns a Desktop; no process runs until somebody is to be warned.
func NewDesktop(cfg Config) (*Desktop, error) {
	if len(cfg.Command) == 0 || cfg.Report == nil {
		return nil, errors.New("warn people: a command and a Report function are needed")
	}
	if cfg.Runtime == "" {
		cfg.Runtime = "/run/user"
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Desktop{cfg: cfg, ctx: ctx, cancel: cancel, people: map[string]chan order{}}, nil
}

// Show hands warnings over to be shown to a person. What became of them is reported. An error says that they were not
// taken: too many wait.
func (d *Desktop) Show(p Person, list ...Warning) error {
	for part := range slices.Chunk(list, maxOpen/4) { // of a few KB each
		if err := d.send(p, order{Show: part}); err != nil {
			return err
		}
	}
	return nil
}

// Adopt shows warnings again that an earlier Desktop had on the screen when it ended, in their place and without a sound:
// nobody answers to the buttons of a process that is gone. Place is what the Report said.
func (d *Desktop) Adopt(p Person, place uint32, list ...Warning) error {
	return d.send(p, order{Show: list[:min(len(list), maxOpen/4)], Adopt: true, Place: place})
}

// Withdraw takes warnings from the screen: the extension is gone, blocked or trusted.
func (d *Desktop) Withdraw(p Person, keys ...string) error {
	return d.send(p, order{Withdraw: keys})
}

// Close takes down the processes and waits for them.
func (d *Desktop) Close() {
	d.mu.Lock() // whoever starts a worker has it
	d.cancel()
	d.mu.Unlock()
	d.wg.Wait()
}

func (p Person) key() string { return strconv.Itoa(p.UID) + "/" + p.SID + "/" + p.Name }

func (d *Desktop) send(p Person, o order) error {
	o.Language, o.Wait = d.cfg.Language, int(d.cfg.Wait.Milliseconds())
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ctx.Err() != nil {
		return errors.New("warn people: it was closed")
	}
	orders := d.people[p.key()]
	if orders == nil {
		orders = make(chan order, maxOrders)
		d.people[p.key()] = orders
		w := &worker{d: d, person: p, orders: orders}
		d.wg.Go(w.run)
	}
	select {
	case orders <- o:
		return nil
	default:
		return fmt.Errorf("warn %s: %d messages wait already", p.Name, maxOrders)
	}
}

// A process shows warnings in somebody's session.
type process struct {
	in   io.WriteCloser
	out  io.Reader
	kill func()
	wait func() error // after out has ended
}

// A worker looks after one person's process.
type worker struct {
	d      *Desktop
	person Person
	orders chan order

	process *process
	lines   chan []byte
	leave   context.CancelFunc // ends what serves the process
	answers chan answer
	ended   chan error
	given   map[string]bool // keys that the process has; true: shown
	since   time.Time       // when the oldest that is not shown was given
}

func (w *worker) run() {
	defer w.stop()
	for {
		var late <-chan time.Time
		if !w.since.IsZero() {
			late = time.After(time.Until(w.since.Add(shownWithin)))
		}
		select {
		case <-w.d.ctx.Done():
			return
		case o := <-w.orders:
			w.give(o)
		case a := <-w.answers:
			w.hear(a)
		case err := <-w.ended:
			w.lost(err)
		case <-late:
			w.process.kill()
			w.lost(errors.New("it did not show the warning in time"))
		}
	}
}

// give hands an order to the process, and starts it when there is none.
func (w *worker) give(o order) {
	var keys []string
	for _, x := range o.Show {
		keys = append(keys, x.Key)
	}
	if w.process == nil {
		if len(keys) == 0 {
			return // nothing is on the screen
		}
		p, err := w.d.start(w.person)
		if err != nil {
			w.d.cfg.Report(Report{Person: w.person, Keys: keys, Err: err})
			return
		}
		w.serve(p)
	}
	for _, k := range keys {
		w.given[k] = false
	}
	if len(keys) > 0 && w.since.IsZero() {
		w.since = time.Now()
	}
	line, err := json.Marshal(o)
	if err == nil && len(line) >= maxLine {
		err = fmt.Errorf("the warning has %d bytes", len(line))
	}
	if err != nil {
		w.d.cfg.Report(Report{Person: w.person, Keys: keys, Err: fmt.Errorf("warn %s: %w", w.person.Name, err)})
		return
	}
	select {
	case w.lines <- append(line, '\n'):
	default: // it has not read for long
		w.process.kill()
	}
}

// serve reads from a new process and writes to it.
func (w *worker) serve(p *process) {
	ctx, leave := context.WithCancel(w.d.ctx)
	answers, ended, lines := make(chan answer), make(chan error, 1), make(chan []byte, maxOrders)
	w.process, w.given, w.answers, w.ended, w.lines, w.leave = p, map[string]bool{}, answers, ended, lines, leave
	go func() {
		err := readLines(ctx, p.out, answers)
		if err != nil {
			p.kill() // it says what makes no sense
		}
		ended <- errors.Join(err, p.wait())
	}()
	go func() { // ends with the process, for which the pipe breaks
		for {
			select {
			case <-ctx.Done():
				return
			case line := <-lines:
				if _, err := p.in.Write(line); err != nil {
					return
				}
			}
		}
	}()
}

// hear passes on what the process says. It runs with the rights of the person, who may put anything into its place: only
// keys that it was given count.
func (w *worker) hear(a answer) {
	a.Keys = slices.DeleteFunc(a.Keys, func(k string) bool { _, ok := w.given[k]; return !ok })
	if len(a.Keys) == 0 {
		return
	}
	r := Report{Person: w.person, Keys: a.Keys}
	switch {
	case a.Shown:
		r.Shown, r.Place = true, a.Place
		for _, k := range a.Keys {
			w.given[k] = true
		}
	case a.Error != "":
		r.Err = errors.New(clean(a.Error, maxText))
		if a.Nobody {
			r.Err = fmt.Errorf("%w (%s)", ErrNotDelivered, clean(a.Error, maxText))
		}
		for _, k := range a.Keys {
			delete(w.given, k)
		}
	case slices.Contains([]Choice{WhatNow, Block, Trust, Dismissed, Expired}, a.Choice):
		r.Choice = a.Choice
	default:
		return
	}
	if !slices.Contains(w.waiting(), true) {
		w.since = time.Time{}
	}
	w.d.cfg.Report(r)
}

// waiting has true for each warning that is not shown yet.
func (w *worker) waiting() (list []bool) {
	for _, shown := range w.given {
		list = append(list, !shown)
	}
	return list
}

// lost reports what the process did not show before it ended.
func (w *worker) lost(err error) {
	var keys []string
	for k, shown := range w.given {
		if !shown {
			keys = append(keys, k)
		}
	}
	w.process.in.Close()
	w.leave()
	w.process, w.answers, w.ended, w.given, w.since = nil, nil, nil, nil, time.Time{}
	if len(keys) > 0 {
		slices.Sort(keys)
		if err == nil {
			err = errors.New("its process ended")
		}
		w.d.cfg.Report(Report{Person: w.person, Keys: keys, Err: fmt.Errorf("%w: warn %s: %w", ErrNotDelivered, w.person.Name, err)})
	}
}

// stop ends the process: first by closing what it reads from.
func (w *worker) stop() {
	if w.process == nil {
		return
	}
	w.process.in.Close()
	select {
	case <-w.ended:
	case <-time.After(stopWithin):
		w.process.kill()
		<-w.ended
	}
}
