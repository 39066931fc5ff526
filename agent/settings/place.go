package settings

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/extwatch/extwatch/agent/places"
)

// DefaultFile is where the file of settings lies: /etc/extwatch/config.yml, or the folder of the system for it.
func DefaultFile() string { return filepath.Join(places.Here().Settings, "config.yml") }

// DefaultRoot is where the root.json of the organisation's feed lies when no setting names it: beside DefaultFile.
func DefaultRoot() string { return filepath.Join(filepath.Dir(DefaultFile()), "root.json") }

// Watched lists what to watch for changes of settings: files, and folders whose files count.
func Watched() []string {
	file := DefaultFile()
	list := []string{file, filepath.Join(filepath.Dir(file), "conf.d"), DefaultRoot()}
	if runtime.GOOS == "darwin" {
		list = append(list, managedFile)
	}
	return list
}

// maxRoot bounds root.json: a real one has a few kilobytes.
const maxRoot = 1 << 20

// ReadRoot returns the root.json that Root names. It refuses one that an ordinary user made, since it says whose rules judge
// this machine.
func (f Feed) ReadRoot() ([]byte, error) {
	file, err := os.Open(f.Root)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if err := trustworthy(file); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Root, err)
	}
	data, err := io.ReadAll(io.LimitReader(file, maxRoot+1))
	if err == nil && len(data) > maxRoot {
		err = fmt.Errorf("%s has more than %d bytes", f.Root, maxRoot)
	}
	return data, err
}
