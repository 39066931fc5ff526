package inventory

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
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
	case "darwin edge":
		return []string{"Library/Application Support/Microsoft Edge/External Extensions"}
	case "darwin brave":
		return []string{"Library/Application Support/BraveSoftware/Brave-Browser/External Extensions"}
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
	case "opera", "opera-gx", "opera-air", "opera-crypto":
		return []string{"etc/opt/opera/policies/managed", "etc/opera/policies/managed"}
	case "yandex":
		return []string{"etc/opt/yandex/browser/policies/managed"}
	}
	return nil
}

// orders are what a browser was told to install, read once for each reading of a profile that needs it.
type orders struct {
	policy   map[string]bool   // IDs
	external map[string]string // ID → the update address in its ID.json; "" when that gives none
	problems []manifests.Problem
}

func (r *Reader) ordersFor(p browsers.Profile, h *held) orders {
	o := orders{policy: make(map[string]bool), external: make(map[string]string)}
	for _, dir := range policyDirs(r.os, p.Browser) {
		path, root, err := r.openSystem(dir)
		o.read(path, root, err, o.readPolicies)
	}
	o.readManaged(r, p)
	own := filepath.Join(p.DataDir, externalName)
	root, err := r.openExternal(p, h)
	o.read(own, root, err, o.readExternal)
	for _, dir := range externalDirs(r.os, p.Browser) {
		path, root, err := r.openSystem(dir)
		o.read(path, root, err, o.readExternal)
	}
	if r.root == "" && r.os == runtime.GOOS {
		for _, id := range registryPolicies(p.Browser) {
			o.policy[id] = true
		}
	}
	return o
}

// externalName is the folder in which programs of the user order extensions, in the user data folder.
const externalName = "External Extensions"

// openExternal opens the folder externalName of a profile's browser.
func (r *Reader) openExternal(p browsers.Profile, h *held) (*os.Root, error) {
	dir := filepath.Join(p.DataDir, externalName)
	if rel, ok := beneath(h.homeDir, dir); ok && h.home != nil {
		return openFolder(h.home, rel)
	}
	return r.openNamed(p, dir)
}

// openSystem opens a folder of the system, below the mounted disk if there is one.
func (r *Reader) openSystem(dir string) (path string, root *os.Root, err error) {
	if r.root == "" {
		path = filepath.Join(string(filepath.Separator), filepath.FromSlash(dir))
		root, err = openFolderAt(path)
		return path, root, err
	}
	path = filepath.Join(r.root, r.spelled(dir))
	to, err := openBeneath(r.root, path)
	if err == nil && to.name != "." {
		to.root.Close()
		err = errFile
	}
	return path, to.root, err
}

// read has the names in a folder of orders read, and closes it. A folder that is not there is usual.
func (o *orders) read(path string, root *os.Root, err error, fn func(path string, root *os.Root, files []string)) {
	if err == nil {
		defer root.Close()
		var entries []fs.DirEntry
		var more bool
		if entries, more, err = readNames(root, "."); err == nil {
			var files []string
			for _, e := range entries {
				if !e.IsDir() {
					files = append(files, e.Name())
				}
			}
			slices.Sort(files)
			if more {
				o.problems = append(o.problems, problemAt(path, "it holds more than %d names; the rest is not read", maxNames))
			}
			fn(path, root, files)
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		o.problems = append(o.problems, problemAt(path, "it says what the browser is to install, and cannot be read: %s", reason(err)))
	}
}

// readExternal notes the extensions of which a folder holds a file ID.json.
func (o *orders) readExternal(_ string, root *os.Root, files []string) {
	for _, name := range files {
		id, ok := strings.CutSuffix(name, ".json")
		if !ok || !manifests.ValidID(id) || len(o.external) >= maxExtensions {
			continue
		}
		order, _ := readOrder(root, name) // that it is there counts, whatever it says
		o.external[id] = strings.Clone(order["external_update_url"].String())
	}
}

// readPolicies notes the extensions that the policies in a folder make the browser install. Chromium reads every file of
// the folder, whatever its name.
func (o *orders) readPolicies(path string, root *os.Root, files []string) {
	if len(files) > maxPolicyFiles {
		o.problems = append(o.problems, problemAt(path, "it holds more than %d policies; the rest is not read", maxPolicyFiles))
		files = files[:maxPolicyFiles]
	}
	for _, name := range files {
		policy, err := readOrder(root, name)
		if err != nil {
			o.problems = append(o.problems, problemAt(filepath.Join(path, name), "this policy cannot be read: %s", reason(err)))
			continue
		}
		for _, entry := range policy["ExtensionInstallForcelist"].Array() {
			id, _, _ := strings.Cut(entry.String(), ";")
			o.policy[id] = true
		}
		for _, id := range installedBy(policy["ExtensionSettings"]) {
			o.policy[id] = true
		}
	}
}

// installedBy lists the IDs that a policy ExtensionSettings makes the browser install.
func installedBy(settings gjson.Result) []string {
	var list []string
	for ids, setting := range manifests.Object(settings) {
		if installs(manifests.Object(setting)["installation_mode"].String()) {
			for id := range strings.SplitSeq(ids, ",") { // several IDs may share one key
				list = append(list, strings.TrimSpace(id))
			}
		}
	}
	return list
}

// installs reports whether an installation_mode makes the browser install.
func installs(mode string) bool { return mode == "force_installed" || mode == "normal_installed" }

// readOrder reads a small JSON file of a folder.
func readOrder(root *os.Root, name string) (map[string]gjson.Result, error) {
	data, err := readRegular(root, name, maxOrder)
	if err != nil {
		return nil, err
	}
	top, err := manifests.ReadJSON(data)
	if err != nil {
		return nil, fmt.Errorf("it is not valid JSON: %w", err)
	}
	return manifests.Object(top), nil
}

// placed says how an extension that the preferences do not know yet came, as far as the browser was told to install it.
func (c *chromiumProfile) placed(id string) (o manifests.Origin, fromStore bool) {
	orders := c.orders()
	if orders.policy[id] {
		return manifests.OriginPolicy, false
	}
	update, ok := orders.external[id]
	if !ok && c.r.root == "" && c.r.os == runtime.GOOS {
		update, ok = registered(c.p.Browser, id)
	}
	if ok {
		return manifests.OriginSideloaded, isStoreURL(update)
	}
	return manifests.OriginUnknown, false
}
