//go:build !windows && !linux && !darwin

package service

import "github.com/kardianos/service"

func start(s service.Service) error { return s.Start() }
func stop(s service.Service) error  { return s.Stop() }
func installed() error              { return nil }
func uninstalled()                  {}
func forget(service.Service)        {}
func systemdVersion() int           { return 0 }

// packaged is not asked here: installers use this package as well.
func packaged() bool { return false }

// network has nothing to say: this manager does not keep services from the network.
func network(bool) error { return nil }
