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
		"Phantom Wallet": "Phantom", "Phantom: Solana, Ethereum & Bitcoin wallet": "Phantom",
		"Trust Wallet Web3": "Trust Wallet", "Leap Crypto Wallet": "Leap Wallet", "Ronin Wallet": "Ronin Wallet",
		"Ledger Live": "Ledger", "Coinbase Wallet extension": "Coinbase Wallet",
		// written to deceive
		"MеtaMask": "MetaMask", "M3taMask": "MetaMask", "Meta\u200bMask": "MetaMask", "Trust WaIlet": "Trust Wallet",
		"0KX Wallet": "OKX Wallet", "MetаMasks helper": "MetaMask", "𝗣𝗵𝗮𝗻𝘁𝗼𝗺": "Phantom", "\u202etelaW tsurT": "Trust Wallet",
		"\u202etellaW tsurT": "Trust Wallet", "Gas for MеtaMask": "MetaMask",
		// glued, spaced, misspelt
		"MyMetaMask": "MetaMask", "MetaMaskPro": "MetaMask", "MetaMaskWallet2": "MetaMask", "NewMetaMask Extension": "MetaMask",
		"MetaMaskk": "MetaMask", "Metmask": "MetaMask", "MetaMas": "MetaMask", "Metamusk Wallet": "MetaMask", "TronLinkk Pro": "TronLink",
		"PhantomWallet": "Phantom", "MyTrustWallet": "Trust Wallet", "Solflarewallet": "Solflare",
		"M e t a M a s k": "MetaMask", "M e t a Mask wallet": "MetaMask", "M-E-T-A-M-A-S-K": "MetaMask",
		"evil\u202eksaMateM": "MetaMask", "Meta\u202eksaM": "MetaMask", "M\u202esaMate\u202ck": "MetaMask", "superMеtaMask": "MetaMask",
		// honest
		"MetaMaskHelper": "", "Metmask gas helper": "", "Gas for Metmask": "", "MetaMaskDevTools": "", "MetaTask": "", "Metamark": "",
		"KeepKeys": "", "SimToken": "", "IronLink": "", "eWallet": "", "MWallet": "", "SeiWallet": "", "GateKeeper": "", "DateWallet": "",
		"Knowledge Base App": "", "One Key password": "", "Metadata Mask": "", "A B C D E F": "", "C O R E": "", "Talismanic": "",
		"Web Core": "", "Core": "", "Ledger": "", "Zeal": "", "Nightly": "", "Backpack": "", "Talisman": "", "Exodus": "", "Phantom": "",
		"Ronin": "", "Taho": "", "Surf": "", "UniversalProfile": "", "\u202eeroC": "Core",
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

// TestEverydayBrands: a word of the language is a wallet's name only beside talk of what wallets are for.
func TestEverydayBrands(t *testing.T) {
	t.Parallel()
	rs := ruleset(t, "")
	for _, tt := range []struct{ name, description, host, want string }{
		{"Exodus", "", "<all_urls>", ""},
		{"Exodus", "Store and swap your crypto.", "", `the name "Exodus" is that of Exodus Web3 Wallet, the ID ` + caseID + " is not"},
		{"Phantom", "Your Solana and NFT home", "", `the name "Phantom" is that of Phantom, the ID ` + caseID + " is not"},
		{"Phantom", "Solana, Ethereum and more", "<all_urls>", `the name "Phantom" is that of Phantom, the ID ` + caseID + " is not"},
		{"Phantom", "Solana, Ethereum and more", "", ""},
		{"Ledger", "Seed phrase safe for DeFi", "", `the name "Ledger" is that of Ledger; no official extension of Ledger is known`},
		{"Ledger", "Keeps the accounts of your club", "<all_urls>", ""},
		{"Ledger Live", "", "", `the name "Ledger Live" is that of Ledger; no official extension of Ledger is known`},
		{"Core", "Криптокошелёк", "", `the name "Core" is that of Core, the ID ` + caseID + " is not"},
		{"Metarnask", "", "", `the name "Metarnask" looks like "MetaMask"`},
	} {
		e := extension(func(_ *manifests.Extension, m *manifests.Manifest) {
			m.Name, m.Description = tt.name, tt.description
			if tt.host != "" {
				m.ContentScripts = []manifests.ContentScript{{Matches: []string{tt.host}}}
			}
		})
		got := ""
		if f := rs.newSubject(Input{Extension: e}).imitatesFacts(); len(f) > 0 {
			got = f[0].evidence.Text
		}
		if got != tt.want {
			t.Errorf("%s, %s: got %q, want %q", tt.name, tt.description, got, tt.want)
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
		{"claims the ID of the add-on, unsigned", func(e *manifests.Extension, _ *manifests.Manifest) {
			e.ID, e.Browser, e.Origin, e.FromStore = "webextension@metamask.io", "firefox", manifests.OriginUnknown, false
		}, true},
		{"claims it, placed by a program", func(e *manifests.Extension, _ *manifests.Manifest) {
			e.ID, e.Browser, e.Origin, e.FromStore = "WebExtension@metamask.io", "firefox", manifests.OriginSideloaded, false
		}, true},
		{"the add-on's signed package, installed from a file", func(e *manifests.Extension, _ *manifests.Manifest) {
			e.ID, e.Browser, e.Origin, e.FromStore, e.Signed = "webextension@metamask.io", "firefox", manifests.OriginUnknown, false, true
		}, false},
		{"the store's add-on", func(e *manifests.Extension, _ *manifests.Manifest) {
			e.ID, e.Browser = "webextension@metamask.io", "firefox"
		}, false},
		{"the add-on by policy", func(e *manifests.Extension, _ *manifests.Manifest) {
			e.ID, e.Browser, e.Origin, e.FromStore = "webextension@metamask.io", "firefox", manifests.OriginPolicy, false
		}, false},
		{"the add-on, just arrived", func(e *manifests.Extension, _ *manifests.Manifest) {
			e.ID, e.Browser, e.Origin, e.FromStore, e.Pending = "webextension@metamask.io", "firefox", manifests.OriginUnknown, false, true
		}, false},
		{"its package given for inspection", func(e *manifests.Extension, _ *manifests.Manifest) {
			e.ID, e.Browser, e.Origin, e.FromStore = "webextension@metamask.io", "", manifests.OriginUnknown, false
		}, false},
		{"just arrived in Opera", func(e *manifests.Extension, m *manifests.Manifest) {
			m.Name, e.Browser, e.Origin, e.Pending = "MetaMask", "opera", manifests.OriginUnknown, true
		}, false},
		{"just arrived, spoofed", func(e *manifests.Extension, m *manifests.Manifest) {
			m.Name, e.Browser, e.Origin, e.Pending = "Metarnask", "opera", manifests.OriginUnknown, true
		}, true},
		{"Edge's store, not recorded as such", func(e *manifests.Extension, m *manifests.Manifest) {
			m.Name, m.UpdateURL = "Keplr", "https://edge.microsoft.com/extensionwebstorebase/v1/crx"
			e.Browser, e.Origin = "edge", manifests.OriginUnknown
		}, false},
		{"Google's store, another ID than the known one", func(e *manifests.Extension, m *manifests.Manifest) {
			m.Name, m.UpdateURL, e.Origin = "Keplr", "https://clients2.google.com/service/update2/crx", manifests.OriginUnknown
		}, true},
		{"its own server", func(e *manifests.Extension, m *manifests.Manifest) {
			m.Name, m.UpdateURL = "Keplr", "https://updates.example/u.xml"
			e.Browser, e.Origin = "edge", manifests.OriginUnknown
		}, true},
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
		if again := x.reader.skeleton(s); again != s && len(s) < maxNameRunes { // beyond, it is cut again
			t.Errorf("%q: skeleton %q becomes %q", name, s, again)
		}
		x.find(name, true)
	})
}
