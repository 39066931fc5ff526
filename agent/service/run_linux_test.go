package service

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

func TestBounded(t *testing.T) {
	boom := errors.New("boom")
	synctest.Test(t, func(t *testing.T) {
		if err := bounded(t.Context(), func(context.Context) error { return boom }); !errors.Is(err, boom) {
			t.Errorf("an error of the work: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		begun := time.Now()
		if err := bounded(ctx, func(ctx context.Context) error { <-ctx.Done(); return nil }); err != nil || time.Since(begun) != time.Minute {
			t.Errorf("a clean stop: %v after %v", err, time.Since(begun))
		}
		begun = time.Now()
		stuck := make(chan struct{})
		if err := bounded(ctx, func(context.Context) error { <-stuck; return nil }); !errors.Is(err, context.Canceled) || time.Since(begun) != StopWithin {
			t.Errorf("work that does not end: %v after %v", err, time.Since(begun))
		}
		close(stuck)
	})
}

func TestStop(t *testing.T) {
	p := &program{ctx: t.Context(), done: make(chan error, 1), work: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
	if err := p.Start(nil); err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(nil); err != nil {
		t.Error(err)
	}
}

func TestNotify(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	Notify("READY=1")
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	buf := make([]byte, 64)
	n, err := c.Read(buf)
	if err != nil || string(buf[:n]) != "READY=1" {
		t.Errorf("got %q, %v", buf[:n], err)
	}
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "none"))
	Notify("STOPPING=1") // nobody listens: nothing happens
}
