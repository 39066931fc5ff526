//go:build !windows

package settings

import "context"

// WatchManaged calls changed after each change of what the organisation's tools set, until ctx ends. Elsewhere than on
// Windows that is a file, which is watched like the others.
func WatchManaged(ctx context.Context, _ func()) error {
	<-ctx.Done()
	return nil
}
