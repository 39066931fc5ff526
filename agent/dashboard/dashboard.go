// Package dashboard is the page on which a person sees what the agent found and what to do about it.
//
//	page, err := dashboard.New(dashboard.Config{Store: s, Rules: rs, Block: block})
//	l, err := dashboard.Listen(ctx, 0)                      // 127.0.0.1 only; 0 is any free port
//	go page.Serve(ctx, l)
//	open("http://" + l.Addr().String() + page.Enter("ada", false, "/"))
//
// # Who sees what
//
// Nothing is shown without a session. Whoever asks for the page proves to the caller who they are, gets a token that
// works once and for half a minute, and with it a cookie for a few hours, at most until the agent ends. An ordinary person
// sees their own profiles; an administrator sees all. One file decides that: scope.go. Handlers reach the store through
// it alone.
//
// # What is not trusted
//
// Names, versions, paths and code are a thief's. html/template writes them as text, and what leaves the page passes one
// filter (clean.go) that makes invisible and direction-turning characters visible. The policy of the page allows no
// script, style, image or connection but its own, so that even a mistake there would have no effect.
//
// Other web pages reach 127.0.0.1 too. So a request must name this very address (a name that a stranger points here is
// refused), the cookie is sent from this site only, and what changes something must come from this very page. A cookie
// is not bound to a port: it would be sent to another program on 127.0.0.1 that the person opens by hand.
//
// Decisions are carried out by the caller's functions. A function that is missing has no button.
//
// [WriteReport] writes the same views into one file without scripts.
package dashboard

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/extwatch/extwatch/agent/store"
	"github.com/extwatch/extwatch/signatures"
)

// Config is what the page is made from. Store, and Rules or Current, are required.
type Config struct {
	Store *store.Store
	Rules *signatures.Ruleset
	// Current gives the rules in use, which a feed may change at any time; nil is Rules.
	Current func() *signatures.Ruleset
	// Engine is the version under which analyses of code are in the store; "" shows no flows but those in the findings.
	Engine string
	Now    func() time.Time // nil is time.Now; its location is that of the times on the page
	// Health tells how the agent is; nil asks the store.
	Health func(context.Context) (store.Health, error)
	// Users gives the name by which a person knows an account; an account that is not there is shown as it is.
	Users map[string]string

	// Owner tells which user of the system has the client's end of a connection; nil asks nobody, and EnterFrom is Enter.
	Owner func(client, server netip.AddrPort) (uid int, ok bool)

	// What a person may decide. They are called with who decides, must check whether that person may, carry it out and
	// write it down. An error is shown to the person.
	Block, Unblock, Trust, Untrust, Snooze func(context.Context, Order) error

	Log *slog.Logger // what failed inside; nil is silent
}

// An Order is a decision about an extension that a person made on the page.
type Order struct {
	Extension store.Extension // without versions and findings
	By        string          // the account
	Admin     bool            // it may decide for others
	Reason    string          // required by the page, at most 500 bytes
	Until     time.Time       // of Trust and Snooze; zero: for ever
}

//go:embed templates static texts
var embedded embed.FS

// A Page is the page. It is an http.Handler for requests that came in on a loopback address.
type Page struct {
	cfg      Config
	views    map[string]*views // by language
	sessions *sessions
	handler  http.Handler
	live     chan struct{} // a place for each open stream of events
}

// New makes the page.
func New(cfg Config) (*Page, error) {
	if cfg.Store == nil || cfg.Rules == nil && cfg.Current == nil {
		return nil, errors.New("make the page: it needs a store and rules")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Health == nil {
		cfg.Health = cfg.Store.Health
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	p := &Page{cfg: cfg, sessions: newSessions(cfg.Now), live: make(chan struct{}, maxStreams)}
	var err error
	if p.views, err = loadViews(cfg.Now); err != nil {
		return nil, err
	}
	p.handler = p.guard(p.routes())
	return p, nil
}

// rules are those in use.
func (p *Page) rules() *signatures.Ruleset {
	if p.cfg.Current != nil {
		return p.cfg.Current()
	}
	return p.cfg.Rules
}

// ServeHTTP answers one request.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }

// routes are all addresses. Those given to see have a session; the others show nothing of anybody.
func (p *Page) routes() http.Handler {
	mux := http.NewServeMux()
	static, _ := fs.Sub(embedded, "static") // it fails for a bad name only
	for _, name := range []string{"style.css", "script.js", "icon.svg"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, static, name) })
	}
	mux.HandleFunc("GET /enter", p.enter)
	for pattern, h := range p.seen() {
		mux.Handle(pattern, p.authenticated(h))
	}
	return mux
}

// seen are the views and what can be done on them.
func (p *Page) seen() map[string]handler {
	return map[string]handler{
		"GET /{$}":                      p.now,
		"GET /extensions":               p.list,
		"GET /extensions/{row}":         p.one,
		"POST /extensions/{row}/{what}": p.decide,
		"GET /exchanges":                p.matrix,
		"GET /exchanges/{slug}":         p.todo,
		"POST /exchanges/{slug}":        p.tick,
		"GET /timeline":                 p.timeline,
		"GET /health":                   p.health,
		"GET /events":                   p.events,
		"POST /leave":                   p.leave,
		"/":                             p.missing,
	}
}
