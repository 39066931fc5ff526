package cli

import (
	"os"
	"strings"

	"github.com/extwatch/extwatch/agent/service"
	"github.com/extwatch/extwatch/agent/settings"
)

// networkNote is where 'service network', which the unit calls, leaves what came of it. The folder is the service's own, and
// goes when it stops.
const networkNote = "/run/extwatch/network"

const (
	networkOpen   = "any machine"
	networkClosed = "this machine only"
	networkFailed = "failed: " // and why
)

func needsNetwork(s settings.Settings) bool { return s.Outputs.Network() || s.Feed.Network() }

// networkOfService is called by the unit before each start and reload: the service has a network when an output or the feed needs it.
func networkOfService() error {
	s, err := settings.Load(settings.Places{})
	if err != nil {
		return failed("correct it, and check with 'extwatch run --check-config'", "the settings are wrong, and the network stays as it was: %v", err)
	}
	note := networkClosed
	if needsNetwork(s) {
		note = networkOpen
	}
	if err = service.Network(needsNetwork(s)); err != nil {
		note = networkFailed + err.Error()
	}
	if werr := os.WriteFile(networkNote, []byte(note), 0o644); werr != nil && err == nil {
		return failed("see whether the disk below /run is full", "the status cannot tell what the service may reach: %v", werr)
	}
	if err != nil {
		return serviceFailure(err)
	}
	return nil
}

// networkTroubles says what is wrong with the network of the service that runs.
func networkTroubles(s settings.Settings) []string {
	note, err := os.ReadFile(networkNote)
	if err != nil {
		return nil // nobody holds the service to anything here
	}
	return networkTrouble(string(note), needsNetwork(s))
}

func networkTrouble(note string, needed bool) []string {
	why, bad := strings.CutPrefix(note, networkFailed)
	switch {
	case bad && needed:
		return []string{"the service may be unable to reach the other machines that the settings name, for the network of its unit could not be set; 'sudo systemctl reload extwatch' tries again: " + why}
	case bad:
		return []string{"the network of the service's unit could not be set; 'sudo systemctl reload extwatch' tries again: " + why}
	case needed && note == networkClosed:
		return []string{"the settings name another machine, and the service may reach this one only; 'sudo systemctl reload extwatch' lets it out"}
	}
	return nil
}
