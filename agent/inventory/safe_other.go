//go:build !unix

package inventory

import "io/fs"

// openFlags is empty: no file name of a folder on these systems opens a pipe.
const openFlags = 0

// privileged reports whether this process may read what the owner of a profile may not. The agent's service can.
func privileged() bool { return true }

// owner returns -1: the owner is not a number here.
func owner(fs.FileInfo) int { return -1 }
