package service

import (
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/kardianos/service"

	"github.com/extwatch/extwatch/agent/places"
)

const (
	launchdPlist  = "/Library/LaunchDaemons/" + Name + ".plist"
	launchdTarget = "system/" + Name
)

// start and stop use bootstrap and bootout: launchctl's load and unload fail on newer systems with "Input/output error".
func start(service.Service) error {
	if err := os.MkdirAll(places.Here().Logs, 0o755); err != nil {
		return err
	}
	if err := launchctl("bootstrap", "system", launchdPlist); err != nil {
		return err
	}
	return launchctl("kickstart", launchdTarget)
}

func stop(service.Service) error { return launchctl("bootout", launchdTarget) }

func launchctl(args ...string) error {
	out, err := exec.Command("launchctl", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("launchctl %s: %s", strings.Join(args, " "), strings.TrimSpace(string(out)))
	}
	return nil
}

func installed() error { return nil }
func uninstalled()     {}

// forget removes what a failed Install left.
func forget(service.Service) { os.Remove(launchdPlist) }

func systemdVersion() int { return 0 }

// packaged is not asked here: installers use this package as well.
func packaged() bool { return false }

// network has nothing to say: this manager does not keep services from the network.
func network(bool) error { return nil }
