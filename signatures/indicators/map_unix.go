//go:build unix && !aix && !solaris

package indicators

import (
	"io/fs"
	"syscall"

	"golang.org/x/sys/unix"
)

// mapFile maps a file of the operating system into memory, read only.
func mapFile(f fs.File, size int) (data []byte, ok bool) {
	file, ok := f.(interface {
		SyscallConn() (syscall.RawConn, error)
	})
	if !ok {
		return nil, false
	}
	conn, err := file.SyscallConn()
	if err != nil {
		return nil, false
	}
	var mapErr error
	err = conn.Control(func(fd uintptr) {
		data, mapErr = unix.Mmap(int(fd), 0, size, unix.PROT_READ, unix.MAP_SHARED)
	})
	return data, err == nil && mapErr == nil
}

func unmap(data []byte) { _ = unix.Munmap(data) } // nothing can be done about it, and nothing is lost

// release gives the memory back until it is read again; the file keeps what it holds.
func release(data []byte) { _ = unix.Madvise(data, unix.MADV_DONTNEED) } // only thrift
