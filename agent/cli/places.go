package cli

import (
	"os"
	"path/filepath"
	"runtime"
)

// stateFolder is where the service keeps what it remembers: readable by its owner alone.
func stateFolder() string {
	switch runtime.GOOS {
	case "windows":
		if dir := os.Getenv("ProgramData"); dir != "" {
			return filepath.Join(dir, "ExtWatch", "state")
		}
		return `C:\ProgramData\ExtWatch\state`
	case "darwin":
		return "/Library/Application Support/ExtWatch/state"
	}
	return "/var/lib/extwatch"
}

// socketPath is where the service answers: a socket, or a named pipe that only administrators can make.
func socketPath() string {
	switch runtime.GOOS {
	case "windows":
		return `\\.\pipe\ProtectedPrefix\Administrators\ExtWatch\agent`
	case "darwin":
		return "/var/run/extwatch/agent.sock"
	}
	return "/run/extwatch/agent.sock"
}
