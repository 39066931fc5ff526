//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly || windows)

package store

import "os"

// lockFile does nothing where no lock is known: SQLite's own locks keep the file whole.
func lockFile(*os.File) error { return nil }
