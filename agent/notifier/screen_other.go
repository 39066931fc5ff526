//go:build !linux && !darwin && !windows

package notifier

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"
)

func openScreen(context.Context, time.Duration) (screen, error) {
	return nil, fmt.Errorf("people cannot be warned on %s", runtime.GOOS)
}

func (d *Desktop) start(Person) (*process, error) {
	return nil, fmt.Errorf("people cannot be warned on %s", runtime.GOOS)
}

// Watch says that it cannot.
func (d *Desktop) Watch(context.Context, func(uid int)) error { return errors.ErrUnsupported }
