package response

import "time"

// A policy is the place that holds the blocks of one browser.
type policy interface {
	key() string // its file or key
	// write makes the blocks those of ids, and nothing else. undo restores what was there before the call.
	write(ids []string, l *ledger) (undo func() error, err error)
	holds(ids []string) (bool, error) // as write would leave it
	touch(now time.Time) error
	effect() Effect
	note() string
}

// linuxChromium are the folders of managed policies, per browser. Chromium, Chrome, Edge and Brave are documented by
// their makers, Chromium's was measured; of Opera, Vivaldi and Yandex there are only reports.
var linuxChromium = map[string]string{
	"chrome":   "/etc/opt/chrome/policies/managed",
	"chromium": "/etc/chromium/policies/managed",
	"edge":     "/etc/opt/edge/policies/managed",
	"brave":    "/etc/brave/policies/managed",
	"vivaldi":  "/etc/vivaldi/policies/managed",
	"opera":    "/etc/opt/opera/policies/managed",
	"yandex":   "/etc/opt/yandex/browser/policies/managed",
}

// windowsChromium are the keys of policies below HKEY_LOCAL_MACHINE.
var windowsChromium = map[string]string{
	"chrome":   `SOFTWARE\Policies\Google\Chrome`,
	"chromium": `SOFTWARE\Policies\Chromium`,
	"edge":     `SOFTWARE\Policies\Microsoft\Edge`,
	"brave":    `SOFTWARE\Policies\BraveSoftware\Brave`,
	"vivaldi":  `SOFTWARE\Policies\Vivaldi`,
	"yandex":   `SOFTWARE\Policies\YandexBrowser`,
	"comet":    `SOFTWARE\Policies\Perplexity\Comet`,
}

// geckoPolicies says which Gecko browsers read the machine's policies, and from where. Tor and Mullvad Browser read none;
// of the other forks nothing is known.
var geckoPolicies = map[string]struct {
	linux   string   // folder of policies.json
	windows string   // key
	bundled []string // folders beside the program, whose file the one above replaces whole
}{
	"firefox": {"/etc/firefox/policies", `SOFTWARE\Policies\Mozilla\Firefox`, []string{
		"/usr/lib/firefox/distribution", "/usr/lib/firefox-esr/distribution", "/usr/lib64/firefox/distribution", "/opt/firefox/distribution"}},
	"thunderbird": {"/etc/thunderbird/policies", `SOFTWARE\Policies\Mozilla\Thunderbird`, []string{
		"/usr/lib/thunderbird/distribution", "/opt/thunderbird/distribution"}},
}

// gecko reports whether a browser is of Firefox's family.
func gecko(browser string) bool {
	switch browser {
	case "firefox", "thunderbird", "librewolf", "waterfox", "floorp", "zen", "tor", "mullvad", "icecat", "palemoon", "basilisk", "seamonkey":
		return true
	}
	return false
}

// place returns where the blocks of a target's browser are written; nil when policy does not reach it.
func (b *Blocker) place(t Target) policy {
	if t.Packaging == "flatpak" || t.Packaging == "portable" {
		return nil
	}
	g := geckoPolicies[t.Browser]
	switch b.cfg.OS {
	case "linux":
		switch dir := linuxChromium[t.Browser]; {
		case dir != "" && (t.Packaging == "" || t.Browser == "chromium"):
			return &chromiumFile{dir: b.path(dir), browser: t.Browser}
		case g.linux != "":
			return &geckoFile{file: b.path(g.linux + "/policies.json"), bundled: b.bundled(g.bundled)}
		}
	case "windows":
		switch key := windowsChromium[t.Browser]; {
		case key != "":
			return &chromiumKey{reg: b.cfg.registry, base: key}
		case g.windows != "":
			return &geckoKey{reg: b.cfg.registry, base: g.windows}
		}
	}
	return nil // macOS takes policies from device management only
}

// bundled returns the first file of policies beside the program that is there.
func (b *Blocker) bundled(dirs []string) string {
	for _, d := range dirs {
		if file := b.path(d + "/policies.json"); exists(file) {
			return file
		}
	}
	return ""
}
