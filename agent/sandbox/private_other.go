//go:build !windows

package sandbox

import "os"

// Private makes a folder that only its owner may use.
func Private(folder string) error { return os.MkdirAll(folder, 0o700) }
