// Package places says where ExtWatch keeps its files on each system: its settings, what it remembers, its logs, and where
// it answers. Everything else asks here, so that the service, the commands and the installer mean the same folders.
package places

import "runtime"

// Places are the folders of a system, and the service's address on it.
type Places struct {
	Settings string // the folder of config.yml, conf.d and root.json
	State    string // the folder of what the service remembers: for administrators alone
	Logs     string // the folder in which the service may write logs
	Socket   string // where the service answers: a socket, or a named pipe that only administrators can make
}

// Here are the places on this machine.
func Here() Places { return of(runtime.GOOS, programData()) }

// Of are the places on a system, as runtime.GOOS names it, for files that are made elsewhere.
func Of(system string) Places { return of(system, `C:\ProgramData`) }

// of takes Windows' folder for the files of all users.
func of(system, data string) Places {
	switch system {
	case "windows":
		dir := data + `\ExtWatch`
		return Places{dir, dir + `\state`, dir + `\logs`, `\\.\pipe\ProtectedPrefix\Administrators\ExtWatch\agent`}
	case "darwin":
		const dir = "/Library/Application Support/ExtWatch"
		return Places{dir, dir + "/state", "/Library/Logs/ExtWatch", "/var/run/extwatch/agent.sock"}
	}
	return Places{"/etc/extwatch", "/var/lib/extwatch", "/var/log/extwatch", "/run/extwatch/agent.sock"}
}
