package inventory

import (
	"path/filepath"
	"strings"
	"testing"

	"howett.net/plist"

	"github.com/extwatch/extwatch/agent/browsers"
)

func xmlList(entries string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>` + entries + `</dict></plist>`
}

func binaryList(t testing.TB, value any) string {
	t.Helper()
	data, err := plist.Marshal(value, plist.BinaryFormat)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestManagedProblems: a policy that cannot be read is told of, for it may be why an extension is there.
func TestManagedProblems(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "{", "bplist00", "{ ExtensionInstallForcelist = (); }", "<plist><array/></plist>", strings.Repeat("x", maxPropertyList+1)} {
		disk := newHome(t)
		p := profileIn(filepath.Join(disk, "home", "ada"), browsers.Chromium)
		put(t, filepath.Join(p.Dir, "Extensions", id("a"), "1.0_0", "manifest.json"), good)
		put(t, filepath.Join(disk, "Library", "Managed Preferences", "org.chromium.Chromium.plist"), text)
		l := read(t, NewReader(Config{OS: "darwin", Root: disk}), p)
		if len(l.Problems) != 1 || !strings.HasPrefix(l.Problems[0].Reason, "this policy cannot be read: ") {
			t.Errorf("%.20q: problems %v", text, l.Problems)
		}
	}
}

// FuzzPropertyList holds the reader of policies against panics and endless work.
func FuzzPropertyList(f *testing.F) {
	f.Add([]byte(xmlList(`<key>ExtensionInstallForcelist</key><array><string>a;b</string></array>`)))
	f.Add([]byte(binaryList(f, map[string]any{"ExtensionSettings": map[string]any{"a,b": map[string]any{"installation_mode": "force_installed"}}})))
	f.Fuzz(func(_ *testing.T, data []byte) {
		if list, err := parsePropertyList(data[:min(len(data), maxPropertyList)]); err == nil {
			list.installs()
		}
	})
}
