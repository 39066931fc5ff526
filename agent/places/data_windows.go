package places

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// programData is C:\ProgramData, or where else this Windows has it. The environment is the last resort: each account, and
// the service, may have another one (measured on Wine 8: the service has none of the installing account's).
func programData() string {
	if dir, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, windows.KF_FLAG_DEFAULT); err == nil && filepath.IsAbs(dir) {
		return filepath.Clean(dir)
	}
	if dir := os.Getenv("ProgramData"); filepath.IsAbs(dir) {
		return filepath.Clean(dir)
	}
	return `C:\ProgramData`
}
