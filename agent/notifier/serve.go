package notifier

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

const (
	// maxLine bounds a message between the service and the process in the session: some dozens of warnings.
	maxLine = 1 << 20
	// maxOpen bounds what is on the screen of one person; the oldest goes. More is not read, and the page has all.
	maxOpen = 100
	// idle is how long the process stays when nothing is on the screen: a second warning comes soon or not at all.
	idle = 20 * time.Second
	// untilDesktop is how long to wait for a program that shows notifications: at login, the bus comes first.
	untilDesktop = 2 * time.Minute
)

// An order is what the service tells the process: a line of JSON.
type order struct {
	Show     []Warning `json:"show,omitempty"`
	Withdraw []string  `json:"withdraw,omitempty"` // keys: it is over, take it from the screen
	Language string    `json:"language,omitempty"` // "" or "auto" is the person's own
	Adopt    bool      `json:"adopt,omitempty"`    // Show was on the screen before: in the place of Place, and without a sound
	Place    uint32    `json:"place,omitempty"`
	Wait     int       `json:"wait_ms,omitempty"` // for a program that shows notifications; 0 is untilDesktop
}

// An answer is what comes back: a line of JSON.
type answer struct {
	Keys   []string `json:"keys,omitempty"`
	Shown  bool     `json:"shown,omitempty"`
	Place  uint32   `json:"place,omitempty"` // of what is shown, for Adopt
	Choice Choice   `json:"choice,omitempty"`
	Error  string   `json:"error,omitempty"`
	Nobody bool     `json:"nobody,omitempty"` // the error is that nobody can see it
}

// A screen shows one text at a time to one person.
type screen interface {
	show(ctx context.Context, t Text) error // in the place of the one before
	adopt(place uint32)                     // what another process showed: the next text takes its place, silently
	place() uint32                          // of what is shown; 0 where that has no meaning
	hide()                                  // what is shown
	choices() <-chan Choice                 // of what is shown
	languages(ctx context.Context) []string // that the person reads, best first
	keeps() bool                            // what is shown stays when a button is pressed
	close()
}

// Serve shows warnings to the person whose rights it runs with: orders come in as lines of JSON, answers go out. It
// returns when in ends, or some time after the last warning left the screen.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	return serve(ctx, in, out, openScreen)
}

func serve(ctx context.Context, in io.Reader, out io.Writer, open func(context.Context, time.Duration) (screen, error)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &shower{out: json.NewEncoder(out), open: open}
	defer func() {
		if s.screen != nil {
			s.screen.close()
		}
	}()
	orders := make(chan order)
	ended := make(chan error, 1)
	go func() { ended <- readLines(ctx, in, orders) }()
	timer := time.NewTimer(idle)
	defer timer.Stop()
	for {
		var choices <-chan Choice
		if s.screen != nil {
			choices = s.screen.choices()
		}
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-ended:
			return err
		case o := <-orders:
			err = s.obey(ctx, o)
		case c := <-choices:
			err = s.chosen(c)
		case <-timer.C:
			if len(s.shown) == 0 {
				return nil
			}
		}
		if err != nil {
			return err
		}
		timer.Reset(idle)
	}
}

// readLines decodes lines of JSON until there are no more.
func readLines[T any](ctx context.Context, in io.Reader, to chan<- T) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var v T
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			return fmt.Errorf("read a line: %w", err)
		}
		select {
		case to <- v:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read lines: %w", err)
	}
	return nil
}

// A shower holds what is on the screen.
type shower struct {
	out    *json.Encoder
	open   func(context.Context, time.Duration) (screen, error)
	screen screen
	shown  []Warning // oldest first
	text   Text
}

func (s *shower) keys() []string {
	var keys []string
	for _, w := range s.shown {
		keys = append(keys, w.Key)
	}
	return keys
}

func (s *shower) obey(ctx context.Context, o order) error {
	before := len(s.shown)
	s.shown = slices.DeleteFunc(s.shown, func(w Warning) bool { return slices.Contains(o.Withdraw, w.Key) })
	if len(o.Show) == 0 {
		switch {
		case len(s.shown) == before:
			return nil
		case len(s.shown) == 0:
			s.screen.hide()
			return nil
		}
		return s.display(ctx, o)
	}
	var keys []string
	for _, w := range o.Show {
		keys = append(keys, w.Key)
		s.shown = slices.DeleteFunc(s.shown, func(old Warning) bool { return old.Key == w.Key })
		s.shown = append(s.shown, w)
	}
	if err := s.display(ctx, o); err != nil {
		a := answer{Keys: keys, Error: strings.TrimPrefix(err.Error(), ErrNotDelivered.Error()+": "), Nobody: errors.Is(err, ErrNotDelivered)}
		return errors.Join(s.write(a), err)
	}
	s.shown = s.shown[max(0, len(s.shown)-maxOpen):]
	return s.write(answer{Keys: keys, Shown: true, Place: s.screen.place()})
}

func (s *shower) display(ctx context.Context, o order) error {
	if s.screen == nil {
		wait := untilDesktop
		if o.Wait > 0 {
			wait = time.Duration(o.Wait) * time.Millisecond
		}
		var err error
		if s.screen, err = s.open(ctx, wait); err != nil {
			s.screen = nil // of the interface, not only what it holds
			return err
		}
	}
	if o.Adopt && len(s.shown) == len(o.Show) { // nothing newer is there
		s.screen.adopt(o.Place)
	}
	wishes := []string{o.Language}
	if o.Language == "" || o.Language == "auto" {
		wishes = s.screen.languages(ctx)
	}
	s.text = Compose(s.shown, time.Now(), wishes...)
	return s.screen.show(ctx, s.text)
}

// chosen hands a choice on. Whoever wants to know what to do still needs the buttons of what is malicious.
func (s *shower) chosen(c Choice) error {
	if len(s.shown) == 0 {
		return nil
	}
	err := s.write(answer{Keys: s.keys(), Choice: c})
	if c != WhatNow || !s.text.Critical || !s.screen.keeps() {
		s.shown = nil
		s.screen.hide()
	}
	return err
}

func (s *shower) write(a answer) error {
	if err := s.out.Encode(a); err != nil {
		return fmt.Errorf("answer the service: %w", err)
	}
	return nil
}
