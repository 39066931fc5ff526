//go:build unix

package browsers

import (
	"io/fs"
	"os"
	"syscall"
)

// nonblock keeps an open of a FIFO or device from waiting.
const nonblock = syscall.O_NONBLOCK

// privileged reports whether this process may read what its user may not.
func privileged() bool { return os.Geteuid() == 0 }

// owner returns the owner of a file.
func owner(fi fs.FileInfo) (uid int, known bool) {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid), true
	}
	return -1, false
}
