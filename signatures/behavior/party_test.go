package behavior

import (
	"testing"

	"github.com/extwatch/extwatch/manifests"
)

func TestParty(t *testing.T) {
	p := newParties(&manifests.Manifest{
		Name:        "Shielder - stops trackers",
		HomepageURL: "https://www.vendor.test/app", Author: "dev@maker.example", UpdateURL: "https://clients2.google.com/service/update2/crx",
		ExternallyConnectable: &manifests.ExternallyConnectable{Matches: []string{"*://*.portal.example/*"}},
	})
	for _, c := range []struct {
		host, from string
		want       Party
	}{
		{"api.vendor.test", "", Own},
		{"maker.example", "", Own},
		{"portal.example", "", Own},
		{"www.google.com", "", Stranger},
		{"api.exchange.test", ".exchange.test", Origin},
		{"api.exchange.test", "https://www.exchange.test/*", Origin},
		{"api.exchange.test", "*://*.other.test/* *://exchange.test/*", Origin},
		{"o1.ingest.sentry.io", "", Analytics},
		{"api.telegram.org", "", Dropbox},
		{"thing.workers.dev", "", Dropbox},
		{"*.workers.dev", "", Dropbox},
		{"203.0.113.7:8080", "", Dropbox},
		{"[2001:db8::1]", "", Dropbox},
		{"mainnet.infura.io", "", RPC},
		{"collect.example", "", Stranger},
		{"notvendor.test", "", Stranger},
		{"d.shielder.example", "www.shielder.test", Own}, // of the maker whose name the extension bears
		{"d.shielder.example", "www.exchange.test", Stranger},
		{"d.exchange.example", "www.exchange.test", Stranger},
		{"*", "", Unknown},
		{"", "", ""},
	} {
		if got := p.of(c.host, c.from); got != c.want {
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
		"https://" + gap + ".example.com/x": "*.example.com",
		"https://" + gap + "/x":             "*",
		"https://a.example.com" + gap:       "a.example.com",
		"https://a." + gap:                  "*",
		gap + "://a.example/x":              "a.example",
		"/relative":                         "",
		"data:text/plain,x":                 "",
		"chrome-extension://self/x":         "",
		"https://true":                      "",
		"http://localhost:true":             "*",
		"http://false:6800/x":               "*",
		"http://localhost:3000/":            "localhost:3000",
		"https://a.example\\@b.example/":    "a.example",
	} {
		if got, _ := hostOf(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestCoinAddress(t *testing.T) {
	for _, c := range []struct {
		in, kind string
		sure     bool
	}{
		{"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "BTC", true},
		{"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "BTC", false},
		{"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "BTC", true},
		{"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "BTC", false},
		{"0x52908400098527886e0f7030069857d2e4169ee7", "ETH", false},
		{"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "ETH", true},
		{"0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "ETH", false},
		{"0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", "ETH", true},
		{"TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "TRON", true},
		{"0x0000000000000000000000000000000000000000", "", false},
		{"0x000000000000000000000000000000000000dEaD", "", false},
		{"0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE", "", false},
		{"0xffffffffffffffffffffffffffffffffffffffff", "", false},
		{"0xdeadbeefdeadbeefdeadbeefdeadbeefdeadbeef", "ETH", false},
		{"0x1111111111111111111111111111111111111111", "ETH", true},
		{"0xAttackerAttackerAttackerAttackerAttacker", "ETH", false},
		{"bc1qcollectorcollectorcollector000000", "BTC", false},
		{"So11111111111111111111111111111111111111112", "", false},
		{"9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM", "SOL", false},
		{"d41d8cd98f00b204e9800998ecf8427e", "", false},
		{"getElementsByClassNameAndTagName", "", false},
		{"aHR0cHM6Ly9jb2xsZWN0LmV4YW1wbGU", "", false},
	} {
		if kind, sure := coinAddress(c.in); kind != c.kind || sure != c.sure {
			t.Errorf("%s: %q %v, want %q %v", c.in, kind, sure, c.kind, c.sure)
		}
	}
}
