package inventory

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/manifests"
)

// Ten seconds pass before the preferences say how an extension came. What made the browser install it is there before.
func TestPlaced(t *testing.T) {
	const id = "abcdefghijklmnopabcdefghijklmnop"
	tests := []struct {
		name, os, browser string
		file, text        string // below the mounted disk
		want              manifests.Origin
		fromStore         bool
	}{
		{name: "nobody", os: "linux", browser: "chromium", file: "etc/hostname", text: "x", want: manifests.OriginUnknown},
		{name: "external package", os: "linux", browser: "chromium", file: "usr/share/chromium/extensions/" + id + ".json",
			text: `{"external_crx":"/x.crx","external_version":"1.0"}`, want: manifests.OriginSideloaded},
		{name: "external, from the store", os: "linux", browser: "chrome", file: "opt/google/chrome/extensions/" + id + ".json",
			text: `{"external_update_url":"https://clients2.google.com/service/update2/crx"}`, want: manifests.OriginSideloaded, fromStore: true},
		{name: "beside the profile", os: "darwin", browser: "arc", file: "home/ada/data/External Extensions/" + id + ".json",
			text: "\ufeff{} // comment", want: manifests.OriginSideloaded},
		{name: "another browser's folder", os: "linux", browser: "chromium", file: "usr/share/google-chrome/extensions/" + id + ".json",
			text: `{}`, want: manifests.OriginUnknown},
		{name: "forced", os: "linux", browser: "chromium", file: "etc/chromium/policies/managed/x",
			text: `{"ExtensionInstallForcelist":["` + id + `;http://updates.example/u.xml"]}`, want: manifests.OriginPolicy},
		{name: "settings of two", os: "linux", browser: "edge", file: "etc/opt/edge/policies/managed/.y",
			text: `{"ExtensionSettings":{"ponmlkjihgfedcbaponmlkjihgfedcba,` + id + `":{"installation_mode":"normal_installed"}}}`, want: manifests.OriginPolicy},
		{name: "Opera's policy", os: "linux", browser: "opera", file: "etc/opt/opera/policies/managed/x.json",
			text: `{"ExtensionInstallForcelist":["` + id + `"]}`, want: manifests.OriginPolicy},
		{name: "Yandex's policy", os: "linux", browser: "yandex", file: "etc/opt/yandex/browser/policies/managed/x.json",
			text: `{"ExtensionInstallForcelist":["` + id + `"]}`, want: manifests.OriginPolicy},
		{name: "Edge on macOS", os: "darwin", browser: "edge", file: "Library/Application Support/Microsoft Edge/External Extensions/" + id + ".json",
			text: `{}`, want: manifests.OriginSideloaded},
		{name: "Brave on macOS", os: "darwin", browser: "brave", file: "Library/Application Support/BraveSoftware/Brave-Browser/External Extensions/" + id + ".json",
			text: `{}`, want: manifests.OriginSideloaded},
		{name: "forced on macOS", os: "darwin", browser: "chrome", file: "Library/Managed Preferences/com.google.Chrome.plist",
			text: xmlList(`<key>ExtensionInstallForcelist</key><array><string>` + id + `;https://updates.example/u.xml</string></array>`), want: manifests.OriginPolicy},
		{name: "forced for one user of macOS, binary", os: "darwin", browser: "edge", file: "Library/Managed Preferences/ada/com.microsoft.Edge.plist",
			text: binaryList(t, map[string]any{"ExtensionSettings": map[string]any{"ponmlkjihgfedcbaponmlkjihgfedcba, " + id: map[string]any{"installation_mode": "force_installed"}}}),
			want: manifests.OriginPolicy},
		{name: "one entry of many has another type", os: "darwin", browser: "brave", file: "Library/Managed Preferences/com.brave.Browser.plist",
			text: xmlList(`<key>HomepageLocation</key><string>https://x.example</string><key>ExtensionSettings</key><dict><key>*</key><integer>1</integer><key>` + id +
				`</key><dict><key>toolbar_pin</key><true/><key>installation_mode</key><string>normal_installed</string></dict></dict>`), want: manifests.OriginPolicy},
		{name: "another user of macOS", os: "darwin", browser: "chrome", file: "Library/Managed Preferences/bob/com.google.Chrome.plist",
			text: xmlList(`<key>ExtensionInstallForcelist</key><array><string>` + id + `</string></array>`), want: manifests.OriginUnknown},
		{name: "written by a program, not forced", os: "darwin", browser: "chrome", file: "Library/Preferences/com.google.Chrome.plist",
			text: xmlList(`<key>ExtensionInstallForcelist</key><array><string>` + id + `</string></array>`), want: manifests.OriginUnknown},
		{name: "blocked on macOS", os: "darwin", browser: "vivaldi", file: "Library/Managed Preferences/com.vivaldi.Vivaldi.plist",
			text: xmlList(`<key>ExtensionInstallForcelist</key><integer>7</integer><key>ExtensionSettings</key><dict><key>` + id + `</key><dict><key>installation_mode</key><string>blocked</string></dict></dict>`),
			want: manifests.OriginUnknown},
		{name: "macOS has a policy of Linux", os: "darwin", browser: "chrome", file: "etc/opt/chrome/policies/managed/x.json",
			text: `{"ExtensionInstallForcelist":["` + id + `"]}`, want: manifests.OriginUnknown},
		{name: "Linux has one of macOS", os: "linux", browser: "chrome", file: "Library/Managed Preferences/com.google.Chrome.plist",
			text: xmlList(`<key>ExtensionInstallForcelist</key><array><string>` + id + `</string></array>`), want: manifests.OriginUnknown},
		{name: "blocked is not ordered", os: "linux", browser: "chromium", file: "etc/chromium/policies/managed/x.json",
			text: `{"ExtensionSettings":{"` + id + `":{"installation_mode":"blocked"}},"ExtensionInstallForcelist":7}`, want: manifests.OriginUnknown},
		{name: "broken policy", os: "linux", browser: "chromium", file: "etc/chromium/policies/managed/x.json",
			text: `{"ExtensionInstallForcelist":["` + id, want: manifests.OriginUnknown},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			disk := t.TempDir()
			data := filepath.Join(disk, "home", "ada", "data")
			put(t, filepath.Join(data, "Default", "Extensions", id, "1.0_0", "manifest.json"), `{"manifest_version":3,"name":"Quotes","version":"1.0"}`)
			put(t, filepath.Join(disk, filepath.FromSlash(test.file)), test.text)
			r := NewReader(Config{OS: test.os, Root: disk})
			l, err := r.Read(context.Background(), browsers.Profile{Browser: test.browser, Family: browsers.Chromium, Name: "Default",
				User: browsers.User{Name: "ada", Home: filepath.Join(disk, "home", "ada"), UID: -1}, DataDir: data, Dir: filepath.Join(data, "Default")})
			if err != nil {
				t.Fatal(err)
			}
			if len(l.Extensions) != 1 {
				t.Fatalf("got %d extensions, problems %v", len(l.Extensions), l.Problems)
			}
			if e := l.Extensions[0]; e.Origin != test.want || e.FromStore != test.fromStore || !e.Pending {
				t.Errorf("got origin %s, from store %v, pending %v; want %s, %v, true", e.Origin, e.FromStore, e.Pending, test.want, test.fromStore)
			}
		})
	}
}

// TestOrderProblems: orders that cannot be read are told of, once for each reading.
func TestOrderProblems(t *testing.T) {
	disk := newHome(t)
	p := profileIn(filepath.Join(disk, "home", "ada"), browsers.Chromium)
	for _, letter := range []string{"a", "b"} {
		put(t, filepath.Join(p.Dir, "Extensions", id(letter), "1.0_0", "manifest.json"), good)
	}
	policies := filepath.Join(disk, "etc", "chromium", "policies", "managed")
	put(t, filepath.Join(policies, "0.json"), "{")
	for i := range maxPolicyFiles {
		put(t, filepath.Join(policies, fmt.Sprintf("x%d.json", i)), "{}")
	}
	put(t, filepath.Join(disk, "usr", "share", "chromium", "extensions"), "no folder")
	l := read(t, NewReader(Config{OS: "linux", Root: disk}), p)
	var got []string
	for _, problem := range l.Problems {
		rel, _ := filepath.Rel(disk, problem.Path)
		got = append(got, filepath.ToSlash(rel)+": "+problem.Reason)
	}
	want := []string{
		"etc/chromium/policies/managed: it holds more than 64 policies",
		"etc/chromium/policies/managed/0.json: this policy cannot be read: it is not valid JSON",
		"usr/share/chromium/extensions: it says what the browser is to install, and cannot be read",
	}
	if len(got) != len(want) {
		t.Fatalf("problems %q, want %q", got, want)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("problem %q, want %q", got[i], want[i])
		}
	}
}

// TestOrigins says how an installed extension came.
func TestOrigins(t *testing.T) {
	const (
		google = "https://" + googleStore
		edge   = "https://" + microsoftStore
		opera  = "https://" + operaStore
	)
	tests := []struct {
		browser  string
		location int
		marked   bool // from_webstore
		update   string
		flag     string // set in the entry
		policy   bool   // a policy asks for it
		want     manifests.Origin
	}{
		{"chrome", 1, true, google, "", false, manifests.OriginStore},
		{"chrome", 1, false, google, "", false, manifests.OriginUnknown},
		{"chrome", 1, false, edge, "", false, manifests.OriginUnknown},
		{"edge", 1, false, edge, "", false, manifests.OriginStore},
		{"edge", 1, false, google, "", false, manifests.OriginUnknown},
		{"edge", 1, false, opera, "", false, manifests.OriginUnknown},
		{"opera", 1, false, opera, "", false, manifests.OriginStore},
		{"opera-gx", 1, false, opera, "", false, manifests.OriginStore},
		{"chromium", 6, true, google, "", false, manifests.OriginSideloaded},
		{"chromium", 6, true, google, "", true, manifests.OriginPolicy},
		{"chromium", 2, false, "", "", true, manifests.OriginPolicy},
		{"chromium", 3, false, "", "", true, manifests.OriginPolicy},
		{"chromium", 1, false, "", "", true, manifests.OriginUnknown},
		{"chromium", 6, true, google, "was_installed_by_default", false, manifests.OriginStore},
		{"chromium", 2, true, google, "was_installed_by_oem", false, manifests.OriginStore},
		{"chromium", 2, false, "", "was_installed_by_oem", false, manifests.OriginSideloaded},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			disk := newHome(t)
			p := profileIn(filepath.Join(disk, "home", "ada"), browsers.Chromium)
			p.Browser = tt.browser
			manifest := map[string]any{"manifest_version": 3, "name": "Quotes", "version": "1.0", "update_url": tt.update}
			text, err := json.Marshal(manifest)
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(p.Dir, "Extensions", id("a"), "1.0_0", "manifest.json"), string(text))
			entry := map[string]any{"location": tt.location, "path": id("a") + "/1.0_0", "from_webstore": tt.marked, "manifest": manifest}
			if tt.flag != "" {
				entry[tt.flag] = true
			}
			prefs(t, p, "", map[string]any{id("a"): entry})
			if tt.policy {
				put(t, filepath.Join(disk, "etc", "chromium", "policies", "managed", "x.json"),
					`{"ExtensionSettings":{"`+id("a")+`":{"installation_mode":"normal_installed"}}}`)
			}
			e := find(read(t, NewReader(Config{OS: "linux", Root: disk}), p), id("a"))
			if e == nil || e.Origin != tt.want {
				t.Errorf("got %+v, want origin %s", e, tt.want)
			}
		})
	}
}

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
