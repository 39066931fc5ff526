//go:build !windows

package inventory

import "github.com/extwatch/extwatch/manifests"

// registered asks the Windows registry; there is none here.
func registered(string, string) (manifests.Origin, bool) { return manifests.OriginUnknown, false }
