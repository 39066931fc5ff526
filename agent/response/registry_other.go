//go:build !windows

package response

import (
	"errors"
	"syscall"
)

// machineRegistry is none: only Windows has one.
func machineRegistry() registry { return nil }

func isReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }
