package dashboard

import (
	"fmt"
	"net/http"
	"time"
)

const (
	// maxStreams bounds the open views that are kept up to date; more work, but are not told.
	maxStreams = 32
	// lookEvery is how often the store is asked while a view is open. Nothing is asked while none is.
	lookEvery = time.Second
	// lifeSign keeps the connection open, and ends it when the person has gone.
	lifeSign = 25 * time.Second
)

// events tells an open view when there is something new for its viewer. It tells only that: the view then asks anew, and
// so sees what its viewer may see.
func (p *Page) events(w http.ResponseWriter, r *http.Request, s *scope) {
	select {
	case p.live <- struct{}{}:
		defer func() { <-p.live }()
	default:
		http.Error(w, "too many views are open", http.StatusServiceUnavailable)
		return
	}
	out := http.NewResponseController(w)
	_ = out.SetReadDeadline(time.Time{}) // a stream outlives the time for a request; where that cannot be set it is opened anew
	w.Header().Set("Content-Type", "text/event-stream")
	last, err := s.stamp(r)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	c, err := r.Cookie(cookieName)
	if err != nil {
		return
	}
	look, life := time.NewTicker(lookEvery), time.NewTicker(lifeSign)
	defer look.Stop()
	defer life.Stop()
	text := "retry: 5000\n\n"
	for {
		if text != "" {
			if _, err := fmt.Fprint(w, text); err != nil {
				return
			}
			if err := out.Flush(); err != nil {
				return
			}
		}
		text = ""
		select {
		case <-r.Context().Done():
			return
		case <-life.C:
			text = ": here\n\n"
		case <-look.C:
			if _, ok := p.sessions.get(c.Value); !ok {
				return
			}
			now, err := s.stamp(r)
			if err == nil && now != last {
				last, text = now, "event: changed\ndata: now\n\n"
			}
		}
	}
}

// stamp differs when there is something new for the viewer.
func (s *scope) stamp(r *http.Request) (string, error) {
	events, err := s.events(r.Context(), 0, 1)
	if err != nil {
		return "", err
	}
	h, err := s.page.cfg.Store.Health(r.Context())
	if err != nil {
		return "", err
	}
	last := int64(0)
	if len(events) > 0 {
		last = events[0].ID
	}
	return fmt.Sprintf("%d %d %d", last, h.Sweep.UnixMilli(), h.FeedAt.UnixMilli()), nil
}
