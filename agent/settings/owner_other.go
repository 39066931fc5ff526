//go:build !windows

package settings

import "os"

// trustworthy accepts every file: only root can put one into the folder of settings.
func trustworthy(*os.File) error { return nil }
