package notifier

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// alertScript shows an alert. Everything that an extension may have chosen is an argument, never source.
const alertScript = `on run argv
set labels to items 5 thru -1 of argv
if (item 1 of argv) is "critical" then
  set r to display alert (item 3 of argv) message (item 4 of argv) as critical buttons labels default button (count labels)
else
  set r to display alert (item 3 of argv) message (item 4 of argv) as warning buttons labels default button (count labels) giving up after (item 2 of argv as integer)
end if
return button returned of r
end run`

// stays is how long what is not malicious stays on the screen.
const stays = 10 * time.Minute

// An alertScreen shows alerts through osascript. A notification of macOS's own has no buttons unless a signed
// application shows it.
type alertScreen struct {
	out chan Choice

	mu     sync.Mutex
	cancel context.CancelFunc
}

func openScreen(context.Context, time.Duration) (screen, error) {
	return &alertScreen{out: make(chan Choice, 8)}, nil
}

func (s *alertScreen) show(_ context.Context, t Text) error {
	s.hide()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "/usr/bin/osascript", alertArguments(t)...)
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		cancel()
		return fmt.Errorf("show an alert: %w", err)
	}
	s.mu.Lock()
	s.cancel = cancel
	s.mu.Unlock()
	go func() {
		err := cmd.Wait()
		if ctx.Err() != nil {
			return // another one took its place
		}
		s.out <- pressed(t, strings.TrimRight(out.String(), "\n"), err)
	}()
	return nil
}

func (s *alertScreen) hide() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancel != nil {
		s.cancel()
		s.cancel = nil
	}
}

func (s *alertScreen) choices() <-chan Choice { return s.out }

// adopt has nothing to adopt: what the process showed went with it.
func (s *alertScreen) adopt(uint32) {}

func (s *alertScreen) place() uint32 { return 0 }

func (s *alertScreen) keeps() bool { return false }

func (s *alertScreen) close() { s.hide() }

func (s *alertScreen) languages(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	out, _ := exec.CommandContext(ctx, "/usr/bin/defaults", "read", "-g", "AppleLanguages").Output() // "(\n \"zh-Hans-CN\",\n en\n)"
	return append(strings.FieldsFunc(string(out), func(r rune) bool { return strings.ContainsRune("()\", \n\t", r) }), os.Getenv("LANG"))
}

func alertArguments(t Text) []string {
	kind := "warning"
	if t.Critical {
		kind = "critical"
	}
	args := []string{"-e", alertScript, kind, fmt.Sprint(int(stays.Seconds())), t.Title, t.Body}
	for _, label := range []string{t.Trust, t.Block, t.WhatNow} { // an alert has three at most; the last is the default
		if label != "" {
			args = append(args, label)
		}
	}
	return args
}

// pressed says which button was pressed; "" is what osascript prints when the alert gave up.
func pressed(t Text, label string, err error) Choice {
	switch {
	case err != nil:
		return Dismissed
	case label == "":
		return Expired
	case label == t.Block:
		return Block
	case label == t.Trust:
		return Trust
	}
	return WhatNow
}
