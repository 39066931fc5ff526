//go:build unix

package inventory

import (
	"io/fs"
	"os"
	"syscall"
)

const (
	// openFlags keeps the opening of a pipe from waiting for a writer.
	openFlags = syscall.O_NONBLOCK
	// asFolder, behind a path, makes the kernel refuse anything but a folder.
	asFolder = "/."
)

// privileged reports whether this process may read what the owner of a profile may not.
func privileged() bool { return os.Geteuid() == 0 }

// owner returns the user ID that owns the file, or -1.
func owner(fi fs.FileInfo) int {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return -1
}
