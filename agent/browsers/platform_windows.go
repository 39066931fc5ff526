package browsers

import (
	"io/fs"

	"golang.org/x/sys/windows"
)

// nonblock: Windows has no FIFOs in folders.
const nonblock = 0

// privileged reports whether this process may read what its user may not.
func privileged() bool { return windows.GetCurrentProcessToken().IsElevated() }

// owner is not known: the owner of a folder on Windows is often a group (Administrators), which proves nothing.
func owner(fs.FileInfo) (uid int, known bool) { return -1, false }
