package dashboard

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"golang.org/x/net/html"

	"github.com/extwatch/extwatch/agent/store"
	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
	"github.com/extwatch/extwatch/signatures/behavior"
)

// wellFormed fails on elements that are not closed as they were opened, on IDs that stand twice, on anything that runs
// or is fetched from elsewhere, and on texts without translation.
func wellFormed(t *testing.T, where, page string) {
	t.Helper()
	void := []string{"meta", "link", "input", "img", "br", "path", "rect", "circle"}
	z := html.NewTokenizer(strings.NewReader(page))
	var open []string
	ids := map[string]bool{}
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		tok := z.Token()
		switch kind {
		case html.StartTagToken:
			if !slices.Contains(void, tok.Data) {
				open = append(open, tok.Data)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != tok.Data {
				t.Fatalf("%s: </%s> closes %v", where, tok.Data, open)
			}
			open = open[:len(open)-1]
		}
		for _, a := range tok.Attr {
			switch {
			case a.Key == "id" && ids[a.Val]:
				t.Errorf("%s: id %q stands twice", where, a.Val)
			case a.Key == "id":
				ids[a.Val] = true
			case strings.HasPrefix(a.Key, "on") || a.Key == "style":
				t.Errorf("%s: <%s %s>", where, tok.Data, a.Key)
			case a.Key == "src" && a.Val != "/script.js", a.Key == "href" && strings.HasPrefix(strings.ToLower(a.Val), "javascript"):
				t.Errorf("%s: <%s %s=%q>", where, tok.Data, a.Key, a.Val)
			}
		}
	}
	if len(open) > 0 {
		t.Errorf("%s: not closed: %v", where, open)
	}
	if bad := regexp.MustCompile(`%!|\(MISSING\)|ZgotmplZ|&lt;no value`).FindString(page); bad != "" {
		t.Errorf("%s: holds %q", where, bad)
	}
	for _, r := range page {
		if r != '\n' && r != '\t' && hidden(r) {
			t.Errorf("%s: holds the hidden character %U", where, r)
		}
	}
	for _, bad := range []string{"<img", "<script>", "<b>folder"} {
		if strings.Contains(page, bad) {
			t.Errorf("%s: holds %s", where, bad)
		}
	}
}

func TestViews(t *testing.T) {
	l := newLab(t)
	c := l.client(t, "root", true)
	for _, lang := range []string{"en", "zh-CN"} {
		for _, path := range append(l.addresses(), "/extensions?verdict=malicious&browser=chrome", "/extensions?q=%00%E2%80%AE<script>", "/nothing") {
			r, err := http.NewRequest(http.MethodGet, l.srv.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Accept-Language", lang)
			answer, err := c.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_, body := read(t, answer)
			wellFormed(t, lang+" "+path, body)
			if zh := strings.Contains(body, `lang="zh-Hans"`); zh != (lang == "zh-CN") {
				t.Errorf("%s %s: in the other language", lang, path)
			}
		}
	}
	_, body := get(t, c, fmt.Sprintf("%s/extensions/%d", l.srv.URL, l.rows[hostile]))
	for _, want := range []string{"&lt;script&gt;alert(1)", "&lt;U+202E&gt;", "&lt;U+200B&gt;", "&lt;U+0007&gt;", "<svg viewBox", "bg.js:3", `href="https://www.example.test/a"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the view of the hostile extension lacks %q", want)
		}
	}
	_, body = get(t, c, fmt.Sprintf("%s/extensions/%d", l.srv.URL, l.rows["Aggr Helper"]))
	for _, want := range []string{"New sites", "*://*.binance.com/*", "act with your login", "Versions, and what changed"} {
		if !strings.Contains(body, want) {
			t.Errorf("the view of an extension lacks %q", want)
		}
	}
	_, body = get(t, c, l.srv.URL+"/")
	if !strings.Contains(body, "3 extensions need you") {
		t.Errorf("the first view:\n%s", body)
	}
	_, body = get(t, c, l.srv.URL+"/extensions?verdict=clean")
	if strings.Contains(body, "Aggr") || !strings.Contains(body, "1 of 4 shown") {
		t.Errorf("filtered by verdict:\n%s", body)
	}
}

func TestFirstViewPromisesNothingItDoesNotKnow(t *testing.T) {
	l := newLab(t)
	c := l.client(t, "eve", false)
	if _, body := get(t, c, l.srv.URL+"/"); !strings.Contains(body, "Nothing needs you now") {
		t.Errorf("calm:\n%s", body)
	}
	l.forward(stale + time.Minute)
	if _, body := get(t, c, l.srv.URL+"/"); !strings.Contains(body, "It is not known how things stand") {
		t.Errorf("long after a sweep:\n%s", body)
	}
}

func TestDecisions(t *testing.T) {
	l := newLab(t)
	c := l.client(t, "ada", false)
	page := fmt.Sprintf("%s/extensions/%d", l.srv.URL, l.rows["Aggr Helper"])
	for _, form := range []url.Values{{}, {"reason": {"  "}}, {"reason": {strings.Repeat("x", maxReason+1)}}, {"reason": {"fail"}}} {
		status, body := post(t, c, page+"/block", form)
		if status != http.StatusUnprocessableEntity || !strings.Contains(body, "That did not work") || len(l.orders) > 0 {
			t.Errorf("block %v: %d, %v", form, status, l.orders)
		}
		wellFormed(t, "a failed block", body)
	}
	if status, _ := post(t, c, page+"/trust", url.Values{"reason": {"mine"}, "days": {"30"}}); status != http.StatusOK {
		t.Errorf("trust: %d", status)
	}
	if status, _ := post(t, c, page+"/remove", nil); status != http.StatusNotFound {
		t.Errorf("an unknown decision: %d", status)
	}
	if len(l.orders) != 1 {
		t.Fatalf("orders: %v", l.orders)
	}
	o := l.orders[0]
	if o.By != "ada" || o.Admin || o.Reason != "mine" || !o.Until.Equal(l.clock().Add(30*24*time.Hour)) || o.Extension.Name != "Aggr Helper" {
		t.Errorf("order: %+v", o)
	}
	if _, err := l.store.Decide(context.Background(), store.Decision{Kind: "trust", ID: o.Extension.ID, Place: o.Extension.Place, By: "ada", Reason: "mine"}); err != nil {
		t.Fatal(err)
	}
	_, body := get(t, c, page)
	if !strings.Contains(body, "Trust it no more") || strings.Contains(body, ">I trust it</button>") {
		t.Errorf("after trusting:\n%s", body)
	}
	if _, body = get(t, c, l.srv.URL+"/"); !strings.Contains(body, "1 extension needs you") {
		t.Errorf("the first view after trusting:\n%s", body)
	}
}

func TestTicksAreRemembered(t *testing.T) {
	l := newLab(t)
	c := l.client(t, "ada", false)
	todo := l.srv.URL + "/exchanges/binance"
	e, _, _ := l.exchange("binance")
	one, two := stepKey(e.Response.User[0]), stepKey(e.Response.User[1])
	post(t, c, todo, url.Values{"done": {one, two, "no such step"}})
	_, body := post(t, c, todo, url.Values{"done": {two}})
	if !strings.Contains(body, fmt.Sprintf("%d steps left", len(e.Response.User)-1)) || strings.Count(body, " checked ") != 1 {
		t.Errorf("after two forms:\n%s", body)
	}
	ticks, err := l.store.Ticks(context.Background(), "ada", "binance")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{two}, slices.Collect(maps.Keys(ticks))); diff != "" {
		t.Error(diff)
	}
	if _, body := get(t, l.client(t, "bob", false), todo); strings.Contains(body, " checked ") {
		t.Error("bob sees ada's ticks")
	}
}

func TestEventsSayThatSomethingChanged(t *testing.T) {
	l := newLab(t)
	c := l.client(t, "ada", false)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, l.srv.URL+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	lines.Scan() // retry: the stream has begun
	l.record(t, "ada", "Adas New", "1", signatures.Clean)
	for lines.Scan() {
		if lines.Text() == "event: changed" {
			return
		}
	}
	t.Errorf("no event: %v", lines.Err())
}

func TestServeStops(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	rules, err := signatures.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := store.Open(context.Background(), store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p, err := New(Config{Store: s, Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ln, err := Listen(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(ln.Addr().String(), "127.0.0.1:") {
		t.Errorf("listens on %s", ln.Addr())
	}
	done := make(chan error, 1)
	go func() { done <- p.Serve(ctx, ln) }()
	status, _ := get(t, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, "http://"+ln.Addr().String()+"/")
	if status != http.StatusUnauthorized {
		t.Errorf("status %d", status)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestTextsAreComplete(t *testing.T) {
	texts := map[string]map[string]string{}
	for _, tag := range languages() {
		data, err := fs.ReadFile(embedded, "texts/"+tag.String()+".json")
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]string
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatal(err)
		}
		texts[tag.String()] = m
	}
	en := texts["en"]
	verb := regexp.MustCompile(`%[ds]`)
	for lang, m := range texts {
		if diff := cmp.Diff(slices.Sorted(maps.Keys(en)), slices.Sorted(maps.Keys(m))); diff != "" {
			t.Errorf("keys of %s: %s", lang, diff)
		}
		for key, s := range m {
			if s == "" || !slices.Equal(verb.FindAllString(s, -1), verb.FindAllString(en[key], -1)) {
				t.Errorf("%s %s: %q for %q", lang, key, s, en[key])
			}
		}
	}
	// Every key that stands in a template.
	used := regexp.MustCompile(`\{\{[^}]*?\b[tn] "([^"]+)"`)
	err := fs.WalkDir(embedded, "templates", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(embedded, path)
		for _, m := range used.FindAllStringSubmatch(string(data), -1) {
			if en[m[1]] == "" {
				t.Errorf("%s: no text %q", path, m[1])
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWriteReport(t *testing.T) {
	rules, err := signatures.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	flow := behavior.Flow{Source: "cookies", Sink: "fetch", Host: "collect.example", Steps: []behavior.Step{
		{Place: behavior.Place{File: "bg.js", Line: 1}, What: "reads all cookies", Code: "chrome.cookies.getAll({})"},
		{Place: behavior.Place{File: "bg.js", Line: 9}, What: "POST", Code: "fetch(u, {body})"},
	}}
	result := signatures.Result{Verdict: signatures.Malicious, Findings: []signatures.Finding{{
		Rule: "x", Title: "Steals " + hostile, Verdict: signatures.Malicious,
		Evidence: []signatures.Evidence{{File: "bg.js", Line: 1, Key: "flows"}, {File: "bg.js", Line: 9, Key: "flows"}},
	}}}
	ext := &manifests.Extension{Browser: "firefox", User: "ada", ID: "x@example.test", Enabled: true, Manifest: &manifests.Manifest{Name: hostile, Version: "1"}}
	for name, r := range map[string]Report{
		"empty":  {Ruleset: 1},
		"listed": {Subjects: []Subject{{Extension: ext}}},
		"judged": {Ruleset: 3, Engine: "1.2", Subjects: []Subject{{Extension: ext, Result: result, Behavior: &behavior.Report{Flows: []behavior.Flow{flow}}}},
			Problems: []manifests.Problem{{Path: "/home/" + hostile, Reason: "no permission"}}},
	} {
		r.Made = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
		var b bytes.Buffer
		if err := WriteReport(&b, rules, r); err != nil {
			t.Fatal(err)
		}
		page := b.String()
		wellFormed(t, name, page)
		if strings.Contains(page, "<script") || strings.Contains(page, "<link") {
			t.Errorf("%s: the report needs other files", name)
		}
		if name == "judged" && (!strings.Contains(page, "collect.example") || !strings.Contains(page, `href="#extension-1"`)) {
			t.Errorf("the report lacks the flow:\n%s", page)
		}
	}
}
