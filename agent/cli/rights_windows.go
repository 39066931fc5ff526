package cli

import "golang.org/x/sys/windows"

// administrator reports whether this process was started as administrator, or is the system.
func administrator() bool { return windows.GetCurrentProcessToken().IsElevated() }
