package watcher

import (
	"errors"
	"runtime"
	"syscall"

	"github.com/fsnotify/fsnotify"
)

// A source is where events come from: fsnotify, or a test.
type source interface {
	// Add watches a folder. few says that little happens in it, so that a small buffer does.
	Add(dir string, few bool) error
	Remove(dir string) error
	Events() <-chan fsnotify.Event
	Errors() <-chan error
	Close() error
}

// fewBytes is the buffer of a Windows watch on the folder of one extension. An entry of it takes 12 bytes plus two for
// each letter of the name; versions come and go one at a time. It is the least that fsnotify takes.
const fewBytes = 4096

type system struct{ w *fsnotify.Watcher }

func newSource() (source, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	return system{w}, nil
}

func (s system) Add(dir string, few bool) error {
	if few && runtime.GOOS == "windows" {
		return s.w.AddWith(dir, fsnotify.WithBufferSize(fewBytes))
	}
	return s.w.Add(dir)
}

func (s system) Remove(dir string) error       { return s.w.Remove(dir) }
func (s system) Events() <-chan fsnotify.Event { return s.w.Events }
func (s system) Errors() <-chan error          { return s.w.Errors }
func (s system) Close() error                  { return s.w.Close() }

// refusing is the source of a machine on which no watcher can be made: everything is polled.
type refusing struct{ err error }

func (r refusing) Add(string, bool) error      { return r.err }
func (refusing) Remove(string) error           { return nil }
func (refusing) Events() <-chan fsnotify.Event { return nil }
func (refusing) Errors() <-chan error          { return nil }
func (refusing) Close() error                  { return nil }

// isLimit reports whether err says that the system allows no more watches or files, as opposed to something about the
// folder. inotify gives ENOSPC for watches and EMFILE for instances; kqueue gives EMFILE or ENFILE.
func isLimit(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EMFILE) ||
		errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM)
}

// remedy says what to tune when isLimit.
func remedy(goos string) string {
	switch goos {
	case "linux":
		return "raise fs.inotify.max_user_watches and fs.inotify.max_user_instances with sysctl"
	case "darwin":
		return "raise the service's limit of open files (launchd: SoftResourceLimits, NumberOfFiles)"
	default:
		return "raise the limit of open files for this program"
	}
}
