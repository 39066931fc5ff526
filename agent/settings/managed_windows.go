package settings

import (
	"strconv"

	"golang.org/x/sys/windows/registry"
)

// policyKey is where group policy writes, below HKEY_LOCAL_MACHINE. Only administrators may.
const policyKey = `SOFTWARE\Policies\ExtWatch`

// readManaged reads the values of the policy key. A value that cannot be read is left out: there is nothing to set.
func readManaged() []Managed {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, policyKey, registry.QUERY_VALUE)
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
		m := Managed{Name: name, Place: `HKLM\` + policyKey + `\` + name}
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
