//go:build !unix && !windows

package inventory

import "io/fs"

// Nothing is known of these systems.
const (
	openFlags = 0
	asFolder  = ""
)

func privileged() bool { return false }

// owner returns -1: the owner is not known.
func owner(fs.FileInfo) int { return -1 }
