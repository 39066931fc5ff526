package cli

import (
	"fmt"
	"sync"
	"time"

	"github.com/extwatch/extwatch/agent"
	"github.com/extwatch/extwatch/manifests"
)

// maxWaiting is how many events may wait for a reader that is slow or has stopped (Ctrl-S, a full pipe): the installs of a
// large server at its start.
const maxWaiting = 100_000

// A mailbox keeps the agent from waiting for whoever reads its events: a terminal that stands still must not stop it from
// looking.
type mailbox struct {
	limit   int // of events that wait
	mu      sync.Mutex
	more    sync.Cond
	waiting []agent.Event
	lost    int
	closed  bool
	done    chan struct{}
}

// newMailbox returns a mailbox whose events are handed to deliver, in order, by a goroutine of its own.
func newMailbox(limit int, deliver func(agent.Event)) *mailbox {
	m := &mailbox{limit: limit, done: make(chan struct{})}
	m.more.L = &m.mu
	go func() {
		defer close(m.done)
		for {
			events, ok := m.take()
			for _, e := range events {
				deliver(e)
			}
			if !ok {
				return
			}
		}
	}()
	return m
}

// put adds an event. It never waits; past the limit the event is counted and lost.
func (m *mailbox) put(e agent.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.waiting) >= m.limit {
		m.lost++
		return
	}
	m.waiting = append(m.waiting, e)
	m.more.Signal()
}

// take waits for events; ok is false after the last ones.
func (m *mailbox) take() (events []agent.Event, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.waiting) == 0 && !m.closed {
		m.more.Wait()
	}
	events, m.waiting = m.waiting, nil
	if m.lost > 0 {
		events = append(events, agent.Event{Kind: agent.Problem, At: events[len(events)-1].At, Problem: manifests.Problem{
			Reason: fmt.Sprintf("%s could not be shown, because nothing was read for too long; run 'extwatch scan'", count(m.lost, "event"))}})
		m.lost = 0
	}
	return events, !m.closed
}

// lastWords is how long close waits for a reader that stands still.
const lastWords = 2 * time.Second

// close hands over what is left and ends.
func (m *mailbox) close() {
	m.mu.Lock()
	m.closed = true
	m.more.Signal()
	m.mu.Unlock()
	select {
	case <-m.done:
	case <-time.After(lastWords):
	}
}
