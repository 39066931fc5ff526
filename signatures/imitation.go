package signatures

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/agnivade/levenshtein"
	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/indicators"
)

// A phrase is one name of a brand.
type phrase struct {
	owner   *wallet
	compact string // letters and digits without spaces
	stem    string // compact without "wallet" and the like
	// everyday is set for a single word of the language ("core", "phantom"): it counts only when the name says
	// nothing else.
	everyday bool
	single   bool // one word
}

// A phraseIndex finds brands in names.
type phraseIndex struct {
	reader  reader
	exact   map[string]*phrase
	loose   map[string]*phrase
	stems   map[string]*phrase
	phrases []*phrase
}

const (
	minBrand  = 4 // letters; shorter names are part of too many others
	minNear   = 6 // letters from which on one wrong letter still reads as the brand
	minGlued  = 7 // letters from which on a brand is seen inside a longer word ("MyMetaMask")
	minTypo   = 8 // letters from which on a slip of the keyboard is seen; "KeepKeys" and "SimToken" are names of their own
	maxWindow = 5 // words of a brand
)

func newPhraseIndex(owners []wallet) phraseIndex {
	x := phraseIndex{reader: reader{confusables()}, exact: map[string]*phrase{}, loose: map[string]*phrase{}, stems: map[string]*phrase{}}
	for i := range owners {
		for _, name := range append([]string{owners[i].title}, owners[i].aliases...) {
			words := x.reader.words(name)
			p := &phrase{owner: &owners[i]}
			for _, w := range words {
				p.compact += w.text
				if !walletWord(w.text) {
					p.stem += w.text
				}
			}
			if len(p.compact) < minBrand || x.exact[p.compact] != nil || p.stem == "" {
				continue
			}
			p.single = len(words) == 1
			p.everyday = p.single && everyday(p.compact)
			x.exact[p.compact] = p
			x.loose[loosen(p.compact)] = p
			if p.stem != p.compact && len(p.stem) >= minBrand {
				x.stems[p.stem] = p
			}
			x.phrases = append(x.phrases, p)
		}
	}
	return x
}

// find returns the brand that a name imitates, and whether it was written to deceive. crypto says that the extension
// speaks of wallets or coins somewhere; without it a bare everyday word ("Core") is nobody's brand.
func (x *phraseIndex) find(name string, crypto bool) (p *phrase, spoofed bool) {
	words := joinLetters(x.reader.words(name))
	var best *phrase
	from, length := 0, 0
	for i := range words {
		compact, odd := "", false
		for j := i; j < len(words) && j < i+maxWindow; j++ {
			compact += words[j].text
			odd = odd || words[j].spoofed
			if len(compact) < minBrand {
				continue
			}
			exact := x.exact[compact]
			hit, looked := exact, odd
			// A short word is one letter away from too many others: "self" reads like "Seif".
			if hit == nil && len(compact) >= minNear {
				hit, looked = x.loose[loosen(compact)], true
			}
			if hit == nil && odd {
				hit = x.near(compact)
			}
			if hit != nil && looked && (!hit.everyday || x.only(words, i, j)) {
				return hit, true
			}
			if exact != nil && len(exact.compact) > length {
				best, from, length = exact, i, len(exact.compact)
			}
		}
	}
	if best != nil {
		if x.bears(words, best, from, length) && (crypto || !best.everyday) {
			return best, false
		}
		return nil, false
	}
	for i, w := range words {
		if p, spoofed := x.inside(w, crypto); p != nil && (w.spoofed || x.bears(words, p, i, len(w.text))) {
			return p, spoofed
		}
	}
	return x.stem(words)
}

// joinLetters makes one word of letters that stand apart ("M e t a M a s k"): it still reads as the word. A short one
// ("C O R E") is taken for a matter of style.
func joinLetters(words []word) []word {
	var out []word
	for i := 0; i < len(words); {
		j, joined := i, word{}
		for j < len(words) && len(words[j].text) == 1 {
			joined.text += words[j].text
			joined.spoofed = joined.spoofed || words[j].spoofed
			j++
		}
		if j-i >= minBrand {
			joined.spoofed = joined.spoofed || j-i >= minGlued
			out = append(out, joined)
			i = j
			continue
		}
		out = append(out, words[i])
		i++
	}
	return out
}

// inside finds a brand within one word: with words of wallets glued to it ("MetaMaskWallet2"), or misspelt by one
// letter ("Metmask"). A wrong letter makes other words ("MetaTask"), so that one counts only beside talk of coins.
func (x *phraseIndex) inside(w word, crypto bool) (p *phrase, spoofed bool) {
	for _, p := range x.phrases {
		if len(p.compact) < minGlued || p.everyday || len(w.text) > maxGlued {
			continue
		}
		if before, after, ok := strings.Cut(w.text, p.compact); ok && (w.spoofed || gluedWords(before) && gluedWords(after)) {
			return p, w.spoofed
		}
		core := strings.TrimSuffix(p.compact, "wallet")
		if !p.single || len(core) < minTypo || w.text[0] != p.compact[0] {
			continue
		}
		if d := len(p.compact) - len(w.text); (d == 1 || d == -1 || d == 0 && crypto) && levenshtein.ComputeDistance(p.compact, w.text) == 1 {
			return p, true
		}
	}
	return nil, false
}

// maxGlued is the longest word that is looked into; names have at most 75 characters.
const maxGlued = 75

// gluedWords reports whether a text is made of words that wallets add to their brand, and digits.
func gluedWords(s string) bool {
	s = strings.Trim(s, "0123456789")
	if s == "" {
		return true
	}
	for i := 2; i <= len(s); i++ { // single letters would allow anything
		if (walletWord(s[:i]) || fillWord(s[:i])) && gluedWords(s[i:]) {
			return true
		}
	}
	return false
}

// near finds a brand that differs by one letter. It is asked only for words that were written with look-alikes.
func (x *phraseIndex) near(compact string) *phrase {
	if len(compact) < minNear {
		return nil
	}
	for _, p := range x.phrases {
		if d := len(p.compact) - len(compact); len(p.compact) >= minNear && d >= -1 && d <= 1 && levenshtein.ComputeDistance(p.compact, compact) <= 1 {
			return p
		}
	}
	return nil
}

// bears reports whether a name that holds the brand's words from word i on, length bytes of them, presents itself as the
// brand. Honest tools name the brand too: "Gas alerts for MetaMask", "MetaMask helper".
func (x *phraseIndex) bears(words []word, p *phrase, i, length int) bool {
	j, n := i, 0
	for ; j < len(words) && n < length; j++ {
		n += len(words[j].text)
	}
	if i > 0 && linkWord(words[i-1].text) {
		return false
	}
	if p.everyday {
		return x.only(words, i, j-1)
	}
	for k, w := range words {
		if (k < i || k >= j) && toolWord(w.text) {
			return false
		}
	}
	return true
}

// only reports whether all words but i to j are such as wallets add to their names.
func (x *phraseIndex) only(words []word, i, j int) bool {
	for k, w := range words {
		if (k < i || k > j) && !walletWord(w.text) && !fillWord(w.text) {
			return false
		}
	}
	return true
}

// stem finds "Leap Crypto Wallet" for "Leap Wallet": the brand's own word, "wallet", and nothing that says otherwise.
func (x *phraseIndex) stem(words []word) (*phrase, bool) {
	rest, wallet, odd := "", false, false
	for _, w := range words {
		switch {
		case w.text == "wallet":
			wallet = true
		case len(w.text) >= minNear-1 && levenshtein.ComputeDistance(w.text, "wallet") == 1 && w.text != "wallets": // "walet"
			wallet, odd = true, true
		case walletWord(w.text) || fillWord(w.text):
		default:
			rest += w.text
		}
		odd = odd || w.spoofed
	}
	if p := x.stems[rest]; p != nil && wallet {
		return p, odd
	}
	return nil, false
}

func oneOfWords(s, list string) bool { return slices.Contains(strings.Fields(list), s) }

// walletWord reports whether wallets add the word to their brand.
func walletWord(s string) bool {
	return oneOfWords(s, "wallet wallets walet extension ext addon plugin web3 web pro plus official crypto cryptocurrency app apps "+
		"desktop live defi dapp dapps nft nfts blockchain multichain chain chains coin coins token tokens swap secure safe "+
		"bitcoin btc ethereum eth solana sol bnb bsc tron trx ton sui aptos cosmos evm polygon avalanche base bridge new v2 v3")
}

// fillWord reports whether a word says nothing.
func fillWord(s string) bool {
	return oneOfWords(s, "the a an your my our for and or of in on to with by all one best browser chrome edge firefox brave")
}

// linkWord reports whether the word before a brand says that the brand is somebody else.
func linkWord(s string) bool {
	return oneOfWords(s, "for with by to on via from against like vs and or not using into pour para fur für per")
}

// toolWord reports whether the word says that this is a tool beside the brand's own product.
func toolWord(s string) bool {
	return oneOfWords(s, "helper tool tools toolkit toolbox tracker checker notifier switcher exporter importer price prices alert alerts "+
		"auto automation disabler blocker detector guard protector protection scanner monitor connector tester testing test tests dev "+
		"developer debugger devtools snap snaps theme themes companion assistant viewer explorer converter calculator analyzer "+
		"analytics insights simulator simulation firewall phishing antiphishing faucet portfolio gas logger network networks cleaner "+
		"remover fix fixer enhancer revoke news docs injector emulator mock provider unofficial alternative")
}

// everyday reports whether a brand is also a word that other products are named by.
func everyday(s string) bool {
	return oneOfWords(s, "core leap nightly station phantom ronin exodus backpack wallet slush zeal surf glass shell compass frontier "+
		"gate trust base taho talisman martian ledger electrum kraken rainbow safe argent glow petra flint temple keystone nami wigwam onekey")
}

// talksCrypto reports whether the names or the description speak of what wallets are for. The vaguer words count only
// for an extension that may change the pages of exchanges.
func (s *subject) talksCrypto() bool {
	vague := false
	for _, t := range append(s.names(), clip(s.m.Description, maxFactText)) {
		t = fold(t)
		for _, word := range strings.Fields("billetera monedero carteira cüzdan кошелек кошелёк 钱包 錢包 ウォレット 지갑") {
			if strings.Contains(t, word) {
				return true
			}
		}
		for word := range strings.FieldsFuncSeq(t, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			if oneOfWords(word, "wallet wallets crypto cryptocurrency cryptocurrencies web3 defi dapp dapps nft nfts blockchain blockchains") {
				return true
			}
			vague = vague || oneOfWords(word, "coin coins token tokens bitcoin btc ethereum eth solana sol chain swap staking airdrop mnemonic exchange trading")
		}
	}
	return vague && slices.ContainsFunc(s.reach(), func(r Reach) bool { return slices.Contains(r.Capabilities, "page.change") })
}

// imitatesFacts returns what an extension imitates. It asks for an ID that says something: a plain folder that
// somebody wants inspected may be a genuine wallet's source.
func (s *subject) imitatesFacts() []fact {
	ext, c := s.ext, s.rs.catalog
	official := c.official[strings.ToLower(ext.ID)]
	switch {
	case ext.Origin == manifests.OriginBuiltin, s.m.Kind == manifests.KindTheme, s.m.Kind == manifests.KindOther:
		return nil
	case official != nil && !ext.IDFromPath:
		if how := s.falseClaim(); how != "" {
			return []fact{imitation(official, "claims the ID of "+official.title+", but was "+how)}
		}
		return nil
	}
	var out []fact
	seen := map[*wallet]bool{}
	crypto := s.talksCrypto()
	for _, name := range s.names() {
		p, spoofed := c.phrases.find(name, crypto)
		if p == nil || seen[p.owner] || !spoofed && s.mayBeGenuine(p.owner) {
			continue
		}
		if ext.IDFromPath && ext.Origin == manifests.OriginUnknown && !spoofed && p.owner.hasExtension() {
			continue // the wallet's own source, perhaps
		}
		seen[p.owner] = true
		var why string
		switch {
		case spoofed:
			why = fmt.Sprintf("the name %q looks like %q", clip(name, 60), p.owner.title)
		case !p.owner.hasExtension():
			why = fmt.Sprintf("the name %q is that of %s; no official extension of %s is known", clip(name, 60), p.owner.title, p.owner.title)
		default:
			why = fmt.Sprintf("the name %q is that of %s, the ID %s is not", clip(name, 60), p.owner.title, clip(ext.ID, 40))
		}
		out = append(out, imitation(p.owner, why))
	}
	return out
}

// falseClaim says how an extension with a wallet's official ID came, when that shows that it is not the wallet. In
// Chromium an ID is proven by the package's key unless it was loaded from a folder. In Firefox any package may claim
// any ID; only the store's signature proves it.
func (s *subject) falseClaim() string {
	ext := s.ext
	switch {
	case ext.Browser == "":
		return ""
	case ext.Origin == manifests.OriginUnpacked, ext.CommandLine:
		return "loaded from a folder"
	case !indicators.IsGecko(ext.ID), ext.Signed, ext.FromStore, ext.Origin == manifests.OriginStore, ext.Origin == manifests.OriginPolicy:
		return ""
	case ext.Pending && ext.Origin == manifests.OriginUnknown:
		return "" // whether it is signed is known once Firefox has recorded it
	}
	return "not signed by Mozilla's store"
}

func imitation(w *wallet, why string) fact {
	f := newFact("imitates", w.title)
	f.evidence.Text = show(why)
	return f
}

// hasExtension reports whether an official extension of the wallet is known, in whatever store.
func (w *wallet) hasExtension() bool {
	for _, ids := range w.ids {
		if len(ids) > 0 {
			return true
		}
	}
	return false
}

// mayBeGenuine reports whether the extension came from a store in which the wallet's ID is not known to us, or has
// just arrived and the browser has not recorded from where. The same product has another ID in every store, and to
// accuse the genuine one would be worse than to miss a false one, or to tell of it some seconds later.
func (s *subject) mayBeGenuine(w *wallet) bool {
	fromStore := s.ext.Origin == manifests.OriginStore || s.ext.Origin == manifests.OriginPolicy
	if s.ext.Origin == manifests.OriginUnknown {
		if s.ext.Pending {
			return true
		}
		fromStore = storeHost(hostOf(s.updateURL()))
	}
	return fromStore && w.hasExtension() && len(w.ids[s.store()]) == 0
}

// storeHost reports whether extensions are updated from a browser's store at this host.
func storeHost(host string) bool {
	return host == "clients2.google.com" || host == "edge.microsoft.com" || strings.HasSuffix(host, ".opera.com")
}

// store names the store that the extension came from, by its update address and browser.
func (s *subject) store() string {
	host := hostOf(s.updateURL())
	switch {
	case indicators.IsGecko(s.ext.ID):
		return "firefox"
	case host == "edge.microsoft.com", host == "" && s.ext.Browser == "edge":
		return "edge"
	case strings.HasSuffix(host, ".opera.com"), host == "" && s.ext.Browser == "opera":
		return "opera"
	}
	return "chrome"
}
