package service

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/extwatch/extwatch/agent/places"
)

// openRC is the script for systems without systemd that use OpenRC.
//
//go:embed extwatch.openrc
var openRC string

// A Kind is a file that tells a service manager of the service.
type Kind string

// The kinds that packages bring.
const (
	Systemd Kind = "systemd" // for systemd 247 and newer
	Launchd Kind = "launchd"
	OpenRC  Kind = "openrc"
)

// File returns what a package is to install so that the manager runs cfg.Executable: the same as Install writes, on
// whatever system this program runs. It returns an error for a kind that it does not know.
func File(kind Kind, cfg Config) (string, error) {
	var text string
	switch kind {
	case Systemd:
		text = unit(0)
	case Launchd:
		text = launchd
	case OpenRC:
		text = openRC
	default:
		return "", fmt.Errorf("there is no file for the service manager %q", kind)
	}
	var lines []string
	for line := range strings.Lines(text) {
		before, rest, repeated := strings.Cut(line, "{{range Arguments}}")
		if !repeated {
			lines = append(lines, line)
			continue
		}
		lines = append(lines, before)
		body, after, _ := strings.Cut(rest, "{{end}}")
		if after == "" { // the loop ends on the next line of the template
			body = rest
		}
		for _, a := range cfg.Arguments {
			lines = append(lines, strings.NewReplacer("{{. | cmd}}", a, "{{. | html}}", a).Replace(body))
		}
		lines = append(lines, after)
	}
	log := places.Of("darwin").Logs + "/" + Name
	return strings.NewReplacer("{{end}}", "", "{{Description}}", description, "{{Name | html}}", Name, "{{Path | cmdEscape}}", cfg.Executable,
		"{{Path | html}}", cfg.Executable, "{{Path}}", cfg.Executable, "{{RunAtLoad}}", "true",
		"{{StandardOutPath | html}}", log+".out.log", "{{StandardErrorPath | html}}", log+".err.log").Replace(strings.Join(lines, "")), nil
}
