package notifier

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/extwatch/extwatch/signatures"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// helper is the extension that most tests warn of.
func helper() Warning {
	return Warning{
		Key: "k1", ID: "aaaabbbbccccddddeeeeffffgggghhhh", Name: "Aggr Helper", Version: "1.2", Browser: "Chrome", Profile: "Work",
		User: "ada", Installed: now.Add(-20 * time.Second), Verdict: signatures.Malicious, Sends: "cookies", Party: "stranger",
		Reach: []signatures.Reach{{Exchange: "binance", Title: "Binance", Capabilities: []string{"session.read", "page.read"}}},
		Findings: []signatures.Finding{{Rule: "exchange-session-theft", Title: "Sends your login at an exchange to a stranger",
			Verdict: signatures.Malicious, Response: signatures.Response{User: []string{"Freeze the account in the exchange's own app on your phone, now."}}}},
	}
}

func TestCompose(t *testing.T) {
	with := func(change func(*Warning)) []Warning {
		w := helper()
		change(&w)
		return []Warning{w}
	}
	many := []Warning{helper(), helper(), helper(), helper()}
	many[1].Name, many[2].Name, many[3].Name = "Bad", "Worse", "Other"
	many[0].Verdict = signatures.Suspicious
	for _, test := range []struct {
		name, lang  string
		list        []Warning
		title, body string
	}{
		{"the example", "en", with(func(*Warning) {}), "Dangerous browser extension: Aggr Helper",
			"“Aggr Helper”, installed 20 seconds ago in Chrome (Work), can read your Binance login and sends your login cookies to a server that is not its maker's. " +
				"First: Freeze the account in the exchange's own app on your phone, now."},
		{"chinese", "zh_CN.UTF-8", with(func(*Warning) {}), "危险的浏览器扩展：Aggr Helper",
			"“Aggr Helper”（20 秒前安装于 Chrome（Work））能够读取您在 Binance 的登录信息，并且把您的登录 Cookie 发送到不属于其开发者的服务器。首先：立即用手机上的交易所官方应用冻结账户。"},
		{"suspicious, no flow", "en", with(func(w *Warning) {
			w.Verdict, w.Sends, w.Profile, w.Installed = signatures.Suspicious, "", "", time.Time{}
			w.Findings[0].Response.User = nil
			w.Reach = append(w.Reach, signatures.Reach{Title: "OKX", Capabilities: []string{"session.read"}}, signatures.Reach{Title: "Kraken"},
				signatures.Reach{Title: "Bybit", Capabilities: []string{"session.read"}})
		}), "Suspicious browser extension: Aggr Helper", "“Aggr Helper” in Chrome can read your logins at Binance, OKX and 1 more. " +
			"We found: Sends your login at an exchange to a stranger. First: Sign out of Binance on all devices from your phone, then turn the extension off."},
		{"chinese title of the rule", "zh", with(func(w *Warning) { w.Sends = "" }), "危险的浏览器扩展：Aggr Helper",
			"“Aggr Helper”（20 秒前安装于 Chrome（Work））能够读取您在 Binance 的登录信息。我们发现：把您在交易所的登录状态发送给陌生人。首先：立即用手机上的交易所官方应用冻结账户。"},
		{"no facts", "fr", []Warning{{ID: "abc", Verdict: signatures.Malicious}}, "Dangerous browser extension: abc",
			"“abc” in your browser is known to rob people. First: Turn the extension off on your browser's extensions page."},
		{"unreadable", "", with(func(w *Warning) { w.Verdict, w.Findings, w.Reach, w.Sends = signatures.Unreadable, nil, nil, "" }),
			"A browser extension could not be checked: Aggr Helper",
			"“Aggr Helper” in Chrome (Work) could not be read, so nobody knows what it does. First: Turn the extension off on your browser's extensions page."},
		{"a wallet", "en", with(func(w *Warning) { w.Sends, w.Findings, w.Reach = "seed_input", nil, nil }), "Dangerous browser extension: Aggr Helper",
			"“Aggr Helper”, installed 20 seconds ago in Chrome (Work), sends seed phrases or private keys to a server that is not its maker's. " +
				"First: Move the coins of wallets used in this browser to a new wallet, made on another device."},
		{"several", "en", many, "4 browser extensions need your attention",
			"Bad, Worse, Other and 1 more. The worst: “Bad”, installed 20 seconds ago in Chrome (Work), can read your Binance login and sends your login cookies to a server that is not its maker's. " +
				"First: Freeze the account in the exchange's own app on your phone, now."},
		{"a name that lies", "en", with(func(w *Warning) {
			w.Name = "Safe”. {facts} <b>Ignore\u202e\u200b\n this</b>"
		}), "Dangerous browser extension: Safe'. {facts} <b>Ignore<U+202E><U+200B><U+000A> this</b>",
			"“Safe'. {facts} <b>Ignore<U+202E><U+200B><U+000A> this</b>”, installed 20 seconds ago in Chrome (Work), can read your Binance login and sends your login cookies to a server that is not its maker's. " +
				"First: Freeze the account in the exchange's own app on your phone, now."},
	} {
		got := Compose(test.list, now, test.lang)
		if diff := cmp.Diff([]string{test.title, test.body}, []string{got.Title, got.Body}); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", test.name, diff)
		}
		if single := len(test.list) == 1; single != (got.Block != "") || single != (got.Trust != "") || got.WhatNow == "" {
			t.Errorf("%s: buttons %+v", test.name, got)
		}
	}
	if got := Compose(nil, now); got != (Text{}) {
		t.Errorf("nothing: %+v", got)
	}
}

func TestAgo(t *testing.T) {
	c := language("en")
	for d, want := range map[time.Duration]string{
		-time.Hour: "just now", time.Second: "just now", 2 * time.Second: "2 seconds ago", 61 * time.Second: "1 minute ago",
		119 * time.Minute: "1 hour ago", 47 * time.Hour: "1 day ago", 72 * time.Hour: "3 days ago",
	} {
		if got := c.ago(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestMatch(t *testing.T) {
	for wish, want := range map[string]string{
		"": "", "C": "", "POSIX": "", "auto": "", "en_GB.UTF-8": "en", "zh_CN.GB18030": "zh-CN", "zh-Hans-SG": "zh-CN", "zh": "zh-CN",
		"zh_TW.UTF-8": "", "zh-Hant": "", "ZH-cn@pinyin": "zh-CN", "de_DE@euro": "", "../en": "",
	} {
		if got := match(wish); got != want {
			t.Errorf("%q: %q, want %q", wish, got, want)
		}
	}
	if got := language("de", "zh").Tag; got != "zh-CN" {
		t.Errorf("the second wish: %q", got)
	}
}

// All languages have all messages, with the same placeholders; titles are of rules that exist.
func TestLanguages(t *testing.T) {
	placeholder := regexp.MustCompile(`\{[a-z_]+\}`)
	base, err := readCatalogue(fallback)
	if err != nil {
		t.Fatal(err)
	}
	if len(Languages()) < 2 {
		t.Errorf("languages: %v", Languages())
	}
	for _, tag := range Languages() {
		c, err := readCatalogue(tag)
		if err != nil || c.Tag != tag {
			t.Errorf("%s: tag %q, %v", tag, c.Tag, err)
		}
		for key, text := range base.Messages {
			want, got := placeholder.FindAllString(text, -1), placeholder.FindAllString(c.Messages[key], -1)
			slices.Sort(want)
			slices.Sort(got)
			if c.Messages[key] == "" || !slices.Equal(want, got) {
				t.Errorf("%s: %s is %q; English is %q", tag, key, c.Messages[key], text)
			}
		}
		for key := range c.Messages {
			if base.Messages[key] == "" {
				t.Errorf("%s: %s is no message", tag, key)
			}
		}
		if _, ok := c.words.Say("Remove the extension."); !ok && tag != fallback {
			t.Errorf("%s: has no words for what rules say", tag)
		}
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "  a ": "a", "币安助手": "币安助手", "\xff": "\uFFFD", "שלום": "\u2068שלום\u2069",
		strings.Repeat("x", 70): strings.Repeat("x", 60) + "…",
	} {
		if got := clean(in, maxName); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := escapeMarkup(`<a href="x">&amp;`); got != `&lt;a href="x"&gt;&amp;amp;` {
		t.Error(got)
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"a", "\u202e", "a\u0301\u0301\u0301\u0301\u0301", "שלום", "\xff\xfe", "{name}", "“x”"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := clean(s, maxName)
		if n := utf8.RuneCountInString(got); n > maxName+16 || !utf8.ValidString(got) {
			t.Errorf("%d characters: %q", n, got)
		}
		inner := strings.TrimSuffix(strings.TrimPrefix(got, "\u2068"), "\u2069")
		for _, r := range inner {
			if hidden(r) || r == '“' || r == '”' {
				t.Errorf("%q holds %U", got, r)
			}
		}
	})
}
