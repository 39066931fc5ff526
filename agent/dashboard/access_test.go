package dashboard

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"
)

// views are the addresses of all views, for rows.
func (l *lab) addresses() []string {
	out := []string{"/", "/extensions", "/exchanges", "/exchanges/binance", "/exchanges/other", "/timeline", "/health"}
	for _, row := range l.rows {
		out = append(out, fmt.Sprintf("/extensions/%d", row))
	}
	return out
}

func TestNothingWithoutSession(t *testing.T) {
	l := newLab(t)
	for _, path := range append(l.addresses(), "/events", "/nothing", "/extensions/1?x") {
		status, body := get(t, http.DefaultClient, l.srv.URL+path)
		if status != http.StatusUnauthorized || strings.Contains(body, "Helper") || strings.Contains(body, "Secret") {
			t.Errorf("%s: %d\n%s", path, status, body)
		}
	}
	status, _ := post(t, http.DefaultClient, l.srv.URL+"/extensions/1/block", url.Values{"reason": {"x"}})
	if status != http.StatusUnauthorized || len(l.orders) > 0 {
		t.Errorf("block without a session: %d, %d orders", status, len(l.orders))
	}
}

func TestTokenWorksOnceAndForAMinute(t *testing.T) {
	l := newLab(t)
	enter := l.srv.URL + "/enter?t=" + l.Token("ada", false)
	if status, _ := get(t, http.DefaultClient, enter); status != http.StatusUnauthorized { // no jar: the session is lost
		t.Errorf("without cookies: %d", status)
	}
	if status, _ := get(t, l.client(t, "ada", false), enter); status != http.StatusUnauthorized {
		t.Errorf("used again: %d", status)
	}
	late := l.srv.URL + "/enter?t=" + l.Token("ada", false)
	l.forward(tokenLife)
	if status, _ := get(t, http.DefaultClient, late); status != http.StatusUnauthorized {
		t.Errorf("after a minute: %d", status)
	}
	for _, bad := range []string{"", "x", strings.Repeat("A", 26)} {
		if status, _ := get(t, http.DefaultClient, l.srv.URL+"/enter?t="+bad); status != http.StatusUnauthorized {
			t.Errorf("token %q: %d", bad, status)
		}
	}
}

func TestSessionEnds(t *testing.T) {
	l := newLab(t)
	c := l.client(t, "ada", false)
	l.forward(sessionLife - time.Second)
	if status, _ := get(t, c, l.srv.URL+"/"); status != http.StatusOK {
		t.Errorf("before the end: %d", status)
	}
	l.forward(time.Second)
	if status, _ := get(t, c, l.srv.URL+"/"); status != http.StatusUnauthorized {
		t.Errorf("after the end: %d", status)
	}
	c = l.client(t, "ada", false)
	base, _ := url.Parse(l.srv.URL)
	kept := c.Jar.Cookies(base)
	if status, _ := post(t, c, l.srv.URL+"/leave", nil); status != http.StatusOK {
		t.Errorf("leave: %d", status)
	}
	c.Jar.SetCookies(base, kept) // a copy of the cookie
	if status, _ := get(t, c, l.srv.URL+"/"); status != http.StatusUnauthorized {
		t.Errorf("after leaving: %d", status)
	}
	first := l.client(t, "ada", false)
	for range maxSessions {
		l.forward(time.Millisecond)
		l.client(t, "bob", false)
	}
	if status, _ := get(t, first, l.srv.URL+"/"); status != http.StatusUnauthorized {
		t.Errorf("the oldest of too many: %d", status)
	}
}

func TestCookieAndHeaders(t *testing.T) {
	l := newLab(t)
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for to, want := range map[string]string{
		"/extensions/1": "/extensions/1", "": "/", "//evil.example": "/", `/\evil.example`: "/", "https://evil.example": "/", "/a\nb": "/",
	} {
		r, err := c.Get(l.srv.URL + l.Enter("ada", false, to))
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if got := r.Header.Get("Location"); r.StatusCode != http.StatusSeeOther || got != want {
			t.Errorf("to %q: %d, %q", to, r.StatusCode, got)
		}
		cookie := r.Cookies()[0]
		if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != "/" || cookie.Domain != "" {
			t.Errorf("cookie: %v", cookie)
		}
	}
	for _, path := range []string{"/", "/style.css", "/nothing"} {
		r, err := http.Get(l.srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		for key, want := range map[string]string{
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"X-Frame-Options": "DENY", "Content-Security-Policy": policy,
		} {
			if got := r.Header.Get(key); got != want {
				t.Errorf("%s: %s: %q", path, key, got)
			}
		}
	}
}

// A page of a stranger whose name was pointed to 127.0.0.1 sends that name.
func TestForeignHost(t *testing.T) {
	l := newLab(t)
	c := l.client(t, "ada", true)
	_, port, _ := net.SplitHostPort(l.srv.Listener.Addr().String())
	for host, want := range map[string]int{
		"127.0.0.1:" + port: http.StatusOK, "localhost:" + port: http.StatusUnauthorized, // it has its own cookies
		"evil.example:" + port: http.StatusMisdirectedRequest, "127.0.0.1": http.StatusMisdirectedRequest,
		"127.0.0.1:1": http.StatusMisdirectedRequest, "127.0.0.1.evil.example:" + port: http.StatusMisdirectedRequest,
		"localhost.:" + port: http.StatusMisdirectedRequest, "[::1]:" + port: http.StatusMisdirectedRequest, "0.0.0.0:" + port: http.StatusMisdirectedRequest,
	} {
		r, err := http.NewRequest(http.MethodGet, l.srv.URL+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		client := c
		if strings.HasPrefix(host, "localhost") {
			client = http.DefaultClient
		}
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if status, body := read(t, answer); status != want || status != http.StatusOK && strings.Contains(body, "Helper") {
			t.Errorf("%s: %d, want %d", host, status, want)
		}
	}
	// Not over a socket of this machine's loopback: no address that it came to, or another.
	for _, addr := range []net.Addr{nil, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80}} {
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:80/", nil)
		if addr != nil {
			r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, addr))
		}
		w := httptest.NewRecorder()
		l.ServeHTTP(w, r)
		if w.Code != http.StatusMisdirectedRequest {
			t.Errorf("came to %v: %d", addr, w.Code)
		}
	}
}

func TestForeignOrigin(t *testing.T) {
	l := newLab(t)
	c := l.client(t, "ada", true)
	target := fmt.Sprintf("%s/extensions/%d/trust", l.srv.URL, l.rows["Aggr Helper"])
	for _, h := range []http.Header{
		{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Origin": {"https://evil.example"}},
		{"Origin": {"null"}}, {"Origin": {"http://127.0.0.1:1"}},
	} {
		r, err := http.NewRequest(http.MethodPost, target, strings.NewReader("reason=mine"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = h
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		answer, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if status, _ := read(t, answer); status != http.StatusForbidden {
			t.Errorf("%v: %d", h, status)
		}
	}
	if len(l.orders) > 0 {
		t.Errorf("orders of strangers: %v", l.orders)
	}
}

func TestOthersAreNotSeen(t *testing.T) {
	l := newLab(t)
	for _, who := range []struct {
		user   string
		admin  bool
		secret bool
	}{{"bob", false, true}, {"root", true, true}, {"ada", false, false}, {"", false, false}, {"eve", false, false}} {
		c := l.client(t, who.user, who.admin)
		seen := false
		for _, path := range append(l.addresses(), "/extensions?user=bob", "/extensions?q=Secret&user=", "/timeline?before=99999") {
			_, body := get(t, c, l.srv.URL+path)
			has := strings.Contains(body, "Bobs") || strings.Contains(body, "/home/bob") || strings.Contains(body, "Work of bob")
			seen = seen || has
			if has && !who.secret {
				t.Errorf("%q sees bob's at %s", who.user, path)
			}
		}
		if seen != who.secret {
			t.Errorf("%q (admin %v): sees bob's: %v", who.user, who.admin, seen)
		}
	}
	c := l.client(t, "ada", false)
	for _, what := range []string{"block", "trust", "unblock", "untrust"} {
		status, _ := post(t, c, fmt.Sprintf("%s/extensions/%d/%s", l.srv.URL, l.rows["Bobs Secret"], what), url.Values{"reason": {"x"}})
		if status != http.StatusNotFound || len(l.orders) > 0 {
			t.Errorf("ada may %s bob's: %d, %v", what, status, l.orders)
		}
	}
	if status, _ := get(t, c, fmt.Sprintf("%s/extensions/%d", l.srv.URL, l.rows["Bobs Secret"])); status != http.StatusNotFound {
		t.Errorf("bob's extension for ada: %d", status)
	}
}

func TestEventsTellOnlyTheirViewer(t *testing.T) {
	l := newLab(t)
	mine := &scope{viewer: viewer{User: "ada"}, page: l.Page}
	r := httptest.NewRequest(http.MethodGet, "/events", nil)
	before, err := mine.stamp(r)
	if err != nil {
		t.Fatal(err)
	}
	l.record(t, "bob", "Bobs New", "1", "clean")
	same, err := mine.stamp(r)
	if err != nil {
		t.Fatal(err)
	}
	l.record(t, "ada", "Adas New", "1", "clean")
	after, err := mine.stamp(r)
	if err != nil {
		t.Fatal(err)
	}
	if before != same || same == after {
		t.Errorf("stamps: %q, %q, %q", before, same, after)
	}
}

// A token that others saw on a command line is worth nothing to them.
func TestEnterFrom(t *testing.T) {
	l := newLab(t)
	owner := 0
	l.Page.cfg.Owner = func(client, server netip.AddrPort) (int, bool) {
		if !client.Addr().IsLoopback() || server.String() != l.srv.Listener.Addr().String() {
			t.Errorf("%v to %v", client, server)
		}
		return owner, owner >= 0
	}
	address := l.srv.URL + l.EnterFrom(1001, "ada", false, "/")
	for _, owner = range []int{1002, -1} {
		if status, _ := get(t, &http.Client{}, address); status != http.StatusUnauthorized {
			t.Errorf("user %d came in with ada's token: %d", owner, status)
		}
	}
	owner = 1001
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar}
	if status, _ := get(t, c, address); status != http.StatusOK {
		t.Errorf("ada: %d", status)
	}
	if status, _ := get(t, &http.Client{}, address); status != http.StatusUnauthorized {
		t.Errorf("used twice: %d", status)
	}
}

// A browser that comes from a file gets a page that leads on: its cookie would not follow a redirect.
func TestEnterFromFile(t *testing.T) {
	l := newLab(t)
	r, err := http.NewRequest(http.MethodGet, l.srv.URL+l.Enter("ada", false, "/health"), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	if got := a.Header.Get("Refresh"); a.StatusCode != http.StatusOK || got != "0; url=/health" || len(a.Cookies()) != 1 {
		t.Errorf("%s, Refresh %q, %d cookies", a.Status, got, len(a.Cookies()))
	}
}
