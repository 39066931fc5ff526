package inventory

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/extwatch/extwatch/manifests"
)

// Chromium writes its preferences ten seconds after an install. A thief's program needs less. So for what the
// preferences do not know yet, the places are asked from which other programs and policies make the browser install.

// maxOrder bounds the files in those places: a policy of a large company lists some hundred extensions.
const maxOrder = 4 << 20

// maxPolicyFiles bounds how many policy files are read; Chromium reads all, administrators write a handful.
const maxPolicyFiles = 64

// externalDirs lists the system folders in which a file ID.json makes the browser install an extension, relative to the
// root folder. Chromium's was measured on version 156, Linux; the others are as their packages and documents say.
func externalDirs(system, browser string) []string {
	switch system + " " + browser {
	case "linux chrome":
		return []string{"usr/share/google-chrome/extensions", "opt/google/chrome/extensions"}
	case "linux edge":
		return []string{"usr/share/microsoft-edge/extensions", "opt/microsoft/msedge/extensions"}
	case "linux brave":
		return []string{"usr/share/chromium/extensions", "usr/share/brave/extensions", "opt/brave.com/brave/extensions"}
	case "linux vivaldi", "linux opera":
		return []string{"usr/share/" + browser + "/extensions"}
	case "linux chromium":
		return []string{"usr/share/chromium/extensions"}
	case "darwin chrome":
		return []string{"Library/Application Support/Google/Chrome/External Extensions"}
	}
	return nil
}

// policyDirs lists the folders of managed policies on Linux, relative to the root folder.
func policyDirs(system, browser string) []string {
	if system != "linux" {
		return nil
	}
	switch browser {
	case "chrome":
		return []string{"etc/opt/chrome/policies/managed"}
	case "chromium":
		return []string{"etc/chromium/policies/managed", "etc/chromium-browser/policies/managed"}
	case "edge":
		return []string{"etc/opt/edge/policies/managed"}
	case "brave", "vivaldi":
		return []string{"etc/" + browser + "/policies/managed"}
	}
	return nil
}

// placed says how an extension that the preferences do not know yet came, as far as the browser was told to install it.
func (c *chromiumProfile) placed(id string) (o manifests.Origin, fromStore bool) {
	for _, dir := range policyDirs(c.r.os, c.p.Browser) {
		if ordered(c.r.system(dir), id) {
			return manifests.OriginPolicy, false
		}
	}
	dirs := []string{filepath.Join(c.p.DataDir, "External Extensions")}
	for _, dir := range externalDirs(c.r.os, c.p.Browser) {
		dirs = append(dirs, c.r.system(dir))
	}
	for _, dir := range dirs {
		if data, ok := readOrder(dir, id+".json"); ok {
			update := manifests.Object(gjson.ParseBytes(data))["external_update_url"]
			return manifests.OriginSideloaded, isStoreURL(update.String())
		}
	}
	if c.r.root == "" {
		return registered(c.p.Browser, id)
	}
	return manifests.OriginUnknown, false
}

// system returns the place of a system folder, below the mounted disk if there is one.
func (r *Reader) system(dir string) string {
	root := r.root
	if root == "" {
		root = "/"
	}
	return filepath.Join(root, filepath.FromSlash(dir))
}

// readOrder reads a small JSON file of a folder; ok is false when there is none that can be read.
func readOrder(dir, name string) (data []byte, ok bool) {
	root, err := os.OpenRoot(dir + "/.") // the dot keeps a FIFO in the folder's place from being waited for
	if err != nil {
		return nil, false
	}
	defer root.Close()
	if data, err = readRegular(root, name, maxOrder); err != nil {
		return nil, false
	}
	data, err = manifests.Standardize(data)
	return data, err == nil
}

// ordered reports whether a policy in the folder makes the browser install the extension. Chromium reads every file of the
// folder, whatever its name.
func ordered(dir, id string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for i, e := range entries {
		if i == maxPolicyFiles {
			return false
		}
		data, ok := readOrder(dir, e.Name())
		if !ok {
			continue
		}
		policy := manifests.Object(gjson.ParseBytes(data))
		for _, entry := range policy["ExtensionInstallForcelist"].Array() {
			if first, _, _ := strings.Cut(entry.String(), ";"); first == id {
				return true
			}
		}
		for ids, settings := range manifests.Object(policy["ExtensionSettings"]) {
			if !strings.Contains(ids, id) { // several IDs may share one key, separated by commas
				continue
			}
			switch manifests.Object(settings)["installation_mode"].String() {
			case "force_installed", "normal_installed":
				return true
			}
		}
	}
	return false
}
