package browsers

import "strings"

// The operating systems of the table, named as in runtime.GOOS.
const (
	onWindows = "windows"
	onMac     = "darwin"
	onLinux   = "linux"
)

// A base is the folder that a row's path starts from.
type base string

const (
	localData   base = "AppData/Local"               // %LOCALAPPDATA%
	roamingData base = "AppData/Roaming"             // %APPDATA%
	appSupport  base = "Library/Application Support" // macOS
	config      base = ".config"                     // $CHROME_CONFIG_HOME, $XDG_CONFIG_HOME (chrome_paths_linux.cc)
	flatpak     base = ".var/app"                    // then the app ID, then mostly "config" instead of ~/.config
	snap        base = "snap"                        // then the snap's name, then "common", "current" or a revision
	home        base = ""                            // the home itself
)

// suffix is what a base adds to a browser's title, so that two installs of one browser can be told apart.
func (b base) suffix() string {
	switch b {
	case flatpak:
		return " (Flatpak)"
	case snap:
		return " (Snap)"
	}
	return ""
}

// A layout says where below its folder a browser keeps profiles.
type layout int

const (
	userData  layout = iota // Chromium: sub-folders, listed in "Local State"
	operaData               // Chromium as Opera lays it out: the folder itself may be a profile, and _side_profiles
	geckoRoot               // Firefox and its kin: profiles.ini, sub-folders and Profiles/*
	safariBox               // Safari's container: one profile
)

func (l layout) family() Family {
	switch l {
	case geckoRoot:
		return Gecko
	case safariBox:
		return Safari
	}
	return Chromium
}

// index is the file that lists the profiles; its change may mean a new one.
func (l layout) index() string {
	switch l {
	case geckoRoot:
		return "profiles.ini"
	case safariBox:
		return ""
	}
	return "Local State"
}

// An evidence mark says how a row is known. A row that is wrong costs one missed look-up; a row that is missing costs a
// browser. So all are kept, and marked.
type evidence int

const (
	measured   evidence = iota // seen on a running browser: Chromium 156.0.8078.79, Firefox ESR 153.7.0, Debian 12
	source                     // read in the browser's source or its makers' documents
	tool                       // used by a maintained inventory tool (osquery, dissect.target, HackBrowserData, mql)
	reported                   // used by scattered public scripts; to be probed, not relied on
	unverified                 // inferred from the pattern of its siblings
)

// A row is one folder in which one browser, in one channel, on one operating system keeps its profiles.
type row struct {
	browser  string // slug
	title    string
	channel  string
	os       string
	base     base
	path     string // below base, forward slashes; a component may hold one "*"
	layout   layout
	evidence evidence
}

// below returns the row's path below the home.
func (r row) below() string {
	if r.base == home {
		return r.path
	}
	return string(r.base) + "/" + r.path
}

// table returns all rows. It is a function so that nobody can change it.
func table() []row {
	return append(append(chromiumRows(), forkRows()...), geckoRows()...)
}

// custom is the row of a data folder that no table knows.
func custom(e executable, dir string) row {
	l := userData
	if e.family == Gecko {
		l = geckoRoot
	} else if strings.HasPrefix(e.browser, "opera") {
		l = operaData
	}
	return row{browser: e.browser, title: e.title, channel: "custom", path: dir, layout: l}
}

// An executable ties a program's file name to its browser.
type executable struct {
	name    string // lower case, without .exe
	browser string
	title   string
	family  Family
}

// executables returns the programs that are browsers. Names are the ones that ps, /proc and Task Manager show: on Linux
// the binary behind the wrapper, on macOS the file in Contents/MacOS.
func executables() []executable {
	return []executable{
		{"chrome", "chrome", "Google Chrome", Chromium}, // also Chromium's own unbranded builds: see sameBrowser
		{"google-chrome", "chrome", "Google Chrome", Chromium},
		{"google chrome", "chrome", "Google Chrome", Chromium},
		{"google chrome beta", "chrome", "Google Chrome", Chromium},
		{"google chrome dev", "chrome", "Google Chrome", Chromium},
		{"google chrome canary", "chrome", "Google Chrome", Chromium},
		{"google chrome for testing", "chrome", "Google Chrome for Testing", Chromium},
		{"chrome-headless-shell", "chrome", "Chrome Headless Shell", Chromium},
		{"headless_shell", "chromium", "Chromium Headless Shell", Chromium},
		{"chromium", "chromium", "Chromium", Chromium},
		{"chromium-browser", "chromium", "Chromium", Chromium},
		{"msedge", "edge", "Microsoft Edge", Chromium},
		{"microsoft-edge", "edge", "Microsoft Edge", Chromium},
		{"microsoft edge", "edge", "Microsoft Edge", Chromium},
		{"microsoft edge beta", "edge", "Microsoft Edge", Chromium},
		{"microsoft edge dev", "edge", "Microsoft Edge", Chromium},
		{"microsoft edge canary", "edge", "Microsoft Edge", Chromium},
		{"brave", "brave", "Brave", Chromium},
		{"brave-browser", "brave", "Brave", Chromium},
		{"brave browser", "brave", "Brave", Chromium},
		{"brave browser beta", "brave", "Brave", Chromium},
		{"brave browser nightly", "brave", "Brave", Chromium},
		{"opera", "opera", "Opera", Chromium}, // Opera GX on Windows is opera.exe too: see sameBrowser
		{"opera gx", "opera-gx", "Opera GX", Chromium},
		{"vivaldi", "vivaldi", "Vivaldi", Chromium},
		{"vivaldi-bin", "vivaldi", "Vivaldi", Chromium},
		{"arc", "arc", "Arc", Chromium},
		{"dia", "dia", "Dia", Chromium},
		{"comet", "comet", "Comet", Chromium},
		{"chatgpt atlas", "atlas", "ChatGPT Atlas", Chromium},
		{"atlas", "atlas", "ChatGPT Atlas", Chromium},
		{"yandex_browser", "yandex", "Yandex Browser", Chromium},
		{"yandex", "yandex", "Yandex Browser", Chromium},
		{"browser", "yandex", "Yandex Browser", Chromium}, // browser.exe
		{"whale", "whale", "Naver Whale", Chromium},
		{"naver-whale", "whale", "Naver Whale", Chromium},
		{"thorium", "thorium", "Thorium", Chromium},
		{"iridium", "iridium", "Iridium", Chromium},
		{"iridium-browser", "iridium", "Iridium", Chromium},
		{"helium", "helium", "Helium", Chromium},
		{"island", "island", "Island", Chromium},
		{"sidekick", "sidekick", "Sidekick", Chromium},
		{"supermium", "supermium", "Supermium", Chromium},
		{"firefox", "firefox", "Firefox", Gecko},
		{"firefox-esr", "firefox", "Firefox", Gecko},
		{"firefox-bin", "firefox", "Firefox", Gecko},
		{"firefox.real", "tor", "Tor Browser", Gecko},
		{"librewolf", "librewolf", "LibreWolf", Gecko},
		{"waterfox", "waterfox", "Waterfox", Gecko},
		{"floorp", "floorp", "Floorp", Gecko},
		{"zen", "zen", "Zen", Gecko},
		{"zen-bin", "zen", "Zen", Gecko},
		{"mullvadbrowser", "mullvad", "Mullvad Browser", Gecko},
		{"mullvadbrowser.real", "mullvad", "Mullvad Browser", Gecko},
		{"palemoon", "palemoon", "Pale Moon", Gecko},
		{"basilisk", "basilisk", "Basilisk", Gecko},
		{"seamonkey", "seamonkey", "SeaMonkey", Gecko},
		{"icecat", "icecat", "GNU IceCat", Gecko},
		{"thunderbird", "thunderbird", "Thunderbird", Gecko},
		{"thunderbird-bin", "thunderbird", "Thunderbird", Gecko},
	}
}

// sameBrowser reports whether a program that is taken for browser running may be using the data of browser installed:
// unbranded Chromium builds are called chrome, all Operas opera, and Tor Browser firefox.
func sameBrowser(running, installed string) bool {
	switch running {
	case "chrome":
		return installed == "chrome" || installed == "chromium" || installed == "helium"
	case "opera":
		return strings.HasPrefix(installed, "opera")
	case "firefox":
		return installed == "firefox" || installed == "tor"
	}
	return running == installed
}
