package settings

import (
	"os"
	"path/filepath"
	"runtime"
)

// DefaultFile is where the file of settings lies: /etc/extwatch/config.yml, or the folder of the system for it.
func DefaultFile() string { return filepath.Join(folder(runtime.GOOS, os.Getenv), "config.yml") }

func folder(system string, env func(string) string) string {
	switch system {
	case "windows":
		if dir := env("ProgramData"); dir != "" {
			return filepath.Join(dir, "ExtWatch")
		}
		return `C:\ProgramData\ExtWatch`
	case "darwin":
		return "/Library/Application Support/ExtWatch"
	}
	return "/etc/extwatch"
}
