// Package service makes ExtWatch a service of the operating system, and lets it run as one: systemd (also SysV, OpenRC and
// upstart), launchd, and Windows' service manager.
//
// kardianos/service knows the managers. What it does not do is here: a hardened unit for systemd, restarts with
// back-off on Windows, launchctl's newer commands on macOS, and a stop that is bounded.
package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/kardianos/service"

	"github.com/extwatch/extwatch/agent/places"
)

const (
	// Name is the service's name in every manager, and of its source in the Windows Event Log.
	Name = "extwatch"
	// StopWithin is how long a stop may take; the managers are told a little more.
	StopWithin = 5 * time.Second

	display     = "ExtWatch"
	description = "Warns of browser extensions that can rob an exchange or wallet account"
)

// Config says how the service is to be installed.
type Config struct {
	Executable string   // absolute; "" is this program
	Arguments  []string // "run", "--service", …
}

// A State is what the manager says of the service.
type State struct {
	Manager   string // "linux-systemd", "windows-service", "darwin-launchd", …
	Installed bool
	Running   bool
	Detail    string // in the manager's words, when there is more to say
}

var (
	// ErrNotInstalled says that there is no such service.
	ErrNotInstalled = errors.New("the service is not installed")
	// ErrPackaged says that a package of the system installed the service, and is to remove or replace it.
	ErrPackaged = errors.New("the service belongs to a package of this system")
)

// Install registers the service and lets it start with the machine. It does not start it now. A service that is there
// already is replaced, and is started again if it ran; one of a package is left alone, with ErrPackaged.
func Install(cfg Config) error {
	if packaged() {
		return ErrPackaged
	}
	state, err := Query()
	if err != nil {
		return err
	}
	if state.Installed {
		if err := Uninstall(); err != nil {
			return fmt.Errorf("replace the service that is there: %w", err)
		}
	}
	s, err := open(cfg)
	if err != nil {
		return err
	}
	if err := s.Install(); err != nil {
		forget(s) // a half written unit would be in the way of the next attempt
		return fmt.Errorf("install the service: %w", err)
	}
	if err := installed(); err != nil {
		return fmt.Errorf("set the service to restart after a crash: %w", err)
	}
	if state.Running {
		return Start()
	}
	return nil
}

// Uninstall stops the service and removes it. It returns ErrNotInstalled when there is none, and ErrPackaged when a
// package has to be removed.
func Uninstall() error {
	if packaged() {
		return ErrPackaged
	}
	state, err := Query()
	if err != nil {
		return err
	}
	if !state.Installed {
		return ErrNotInstalled
	}
	s, err := open(Config{})
	if err != nil {
		return err
	}
	if err := stop(s); err != nil && state.Running {
		return fmt.Errorf("stop the service: %w", err)
	}
	if err := s.Uninstall(); err != nil {
		return fmt.Errorf("remove the service: %w", err)
	}
	uninstalled()
	return nil
}

// Start starts the service now.
func Start() error { return control("start", start) }

// Stop stops it until the machine starts again.
func Stop() error { return control("stop", stop) }

func control(what string, do func(service.Service) error) error {
	state, err := Query()
	if err != nil {
		return err
	}
	if !state.Installed {
		return ErrNotInstalled
	}
	if state.Running == (what == "start") {
		return nil // as it is to be
	}
	s, err := open(Config{})
	if err != nil {
		return err
	}
	if err := do(s); err != nil {
		return fmt.Errorf("%s the service: %w", what, err)
	}
	return nil
}

// Network lets the service talk to other machines, or to this one only, where the manager can hold it to that; it holds at
// once, and until the machine starts again. The unit asks for it at each start and reload.
func Network(allowed bool) error { return network(allowed) }

// Query asks the manager for the state of the service.
func Query() (State, error) {
	state := State{Manager: service.Platform()}
	s, err := open(Config{})
	if err != nil {
		return state, err
	}
	status, err := s.Status()
	switch {
	case errors.Is(err, service.ErrNotInstalled):
		return state, nil
	case err != nil: // it is there and failed; systemd says so with an error
		state.Installed, state.Detail = true, err.Error()
		return state, nil
	}
	state.Installed, state.Running = true, status == service.StatusRunning
	return state, nil
}

// Run does the work of the service until ctx ends or the manager says stop; work then has StopWithin to end. It
// returns work's error, after which the manager starts the service again.
func Run(ctx context.Context, work func(context.Context) error) error {
	return run(ctx, &program{work: work, ctx: ctx, done: make(chan error, 1)})
}

func open(cfg Config) (service.Service, error) {
	executable := cfg.Executable
	if executable == "" {
		var err error
		if executable, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("find this program: %w", err)
		}
	}
	s, err := service.New(&program{done: make(chan error, 1)}, &service.Config{
		Name:        Name,
		DisplayName: display,
		Description: description,
		Executable:  executable,
		Arguments:   cfg.Arguments,
		Option: service.KeyValue{
			"SystemdScript":          unit(systemdVersion()),
			"LaunchdConfig":          launchd,
			"RunAtLoad":              true,
			"LogDirectory":           places.Here().Logs,
			"OnFailure":              "restart",
			"OnFailureDelayDuration": "2s",
			"OnFailureResetPeriod":   3600,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("find the service manager of this system: %w", err)
	}
	return s, nil
}

// A program is the work in the form that kardianos/service asks for.
type program struct {
	work   func(context.Context) error
	ctx    context.Context
	cancel context.CancelFunc
	done   chan error
}

// Start begins the work and returns at once: Windows gives up on a service that does not.
func (p *program) Start(service.Service) error {
	ctx, cancel := context.WithCancel(p.ctx)
	p.cancel = cancel
	go func() {
		err := p.work(ctx)
		p.done <- err
		if ctx.Err() == nil {
			failedEarly(err)
		}
	}()
	return nil
}

// Stop ends the work. What has not ended in time is left behind: the process ends with it.
func (p *program) Stop(service.Service) error {
	p.cancel()
	select {
	case <-p.done:
		return nil
	case <-time.After(StopWithin):
		return errors.New("it did not end in time")
	}
}

// bounded runs work, and returns at most StopWithin after ctx ended.
func bounded(ctx context.Context, work func(context.Context) error) error {
	done := make(chan error, 1)
	go func() { done <- work(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return err
	case <-time.After(StopWithin):
		return cmp.Or(ctx.Err(), context.Canceled)
	}
}
