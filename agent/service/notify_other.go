//go:build !linux

package service

// Notify tells systemd that something happened; there is none here.
func Notify(string) {}
