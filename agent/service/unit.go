package service

import (
	_ "embed"
	"strings"
)

// systemdTemplate is the unit, with the few places that kardianos/service fills in. The packages install the same.
//
//go:embed extwatch.service
var systemdTemplate string

// launchd is the property list of the daemon, in the same form.
//
//go:embed extwatch.plist
var launchd string

// withSteps is the first systemd that knows RestartSteps; older ones warn of it.
const withSteps = 254

// unit returns the template of systemd's unit. Without network, the service can reach this machine only.
func unit(network bool, version int) string {
	var lines []string
	for line := range strings.Lines(systemdTemplate) {
		switch {
		case network && strings.HasPrefix(line, "IPAddress"):
		case version < withSteps && (strings.HasPrefix(line, "RestartSteps=") || strings.HasPrefix(line, "RestartMaxDelaySec=")):
		default:
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}
