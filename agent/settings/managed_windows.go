package settings

import (
	"strconv"

	"golang.org/x/sys/windows/registry"
)

const (
	// policyKey is where group policy writes, below HKEY_LOCAL_MACHINE. Only administrators may.
	policyKey = `SOFTWARE\Policies\ExtWatch`
	// installKey is where the installer writes what it was told (installer/windows/extwatch.wxs).
	installKey = `SOFTWARE\ExtWatch\Settings`
)

// readManaged reads what the installer was told, and what group policy puts above it.
func readManaged() []Managed { return append(readKey(installKey), readKey(policyKey)...) }

// readKey reads the values of a key. One that cannot be read is left out: there is nothing to set.
func readKey(path string) []Managed {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, path, registry.QUERY_VALUE)
	if err != nil {
		return nil // no policy
	}
	defer k.Close()
	names, err := k.ReadValueNames(-1)
	if err != nil {
		return nil
	}
	bools := map[string]bool{}
	for _, o := range Options() {
		bools[o.PolicyName()] = o.Kind == Bool
	}
	var list []Managed
	for _, name := range names {
		m := Managed{Name: name, Place: `HKLM\` + path + `\` + name}
		if text, _, err := k.GetStringValue(name); err == nil {
			m.Value = text
		} else if n, _, err := k.GetIntegerValue(name); err == nil {
			m.Value = strconv.FormatUint(n, 10)
			if bools[name] {
				m.Value = strconv.FormatBool(n != 0)
			}
		}
		list = append(list, m)
	}
	return list
}
