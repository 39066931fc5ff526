//go:build unix

package cli

import "os"

// administrator reports whether this process has an administrator's rights.
func administrator() bool { return os.Geteuid() == 0 }
