//go:build unix

package analysis

import (
	"io"
	"time"

	"golang.org/x/sys/unix"
)

// limitMemory bounds what this process may take, data and address space. The Go runtime reserves much more address
// space than it uses, so that only the bound of the data is near. A system that knows no such bound has none.
func limitMemory(bytes uint64) {
	lower(unix.RLIMIT_DATA, bytes)
	lower(unix.RLIMIT_AS, bytes+4<<30)
	lower(unix.RLIMIT_CORE, 0)
}

func lower(resource int, bytes uint64) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(resource, &limit); err != nil {
		return
	}
	limit.Cur = min(limit.Cur, bytes)
	_ = unix.Setrlimit(resource, &limit) // an error leaves the limit as it is; the parent's clock is the other one
}

// limitTime lets this process use so much more time of the processor, from now on, before the system ends it. It is
// for a worker whose parent is gone.
func limitTime(more time.Duration) {
	var used unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &used) != nil {
		return
	}
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_CPU, &limit) != nil {
		return
	}
	seconds := uint64(used.Utime.Sec) + uint64(used.Stime.Sec) + uint64(more.Seconds()) + 1
	limit.Cur = min(seconds, limit.Max)
	_ = unix.Setrlimit(unix.RLIMIT_CPU, &limit)
}

// confine does nothing here: the process limits itself.
func confine(int, uint64) io.Closer { return nil }
