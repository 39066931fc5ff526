//go:build !unix && !windows

package browsers

import "io/fs"

const nonblock = 0

func privileged() bool { return false }

func owner(fs.FileInfo) (uid int, known bool) { return -1, false }
