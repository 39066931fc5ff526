package server

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// A hub tells streams which version of timestamp.json there is.
type hub struct {
	mu      sync.Mutex
	version int64
	changed chan struct{} // closed at the next change
	open    int
	most    int
}

func newHub(most int) *hub { return &hub{changed: make(chan struct{}), most: most} }

// watch looks at the version until ctx is done. It looks rather than waits for events of the file system: public/ may
// lie on a share, which sends none.
func (h *hub) watch(ctx context.Context, version func() (int64, error), log *slog.Logger) {
	tick := time.NewTicker(lookTime)
	defer tick.Stop()
	failed := false
	for {
		v, err := version()
		if err != nil && !failed {
			log.Warn("cannot read timestamp.json; agents are told of nothing new", "err", err)
		}
		if failed = err != nil; !failed {
			h.set(v)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (h *hub) set(v int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if v == h.version {
		return
	}
	h.version = v
	close(h.changed)
	h.changed = make(chan struct{})
}

func (h *hub) now() (int64, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.version, h.changed
}

func (h *hub) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open >= h.most {
		return false
	}
	h.open++
	return true
}

func (h *hub) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open--
}

// ServeHTTP answers with a stream of versions.
func (h *hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.enter() {
		w.Header().Set("Retry-After", "300")
		http.Error(w, "too many streams; polling works nevertheless", http.StatusServiceUnavailable)
		return
	}
	defer h.leave()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	control := http.NewResponseController(w)
	control.SetReadDeadline(time.Time{}) // the server's bound is for requests; the end of this one is seen by writing
	said := int64(0)
	alive := time.NewTicker(sayTime)
	defer alive.Stop()
	for {
		v, changed := h.now()
		line := ": still here\n\n"
		if v != said {
			line, said = fmt.Sprintf("data: %d\n\n", v), v
		}
		control.SetWriteDeadline(time.Now().Add(writeTime))
		if _, err := io.WriteString(w, line); err != nil || control.Flush() != nil {
			return
		}
		select {
		case <-changed:
		case <-alive.C:
		case <-r.Context().Done():
			return
		}
	}
}

// version reads which version timestamp.json has.
func version(public string) (int64, error) {
	f, _, err := openFile(public, "metadata/timestamp.json")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var m struct {
		Signed struct {
			Version int64 `json:"version"`
		} `json:"signed"`
	}
	if err := json.NewDecoder(io.LimitReader(f, maxTimestamp)).Decode(&m); err != nil {
		return 0, fmt.Errorf("read timestamp.json: %w", err)
	}
	return m.Signed.Version, nil
}
