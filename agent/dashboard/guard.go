package dashboard

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

const (
	// policy lets the page load nothing but its own files, and be shown in no other page.
	policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	// maxForm bounds what is posted: a reason and some dozen steps.
	maxForm = 64 << 10
)

// guard refuses what does not come from this machine to this address, or from another page with the wish to change
// something, before anything is looked at.
func (p *Page) guard(next http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.refuse(w, r, http.StatusForbidden, "refused.origin")
	}))
	inner := origin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		if !local(r) {
			http.Error(w, "This page is only for this computer. Open it with: extwatch open", http.StatusMisdirectedRequest)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		inner.ServeHTTP(w, r)
	})
}

// local reports whether the request came over loopback and names the address that it came to. A name that somebody else's
// DNS points to 127.0.0.1 is in Host as the browser was told it, and so found out.
func local(r *http.Request) bool {
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return false
	}
	here, err := netip.ParseAddrPort(addr.String())
	if err != nil || !here.Addr().Unmap().IsLoopback() {
		return false
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !peer.Addr().Unmap().IsLoopback() {
		return false
	}
	_, port, _ := net.SplitHostPort(addr.String()) // it was parsed above
	return r.Host == "127.0.0.1:"+port || strings.EqualFold(r.Host, "localhost:"+port)
}

// A handler answers a request of a viewer, through what that viewer may see.
type handler func(http.ResponseWriter, *http.Request, *scope)

// authenticated lets in who has a session.
func (p *Page) authenticated(next handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie(cookieName)
		if err == nil {
			if v, ok := p.sessions.get(c.Value); ok {
				next(w, r, p.scope(v))
				return
			}
		}
		p.refuse(w, r, http.StatusUnauthorized, "refused.session")
	})
}

// enter makes a session of a token and goes on to the page that was asked for.
func (p *Page) enter(w http.ResponseWriter, r *http.Request) {
	session, ok := p.sessions.redeem(r.URL.Query().Get("t"), func(uid int) bool {
		if uid < 0 || p.cfg.Owner == nil {
			return true
		}
		owner := p.owner(r)
		return owner == uid || owner == 0 // root reads all of it anyhow
	})
	if !ok {
		p.refuse(w, r, http.StatusUnauthorized, "refused.token")
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: session, Path: "/", MaxAge: int(sessionLife.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
	to := r.URL.Query().Get("to")
	// A path of this page only: "//host" and "/\host" lead elsewhere.
	if !strings.HasPrefix(to, "/") || len(to) > 1 && strings.ContainsAny(to[1:2], `/\`) || strings.ContainsAny(to, "\r\n\t") {
		to = "/"
	}
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		// It came from a file that `extwatch open` wrote. A strict cookie does not follow a redirect that another site
		// began; this page begins a new journey.
		w.Header().Set("Refresh", "0; url="+to)
		w.WriteHeader(http.StatusOK)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// owner is the user of the system whose program sent a request, -1 when nobody can tell.
func (p *Page) owner(r *http.Request) int {
	here, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return -1
	}
	server, err1 := netip.ParseAddrPort(here.String())
	client, err2 := netip.ParseAddrPort(r.RemoteAddr)
	if err1 != nil || err2 != nil {
		return -1
	}
	uid, ok := p.cfg.Owner(client, server)
	if !ok {
		return -1
	}
	return uid
}

// leave ends the session.
func (p *Page) leave(w http.ResponseWriter, r *http.Request, _ *scope) {
	if c, err := r.Cookie(cookieName); err == nil {
		p.sessions.end(c.Value)
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	p.refuse(w, r, http.StatusOK, "refused.left")
}

func (p *Page) missing(w http.ResponseWriter, r *http.Request, _ *scope) {
	p.refuse(w, r, http.StatusNotFound, "refused.missing")
}
