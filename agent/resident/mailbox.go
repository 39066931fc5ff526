package resident

import (
	"sync"

	"github.com/extwatch/extwatch/agent"
)

// maxWaiting is how many events may wait for the store: ten times the extensions of a large server.
const maxWaiting = 200_000

// A mailbox keeps the agent from waiting for the disk.
type mailbox struct {
	mu      sync.Mutex
	waiting []agent.Event
	lost    int
	more    chan struct{}
}

func newMailbox() *mailbox { return &mailbox{more: make(chan struct{}, 1)} }

// put adds an event. It never waits; past the limit it is counted and lost.
func (m *mailbox) put(e agent.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.waiting) >= maxWaiting {
		m.lost++
		return
	}
	m.waiting = append(m.waiting, e)
	select {
	case m.more <- struct{}{}:
	default:
	}
}

func (m *mailbox) take() (events []agent.Event, lost int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	events, m.waiting = m.waiting, nil
	lost, m.lost = m.lost, 0
	return events, lost
}
