package notifier

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/extwatch/extwatch/signatures"
)

// The thefts that a trader meets, told by the built-in rules: three sentences at most, which say what happened, why we
// think so, and what to do first, in every language.
func TestCompose_thefts(t *testing.T) {
	rules, err := signatures.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	finding := func(name string) signatures.Finding {
		list := rules.Rules()
		i := slices.IndexFunc(list, func(r signatures.Rule) bool { return r.Name == name })
		if i < 0 {
			t.Fatalf("there is no rule %s", name)
		}
		r := list[i]
		return signatures.Finding{Rule: r.Name, Title: r.Title, Level: r.Level, Verdict: r.Verdict, Campaign: r.Campaign, Response: r.Response}
	}
	session := []signatures.Reach{{Exchange: "binance", Title: "Binance", Capabilities: []string{"session.read", "page.read"}}}
	page := []signatures.Reach{{Exchange: "mexc", Title: "MEXC", Capabilities: []string{"page.read", "page.change", "api_keys.page"}}}
	all := []signatures.Reach{
		{Title: "Binance", Capabilities: []string{"page.change"}}, {Title: "OKX", Capabilities: []string{"page.change"}}, {Title: "Kraken", Capabilities: []string{"page.change"}},
	}
	for _, test := range []struct {
		name, called string
		rules        []string
		verdict      signatures.Verdict
		sends, party string
		reach        []signatures.Reach
	}{
		{"cookie thief", "Aggr", []string{"exchange-session-theft"}, signatures.Malicious, "cookies", "stranger", session},
		{"API-key maker", "API Helper", []string{"api-key-page-script"}, signatures.Suspicious, "", "", page},
		{"API-key thief", "API Helper", []string{"api-key-theft"}, signatures.Malicious, "page_text", "dropbox", page},
		{"address swapper", "Sheets", []string{"address-swap"}, signatures.Malicious, "", "", all},
		{"seed stealer", "Wallet Restore", []string{"seed-phrase-theft"}, signatures.Suspicious, "seed_input", "stranger", nil},
		{"sideloaded wallet imitation", "MetaMask", []string{"wallet-imitation", "sideloaded-exchange-access"}, signatures.Suspicious, "", "", nil},
		{"wallet imitation with reach", "MetaMask", []string{"wallet-imitation", "sideloaded-exchange-access"}, signatures.Suspicious, "", "", all},
		{"hijacked update", "Price Ticker", []string{"gained-theft"}, signatures.Suspicious, "cookies", "stranger", session},
		{"hijacked update, before it sends", "Price Ticker", []string{"gained-exchange-access"}, signatures.Suspicious, "", "", session},
		{"known campaign", "MEXC API Automator", []string{"mexc-api-automator-2025"}, signatures.Malicious, "", "", page},
		{"unreadable", "Broken", nil, signatures.Unreadable, "", "", session},
	} {
		w := Warning{ID: "a", Name: test.called, Browser: "Google Chrome", Profile: "Trading", Installed: now.Add(-20 * time.Second), Verdict: test.verdict, Sends: test.sends, Party: test.party, Reach: test.reach}
		for _, r := range test.rules {
			w.Findings = append(w.Findings, finding(r))
		}
		for _, lang := range Languages() {
			got := Compose([]Warning{w}, now, lang)
			t.Logf("%s\n  %s\n  %s", test.name, got.Title, got.Body)
			if n := sentences(got.Body); n < 2 || n > 3 {
				t.Errorf("%s in %s: %d sentences: %s", test.name, lang, n, got.Body)
			}
			if n := utf8.RuneCountInString(got.Body); n > 420 {
				t.Errorf("%s in %s: %d characters: %s", test.name, lang, n, got.Body)
			}
			if first := language(lang).say("first", "step", ""); !strings.Contains(got.Body, strings.TrimSpace(first)) {
				t.Errorf("%s in %s: does not say what to do first: %s", test.name, lang, got.Body)
			}
		}
	}
}

func sentences(s string) int {
	s = strings.ReplaceAll(s+" ", "。", ". ")
	return strings.Count(s, ". ")
}
