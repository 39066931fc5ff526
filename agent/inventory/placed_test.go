package inventory

import (
	"context"
	"os"
	"path/filepath"
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

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
