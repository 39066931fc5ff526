package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/kardianos/service"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

// run asks the service manager to take this process, rather than to guess from its parent whether it did start it: the
// guess is wrong wherever services do not live in session 0.
func run(ctx context.Context, p *program) error {
	s, err := service.New(p, &service.Config{Name: Name})
	if err != nil {
		return err
	}
	if handler, ok := s.(svc.Handler); ok {
		work := p.work
		p.work = func(ctx context.Context) error {
			recovers()
			return work(ctx)
		}
		err := svc.Run(Name, handler)
		if !errors.Is(err, windows.ERROR_FAILED_SERVICE_CONTROLLER_CONNECT) {
			return err
		}
		p.work = work
	}
	return bounded(ctx, p.work) // from a console
}

// recovers sets the restarts after a crash for a service that an MSI installed, whose tables cannot say them. What an
// administrator set stays. It is no reason not to watch when this fails.
func recovers() {
	m, err := mgr.Connect()
	if err != nil {
		return
	}
	defer m.Disconnect()
	s, err := m.OpenService(Name)
	if err != nil {
		return
	}
	defer s.Close()
	if actions, err := s.RecoveryActions(); err == nil && len(actions) == 0 {
		restarts(s)
	}
}

// failedEarly ends the process without telling the manager that it stopped: that is a crash to it, and it restarts it.
func failedEarly(error) { os.Exit(1) }

func start(s service.Service) error { return s.Start() }
func stop(s service.Service) error  { return s.Stop() }

// installed sets what kardianos/service does not: three restarts with growing pauses, also after an exit with an error.
func installed() error {
	m, err := mgr.Connect()
	if err != nil {
		return err
	}
	defer m.Disconnect()
	s, err := m.OpenService(Name)
	if err != nil {
		return err
	}
	defer s.Close()
	return restarts(s)
}

func restarts(s *mgr.Service) error {
	actions := []mgr.RecoveryAction{
		{Type: mgr.ServiceRestart, Delay: 2 * time.Second},
		{Type: mgr.ServiceRestart, Delay: 15 * time.Second},
		{Type: mgr.ServiceRestart, Delay: time.Minute},
	}
	if err := s.SetRecoveryActions(actions, uint32(time.Hour/time.Second)); err != nil {
		return fmt.Errorf("recovery actions: %w", err)
	}
	err := s.SetRecoveryActionsOnNonCrashFailures(true)
	if err != nil && !errors.Is(err, windows.ERROR_INVALID_LEVEL) { // Wine 8 does not know of it
		return fmt.Errorf("recovery after an exit with an error: %w", err)
	}
	return nil
}

func uninstalled()           {}
func forget(service.Service) {}
func systemdVersion() int    { return 0 }

// packaged is not asked here: installers use this package as well.
func packaged() bool { return false }

// network has nothing to say: this manager does not keep services from the network.
func network(bool) error { return nil }
