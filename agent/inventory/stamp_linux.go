package inventory

import (
	"io/fs"
	"syscall"
)

// identity returns the time of the last change in ns, the device and the inode.
func identity(fi fs.FileInfo) (ctime int64, dev, ino uint64) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, 0
	}
	return st.Ctim.Nano(), uint64(st.Dev), uint64(st.Ino) //nolint:unconvert // the types differ between architectures
}
