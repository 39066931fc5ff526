package inventory

import (
	"strings"

	"golang.org/x/sys/windows/registry"

	"github.com/extwatch/extwatch/manifests"
)

// registered says how an extension came, as far as the registry made the browser install it. Browsers without keys of
// their own read Google's (Chromium's external_registry_loader_win.cc).
func registered(browser, id string) (manifests.Origin, bool) {
	vendor := map[string]string{"edge": `Microsoft\Edge`, "brave": `BraveSoftware\Brave`, "chromium": `Chromium`}[browser]
	if vendor == "" {
		vendor = `Google\Chrome`
	}
	roots := []registry.Key{registry.LOCAL_MACHINE, registry.CURRENT_USER}
	for _, root := range roots {
		if forced(root, `SOFTWARE\Policies\`+vendor+`\ExtensionInstallForcelist`, id) {
			return manifests.OriginPolicy, false
		}
	}
	for _, root := range roots {
		for _, name := range []string{`Software\` + vendor, `Software\Wow6432Node\` + vendor, `Software\Google\Chrome`, `Software\Wow6432Node\Google\Chrome`} {
			key, err := registry.OpenKey(root, name+`\Extensions\`+id, registry.QUERY_VALUE)
			if err != nil {
				continue
			}
			update, _, _ := key.GetStringValue("update_url")
			key.Close()
			return manifests.OriginSideloaded, isStoreURL(update)
		}
	}
	return manifests.OriginUnknown, false
}

// forced reports whether a value of the policy key names the extension.
func forced(root registry.Key, name, id string) bool {
	key, err := registry.OpenKey(root, name, registry.QUERY_VALUE)
	if err != nil {
		return false
	}
	defer key.Close()
	names, err := key.ReadValueNames(-1)
	if err != nil {
		return false
	}
	for _, n := range names {
		value, _, _ := key.GetStringValue(n)
		if first, _, _ := strings.Cut(value, ";"); first == id {
			return true
		}
	}
	return false
}
