package feed

import (
	"context"
	"fmt"
	"os"
	"time"
)

// lock keeps other goroutines and processes from changing the folder.
func (f *Feed) lock(ctx context.Context) (unlock func(), err error) {
	select {
	case f.busy <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for another update: %w", context.Cause(ctx))
	}
	file, err := os.OpenFile(f.disk.path("lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		<-f.busy
		return nil, localError{err}
	}
	unlock = func() {
		file.Close() // frees the lock
		<-f.busy
	}
	for {
		ok, err := tryLock(file)
		if ok {
			return unlock, nil
		}
		if err != nil {
			unlock()
			return nil, localError{fmt.Errorf("lock the folder: %w", err)}
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			unlock()
			return nil, fmt.Errorf("wait for another process that updates the feed: %w", context.Cause(ctx))
		}
	}
}
