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

// unit returns the template of systemd's unit. The service reaches this machine only, until Network lets it out.
func unit(version int) string {
	var lines []string
	for line := range strings.Lines(systemdTemplate) {
		if version < withSteps && (strings.HasPrefix(line, "RestartSteps=") || strings.HasPrefix(line, "RestartMaxDelaySec=")) {
			continue
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "")
}
