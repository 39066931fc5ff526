//go:build !linux && !darwin

package inventory

import "io/fs"

// identity returns zeros: size and time of the last write identify a file here.
func identity(fs.FileInfo) (ctime int64, dev, ino uint64) { return 0, 0, 0 }
