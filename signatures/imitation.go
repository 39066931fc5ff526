package signatures

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/extwatch/extwatch/manifests"
)

// A phrase is one name of a brand.
type phrase struct {
	owner   *wallet
	compact string // letters and digits without spaces
	stem    string // compact without "wallet" and the like
	// everyday is set for a single word of the language ("core", "phantom"): it counts only when the name says
	// nothing else.
	everyday bool
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
			p.everyday = len(words) == 1 && everyday(p.compact)
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

// find returns the brand that a name imitates, and how it reads.
func (x *phraseIndex) find(name string) (p *phrase, reads string, spoofed bool) {
	words := x.reader.words(name)
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
				return hit, compact, true
			}
			if exact != nil && len(exact.compact) > length {
				best, from, length = exact, i, len(exact.compact)
			}
		}
	}
	if best == nil {
		return x.stem(words)
	}
	if x.bears(words, best, from) {
		return best, best.compact, false
	}
	return nil, "", false
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

// bears reports whether a name that holds the brand's words from word i on presents itself as the brand. Honest
// tools name the brand too: "Gas alerts for MetaMask", "MetaMask helper".
func (x *phraseIndex) bears(words []word, p *phrase, i int) bool {
	j, n := i, 0
	for ; j < len(words) && n < len(p.compact); j++ {
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
func (x *phraseIndex) stem(words []word) (*phrase, string, bool) {
	rest, wallet, odd := "", false, false
	for _, w := range words {
		switch {
		case w.text == "wallet":
			wallet = true
		case walletWord(w.text) || fillWord(w.text):
		default:
			rest += w.text
		}
		odd = odd || w.spoofed
	}
	if p := x.stems[rest]; p != nil && wallet {
		return p, rest + " wallet", odd
	}
	return nil, "", false
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
		"gate trust base taho talisman martian ledger electrum kraken rainbow safe argent glow petra flint temple keystone nami wigwam")
}

// imitates returns what an extension imitates. It asks for an ID that says something: a plain folder that somebody
// wants inspected may be a genuine wallet's source.
func (s *subject) imitatesFacts() []fact {
	ext, c := s.ext, s.rs.catalog
	official := c.official[strings.ToLower(ext.ID)]
	switch {
	case ext.Origin == manifests.OriginBuiltin, s.m.Kind == manifests.KindTheme, s.m.Kind == manifests.KindOther:
		return nil
	case ext.IDFromPath && ext.Origin == manifests.OriginUnknown:
		return nil
	case official != nil && !ext.IDFromPath:
		if ext.Browser != "" && (ext.Origin == manifests.OriginUnpacked || ext.CommandLine) {
			return []fact{imitation(official, fmt.Sprintf("claims the ID of %s, but was loaded from a folder", official.title))}
		}
		return nil
	}
	var out []fact
	seen := map[*wallet]bool{}
	for _, name := range s.names() {
		p, reads, spoofed := c.phrases.find(name)
		if p == nil || seen[p.owner] || !spoofed && s.mayBeGenuine(p.owner) {
			continue
		}
		seen[p.owner] = true
		why := fmt.Sprintf("the name %q is that of %s, the ID %s is not", clip(name, 60), p.owner.title, clip(ext.ID, 40))
		if spoofed {
			why = fmt.Sprintf("the name %q is written to read as %q, like %s", clip(name, 60), reads, p.owner.title)
		}
		out = append(out, imitation(p.owner, why))
	}
	return out
}

func imitation(w *wallet, why string) fact {
	f := newFact("imitates", w.title)
	f.evidence.Text = show(why)
	return f
}

// mayBeGenuine reports whether the extension came from a store in which the wallet's ID is not known to us. The same
// product has another ID in every store, and to accuse the genuine one would be worse than to miss a false one.
func (s *subject) mayBeGenuine(w *wallet) bool {
	if w.ids == nil || s.ext.Origin != manifests.OriginStore && s.ext.Origin != manifests.OriginPolicy {
		return false
	}
	known := false
	for _, ids := range w.ids {
		known = known || len(ids) > 0
	}
	return known && len(w.ids[s.store()]) == 0
}

// store names the store that the extension came from, by its update address and browser.
func (s *subject) store() string {
	host := hostOf(s.updateURL())
	switch {
	case geckoID().MatchString(s.ext.ID):
		return "firefox"
	case host == "edge.microsoft.com", host == "" && s.ext.Browser == "edge":
		return "edge"
	case strings.HasSuffix(host, ".opera.com"), host == "" && s.ext.Browser == "opera":
		return "opera"
	}
	return "chrome"
}
