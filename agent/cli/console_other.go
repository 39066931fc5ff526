//go:build !windows

package cli

import "os"

// enableColor reports whether the terminal understands ANSI colours; all but Windows' always do.
func enableColor(*os.File) bool { return true }
