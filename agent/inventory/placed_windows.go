package inventory

import (
	"strings"

	"golang.org/x/sys/windows/registry"

	"github.com/extwatch/extwatch/manifests"
)

// registryRoots are where programs and policies write: for all users of the machine, and for one.
func registryRoots() []registry.Key {
	return []registry.Key{registry.LOCAL_MACHINE, registry.CURRENT_USER}
}

// vendor returns the part of registry paths that names a browser. Browsers without keys of their own read Google's
// (Chromium's external_registry_loader_win.cc). Opera's name was not verified.
func vendor(browser string) string {
	switch browser {
	case "edge":
		return `Microsoft\Edge`
	case "brave":
		return `BraveSoftware\Brave`
	case "chromium":
		return `Chromium`
	case "vivaldi":
		return `Vivaldi`
	case "yandex":
		return `YandexBrowser`
	case "opera", "opera-gx", "opera-air", "opera-crypto":
		return `Opera Software\Opera Stable`
	}
	return `Google\Chrome`
}

// registryPolicies lists the IDs that policies in the registry make the browser install.
func registryPolicies(browser string) []string {
	var list []string
	for _, root := range registryRoots() {
		policies := `SOFTWARE\Policies\` + vendor(browser)
		for _, value := range textValues(root, policies+`\ExtensionInstallForcelist`) {
			id, _, _ := strings.Cut(value, ";")
			list = append(list, id)
		}
		list = append(list, settingsIn(root, policies)...)
	}
	return list
}

// settingsIn lists the IDs that the policy ExtensionSettings makes the browser install. It is one JSON text, or a key
// with one sub-key for each ID.
func settingsIn(root registry.Key, policies string) []string {
	var list []string
	if text, ok := textValue(root, policies, "ExtensionSettings"); ok && len(text) <= maxOrder {
		if top, err := manifests.ReadJSON([]byte(text)); err == nil {
			list = installedBy(top)
		}
	}
	key, err := registry.OpenKey(root, policies+`\ExtensionSettings`, registry.ENUMERATE_SUB_KEYS)
	if err != nil {
		return list
	}
	defer key.Close()
	ids, _ := key.ReadSubKeyNames(maxExtensions)
	for _, id := range ids {
		if mode, _ := textValue(root, policies+`\ExtensionSettings\`+id, "installation_mode"); installs(mode) {
			list = append(list, id)
		}
	}
	return list
}

// registered returns the update address of an extension that the registry makes the browser install.
func registered(browser, id string) (update string, ok bool) {
	for _, root := range registryRoots() {
		for _, name := range []string{vendor(browser), `Google\Chrome`} {
			for _, software := range []string{`Software\`, `Software\Wow6432Node\`} {
				path := software + name + `\Extensions\` + id
				key, err := registry.OpenKey(root, path, registry.QUERY_VALUE)
				if err != nil {
					continue
				}
				key.Close()
				update, _ = textValue(root, path, "update_url")
				return update, true
			}
		}
	}
	return "", false
}

// textValue returns one value of a key, and whether it is a text.
func textValue(root registry.Key, path, name string) (string, bool) {
	key, err := registry.OpenKey(root, path, registry.QUERY_VALUE)
	if err != nil {
		return "", false
	}
	defer key.Close()
	text, _, err := key.GetStringValue(name)
	return text, err == nil
}

// textValues returns all values of a key that are texts.
func textValues(root registry.Key, path string) []string {
	key, err := registry.OpenKey(root, path, registry.QUERY_VALUE)
	if err != nil {
		return nil
	}
	defer key.Close()
	names, _ := key.ReadValueNames(maxExtensions)
	var list []string
	for _, name := range names {
		if text, _, err := key.GetStringValue(name); err == nil {
			list = append(list, text)
		}
	}
	return list
}
