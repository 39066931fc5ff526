//go:build !unix || aix || solaris

package indicators

import "io/fs"

// mapFile never maps: on Windows a mapped file can be neither replaced nor deleted.
func mapFile(fs.File, int) (data []byte, ok bool) { return nil, false }

func unmap([]byte) {}

func release([]byte) {}
