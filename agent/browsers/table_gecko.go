package browsers

// Where a Tor Browser folder keeps its profiles, wherever it was unpacked.
const torData = "/Browser/TorBrowser/Data/Browser"

// geckoRows are Firefox and its kin, and Safari. Release, ESR, Beta, Developer Edition and Nightly of Firefox share one
// root, so the channel cannot be told from the folder.
func geckoRows() []row {
	return []row{
		{"firefox", "Firefox", "", onWindows, roamingData, "Mozilla/Firefox", geckoRoot, tool},
		{"firefox", "Firefox", "", onWindows, localData, "Packages/Mozilla.Firefox_*/LocalCache/Roaming/Mozilla/Firefox", geckoRoot, tool},
		{"firefox", "Firefox", "", onMac, appSupport, "Firefox", geckoRoot, tool},
		{"firefox", "Firefox", "", onLinux, home, ".mozilla/firefox", geckoRoot, measured},
		// Since 147, when ~/.mozilla does not exist.
		{"firefox", "Firefox", "", onLinux, config, "mozilla/firefox", geckoRoot, measured},
		{"firefox", "Firefox", "", onLinux, snap, "firefox/common/.mozilla/firefox", geckoRoot, tool},
		{"firefox", "Firefox", "", onLinux, snap, "firefox/common/.config/mozilla/firefox", geckoRoot, unverified},
		{"firefox", "Firefox", "", onLinux, flatpak, "org.mozilla.firefox/.mozilla/firefox", geckoRoot, tool},
		{"firefox", "Firefox", "", onLinux, flatpak, "org.mozilla.firefox/config/mozilla/firefox", geckoRoot, unverified},

		{"librewolf", "LibreWolf", "stable", onWindows, roamingData, "librewolf", geckoRoot, reported},
		{"librewolf", "LibreWolf", "stable", onMac, appSupport, "librewolf", geckoRoot, reported},
		{"librewolf", "LibreWolf", "stable", onLinux, home, ".librewolf", geckoRoot, reported},
		{"librewolf", "LibreWolf", "stable", onLinux, config, "librewolf/librewolf", geckoRoot, reported},
		{"librewolf", "LibreWolf", "stable", onLinux, flatpak, "io.gitlab.librewolf-community/.librewolf", geckoRoot, reported},
		{"librewolf", "LibreWolf", "stable", onLinux, flatpak, "io.gitlab.librewolf-community/config/librewolf/librewolf", geckoRoot, reported},
		{"waterfox", "Waterfox", "stable", onWindows, roamingData, "Waterfox", geckoRoot, reported},
		{"waterfox", "Waterfox", "stable", onMac, appSupport, "Waterfox", geckoRoot, reported},
		{"waterfox", "Waterfox", "stable", onLinux, home, ".waterfox", geckoRoot, reported},
		{"waterfox", "Waterfox", "stable", onLinux, flatpak, "net.waterfox.waterfox/.waterfox", geckoRoot, reported},
		{"floorp", "Floorp", "stable", onWindows, roamingData, "Floorp", geckoRoot, reported},
		{"floorp", "Floorp", "stable", onMac, appSupport, "Floorp", geckoRoot, reported},
		{"floorp", "Floorp", "stable", onLinux, home, ".floorp", geckoRoot, reported},
		{"floorp", "Floorp", "stable", onLinux, flatpak, "one.ablaze.floorp/.floorp", geckoRoot, reported},
		{"zen", "Zen", "stable", onWindows, roamingData, "zen", geckoRoot, reported},
		{"zen", "Zen", "stable", onMac, appSupport, "zen", geckoRoot, reported},
		{"zen", "Zen", "stable", onLinux, home, ".zen", geckoRoot, reported},
		{"zen", "Zen", "stable", onLinux, config, "zen", geckoRoot, reported},
		{"zen", "Zen", "stable", onLinux, flatpak, "app.zen_browser.zen/.zen", geckoRoot, reported},
		{"zen", "Zen", "stable", onLinux, flatpak, "app.zen_browser.zen/config/zen", geckoRoot, reported},
		{"zen", "Zen", "stable", onLinux, flatpak, "app.zen_browser.zen/zen", geckoRoot, reported},

		// Tor Browser is a folder that people unpack, by default on the desktop (Windows) or where they downloaded it.
		{"tor", "Tor Browser", "stable", onWindows, home, "Desktop/Tor Browser" + torData, geckoRoot, reported},
		{"tor", "Tor Browser", "stable", onWindows, home, "OneDrive/Desktop/Tor Browser" + torData, geckoRoot, unverified},
		{"tor", "Tor Browser", "stable", onWindows, home, "Downloads/Tor Browser" + torData, geckoRoot, unverified},
		{"tor", "Tor Browser", "stable", onMac, appSupport, "TorBrowser-Data/Browser", geckoRoot, reported},
		{"tor", "Tor Browser", "stable", onLinux, home, "tor-browser*" + torData, geckoRoot, reported},
		{"tor", "Tor Browser", "stable", onLinux, home, "Desktop/tor-browser*" + torData, geckoRoot, reported},
		{"tor", "Tor Browser", "stable", onLinux, home, "Downloads/tor-browser*" + torData, geckoRoot, reported},
		{"tor", "Tor Browser", "stable", onLinux, home, ".local/share/torbrowser/tbb/*/tor-browser*" + torData, geckoRoot, reported},
		{"tor", "Tor Browser", "stable", onLinux, flatpak, "org.torproject.torbrowser-launcher/data/torbrowser/tbb/*/tor-browser*" + torData, geckoRoot, unverified},
		{"mullvad", "Mullvad Browser", "stable", onWindows, roamingData, "Mullvad/MullvadBrowser", geckoRoot, reported},
		{"mullvad", "Mullvad Browser", "stable", onWindows, localData, "Mullvad Browser" + torData, geckoRoot, reported},
		{"mullvad", "Mullvad Browser", "stable", onMac, appSupport, "MullvadBrowser", geckoRoot, reported},
		{"mullvad", "Mullvad Browser", "stable", onMac, appSupport, "MullvadBrowser-Data/Browser", geckoRoot, reported},
		{"mullvad", "Mullvad Browser", "stable", onLinux, home, ".mullvad/mullvadbrowser", geckoRoot, reported},

		{"palemoon", "Pale Moon", "stable", onWindows, roamingData, "Moonchild Productions/Pale Moon", geckoRoot, reported},
		{"palemoon", "Pale Moon", "stable", onMac, appSupport, "Pale Moon", geckoRoot, reported},
		{"palemoon", "Pale Moon", "stable", onLinux, home, ".moonchild productions/pale moon", geckoRoot, reported},
		{"basilisk", "Basilisk", "stable", onWindows, roamingData, "Moonchild Productions/Basilisk", geckoRoot, reported},
		{"basilisk", "Basilisk", "stable", onMac, appSupport, "Basilisk", geckoRoot, reported},
		{"basilisk", "Basilisk", "stable", onLinux, home, ".moonchild productions/basilisk", geckoRoot, reported},
		{"seamonkey", "SeaMonkey", "stable", onWindows, roamingData, "Mozilla/SeaMonkey", geckoRoot, reported},
		{"seamonkey", "SeaMonkey", "stable", onMac, appSupport, "SeaMonkey", geckoRoot, reported},
		{"seamonkey", "SeaMonkey", "stable", onLinux, home, ".mozilla/seamonkey", geckoRoot, reported},
		{"icecat", "GNU IceCat", "stable", onWindows, roamingData, "Mozilla/IceCat", geckoRoot, reported},
		{"icecat", "GNU IceCat", "stable", onLinux, home, ".mozilla/icecat", geckoRoot, reported},
		{"thunderbird", "Thunderbird", "stable", onWindows, roamingData, "Thunderbird", geckoRoot, unverified},
		{"thunderbird", "Thunderbird", "stable", onMac, home, "Library/Thunderbird", geckoRoot, unverified},
		{"thunderbird", "Thunderbird", "stable", onLinux, home, ".thunderbird", geckoRoot, unverified},
		{"thunderbird", "Thunderbird", "stable", onLinux, snap, "thunderbird/common/.thunderbird", geckoRoot, unverified},
		{"thunderbird", "Thunderbird", "stable", onLinux, flatpak, "org.mozilla.Thunderbird/.thunderbird", geckoRoot, unverified},

		// Its extensions are apps, read elsewhere; the container is there once Safari was started.
		{"safari", "Safari", "stable", onMac, home, "Library/Containers/com.apple.Safari", safariBox, reported},
	}
}
