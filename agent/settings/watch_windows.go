package settings

import (
	"context"
	"fmt"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// WatchManaged calls changed after each change of what the organisation's tools set, until ctx ends. Elsewhere than on
// Windows that is a file, which is watched like the others.
func WatchManaged(ctx context.Context, changed func()) error {
	// The key above: our own need not be there yet.
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, `SOFTWARE\Policies`, registry.NOTIFY)
	if err != nil {
		return fmt.Errorf("watch the policies: %w", err)
	}
	defer key.Close()
	events := [2]windows.Handle{}
	for i := range events {
		if events[i], err = windows.CreateEvent(nil, 0, 0, nil); err != nil {
			return fmt.Errorf("watch the policies: %w", err)
		}
		defer windows.CloseHandle(events[i])
	}
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { windows.SetEvent(events[1]); close(done) })
	defer func() {
		if !stop() {
			<-done
		}
	}()
	for last := fmt.Sprint(readManaged()); ; {
		if err := windows.RegNotifyChangeKeyValue(windows.Handle(key), true, windows.REG_NOTIFY_CHANGE_NAME|windows.REG_NOTIFY_CHANGE_LAST_SET, events[0], true); err != nil {
			return fmt.Errorf("watch the policies: %w", err)
		}
		if now := fmt.Sprint(readManaged()); now != last { // other programs' policies change as well
			last = now
			changed()
		}
		which, err := windows.WaitForMultipleObjects(events[:], false, windows.INFINITE)
		if err != nil {
			return fmt.Errorf("watch the policies: %w", err)
		}
		if which != windows.WAIT_OBJECT_0 || ctx.Err() != nil {
			return nil
		}
	}
}
