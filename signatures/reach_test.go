package signatures

import (
	"slices"
	"strings"
	"testing"

	"github.com/extwatch/extwatch/manifests"
	"github.com/google/go-cmp/cmp"
)

func on(reach []Reach, exchange string) Reach {
	for _, r := range reach {
		if r.Exchange == exchange {
			return r
		}
	}
	return Reach{}
}

func TestReach(t *testing.T) {
	t.Parallel()
	rs := ruleset(t, "")
	every := len(rs.catalog.exchanges)
	for _, tt := range []struct {
		name     string
		change   func(*manifests.Extension, *manifests.Manifest)
		count    int
		exchange string
		caps     string
		because  string
	}{
		{"nothing", nil, 0, "binance", "", ""},
		{"ad blocker", func(_ *manifests.Extension, m *manifests.Manifest) {
			m.ManifestVersion, m.Permissions, m.Hosts = 2, []string{"webRequest", "webRequestBlocking", "storage"}, []string{"<all_urls>"}
		}, every, "kraken", "session.read api_keys.page withdrawal.page page.change page.read request.change request.read",
			"permissions: webRequest; permissions: webRequestBlocking; host_permissions: <all_urls>"},
		{"cookie thief", func(_ *manifests.Extension, m *manifests.Manifest) {
			m.Permissions, m.Hosts = []string{"cookies"}, []string{"*://*.binance.com/*"}
		}, 1, "binance", "session.read page.read", "permissions: cookies; host_permissions: *://*.binance.com/*"},
		{"the host spelled with an escape", func(_ *manifests.Extension, m *manifests.Manifest) {
			m.Permissions, m.Hosts = []string{"cookies"}, []string{"https://*.bin%61nce.com/*"}
		}, 1, "binance", "session.read page.read", "permissions: cookies; host_permissions: https://*.bin%61nce.com/*"},
		{"the host spelled in full-width letters", func(_ *manifests.Extension, m *manifests.Manifest) {
			m.Permissions, m.Hosts = []string{"cookies"}, []string{"https://*.ｏkx.com/*"}
		}, 1, "okx", "session.read page.read", "permissions: cookies; host_permissions: https://*.ｏkx.com/*"},
		{"cookies without hosts", func(_ *manifests.Extension, m *manifests.Manifest) { m.Permissions = []string{"cookies"} }, 0, "binance", "", ""},
		{"cookies, content script only", func(_ *manifests.Extension, m *manifests.Manifest) {
			m.Permissions = []string{"cookies"}
			m.ContentScripts = []manifests.ContentScript{{Matches: []string{"https://www.binance.com/en/trade/*"}}}
		}, 1, "binance", "page.change page.read", "content_scripts: https://www.binance.com/en/trade/*"},
		{"API-key page", func(_ *manifests.Extension, m *manifests.Manifest) {
			m.ContentScripts = []manifests.ContentScript{{Matches: []string{"https://www.mexc.com/user/openapi*"}}}
		}, 1, "mexc", "api_keys.page page.change page.read", "content_scripts: https://www.mexc.com/user/openapi*"},
		{"public suffix", func(_ *manifests.Extension, m *manifests.Manifest) {
			m.Permissions, m.Hosts = []string{"cookies"}, []string{"*://*.com/*"}
		}, -1, "binance", "session.read page.read", "permissions: cookies; host_permissions: *://*.com/*"},
		{"another host that ends alike", func(_ *manifests.Extension, m *manifests.Manifest) {
			m.Permissions, m.Hosts = []string{"cookies"}, []string{"*://*.notbinance.com/*", "https://binance.com.example/*", "ftp://binance.com/*"}
		}, 0, "binance", "", ""},
		{"granted less than declared", func(e *manifests.Extension, m *manifests.Manifest) {
			m.Permissions, m.Hosts = []string{"cookies"}, []string{"<all_urls>"}
			e.Granted = &manifests.Access{APIs: []string{"cookies"}, Hosts: []string{"https://www.okx.com/*"}}
		}, every, "okx", "session.read page.read", "permissions: cookies; host_permissions: <all_urls>"},
		{"an empty record of grants", func(e *manifests.Extension, m *manifests.Manifest) {
			m.Permissions, m.Hosts = []string{"cookies"}, []string{"https://*.okx.com/*"}
			m.ContentScripts = []manifests.ContentScript{{Matches: []string{"https://www.okx.com/account/my-api*"}}}
			e.Granted = &manifests.Access{}
		}, 1, "okx", "session.read api_keys.page page.change page.read",
			"permissions: cookies; host_permissions: https://*.okx.com/*; content_scripts: https://www.okx.com/account/my-api*"},
		{"granted what the manifest does not ask for", func(e *manifests.Extension, _ *manifests.Manifest) {
			e.Granted = &manifests.Access{APIs: []string{"cookies"}, Hosts: []string{"<all_urls>"}}
		}, 0, "okx", "", ""},
		{"granted one site of the optional ones", func(e *manifests.Extension, m *manifests.Manifest) {
			m.Permissions, m.OptionalHosts = []string{"cookies"}, []string{"*://*/*"}
			e.Granted = &manifests.Access{Hosts: []string{"https://www.okx.com/*"}}
		}, 1, "okx", "session.read page.read", "permissions: cookies; granted: https://www.okx.com/*"},
		{"granted later", func(e *manifests.Extension, m *manifests.Manifest) {
			m.OptionalPermissions, m.OptionalHosts = []string{"cookies"}, []string{"<all_urls>"}
			e.Granted = &manifests.Access{APIs: []string{"cookies"}, Hosts: []string{"<all_urls>"}}
		}, every, "okx", "session.read page.read", "granted: cookies; granted: <all_urls>"},
		{"optional, not granted", func(_ *manifests.Extension, m *manifests.Manifest) {
			m.OptionalPermissions, m.OptionalHosts = []string{"cookies"}, []string{"<all_urls>"}
		}, 0, "okx", "", ""},
		{"content script granted as scriptable host", func(e *manifests.Extension, m *manifests.Manifest) {
			m.Permissions = []string{"cookies"}
			m.ContentScripts = []manifests.ContentScript{{Matches: []string{"https://*.okx.com/*"}}}
			e.Granted = &manifests.Access{APIs: []string{"cookies"}, Hosts: []string{"https://*.okx.com/*"}}
		}, 1, "okx", "api_keys.page withdrawal.page page.change page.read", "content_scripts: https://*.okx.com/*"},
		{"withheld", func(e *manifests.Extension, m *manifests.Manifest) {
			m.Permissions, m.Hosts = []string{"cookies"}, []string{"https://*.okx.com/*"}
			e.Withheld, e.Granted = true, &manifests.Access{APIs: []string{"cookies"}}
		}, 1, "okx", "session.read page.read", "permissions: cookies; on click: host_permissions: https://*.okx.com/*"},
		{"withheld but for one site", func(e *manifests.Extension, m *manifests.Manifest) {
			m.Permissions, m.Hosts = []string{"cookies"}, []string{"<all_urls>"}
			e.Withheld, e.Granted = true, &manifests.Access{APIs: []string{"cookies"}, Hosts: []string{"https://www.okx.com/*"}}
		}, every, "okx", "session.read page.read", "permissions: cookies; on click: host_permissions: <all_urls>; granted: https://www.okx.com/*"},
		{"debugger", func(_ *manifests.Extension, m *manifests.Manifest) { m.Permissions = []string{"debugger"} }, every, "bybit",
			"session.read api_keys.page withdrawal.page page.change page.read request.change request.read screen.read", "permissions: debugger"},
		{"proxy", func(_ *manifests.Extension, m *manifests.Manifest) { m.Permissions = []string{"proxy"} }, every, "bybit", "traffic.proxy", "permissions: proxy"},
		{"clipboard alone", func(_ *manifests.Extension, m *manifests.Manifest) {
			m.Permissions = []string{"clipboardRead", "desktopCapture", "history"}
		}, 0, "bybit", "", ""},
	} {
		got := rs.Judge(Input{Extension: extension(tt.change)})
		r := on(got.Reach, tt.exchange)
		if tt.count >= 0 && len(got.Reach) != tt.count {
			t.Errorf("%s: reaches %d exchanges, want %d", tt.name, len(got.Reach), tt.count)
		}
		if d := cmp.Diff(tt.caps, strings.Join(r.Capabilities, " ")); d != "" {
			t.Errorf("%s: capabilities: %s", tt.name, d)
		}
		if d := cmp.Diff(tt.because, strings.Join(r.Because, "; ")); d != "" {
			t.Errorf("%s: because: %s", tt.name, d)
		}
		want := Clean
		if tt.count != 0 {
			want = Capable
		}
		if got.Verdict != want {
			t.Errorf("%s: %s", tt.name, got.Verdict)
		}
	}
}

func TestTargets(t *testing.T) {
	t.Parallel()
	rs := ruleset(t, "")
	for pattern, want := range map[string]string{
		"<all_urls>":                              "||",
		"*://*.com/*":                             "||",
		"https://*.binance.com/*":                 "binance||",
		"https://accounts.binance.com/*":          "binance||",
		"https://www.mexc.com/user/openapi*":      "mexc||mexc",
		"https://www.mexc.com/*":                  "mexc||",
		"https://www.okx.com/*/account/my-api*":   "okx||okx",
		"https://mail.google.com/*":               "|mail.google.com|",
		"https://*.google.com/*":                  "|mail.google.com|",
		"https://binance.evil.example/*":          "||",
		"https://www.binance.com:8443/*":          "binance||",
		"not a pattern":                           "||",
		"https://" + strings.Repeat("a.", 200000): "||",
	} {
		s := rs.newSubject(Input{Extension: extension(func(_ *manifests.Extension, m *manifests.Manifest) { m.Hosts = []string{pattern} })})
		a := s.access()
		got := strings.Join(a.targets(), ",") + "|" + strings.Join(a.targetsMail(), ",") + "|" + strings.Join(a.targetsAPIKeys(), ",")
		if got != want {
			t.Errorf("%s: got %q, want %q", clip(pattern, 60), got, want)
		}
	}
}

func TestMailAndGained(t *testing.T) {
	t.Parallel()
	rs := ruleset(t, "")
	now := extension(func(_ *manifests.Extension, m *manifests.Manifest) {
		m.Permissions, m.Hosts = []string{"storage", "cookies"}, []string{"https://*.binance.com/*", "https://mail.google.com/*"}
	})
	before := extension(func(_ *manifests.Extension, m *manifests.Manifest) {
		m.Permissions, m.Hosts = []string{"storage"}, []string{"https://*.binance.com/*"}
	})
	s := rs.newSubject(Input{Extension: now, Previous: before})
	if d := cmp.Diff([]string{"mail.google.com"}, s.access().mail()); d != "" {
		t.Error(d)
	}
	want := []string{"permissions: cookies", "host_permissions: https://mail.google.com/*", "reach: binance:session.read"}
	if d := cmp.Diff(want, s.gained()); d != "" {
		t.Error(d)
	}
	if got := rs.newSubject(Input{Extension: now}).gained(); got != nil {
		t.Errorf("gained without an earlier version: %q", got)
	}
}

// TestReachIsBounded judges a manifest with more hosts than any browser would take.
func TestReachIsBounded(t *testing.T) {
	t.Parallel()
	rs := ruleset(t, "")
	e := extension(func(_ *manifests.Extension, m *manifests.Manifest) {
		for i := range 60_000 {
			m.Hosts = append(m.Hosts, "https://"+strings.Repeat("x", i%50)+".example/*")
		}
		m.Hosts = append(m.Hosts[:100:100], append(slices.Repeat([]string{"https://www.okx.com/a*"}, 5000), m.Hosts...)...)
	})
	if r := rs.Judge(Input{Extension: e}).Reach; len(r) != 1 || len(r[0].Because) > 8 {
		t.Errorf("%+v", r)
	}
}

func BenchmarkJudge(b *testing.B) {
	rs, err := Builtin()
	if err != nil {
		b.Fatal(err)
	}
	e := extension(func(_ *manifests.Extension, m *manifests.Manifest) {
		m.Permissions, m.Hosts = []string{"cookies", "webRequest", "scripting", "tabs"}, []string{"<all_urls>"}
		m.ContentScripts = []manifests.ContentScript{{Matches: []string{"http://*/*", "https://*/*"}}}
	})
	for b.Loop() {
		rs.Judge(Input{Extension: e})
	}
}
