package inventory

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/extwatch/extwatch/agent/browsers"
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

// orders are what a browser was told to install, read once for each reading of a profile.
type orders struct {
	policy   map[string]bool   // IDs
	external map[string]string // ID → folder that holds ID.json
}

func (r *Reader) ordersFor(p browsers.Profile) orders {
	o := orders{policy: map[string]bool{}, external: map[string]string{}}
	for _, dir := range policyDirs(r.os, p.Browser) {
		o.readPolicies(r.system(dir))
	}
	dirs := []string{filepath.Join(p.DataDir, "External Extensions")}
	for _, dir := range externalDirs(r.os, p.Browser) {
		dirs = append(dirs, r.system(dir))
	}
	for _, dir := range dirs {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if id, ok := strings.CutSuffix(e.Name(), ".json"); ok && manifests.ValidID(id) {
				o.external[id] = dir
			}
		}
	}
	return o
}

// placed says how an extension that the preferences do not know yet came, as far as the browser was told to install it.
func (c *chromiumProfile) placed(id string) (o manifests.Origin, fromStore bool) {
	orders := c.orders()
	if orders.policy[id] {
		return manifests.OriginPolicy, false
	}
	if dir, ok := orders.external[id]; ok {
		order, _ := readOrder(dir, id+".json")
		return manifests.OriginSideloaded, isStoreURL(order["external_update_url"].String())
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
func readOrder(dir, name string) (members map[string]gjson.Result, ok bool) {
	root, err := os.OpenRoot(dir + "/.") // the dot keeps a FIFO in the folder's place from being waited for
	if err != nil {
		return nil, false
	}
	defer root.Close()
	data, err := readRegular(root, name, maxOrder)
	if err != nil {
		return nil, false
	}
	top, err := manifests.ReadJSON(data)
	return manifests.Object(top), err == nil
}

// readPolicies notes the extensions that the policies in a folder make the browser install. Chromium reads every file of
// the folder, whatever its name.
func (o orders) readPolicies(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries[:min(len(entries), maxPolicyFiles)] {
		policy, ok := readOrder(dir, e.Name())
		if !ok {
			continue
		}
		for _, entry := range policy["ExtensionInstallForcelist"].Array() {
			id, _, _ := strings.Cut(entry.String(), ";")
			o.policy[id] = true
		}
		for ids, settings := range manifests.Object(policy["ExtensionSettings"]) {
			switch manifests.Object(settings)["installation_mode"].String() {
			case "force_installed", "normal_installed":
				for id := range strings.SplitSeq(ids, ",") { // several IDs may share one key
					o.policy[strings.TrimSpace(id)] = true
				}
			}
		}
	}
}
