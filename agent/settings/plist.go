package settings

import (
	"fmt"
	"slices"
	"strings"

	"howett.net/plist"
)

// managedFile is what device management writes on macOS for the domain com.extwatch.agent. Only root may.
const managedFile = "/Library/Managed Preferences/com.extwatch.agent.plist"

// managedPlist reads the values of a property list, in the order of their names.
func managedPlist(data []byte) []Managed {
	var values map[string]any
	if _, err := plist.Unmarshal(data, &values); err != nil {
		return []Managed{{Place: managedFile + " (it is no property list)"}}
	}
	var list []Managed
	for name, v := range values {
		if strings.HasPrefix(name, "Payload") {
			continue // what device management adds
		}
		list = append(list, Managed{Name: name, Value: fmt.Sprint(v), Place: managedFile + ": " + name})
	}
	slices.SortFunc(list, func(a, b Managed) int { return strings.Compare(a.Name, b.Name) })
	return list
}
