//go:build !windows

package service

import (
	"context"
	"os"
)

// run does the work in the foreground: the managers of these systems only send signals, which end ctx.
func run(ctx context.Context, p *program) error { return bounded(ctx, p.work) }

// failedEarly ends the process with an error, so that the manager starts it again.
func failedEarly(error) { os.Exit(1) }
