package main

import (
	"bytes"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra/doc"

	"github.com/extwatch/extwatch/agent/cli"
	"github.com/extwatch/extwatch/agent/service"
	"github.com/extwatch/extwatch/agent/settings"
)

// files writes everything that does not depend on a built program below dir.
func files(dir string, when time.Time) error {
	if err := commands(dir, when); err != nil {
		return err
	}
	run := []string{"run", "--service"}
	for _, f := range []struct {
		name string
		kind service.Kind
		cfg  service.Config
	}{
		{"extwatch.service", service.Systemd, service.Config{Executable: "/usr/bin/extwatch", Arguments: run}},
		{"extwatch.openrc", service.OpenRC, service.Config{Executable: "/usr/bin/extwatch", Arguments: run}},
		{"extwatch.plist", service.Launchd, service.Config{Executable: "/usr/local/bin/extwatch", Arguments: run}},
	} {
		text, err := service.File(f.kind, f.cfg)
		if err != nil {
			return err
		}
		if err := write(dir, f.name, text); err != nil {
			return err
		}
	}
	options := settings.Options()
	admx, adml := groupPolicy(options)
	for name, text := range map[string]string{
		"config.yml":               settings.Example(),
		"admx/ExtWatch.admx":       admx,
		"admx/en-US/ExtWatch.adml": adml,
		"extwatch.mobileconfig":    mobileConfig(options),
	} {
		if err := write(dir, name, text); err != nil {
			return err
		}
	}
	return nil
}

// commands writes a manual page for each command, and the completions of each shell.
func commands(dir string, when time.Time) error {
	root := cli.Command()
	root.DisableAutoGenTag = true
	man := filepath.Join(dir, "man")
	if err := os.MkdirAll(man, 0o755); err != nil {
		return err
	}
	header := &doc.GenManHeader{Section: "1", Date: &when, Source: "ExtWatch " + cli.Version, Manual: "ExtWatch"}
	if err := doc.GenManTree(root, header, man); err != nil {
		return err
	}
	var bash, zsh, fish, power bytes.Buffer
	if err := root.GenBashCompletionV2(&bash, true); err != nil {
		return err
	}
	if err := root.GenZshCompletion(&zsh); err != nil {
		return err
	}
	if err := root.GenFishCompletion(&fish, true); err != nil {
		return err
	}
	if err := root.GenPowerShellCompletionWithDesc(&power); err != nil {
		return err
	}
	for name, b := range map[string]*bytes.Buffer{"extwatch.bash": &bash, "_extwatch": &zsh, "extwatch.fish": &fish, "extwatch.ps1": &power} {
		if err := write(dir, "completions/"+name, b.String()); err != nil {
			return err
		}
	}
	return nil
}

func write(dir, name, text string) error {
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text), 0o644)
}
