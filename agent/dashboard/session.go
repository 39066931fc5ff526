package dashboard

import (
	"crypto/rand"
	"net/url"
	"sync"
	"time"
)

const (
	// tokenLife is for a browser to start on a slow machine.
	tokenLife = 60 * time.Second
	// sessionLife is a working day: a forgotten tab shows nothing tomorrow.
	sessionLife = 10 * time.Hour
	// maxSessions bounds tokens and sessions each; the oldest give way.
	maxSessions = 64

	cookieName = "extwatch"
)

// A viewer is who looks at the page.
type viewer struct {
	User  string // the account
	Admin bool   // sees all
}

type grant struct {
	viewer
	from, until time.Time
}

// sessions remembers who may look. What is not there any more, because it was used, is over or gave way, is unknown.
type sessions struct {
	now func() time.Time

	mu     sync.Mutex
	tokens map[string]grant
	open   map[string]grant
}

func newSessions(now func() time.Time) *sessions {
	return &sessions{now: now, tokens: map[string]grant{}, open: map[string]grant{}}
}

// Token makes a token for a user, which works once and for a minute: GET /enter?t=TOKEN makes a session of it. The caller
// must know who asks. An ordinary user without a name gets one that shows nothing.
func (p *Page) Token(user string, admin bool) string {
	return p.sessions.add(p.sessions.tokens, viewer{User: user, Admin: admin}, tokenLife)
}

// Enter is Token with the path and query at which it is handed in; then the browser is sent to the path to ("/",
// "/extensions/12").
func (p *Page) Enter(user string, admin bool, to string) string {
	return "/enter?" + url.Values{"t": {p.Token(user, admin)}, "to": {to}}.Encode()
}

// add keeps a viewer under a new secret in one of the maps.
func (s *sessions) add(in map[string]grant, v viewer, life time.Duration) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	oldest := ""
	for key, g := range in {
		if !now.Before(g.until) {
			delete(in, key)
		} else if oldest == "" || g.from.Before(in[oldest].from) {
			oldest = key
		}
	}
	if len(in) >= maxSessions {
		delete(in, oldest)
	}
	key := rand.Text() // 130 random bits
	in[key] = grant{viewer: v, from: now, until: now.Add(life)}
	return key
}

// redeem makes a session of a token.
func (s *sessions) redeem(token string) (session string, ok bool) {
	s.mu.Lock()
	g, ok := s.tokens[token]
	delete(s.tokens, token)
	s.mu.Unlock()
	if !ok || !s.now().Before(g.until) {
		return "", false
	}
	return s.add(s.open, g.viewer, sessionLife), true
}

func (s *sessions) get(session string) (viewer, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, ok := s.open[session]
	if !ok || !s.now().Before(g.until) {
		return viewer{}, false
	}
	return g.viewer, true
}

func (s *sessions) end(session string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, session)
}
