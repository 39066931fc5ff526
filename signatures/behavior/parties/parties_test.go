package parties

import (
	"testing"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/behavior"
)

func TestParty(t *testing.T) {
	p := New(&manifests.Manifest{
		Name:        "Shielder - stops trackers",
		HomepageURL: "https://www.vendor.test/app", Author: "dev@maker.example", UpdateURL: "https://clients2.google.com/service/update2/crx",
		ExternallyConnectable: &manifests.ExternallyConnectable{Matches: []string{"*://*.portal.example/*"}},
	})
	for _, c := range []struct {
		host, from string
		want       behavior.Party
	}{
		{"api.vendor.test", "", behavior.Own},
		{"maker.example", "", behavior.Own},
		{"portal.example", "", behavior.Own},
		{"www.google.com", "", behavior.Stranger},
		{"api.exchange.test", ".exchange.test", behavior.Origin},
		{"api.exchange.test", "https://www.exchange.test/*", behavior.Origin},
		{"api.exchange.test", "*://*.other.test/* *://exchange.test/*", behavior.Origin},
		{"o1.ingest.sentry.io", "", behavior.Analytics},
		{"api.telegram.org", "", behavior.Dropbox},
		{"thing.workers.dev", "", behavior.Dropbox},
		{"*.workers.dev", "", behavior.Dropbox},
		{"203.0.113.7:8080", "", behavior.Dropbox},
		{"[2001:db8::1]", "", behavior.Dropbox},
		{"mainnet.infura.io", "", behavior.RPC},
		{"collect.example", "", behavior.Stranger},
		{"notvendor.test", "", behavior.Stranger},
		{"d.shielder.example", "www.shielder.test", behavior.Own}, // of the maker whose name the extension bears
		{"d.shielder.example", "www.exchange.test", behavior.Stranger},
		{"d.exchange.example", "www.exchange.test", behavior.Stranger},
		{"*", "", behavior.Unknown},
		{"", "", ""},
	} {
		if got := p.Of(c.host, c.from); got != c.want {
			t.Errorf("%s (from %q): %s, want %s", c.host, c.from, got, c.want)
		}
	}
}

func TestHostOf(t *testing.T) {
	for in, want := range map[string]string{
		"https://A.example/x":               "a.example",
		"https://user:pw@a.example:8443/x":  "a.example:8443",
		"wss://a.example:443":               "a.example",
		"//a.example/x":                     "a.example",
		"https://" + Gap + ".example.com/x": "*.example.com",
		"https://" + Gap + "/x":             "*",
		"https://a.example.com" + Gap:       "a.example.com",
		"https://a." + Gap:                  "*",
		Gap + "://a.example/x":              "a.example",
		"/relative":                         "",
		"data:text/plain,x":                 "",
		"chrome-extension://self/x":         "",
		"https://true":                      "",
		"http://localhost:true":             "*",
		"http://false:6800/x":               "*",
		"http://localhost:3000/":            "localhost:3000",
		"https://a.example\\@b.example/":    "a.example",
	} {
		if got, _ := HostOf(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
