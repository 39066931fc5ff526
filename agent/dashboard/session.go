package dashboard

import (
	"crypto/rand"
	"net/url"
	"sync"
	"time"
)

const (
	// tokenLife is for a browser to start on a slow machine. For so long, whoever sees the command lines of others could
	// try the token; EnterFrom is the answer to that.
	tokenLife = 30 * time.Second
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
	uid         int // of a token: the system's user who may hand it in; anybody: -1
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

// Token makes a token for a user, which works once and for half a minute: GET /enter?t=TOKEN makes a session of it. The caller
// must know who asks. An ordinary user without a name gets one that shows nothing.
func (p *Page) Token(user string, admin bool) string {
	return p.sessions.add(p.sessions.tokens, grant{viewer: viewer{User: user, Admin: admin}, uid: -1}, tokenLife)
}

// Enter is Token with the path and query at which it is handed in; then the browser is sent to the path to ("/",
// "/extensions/12").
func (p *Page) Enter(user string, admin bool, to string) string {
	return "/enter?" + url.Values{"t": {p.Token(user, admin)}, "to": {to}}.Encode()
}

// EnterFrom is Enter for a program of one user of the system only, as Config.Owner tells it: addresses are handed to browsers
// on command lines, which others may see.
func (p *Page) EnterFrom(uid int, user string, admin bool, to string) string {
	token := p.sessions.add(p.sessions.tokens, grant{viewer: viewer{User: user, Admin: admin}, uid: uid}, tokenLife)
	return "/enter?" + url.Values{"t": {token}, "to": {to}}.Encode()
}

// add keeps a grant under a new secret in one of the maps.
func (s *sessions) add(in map[string]grant, what grant, life time.Duration) string {
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
	what.from, what.until = now, now.Add(life)
	in[key] = what
	return key
}

// redeem makes a session of a token, if mine says that the one who handed it in may. To another the token is worth
// nothing, and stays good.
func (s *sessions) redeem(token string, mine func(uid int) bool) (session string, ok bool) {
	s.mu.Lock()
	g, ok := s.tokens[token]
	s.mu.Unlock()
	if !ok || !mine(g.uid) {
		return "", false
	}
	s.mu.Lock()
	g, ok = s.tokens[token] // nobody was faster
	delete(s.tokens, token)
	s.mu.Unlock()
	if !ok || !s.now().Before(g.until) {
		return "", false
	}
	return s.add(s.open, g, sessionLife), true
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
