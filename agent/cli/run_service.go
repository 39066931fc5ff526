package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/agent/places"
	"github.com/extwatch/extwatch/agent/reader"
	"github.com/extwatch/extwatch/agent/resident"
	"github.com/extwatch/extwatch/agent/sandbox"
	"github.com/extwatch/extwatch/agent/service"
	"github.com/extwatch/extwatch/agent/settings"
	"github.com/extwatch/extwatch/agent/store"
	"github.com/extwatch/extwatch/signatures"
)

// runService is what the service manager starts. What it prints goes to the log of the system.
func runService(ctx context.Context, c *console) error {
	err := service.Run(ctx, func(ctx context.Context) error { return serveMachine(ctx, c) })
	var locked *store.LockedError
	switch {
	case err == nil || errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return nil
	case errors.As(err, &locked):
		return failed("'extwatch service status' shows the one that runs", "%v", err)
	}
	return failed("the log of your system may say more", "the service stopped: %v", err)
}

// serveMachine watches this machine for all its users until ctx ends.
func serveMachine(ctx context.Context, c *console) error {
	if runtime.GOOS == "windows" { // elsewhere the folder above belongs to the system
		if err := sandbox.Private(places.Here().Settings); err != nil {
			return failed("see who owns that folder", "cannot keep what it remembers from others: %v", err)
		}
	}
	rules, err := signatures.Builtin()
	if err != nil {
		return fmt.Errorf("load the built-in rules: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return failed("start it by its full path", "cannot find the program's own file: %v", err)
	}
	analyst, err := newAnalyst()
	if err != nil {
		return err
	}
	defer analyst.Close()
	level := &slog.LevelVar{}
	logger := slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: level, ReplaceAttr: withoutTime}))
	readers := reader.New(reader.Config{Command: []string{self, readCommand}, Machine: browsers.Config{}, Logger: logger})
	defer readers.Close()
	reload := make(chan struct{}, 1)
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	again := func() {
		select {
		case reload <- struct{}{}:
		default: // it is about to read them
		}
	}
	go func() {
		for {
			select {
			case <-hangups:
				again()
			case <-ctx.Done():
				return
			}
		}
	}()
	go func() {
		if err := settings.WatchManaged(ctx, again); err != nil {
			logger.Error("a change of the policies is noticed late", "error", err)
		}
	}()
	r, err := resident.New(resident.Config{
		Load: loadSettings, Files: settings.Watched(), Rules: rules, Engine: engineVersion,
		Folder: places.Here().State, Logger: logger, Level: level, Socket: places.Here().Socket,
		Find: readers.Find, List: readers.Read, Analyst: analyst,
		Screens: newScreens([]string{self, notifyCommand}), Page: newPage(logger), Outputs: newOutputs(logger),
		Browse: browseAs(self), State: service.Notify, Reload: reload, Worked: collectOnDemand(ctx), Troubles: networkTroubles,
	})
	if err != nil {
		return err
	}
	return r.Run(ctx)
}

// loadSettings reads the settings. A root.json that lies beside them needs no setting.
func loadSettings() (settings.Settings, error) {
	s, err := settings.Load(settings.Places{})
	if s.Feed.Root == "" {
		if _, serr := os.Stat(settings.DefaultRoot()); serr == nil {
			s.Feed.Root = settings.DefaultRoot()
		}
	}
	return s, err
}

// withoutTime leaves the time to the system's log, which notes it as well.
func withoutTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// checkConfig says what is wrong with the settings.
func checkConfig(c *console, args []string) error {
	places := settings.Places{}
	name := settings.DefaultFile()
	if len(args) == 1 {
		abs, err := filepath.Abs(args[0])
		if err != nil {
			return usage("give the path of a file", "cannot check %q: %v", args[0], err)
		}
		places, name = settings.Places{File: abs, Named: true}, args[0]
	}
	_, err := settings.Load(places)
	mistakes := settings.Mistakes(err)
	if err != nil && len(mistakes) == 0 {
		return failed("see whether the file is there and may be read", "cannot check the settings: %v", err)
	}
	for _, m := range mistakes {
		if perr := c.print(clean(m.Error(), maxErrorText)); perr != nil {
			return perr
		}
	}
	if len(mistakes) > 0 {
		return usage("'extwatch run --print-config' shows all settings", "the settings have %s", count(len(mistakes), "mistake"))
	}
	return c.print("The settings are right: " + name)
}
