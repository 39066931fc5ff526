//go:build unix

package archive

import "syscall"

// openFlags keep an open from waiting for the other end of a FIFO, and a terminal from becoming ours.
const openFlags = syscall.O_NONBLOCK | syscall.O_NOCTTY

// asFolder, behind a path, makes the kernel refuse anything but a folder. os.OpenRoot alone would wait on a FIFO that
// takes the folder's place after we looked.
const asFolder = "/."
