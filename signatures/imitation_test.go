package signatures

import (
	"testing"

	"github.com/extwatch/extwatch/manifests"
)

func TestSkeleton(t *testing.T) {
	t.Parallel()
	rd := reader{confusables()}
	for name, want := range map[string]string{
		"MetaMask":                   "metamask",
		"  Meta - Mask™ ":            "meta mask",
		"ΜеtаМаѕk":                   "metamask",
		"Ｍｅｔａ Ｍａｓｋ":                  "meta mask",
		"𝗠𝗲𝘁𝗮𝗠𝗮𝘀𝗸":                   "metamask",
		"M\u200be\u200dt\u00adaMask": "metamask",
		"\u202eksaMateM":             "metamask",
		"\u202eksaM\u202c ateM":      "mask atem",
		"Métàmäsk":                   "metamask",
		"🦊 MetaMask":                 "metamask",
		"":                           "",
		"\u3164\u200b":               "",
		"Кошелёк":                    "koшeлek",
	} {
		got := rd.skeleton(name)
		if name == "Кошелёк" {
			continue // what it reads as does not matter, only that it is no brand
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestImitates(t *testing.T) {
	t.Parallel()
	rs := ruleset(t, "")
	for name, want := range map[string]string{
		// the plain name, with words that wallets use
		"MetaMask": "MetaMask", "METAMASK": "MetaMask", "Meta Mask": "MetaMask", "MetaMask Wallet": "MetaMask",
		"MetaMask - Crypto Wallet": "MetaMask", "Secure MetaMask": "MetaMask", "MetaMask for Chrome": "MetaMask",
		"Phantom": "Phantom", "Phantom Wallet": "Phantom", "Phantom: Solana, Ethereum & Bitcoin wallet": "Phantom",
		"Trust Wallet Web3": "Trust Wallet", "Leap Crypto Wallet": "Leap Wallet", "Ronin": "Ronin Wallet",
		"Ledger Live": "Ledger", "Coinbase Wallet extension": "Coinbase Wallet",
		// written to deceive
		"MеtaMask": "MetaMask", "M3taMask": "MetaMask", "Meta\u200bMask": "MetaMask", "Trust WaIlet": "Trust Wallet",
		"0KX Wallet": "OKX Wallet", "MetаMasks helper": "MetaMask", "𝗣𝗵𝗮𝗻𝘁𝗼𝗺": "Phantom", "\u202etelaW tsurT": "Trust Wallet",
		"\u202etellaW tsurT": "Trust Wallet", "Gas for MеtaMask": "MetaMask",
		// honest
		"Gas alerts for MetaMask": "", "MetaMask helper": "", "Price tracker with TronLink": "", "Connect to Rabby": "",
		"Phantom of the Opera": "", "The Phantom Menace tab": "", "Core Web Vitals": "", "Nightly build notes": "",
		"Backpack list": "", "Station to station": "", "Leap": "", "Leap year": "", "Trust": "", "Base64": "", "Gate": "",
		"Exodus: Gods and Kings": "", "Wallet": "", "My wallet": "", "Web3 Wallet": "", "Ledger of expenses": "",
		"Some extension": "", "Mask": "", "Métro": "", "Кошелёк": "", "Notes for Phantom": "", "Surf Report": "", "Glass": "",
	} {
		e := extension(func(_ *manifests.Extension, m *manifests.Manifest) { m.Name = name })
		got := ""
		if f := rs.newSubject(Input{Extension: e}).imitatesFacts(); len(f) > 0 {
			got = f[0].text
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestImitatesWhom(t *testing.T) {
	t.Parallel()
	rs := ruleset(t, "")
	const metamask = "nkbihfbeogaeaoehlefnkodbefgpgknn"
	for _, tt := range []struct {
		name   string
		change func(*manifests.Extension, *manifests.Manifest)
		want   bool
	}{
		{"official", func(e *manifests.Extension, m *manifests.Manifest) { e.ID, m.Name = metamask, "MetaMask" }, false},
		{"official, sideloaded", func(e *manifests.Extension, m *manifests.Manifest) {
			e.ID, m.Name, e.Origin = metamask, "MetaMask", manifests.OriginSideloaded
		}, false},
		{"claims the official ID", func(e *manifests.Extension, _ *manifests.Manifest) {
			e.ID, e.Origin = metamask, manifests.OriginUnpacked
		}, true},
		{"claims it on the command line", func(e *manifests.Extension, _ *manifests.Manifest) { e.ID, e.CommandLine = metamask, true }, true},
		{"folder for inspection", func(e *manifests.Extension, m *manifests.Manifest) {
			m.Name, e.Browser, e.Origin, e.IDFromPath = "MetaMask", "", manifests.OriginUnknown, true
		}, false},
		{"unpacked in a browser", func(e *manifests.Extension, m *manifests.Manifest) {
			m.Name, e.Origin, e.IDFromPath = "MetaMask", manifests.OriginUnpacked, true
		}, true},
		{"built in", func(e *manifests.Extension, m *manifests.Manifest) {
			m.Name, e.Origin = "MetaMask", manifests.OriginBuiltin
		}, false},
		{"theme", func(_ *manifests.Extension, m *manifests.Manifest) { m.Name, m.Kind = "MetaMask", manifests.KindTheme }, false},
		{"one locale", func(e *manifests.Extension, _ *manifests.Manifest) { e.Names = []string{"Calculator", "MetaMask"} }, true},
		{"store whose ID is unknown", func(e *manifests.Extension, m *manifests.Manifest) { m.Name, e.ID = "Keplr", "keplr@x.example" }, false},
		{"the same, spoofed", func(e *manifests.Extension, m *manifests.Manifest) { m.Name, e.ID = "Kерlr", "keplr@x.example" }, true},
	} {
		got := rs.newSubject(Input{Extension: extension(tt.change)}).imitatesFacts()
		if (len(got) > 0) != tt.want {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

func FuzzSkeleton(f *testing.F) {
	f.Add("MеtaMask \u202eabc\u202c")
	f.Add("\xff\u200d𝗠")
	f.Fuzz(func(t *testing.T, name string) {
		x := newPhraseIndex([]wallet{{title: "MetaMask"}, {title: "Trust Wallet"}})
		s := x.reader.skeleton(name)
		if again := x.reader.skeleton(s); again != s {
			t.Errorf("%q: skeleton %q becomes %q", name, s, again)
		}
		x.find(name)
	})
}
