package service

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/kardianos/service"
)

// systemdUnit is where Install writes the unit; a package brings its own below /usr/lib, which this one shadows.
const systemdUnit = "/etc/systemd/system/" + Name + ".service"

// packaged reports whether a package brought the unit.
func packaged() bool {
	for _, dir := range [...]string{"/usr/lib/systemd/system/", "/lib/systemd/system/"} {
		if _, err := os.Stat(dir + Name + ".service"); err == nil {
			return true
		}
	}
	return false
}

func start(s service.Service) error { return s.Start() }
func stop(s service.Service) error  { return s.Stop() }

func installed() error { return nil }

// uninstalled lets systemd forget that the unit failed.
func uninstalled() {
	if service.Platform() == "linux-systemd" {
		exec.Command("systemctl", "reset-failed", Name).Run() // an error means that it never failed
	}
}

// forget removes what a failed Install left: kardianos/service leaves an empty unit, and refuses to write it again.
func forget(s service.Service) {
	if s.Platform() == "linux-systemd" {
		os.Remove(systemdUnit)
	}
}

// network changes the unit's list of addresses for as long as the machine runs. What is allowed wins over what is denied.
func network(allowed bool) error {
	if service.Platform() != "linux-systemd" {
		return nil
	}
	to := "localhost"
	if allowed {
		to = "any"
	}
	// The first one empties the list.
	out, err := exec.Command("systemctl", "set-property", "--runtime", Name+".service", "IPAddressAllow=", "IPAddressAllow="+to).CombinedOutput()
	if err != nil {
		return fmt.Errorf("let the service reach %s: %w: %s", to, err, strings.TrimSpace(string(out)))
	}
	return nil
}

var systemdNumber = regexp.MustCompile(`^systemd ([0-9]+)`)

// systemdVersion returns systemd's version, 0 when it is unknown.
func systemdVersion() int {
	out, err := exec.Command("systemctl", "--version").Output()
	if m := systemdNumber.FindSubmatch(out); err == nil && m != nil {
		n, _ := strconv.Atoi(string(m[1]))
		return n
	}
	return 0
}
