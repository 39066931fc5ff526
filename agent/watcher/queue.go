package watcher

import (
	"errors"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// maxQueued bounds the paths that wait to be looked at. Reading all folders again is cheaper than looking at more of
// them one by one, so beyond it the queue counts as overflown. It is four times inotify's own queue.
const maxQueued = 4 * 16384

// An event says that something happened to a path. ops is the union of all that happened since it was queued.
type event struct {
	path string
	ops  fsnotify.Op
	at   time.Time // of the first
}

// gone reports whether the path was removed or moved away, and may have come back since.
func (e event) gone() bool { return e.ops.Has(fsnotify.Remove) || e.ops.Has(fsnotify.Rename) }

// A queue takes events without ever blocking, one entry for each path.
type queue struct {
	wake chan struct{} // holds a token while there is something to take

	mu     sync.Mutex
	events []event
	index  map[string]int
	lost   bool // events were lost: look at everything
	broken bool // watches may be dead as well: renew them
}

func newQueue() *queue {
	return &queue{wake: make(chan struct{}, 1), index: map[string]int{}}
}

func (q *queue) add(ev fsnotify.Event, at time.Time) {
	if ev.Op&^fsnotify.Chmod == 0 {
		return // a changed mode or attribute, which indexers and backups cause all the time
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if i, ok := q.index[ev.Name]; ok {
		q.events[i].ops |= ev.Op
		return
	}
	if len(q.events) >= maxQueued {
		q.lost = true
		return
	}
	q.index[ev.Name] = len(q.events)
	q.events = append(q.events, event{ev.Name, ev.Op, at})
	q.signal()
}

func (q *queue) fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lost = true
	q.broken = q.broken || !errors.Is(err, fsnotify.ErrEventOverflow)
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *queue) take() (events []event, lost, broken bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	events, lost, broken = q.events, q.lost, q.broken
	q.events, q.lost, q.broken = nil, false, false
	clear(q.index)
	return events, lost, broken
}

// pump moves events from the source to the queue. It does nothing else, so that the system's own queue stays empty.
func pump(src source, q *queue, stop <-chan struct{}) {
	events, errs := src.Events(), src.Errors()
	for {
		select {
		case ev, ok := <-events:
			if !ok {
				events = nil // closing; stop follows
				continue
			}
			q.add(ev, time.Now())
		case err, ok := <-errs:
			if !ok {
				errs = nil
				continue
			}
			q.fail(err)
		case <-stop:
			return
		}
	}
}
