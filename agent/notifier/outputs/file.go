package outputs

import (
	"fmt"
	"os"
)

// A file gets one line of JSON for each event. It is looked up for each line, so that one that was rotated away is made
// anew.
type file struct {
	path, shape string
	open        *os.File
}

func (f *file) tell(e Event) error {
	data, err := encode(e, f.shape)
	if err != nil {
		return err
	}
	if f.open != nil && f.moved() {
		f.close()
	}
	if f.open == nil {
		// Findings name people and what they have installed: only the owner and the owner's group read them.
		if f.open, err = os.OpenFile(f.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640); err != nil {
			f.open = nil
			return fmt.Errorf("write to the file of outputs.file (give a name without a folder to use the service's own folder for logs; "+
				"under systemd any other needs ReadWritePaths=, with 'sudo systemctl edit extwatch'): %w", err)
		}
	}
	if _, err := f.open.Write(append(data, '\n')); err != nil { // one call: lines of two writers do not mix
		f.close()
		return fmt.Errorf("write to the file of outputs.file: %w", err)
	}
	return nil
}

// moved reports whether the path names another file now, or none.
func (f *file) moved() bool {
	now, err := os.Stat(f.path)
	if err != nil {
		return true
	}
	was, err := f.open.Stat()
	return err != nil || !os.SameFile(was, now)
}

func (f *file) close() {
	if f.open != nil {
		f.open.Close()
		f.open = nil
	}
}
