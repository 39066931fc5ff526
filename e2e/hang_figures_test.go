//go:build linux && figures

package e2e

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// hangingDisk is the name under which this program mounts a file system that never answers.
const hangingDisk = "hang-for-e2e"

func hangProcess() {
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR, 0)
	if err == nil {
		err = unix.Mount("nowhere", os.Args[1], "fuse", 0, fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", fd))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	time.Sleep(time.Hour)
	os.Exit(0)
}

func init() { others[hangingDisk] = hangProcess }
