package manifests

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParsePattern(t *testing.T) {
	tests := []struct {
		in   string
		want string // canonical form; "" when refused
		err  string // a part of the error
	}{
		{in: "<all_urls>", want: "<all_urls>"},
		{in: "*://*/*", want: "*://*/*"},
		{in: "https://*/", want: "https://*/"},
		{in: "https://Example.COM./a?b=*", want: "https://example.com/a?b=*"},
		{in: "*://*.example.com/*", want: "*://*.example.com/*"},
		{in: "wss://example.com/*", want: "wss://example.com/*"},
		{in: "ftp://example.com/*", want: "ftp://example.com/*"},
		{in: "https://example.com:8443/*", want: "https://example.com:8443/*"},
		{in: "https://example.com:*/*", want: "https://example.com/*"},
		{in: "*://example.com:*/*", want: "*://example.com/*"},
		{in: "http://127.0.0.1/*", want: "http://127.0.0.1/*"},
		{in: "http://127.1:80/*", want: "http://127.0.0.1:80/*"},
		{in: "http://0x7f.0.0.010/*", want: "http://127.0.0.8/*"},
		{in: "http://2130706433/*", want: "http://127.0.0.1/*"},
		{in: "http://*.10.0.0.1/*", want: "http://10.0.0.1/*"},
		{in: "http://[::1]/*", want: "http://[::1]/*"},
		{in: "http://[0:0::0:1]:81/*", want: "http://[::1]:81/*"},
		{in: "*://bücher.example/*", want: "*://xn--bcher-kva.example/*"},
		{in: "*://*.BÜCHER.example/*", want: "*://*.xn--bcher-kva.example/*"},
		{in: "*://b%69nance.example/*", want: "*://binance.example/*"},
		{in: "*://under_score.example/*", want: "*://under_score.example/*"},
		{in: "*://example。com/*", want: "*://example.com/*"},
		{in: "http://a b{c}/*", want: "http://a%20b%7Bc%7D/*"},
		{in: "http://a..B/*", want: "http://a..b/*"},
		{in: "http://xn--A/*", want: "http://xn--a/*"},
		{in: "http://example.com:+80/*", want: "http://example.com:80/*"},
		{in: "file:///home/*", want: "file:///home/*"},
		{in: "file://localhost/home/*", want: "file:///home/*"},
		{in: "file://*", want: "file:///*"},
		{in: "file://foo*", want: "file:///foo*"},
		{in: "chrome://favicon/*", want: "chrome://favicon/*"},
		{in: "chrome-extension://*/*", want: "chrome-extension://*/*"},
		{in: "moz-extension://*/*", want: "moz-extension://*/*"},
		{in: "data:text/*", want: "data:text/*"},
		{in: "urn:isbn:*", want: "urn:isbn:*"},

		{in: "", err: "it has no scheme"},
		{in: "example.com/*", err: "it has no scheme"},
		{in: "javascript:*", err: `cannot have the scheme "javascript"`},
		{in: "HTTP://example.com/*", err: "cannot have the scheme"},
		{in: "about:blank", err: "cannot have the scheme"},
		{in: "http:example.com/*", err: "wrong separator"},
		{in: "data://x/*", err: "wrong separator"},
		{in: "http://", err: "nothing follows"},
		{in: "http://example.com", err: "no path"},
		{in: "*://*", err: "no path"},
		{in: "http:///path", err: "its host is empty"},
		{in: "http://*./*", err: "its host is empty"},
		{in: "http://:80/*", err: "its host is empty"},
		{in: "http://*foo/*", err: "* may only stand alone"},
		{in: "http://foo.*/*", err: "* may only stand alone"},
		{in: "http://foo.*.bar/*", err: "* may only stand alone"},
		{in: "http://*.*/*", err: "* may only stand alone"},
		{in: "http://a%/*", err: "its host is not valid"},
		{in: "http://a\x00/*", err: "its host is not valid"},
		{in: "http://1.2.3.999/*", err: "its host is not valid"},
		{in: "http://1.2.3.4.5/*", err: "its host is not valid"},
		{in: "http://[::1/*", err: "its host is not valid"},
		{in: "http://[zz]/*", err: "its host is not valid"},
		{in: "http://[::1]x/*", err: "its host is not valid"},
		{in: "http://" + strings.Repeat("a", 2000) + "/*", err: "its host is not valid"},
		{in: "http://u@example.com/*", err: "its host is not valid"},
		{in: "http://example.com?x/*", err: "its host is not valid"},
		{in: "http://./*", err: "its host is not valid"},
		{in: "http://example.com:/*", err: "its port is not valid"},
		{in: "http://example.com:x/*", err: "its port is not valid"},
		{in: "http://example.com:65536/*", err: "its port is not valid"},
		{in: "http://example.com:-1/*", err: "its port is not valid"},
		{in: "*://example.com:443/*", err: "its port is not valid"},
		{in: "http://x/" + strings.Repeat("*", maxPattern), err: "too long"},
	}
	for _, tt := range tests {
		p, err := ParsePattern(tt.in)
		if tt.want == "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) || !strings.Contains(err.Error(), "is not a match pattern") {
				t.Errorf("%.50q: %q, error %v, want %q", tt.in, p, err, tt.err)
			}
			continue
		}
		if err != nil || p.String() != tt.want {
			t.Errorf("%.50q: %q, error %v, want %q", tt.in, p, err, tt.want)
		}
	}
}

func TestPatternMatchesURL(t *testing.T) {
	tests := []struct {
		pattern string
		yes, no []string
	}{
		{"<all_urls>",
			[]string{"http://a/", "HTTPS://a.b:8/c", "file:///x", "ftp://a/", "wss://a/", "data:text/plain,x"},
			[]string{"chrome://settings/", "about:blank", "javascript:1", "not a URL", "", "http:a", "http://"}},
		{"*://*/*",
			[]string{"http://a/", "https://a", "ws://a/", "https://[::1]/", "https://1.2.3.4/", "https://a?b"},
			[]string{"file:///x", "ftp://a/", "chrome://settings/"}},
		{"https://*.example.com/*",
			[]string{"https://example.com/", "https://a.b.example.com:8443/x?y#z", "https://EXAMPLE.com./", "https://u:p@example.com/", `https:\\example.com\x`},
			[]string{"http://example.com/", "https://badexample.com/", "https://example.com.test/", "https://example.com@test/", "https://com/"}},
		{"https://example.com/a/*",
			[]string{"https://example.com/a/", "https://example.com/a/b", "https://example.com/a"},
			[]string{"https://example.com/", "https://example.com/ab", "https://www.example.com/a/", "https://example.com/a?x"}},
		{"*://example.com/*/b*c?d",
			[]string{"http://example.com/x/bc?d", "http://example.com/x/y/b/b/c?d"},
			[]string{"http://example.com/x/bcd", "http://example.com/bc?d"}},
		{"http://example.com:8080/*", []string{"http://example.com:8080/"}, []string{"http://example.com/", "http://example.com:80800/"}},
		{"http://example.com:80/*", []string{"http://example.com/", "http://example.com:80/"}, []string{"http://example.com:81/"}},
		{"http://*.10.0.0.1/*", []string{"http://10.0.0.1/", "http://0x0a000001/"}, []string{"http://1.10.0.0.1/"}},
		{"http://[::1]/*", []string{"http://[0::1]/", "http://[::1]:80/"}, []string{"http://[::2]/", "http://[::1/"}},
		{"*://*.bücher.example/*", []string{"https://www.xn--bcher-kva.example/", "https://Bücher.example/"}, []string{"https://bucher.example/"}},
		{"file:///home/*", []string{"file:///home/x", "file://host/home/x", "file:///home"}, []string{"file:///etc/x", "http://home/"}},
		{"data:*", []string{"data:,x"}, []string{"urn:x"}},
		{"chrome-extension://*/*", []string{"chrome-extension://abc/x"}, []string{"moz-extension://abc/x"}},
		{"https://example.com/*?", []string{"https://example.com/a?"}, []string{"https://example.com/ab"}},
	}
	for _, tt := range tests {
		p := mustPattern(t, tt.pattern)
		for _, url := range tt.yes {
			if !p.MatchesURL(url) {
				t.Errorf("%s does not match %q", tt.pattern, url)
			}
		}
		for _, url := range tt.no {
			if p.MatchesURL(url) {
				t.Errorf("%s matches %q", tt.pattern, url)
			}
		}
	}
}

func TestPatternMatchesDomain(t *testing.T) {
	tests := []struct {
		pattern, domain string
		want            bool
	}{
		{"<all_urls>", "example.com", true},
		{"*://*/*", "example.com", true},
		{"https://*/secret", "example.com", true},
		{"*://*.com/*", "example.com", true},
		{"*://*.co.uk/*", "example.co.uk", true},
		{"*://*.co.uk/*", "example.com", false},
		{"*://*.example.com/*", "example.com", true},
		{"*://*.example.com/*", "www.example.com", true},
		{"https://www.example.com/*", "example.com", true},
		{"https://www.example.com/*", "Example.COM.", true},
		{"https://www.example.com/*", "api.example.com", false},
		{"https://example.com/*", "www.example.com", false},
		{"https://badexample.com/*", "example.com", false},
		{"https://example.com.test/*", "example.com", false},
		{"wss://stream.example.com/*", "example.com", true},
		{"file:///*", "example.com", false},
		{"ftp://example.com/*", "example.com", false},
		{"chrome://*/*", "example.com", false},
		{"http://10.0.0.1/*", "10.0.0.1", true},
		{"http://10.0.0.1/*", "0.0.1", false},
		{"*://*.bücher.example/*", "bücher.example", true},
		{"*://*/*", "", false},
	}
	for _, tt := range tests {
		if got := mustPattern(t, tt.pattern).MatchesDomain(tt.domain); got != tt.want {
			t.Errorf("%s, %s: %v", tt.pattern, tt.domain, got)
		}
	}
}

func TestPatternBroad(t *testing.T) {
	for pattern, want := range map[string]bool{
		"<all_urls>": true, "*://*/*": true, "https://*/*": true, "http://*:8080/x": true, "wss://*/*": true,
		"*://*.com/*": true, "*://*.co.uk/*": true, "*://*.org/x": true,
		"*://com/*": false, "*://*.example.com/*": false, "*://*.github.io/*": false, "*://*.localhost/*": false,
		"file:///*": false, "chrome://*/*": false, "ftp://*/*": false, "http://10.0.0.1/*": false,
	} {
		if got := mustPattern(t, pattern).Broad(); got != want {
			t.Errorf("%s: %v", pattern, got)
		}
	}
}

func TestPatternContainsAndOverlaps(t *testing.T) {
	const contains, within, overlaps, apart, same = "contains", "within", "overlaps", "apart", "same"
	tests := []struct{ p, relation, q string }{
		{"<all_urls>", contains, "*://*/*"},
		{"<all_urls>", contains, "file:///*"},
		{"<all_urls>", apart, "chrome://*/*"},
		{"<all_urls>", same, "<all_urls>"},
		{"*://*/*", contains, "https://*.example.com/x"},
		{"*://*/*", apart, "file:///*"},
		{"*://*.com/*", contains, "*://*.example.com/*"},
		{"*://*.example.com/*", contains, "*://example.com/*"},
		{"*://*.example.com/*", contains, "https://a.example.com/*"},
		{"*://example.com/*", apart, "*://www.example.com/*"},
		{"https://example.com/*", apart, "http://example.com/*"},
		{"https://*/a*", overlaps, "*://example.com/*b"},
		{"https://example.com:443/*", within, "https://example.com/*"},
		{"https://example.com:443/*", apart, "https://example.com:444/*"},
		{"https://a/*/b", overlaps, "https://a/b/*"},
		{"https://a/x*y*z", contains, "https://a/x*yy*z"},
		{"https://a/x*y", within, "https://a/*x*"},
		{"https://a/x*y", apart, "https://a/*x"},
		{"https://a/x*", apart, "https://a/y*"},
		{"https://a/*x", apart, "https://a/*y"},
		{"https://a/x**", same, "https://a/x*"},
		{"https://a/b/*", contains, "https://a/b"},
		{"https://a/b/*", same, "https://a/b/*"},
		{"https://a/b*", contains, "https://a/b/*"},
		{"https://a/b/**", within, "https://a/b/*"},
		{"https://a/b?", apart, "https://a/bc"},
		{"file:///a*", contains, "file:///ab*"},
		{"data:*", contains, "data:text/*"},
		{"http://*.10.0.0.1/*", same, "http://10.0.0.1/*"},
	}
	for _, tt := range tests {
		p, q := mustPattern(t, tt.p), mustPattern(t, tt.q)
		wantPQ := tt.relation == contains || tt.relation == same
		wantQP := tt.relation == within || tt.relation == same
		wantOverlap := tt.relation != apart
		if p.Contains(q) != wantPQ || q.Contains(p) != wantQP || p.Overlaps(q) != wantOverlap || q.Overlaps(p) != wantOverlap {
			t.Errorf("%s %s %s: contains %v, within %v, overlaps %v %v", tt.p, tt.relation, tt.q,
				p.Contains(q), q.Contains(p), p.Overlaps(q), q.Overlaps(p))
		}
	}
}

func TestZeroPattern(t *testing.T) {
	var zero Pattern
	all := mustPattern(t, allURLs)
	if zero.MatchesURL("http://a/") || zero.MatchesDomain("a") || zero.Broad() || zero.Overlaps(all) || zero.Contains(all) ||
		!all.Contains(zero) || zero.String() != "" {
		t.Error("the zero pattern covers something")
	}
}

func mustPattern(t *testing.T, s string) Pattern {
	t.Helper()
	p, err := ParsePattern(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// drawPattern and drawURL use few letters, so that they often meet.
func drawPattern(t *rapid.T, label string) Pattern {
	scheme := rapid.SampledFrom([]string{"*", "http", "https", "wss"}).Draw(t, label+" scheme")
	host := rapid.SampledFrom([]string{"*", "*.a", "a", "*.b.a", "b.a", "c.b.a", "10.0.0.1"}).Draw(t, label+" host")
	port := rapid.SampledFrom([]string{"", "", ":*", ":80"}).Draw(t, label+" port")
	path := rapid.StringMatching(`[xy/*]{0,6}`).Draw(t, label+" path")
	p, err := ParsePattern(scheme + "://" + host + port + "/" + path)
	if err != nil {
		p, err = ParsePattern(rapid.SampledFrom([]string{allURLs, "file:///*", "file:///x*"}).Draw(t, label+" other"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func drawURL(t *rapid.T) string {
	scheme := rapid.SampledFrom([]string{"http", "https", "wss", "file"}).Draw(t, "scheme")
	host := rapid.SampledFrom([]string{"a", "b.a", "c.b.a", "d.c.b.a", "10.0.0.1", "z"}).Draw(t, "host")
	port := rapid.SampledFrom([]string{"", ":80", ":81"}).Draw(t, "port")
	return scheme + "://" + host + port + "/" + rapid.StringMatching(`[xy/]{0,5}`).Draw(t, "path")
}

func TestPatternProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, q, url := drawPattern(t, "p"), drawPattern(t, "q"), drawURL(t)
		if p.Contains(q) && q.MatchesURL(url) && !p.MatchesURL(url) {
			t.Fatalf("%s contains %s but does not match %s", p, q, url)
		}
		if p.MatchesURL(url) && q.MatchesURL(url) && !p.Overlaps(q) {
			t.Fatalf("%s and %s both match %s but do not overlap", p, q, url)
		}
		if p.Overlaps(q) != q.Overlaps(p) {
			t.Fatalf("overlap of %s and %s depends on the order", p, q)
		}
		if p.Contains(q) && !p.Overlaps(q) {
			t.Fatalf("%s contains %s without overlapping", p, q)
		}
		if !p.Contains(p) || !mustPatternR(t, p.String()).Contains(p) {
			t.Fatalf("%s does not contain itself", p)
		}
	})
}

func mustPatternR(t *rapid.T, s string) Pattern {
	p, err := ParsePattern(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The other direction: all short texts over three letters are tried, one of which no glob names.
func TestGlobRelationsAreExact(t *testing.T) {
	var texts []string
	for level := []string{""}; len(level[0]) < 7; {
		texts = append(texts, level...)
		var next []string
		for _, s := range level {
			next = append(next, s+"x", s+"/", s+"z")
		}
		level = next
	}
	rapid.Check(t, func(t *rapid.T) {
		g := newGlob(rapid.StringMatching(`[x/*]{0,4}`).Draw(t, "g"))
		h := newGlob(rapid.StringMatching(`[x/*]{0,4}`).Draw(t, "h"))
		contains, overlaps := true, false
		for _, s := range texts {
			contains = contains && (!h.matches(s) || g.matches(s))
			overlaps = overlaps || h.matches(s) && g.matches(s)
		}
		if g.contains(h) != contains || g.overlaps(h) != overlaps {
			t.Fatalf("%q, %q: contains %v (want %v), overlaps %v (want %v)",
				g.text, h.text, g.contains(h), contains, g.overlaps(h), overlaps)
		}
	})
}

func TestMatchGlob(t *testing.T) {
	tests := []struct {
		glob, s string
		want    bool
	}{
		{"*", "", true}, {"", "", true}, {"", "a", false}, {"a", "a", true}, {"a", "ab", false},
		{"*example.com/*", "https://example.com/x", true},
		{"*.example.com/foo/*", "https://www.example.com/foo/bar", true},
		{"http://???.example.com/*", "http://www.example.com/", true},
		{"http://???.example.com/*", "http://longer.example.com/", false},
		{"a?c", "abc", true}, {"a?c", "ac", true}, {"a?c", "abbc", false}, {"a?c", "aéc", true},
		{"*a*b*c*", "xxaxxbxxcxx", true}, {"*a*b*c*", "xxcxxbxxaxx", false},
		{"a**b", "ab", true}, {"?*?", "", true}, {"**?**", "abc", true},
		{strings.Repeat("*a", 2000), strings.Repeat("a", 2000), true},
		{strings.Repeat("*", 5000), "a", false},
	}
	for _, tt := range tests {
		if got := MatchGlob(tt.glob, tt.s); got != tt.want {
			t.Errorf("%.40q, %.40q: %v", tt.glob, tt.s, got)
		}
	}
}

func FuzzPattern(f *testing.F) {
	for _, s := range []string{allURLs, "*://*.example.com:80/a*b?", "file://x*", "data:*", "http://[::1]:*/", "*://*.bücher.%65xample/*",
		"http://0x7f.1/*", "http://xn--bcher-kva.example/*"} {
		f.Add(s, "https://www.example.com:81/a?b#c")
	}
	all := Pattern{all: true, schemes: schemesAll, port: anyPort}
	f.Fuzz(func(t *testing.T, s, url string) {
		MatchGlob(s, url)
		p, err := ParsePattern(s)
		if err != nil {
			return
		}
		again, err := ParsePattern(p.String())
		if err != nil {
			t.Fatalf("%q became %q, which is no pattern: %v", s, p, err)
		}
		if !again.Contains(p) || !p.Contains(again) || !p.Overlaps(again) {
			t.Fatalf("%q and its canonical form %q differ", s, p)
		}
		if matched := p.MatchesURL(url); matched != again.MatchesURL(url) || matched && p.schemes&schemesAll != 0 && !all.MatchesURL(url) {
			t.Fatalf("%q and %q disagree on %q", s, p, url)
		}
		p.MatchesDomain(url)
		p.Broad()
	})
}

func BenchmarkPatternMatchesDomain(b *testing.B) {
	p, err := ParsePattern("*://*.example.com/*")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		p.MatchesDomain("www.example.com")
	}
}
