package notifier

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

func TestWatch(t *testing.T) {
	dir := t.TempDir()
	d, err := NewDesktop(Config{Command: []string{"x"}, Runtime: dir, Report: func(Report) {}})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	ctx, stop := context.WithCancel(t.Context())
	came, done := make(chan int, 1), make(chan error, 1)
	go func() { done <- d.Watch(ctx, func(uid int) { came <- uid }) }()
	time.Sleep(100 * time.Millisecond)
	own := filepath.Join(dir, strconv.Itoa(os.Getuid()))
	if err := os.Mkdir(own, 0o700); err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond) // the bus comes later
	l, err := net.Listen("unix", filepath.Join(own, "bus"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	select {
	case uid := <-came:
		if uid != os.Getuid() {
			t.Errorf("%d came", uid)
		}
	case err := <-done:
		t.Fatal(err)
	case <-time.After(5 * time.Second):
		t.Fatal("nobody came")
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// What is not the user's own socket is not connected to.
func TestBus(t *testing.T) {
	dir := t.TempDir()
	d := &Desktop{cfg: Config{Runtime: dir}}
	uid := os.Getuid()
	own := filepath.Join(dir, strconv.Itoa(uid))
	if err := os.Mkdir(own, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name string
		do   func() error
		ok   bool
	}{
		{"nothing", func() error { return nil }, false},
		{"a file", func() error { return os.WriteFile(filepath.Join(own, "bus"), nil, 0o600) }, false},
		{"a link", func() error {
			l, err := net.Listen("unix", filepath.Join(dir, "other"))
			if err != nil {
				return err
			}
			t.Cleanup(func() { l.Close() })
			os.Remove(filepath.Join(own, "bus"))
			return os.Symlink(filepath.Join(dir, "other"), filepath.Join(own, "bus"))
		}, false},
		{"a socket", func() error {
			os.Remove(filepath.Join(own, "bus"))
			l, err := net.Listen("unix", filepath.Join(own, "bus"))
			if err == nil {
				t.Cleanup(func() { l.Close() })
			}
			return err
		}, true},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if _, ok := d.bus(uid); ok != step.ok {
			t.Errorf("%s: %v", step.name, ok)
		}
	}
	if _, ok := d.bus(uid + 1); ok {
		t.Error("another user's")
	}
}
