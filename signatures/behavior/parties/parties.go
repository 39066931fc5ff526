// Package parties tells whose host a host is: the extension's own, the one that data came from, a well-known service's, a
// place that anyone can open, a stranger's.
package parties

import (
	"net/netip"
	"net/url"
	"strings"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/behavior"
	"golang.org/x/net/publicsuffix"
)

// Gap stands in a constant text for a part that is not known: "https://\x00.example/".
const Gap = "\x00"

// Table tells whose host a host is, for one extension.
type Table struct {
	own  map[string]bool // registrable domains
	name string          // of the extension, in lower case
}

// New returns the table of an extension. Without a manifest no host is its own.
func New(m *manifests.Manifest) *Table {
	if m == nil {
		m = &manifests.Manifest{}
	}
	p := &Table{own: map[string]bool{}, name: strings.ToLower(m.Name)}
	p.add(m.HomepageURL)
	p.add(m.UpdateURL)
	p.add(m.Gecko.UpdateURL)
	p.add(m.Author)
	if m.ExternallyConnectable != nil {
		for _, s := range m.ExternallyConnectable.Matches {
			p.add(s)
		}
	}
	for _, o := range m.Overrides {
		p.add(o.URL)
	}
	return p
}

// add notes the domain of a URL, a match pattern or a mail address as the extension's own, unless it is one that
// everybody has.
func (p *Table) add(s string) {
	host := ""
	if _, domain, ok := strings.Cut(s, "@"); ok && !strings.Contains(s, "/") {
		host = strings.TrimRight(strings.TrimSpace(domain), ">")
	} else if h, ok := HostOf(strings.Replace(s, "*://", "https://", 1)); ok {
		host = strings.TrimPrefix(h, "*.")
	}
	if host == "" || host == "*" || shared(host) {
		return
	}
	if d := Registrable(host); d != "" {
		p.own[d] = true
	}
}

// shared says whether a domain is a place where many people have pages, shops or mail.
func shared(host string) bool {
	switch Registrable(host) {
	case "google.com", "mozilla.org", "microsoft.com", "github.com", "gitlab.com", "gmail.com", "outlook.com", "hotmail.com",
		"proton.me", "protonmail.com", "yahoo.com", "googleapis.com", "edge.microsoft.com", "opera.com", "twitter.com", "x.com", "t.me",
		"icloud.com", "mail.ru", "qq.com", "163.com", "medium.com", "linktr.ee", "notion.site", "facebook.com", "youtube.com":
		return true
	}
	return isDropbox(host)
}

// Of says whose host it is; from is what the data was limited to.
func (p *Table) Of(host, from string) behavior.Party {
	switch host {
	case "":
		return ""
	case "*":
		return behavior.Unknown
	}
	bare := strings.TrimPrefix(host, "*.")
	d := Registrable(bare)
	if p.own[d] {
		return behavior.Own
	}
	for _, s := range strings.Fields(from) {
		s = strings.Replace(s, "*://", "https://", 1)
		h, ok := HostOf(s)
		if !ok {
			h = strings.TrimPrefix(s, ".")
		}
		if h = strings.TrimPrefix(h, "*."); h != "" && h != "*" && strings.Contains(h, ".") {
			if Registrable(h) == d {
				return behavior.Origin
			}
			if brand, _, _ := strings.Cut(d, "."); strings.HasPrefix(Registrable(h), brand+".") && p.named(brand) {
				return behavior.Own // ghostery.info and ghostery.com, of Ghostery
			}
		}
	}
	switch {
	case isLocal(bare):
		return behavior.Local
	case isDropbox(bare):
		return behavior.Dropbox
	case matchesAny(bare, analyticsHosts):
		return behavior.Analytics
	case matchesAny(bare, rpcHosts):
		return behavior.RPC
	}
	return behavior.Stranger
}

// named says whether the extension's name begins with a word.
func (p *Table) named(word string) bool {
	const short = 5 // letters, of which words that mean anything are made
	rest, ok := strings.CutPrefix(p.name, word)
	return ok && len(word) >= short && (rest == "" || strings.ContainsAny(rest[:1], " -:,."))
}

// Registrable is the domain of a host that somebody can register, or the host itself.
func Registrable(host string) string {
	if i := strings.LastIndexByte(host, ':'); i > 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	if d, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return d
	}
	return host
}

func matchesAny(host, list string) bool {
	for h := host; h != ""; {
		if strings.Contains(list, " "+h+" ") {
			return true
		}
		_, rest, ok := strings.Cut(h, ".")
		if !ok {
			return false
		}
		h = rest
	}
	return false
}

// Lists of domains, each between blanks; a host below one of them counts as well.
const (
	analyticsHosts = " sentry.io ingest.sentry.io google-analytics.com analytics.google.com googletagmanager.com posthog.com i.posthog.com" +
		" amplitude.com mixpanel.com segment.io segment.com bugsnag.com datadoghq.com datadoghq.eu newrelic.com nr-data.net rollbar.com" +
		" logrocket.io logrocket.com lr-ingest.io lr-ingest.com hotjar.com hotjar.io fullstory.com heap.io heapanalytics.com plausible.io matomo.cloud" +
		" countly.com appsflyer.com adjust.com branch.io intercom.io raygun.io trackjs.com honeybadger.io statsigapi.net launchdarkly.com" +
		" clarity.ms stats.g.doubleclick.net firebaseinstallations.googleapis.com firebaselogging.googleapis.com app-measurement.com yandex.ru/metrika rudderstack.com "
	dropboxHosts = " api.telegram.org discord.com discordapp.com webhook.site pipedream.net requestbin.com requestbin.net ngrok.io ngrok.app" +
		" ngrok-free.app ngrok.dev pastebin.com paste.ee hastebin.com rentry.co dpaste.com jsonkeeper.com jsonbin.io npoint.io mockapi.io beeceptor.com" +
		" workers.dev pages.dev supabase.co firebaseio.com firebasedatabase.app firestore.googleapis.com script.google.com docs.google.com" +
		" hooks.slack.com herokuapp.com vercel.app netlify.app onrender.com railway.app fly.dev glitch.me repl.co replit.app replit.dev deno.dev" +
		" web.app firebaseapp.com azurewebsites.net trycloudflare.com loca.lt serveo.net localtunnel.me cloudfunctions.net lambda-url.us-east-1.on.aws" +
		" on.aws execute-api.us-east-1.amazonaws.com amazonaws.com formspree.io formsubmit.co getform.io airtable.com api.airtable.com gist.githubusercontent.com" +
		" raw.githubusercontent.com transfer.sh file.io anonfiles.com gofile.io duckdns.org ddns.net no-ip.org hopto.org zapto.org sytes.net" +
		" mandrillapp.com api.sendgrid.com api.mailgun.net api.brevo.com api.sendinblue.com api.resend.com api.postmarkapp.com api.mailjet.com" +
		" api.elasticemail.com smtpjs.com api.emailjs.com zapier.com hook.eu1.make.com make.com ifttt.com interactsh.com oast.fun oast.pro oast.live burpcollaborator.net oastify.com "
	rpcHosts = " infura.io alchemy.com alchemyapi.io ankr.com quicknode.com quiknode.pro solana.com sui.io mystenlabs.com helius-rpc.com" +
		" helius.xyz llamarpc.com publicnode.com cloudflare-eth.com binance.org bnbchain.org polygon-rpc.com arbitrum.io optimism.io base.org" +
		" trongrid.io avax.network blockpi.network drpc.org 1rpc.io chainstack.com getblock.io nodereal.io blastapi.io moralis-nodes.com" +
		" rpcpool.com aptoslabs.com near.org toncenter.com etherscan.io blockstream.info blockchain.info mempool.space cronos.org zksync.io" +
		" bscscan.com polygonscan.com arbiscan.io basescan.org snowtrace.io whatsonchain.com gorillapool.io bitails.io taal.com blockcypher.com" +
		" blockchair.com nownodes.io tatum.io tzkt.io blockfrost.io koios.rest xrpl.org xrplcluster.com stellar.org algonode.cloud hedera.com" +
		" cosmos.directory polkachu.com subscan.io hyperliquid.xyz starknet.io glif.io kaspa.org "
)

// isLocal says whether a host is this computer, or one of a home or an office: no thief can listen there.
func isLocal(host string) bool {
	if a, err := netip.ParseAddrPort(host); err == nil {
		host = a.Addr().String()
	} else if i := strings.LastIndexByte(host, ':'); i > 0 && strings.Count(host, ":") == 1 {
		host = host[:i]
	}
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return a.IsLoopback() || a.IsPrivate() || a.IsUnspecified() || a.IsLinkLocalUnicast()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

func isDropbox(host string) bool {
	if i := strings.LastIndexByte(host, ':'); i > 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return !a.IsLoopback()
	}
	return matchesAny(host, dropboxHosts)
}

// HostOf returns the host of a constant URL, which may have gaps: "*" when the gap is in the host, "*.example.com" when
// only what is before it. ok is false for texts that have none.
func HostOf(s string) (host string, ok bool) {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "//") {
		s = "https:" + s
	}
	scheme, rest, found := strings.Cut(s, "://")
	if !found {
		return "", false
	}
	switch strings.ToLower(scheme) {
	case "http", "https", "ws", "wss", "ftp":
	default:
		if strings.Contains(scheme, Gap) && len(scheme) < 12 {
			break
		}
		return "", false
	}
	if i := strings.IndexAny(rest, "/?#\\"); i >= 0 {
		rest = rest[:i]
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = rest[i+1:]
	}
	if i := strings.LastIndex(rest, Gap); i >= 0 {
		after := rest[i+len(Gap):]
		if strings.HasPrefix(after, ".") && strings.Contains(after[1:], ".") {
			return "*" + strings.ToLower(after), true
		}
		// "https://collect.example" + path: what follows a whole domain is hardly more of it.
		before := strings.TrimRight(strings.ToLower(rest[:i]), ":")
		if _, icann := publicsuffix.PublicSuffix(before); icann && after == "" && !strings.Contains(before, Gap) && strings.Contains(before, ".") {
			return before, true
		}
		return "*", true
	}
	host, err := url.PathUnescape(rest)
	if err != nil {
		return "", false
	}
	if host == "" || host == "null" || host == "undefined" {
		return "*", s != scheme+"://" // of a variable that gets its value later: "https://" + host + "/a"
	}
	host = strings.ToLower(strings.TrimSuffix(cutDefaultPort(host), "."))
	if strings.HasSuffix(host, ":") || strings.HasPrefix(host, "undefined.") || strings.Contains(host, ".undefined") {
		return "*", true // an address put behind another: "http://" + "http://…"; a part of it that has no value yet
	}
	if name, port, ok := strings.Cut(host, ":"); ok && !strings.HasPrefix(host, "[") {
		if strings.Trim(port, "0123456789") != "" || name == "true" || name == "false" || name == "null" {
			return "*", true // of settings that the code does not tell apart: this.host + ":" + this.port
		}
	}
	if !strings.ContainsAny(host, ".:[") && host != "localhost" || strings.ContainsAny(host, " <>\"'{}$,;") {
		return "", false // "https://" + true, templates
	}
	return host, true
}

func cutDefaultPort(host string) string {
	for _, p := range []string{":80", ":443"} {
		if h, ok := strings.CutSuffix(host, p); ok {
			return h
		}
	}
	return host
}
