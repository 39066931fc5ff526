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

// socketPath is where the service answers; "" where it does not yet.
func socketPath() string {
	switch runtime.GOOS {
	case "windows":
		return ""
	case "darwin":
		return "/var/run/extwatch/agent.sock"
	}
	return "/run/extwatch/agent.sock"
}

// administrator reports whether this process has an administrator's rights. Windows does not say it here: what lacks them
// fails with an error of its own.
func administrator() bool { return os.Geteuid() <= 0 }
