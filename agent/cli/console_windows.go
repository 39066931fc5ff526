package cli

import (
	"os"

	"golang.org/x/sys/windows"
)

// enableColor turns ANSI sequences on. Consoles older than Windows 10 1511 refuse, and get none.
func enableColor(f *os.File) bool {
	h := windows.Handle(f.Fd())
	var mode uint32
	if windows.GetConsoleMode(h, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(h, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
