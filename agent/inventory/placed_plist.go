package inventory

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"howett.net/plist"

	"github.com/extwatch/extwatch/agent/browsers"
)

// On macOS policies are what a device management server forces: property lists in "Managed Preferences", for all users
// and for one, named by the browser's bundle (components/policy/core/common/policy_loader_mac.mm in Chromium). A list
// in "Preferences", which anybody can write, is no policy there, and not read.

// managedDir is where forced settings are, relative to the root folder.
const managedDir = "Library/Managed Preferences"

// policyDomain returns the bundle that a browser's policies are named by on macOS, as the vendors' documents have it.
func policyDomain(browser, channel string) string {
	switch browser {
	case "chrome":
		switch channel {
		case "beta", "dev", "canary": // these have bundles of their own
			return "com.google.Chrome." + channel
		}
		return "com.google.Chrome"
	case "chromium":
		return "org.chromium.Chromium"
	case "edge":
		return "com.microsoft.Edge"
	case "brave":
		return "com.brave.Browser"
	case "vivaldi":
		return "com.vivaldi.Vivaldi"
	case "opera":
		return "com.operasoftware.Opera"
	case "opera-gx":
		return "com.operasoftware.OperaGX"
	case "yandex":
		return "ru.yandex.desktop.yandex-browser"
	}
	return ""
}

// readManaged notes what the forced settings of macOS make a browser install, for all users and for the profile's.
func (o *orders) readManaged(r *Reader, p browsers.Profile) {
	domain := policyDomain(p.Browser, p.Channel)
	if r.os != "darwin" || domain == "" {
		return
	}
	dirs := []string{managedDir}
	if name := p.User.Name; filepath.IsLocal(name) && !strings.ContainsAny(name, `/\`) {
		dirs = append(dirs, path.Join(managedDir, name))
	}
	for _, dir := range dirs {
		at, root, err := r.openSystem(dir)
		o.read(at, root, err, func(at string, root *os.Root, files []string) {
			for _, name := range files {
				if !strings.EqualFold(name, domain+".plist") { // the file system does not tell them apart
					continue
				}
				list, err := readPropertyList(root, name)
				if err != nil {
					o.problems = append(o.problems, problemAt(filepath.Join(at, name), "this policy cannot be read: %s", reason(err)))
					continue
				}
				for _, id := range list.installs() {
					o.policy[id] = true
				}
			}
		})
	}
}

// maxPropertyList bounds a property list. Only the management server can write it; on a disk that is looked at from
// outside, who knows: the objects of a binary one may be shared, and unfold to the square of its size.
const maxPropertyList = 128 << 10

// A policyList is what a property list says of installing extensions. What has another type than policies have is
// passed over, as Chromium does, and nothing else of the list is unfolded.
type policyList struct {
	Forced   lenient[[]lenient[string]]                 `plist:"ExtensionInstallForcelist"`
	Settings lenient[map[string]lenient[policySetting]] `plist:"ExtensionSettings"`
}

type policySetting struct {
	Mode lenient[string] `plist:"installation_mode"`
}

// A lenient is empty when the list holds another type.
type lenient[T any] struct{ value T }

func (l *lenient[T]) UnmarshalPlist(unmarshal func(any) error) error {
	var v T
	if unmarshal(&v) == nil {
		l.value = v
	}
	return nil
}

// installs lists the IDs that the policies make the browser install.
func (list *policyList) installs() []string {
	var ids []string
	for _, entry := range list.Forced.value {
		id, _, _ := strings.Cut(entry.value, ";")
		ids = append(ids, id)
	}
	for key, setting := range list.Settings.value {
		if installs(setting.value.Mode.value) {
			for id := range strings.SplitSeq(key, ",") { // several IDs may share one key
				ids = append(ids, strings.TrimSpace(id))
			}
		}
	}
	return ids
}

// readPropertyList reads a property list of a folder.
func readPropertyList(root *os.Root, name string) (*policyList, error) {
	data, err := readRegular(root, name, maxPropertyList)
	if err != nil {
		return nil, err
	}
	return parsePropertyList(data)
}

// parsePropertyList reads a property list in XML or binary.
func parsePropertyList(data []byte) (*policyList, error) {
	var list policyList
	format, err := plist.Unmarshal(data, &list)
	switch {
	case err != nil:
		return nil, fmt.Errorf("it is not a property list: %w", err)
	case format != plist.XMLFormat && format != plist.BinaryFormat:
		return nil, errors.New("it is a property list of a kind that macOS no longer writes")
	}
	return &list, nil
}
