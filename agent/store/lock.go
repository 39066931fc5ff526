package store

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// lockName is the file whose lock is the ownership. It holds the owner's process ID, and stays: to remove it would let two
// processes lock two files of that name.
const lockName = "owner"

var errLocked = errors.New("locked by another process")

// patience is how long a lock is waited for: the kernel takes a moment to free those of a process that was killed, and
// what takes its place may be faster.
const patience = time.Second

func lockPatiently(f *os.File) error {
	err := lockFile(f)
	for end := time.Now().Add(patience); errors.Is(err, errLocked) && time.Now().Before(end); err = lockFile(f) {
		time.Sleep(patience / 20)
	}
	return err
}

// lockFolder makes this process the owner, until the file is closed or the process ends, however it ends.
func lockFolder(folder string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(folder, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockPatiently(f); err != nil {
		defer f.Close()
		if !errors.Is(err, errLocked) {
			return nil, err
		}
		text, _ := io.ReadAll(io.LimitReader(f, 20)) // without it the process is not named
		pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
		return nil, &LockedError{Folder: folder, PID: pid}
	}
	if err = f.Truncate(0); err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
