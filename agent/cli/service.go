package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/extwatch/extwatch/agent/places"
	"github.com/extwatch/extwatch/agent/response"
	"github.com/extwatch/extwatch/agent/service"
	"github.com/extwatch/extwatch/agent/settings"
)

const serviceLong = `Installs ExtWatch as a service of this system, so that it starts with the machine and watches
all users. It needs administrator rights, and undoes what it did with 'uninstall'.

Exit code of 'status': 0 it runs, 1 it does not.`

const serviceExample = `  sudo extwatch service install     install it and start it now
  extwatch service status           does it run?
  sudo extwatch service uninstall   stop it and remove it`

func newService(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "service",
		Short:   "Install, start, stop or remove the service",
		Long:    serviceLong,
		Example: serviceExample,
		Args:    onlySubcommands,
		RunE:    showHelp,
	}
	var purge bool
	for _, sub := range []struct {
		name, short string
		run         func(*console) error
	}{
		{"install", "Install the service and start it", installService},
		{"uninstall", "Stop the service, take its blocks back and remove it", func(c *console) error { return uninstallService(c, purge) }},
		{"start", "Start the service", func(c *console) error { return changeService(c, service.Start, "it runs") }},
		{"stop", "Stop the service until the machine starts again", func(c *console) error { return changeService(c, service.Stop, "it is stopped") }},
		{"status", "Say whether the service runs", serviceStatus},
	} {
		one := &cobra.Command{Use: sub.name, Short: sub.short, Args: noArgs, RunE: func(*cobra.Command, []string) error { return sub.run(c) }}
		if sub.name == "uninstall" {
			one.Flags().BoolVar(&purge, "purge", false, "also remove what it remembers: history, decisions and evidence")
		}
		cmd.AddCommand(one)
	}
	cmd.AddCommand(newRelease(c),
		&cobra.Command{Use: "network", Hidden: true, Args: noArgs, RunE: func(*cobra.Command, []string) error { return networkOfService() }},
		&cobra.Command{Use: "prepare", Hidden: true, Args: noArgs, RunE: func(*cobra.Command, []string) error { return prepareService() }})
	return cmd
}

// prepareService makes what the service cannot make with its few rights. The service manager runs it before each start.
func prepareService() error {
	if err := response.New(response.Config{Folder: places.Here().State}).Prepare(); err != nil {
		return failed("the service runs, but may be unable to block in some browsers", "%v", err)
	}
	return nil
}

func installService(c *console) error {
	if _, err := settings.Load(settings.Places{}); err != nil {
		return failed("correct it, and check with 'extwatch run --check-config'", "the settings are wrong: %s", settings.Mistakes(err)[0])
	}
	err := service.Install(service.Config{Arguments: []string{"run", "--service"}})
	if err != nil && !errors.Is(err, service.ErrPackaged) {
		return serviceFailure(err)
	}
	if err := service.Start(); err != nil {
		return serviceFailure(err)
	}
	return c.print("ExtWatch is installed as a service and runs.", "It starts with this machine. 'extwatch status' shows what it sees.")
}

// uninstallService leaves the machine as it was, but for what it remembers, which is evidence.
func uninstallService(c *console, purge bool) error {
	if err := service.Uninstall(); err != nil && (!purge || !errors.Is(err, service.ErrNotInstalled)) {
		return serviceFailure(err)
	}
	folder := places.Here().State
	if _, err := os.Stat(folder); err != nil {
		return c.print("The service is stopped and removed.")
	}
	blocks, err := releaseBlocks(context.Background(), folder)
	if err != nil {
		return err
	}
	lines := []string{"The service is stopped and removed."}
	if blocks > 0 {
		lines = append(lines, count(blocks, "block")+" taken back; browsers enable those extensions again.")
	}
	if !purge {
		return c.print(append(lines, "Left: "+folder+", with its history and evidence; 'extwatch service uninstall --purge' removes it.")...)
	}
	if err := forgetAll(places.Here()); err != nil {
		return failed("remove it by hand", "cannot remove what the service remembered: %v", err)
	}
	return c.print(append(lines, "What it remembered is removed.")...)
}

func changeService(c *console, change func() error, done string) error {
	if err := change(); err != nil {
		return serviceFailure(err)
	}
	return c.print("The service: " + done + ".")
}

func serviceStatus(c *console) error {
	state, err := service.Query()
	if err != nil {
		return serviceFailure(err)
	}
	text := "not installed"
	switch {
	case state.Running:
		text = "installed, runs"
	case state.Installed:
		text = "installed, does not run"
	}
	if state.Detail != "" {
		text += " (" + state.Detail + ")"
	}
	if err := c.print(fmt.Sprintf("service  %s  [%s]", text, state.Manager)); err != nil {
		return err
	}
	if !state.Running {
		return failed("run 'sudo extwatch service install'", "the service does not run")
	}
	return nil
}

// serviceFailure says what to do about an error of the service manager.
func serviceFailure(err error) error {
	switch {
	case errors.Is(err, service.ErrNotInstalled):
		return failed("install it with 'sudo extwatch service install'", "%v", err)
	case errors.Is(err, service.ErrPackaged):
		return failed("remove the package instead, for example with 'sudo apt remove extwatch'", "%v", err)
	case errors.Is(err, fs.ErrPermission), !administrator():
		return failed("run it as administrator: with sudo, or in a terminal that was opened as administrator", "%v", err)
	}
	return failed("the log of your system may say more", "%v", err)
}
