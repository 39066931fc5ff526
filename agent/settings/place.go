package settings

import (
	"os"
	"path/filepath"
	"runtime"
)

// DefaultFile is where the file of settings lies: /etc/extwatch/config.yml, or the folder of the system for it.
func DefaultFile() string { return filepath.Join(folder(runtime.GOOS, os.Getenv), "config.yml") }

// Watched lists what to watch for changes of settings: files, and folders whose files count.
func Watched() []string {
	file := DefaultFile()
	list := []string{file, filepath.Join(filepath.Dir(file), "conf.d")}
	if runtime.GOOS == "darwin" {
		list = append(list, managedFile)
	}
	return list
}

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
