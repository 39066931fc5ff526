package cli

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// calmAfter is how long nothing has to happen until memory is given back. By then the workers that analyse code have
	// ended, half a minute after the last extension.
	calmAfter = 40 * time.Second
	// calmRoom is what a calm service may use up before its garbage is collected, in bytes: hours of polls and some questions.
	calmRoom = 16 << 20
	// busyPercent lets a busy service use half as much again as what it holds. Twice as much is the rule, and on a server with
	// hundreds of users that is a hundred megabytes for the sake of some seconds.
	busyPercent = 50
	// busyLimit is where garbage is collected whatever that costs, in bytes: below what the unit allows for all processes.
	busyLimit = 400 << 20
)

// collectOnDemand lets a service that has nothing to do hold little memory and rest. Go collects garbage every two minutes
// even when there is none, for the price of all that a service does in ten minutes of rest; and it gives memory back slowly.
// So, after a while without work, memory is given back at once, and then collected only when some was used up.
//
// What it returns is to be called with each piece of work; it returns at once.
func collectOnDemand(ctx context.Context) (worked func()) {
	work, used := make(chan struct{}, 1), make(chan struct{}, 1)
	signal := func(c chan struct{}) {
		select {
		case c <- struct{}{}:
		default:
		}
	}
	busy()
	go func() {
		timer := time.NewTimer(calmAfter)
		defer timer.Stop()
		calm := false
		for {
			select {
			case <-ctx.Done():
				return
			case <-work:
			case <-used:
				if !calm {
					continue
				}
			case <-timer.C:
				calm = true
				rest(func() { signal(used) })
				continue
			}
			if calm {
				calm = false
				busy()
			}
			timer.Reset(calmAfter)
		}
	}()
	return func() { signal(work) }
}

func busy() {
	debug.SetGCPercent(busyPercent)
	debug.SetMemoryLimit(busyLimit)
}

// rest gives memory back, and calls collected, once, when garbage had to be collected since.
func rest(collected func()) {
	debug.FreeOSMemory()
	debug.SetMemoryLimit(mapped() + calmRoom)
	debug.SetGCPercent(-1)
	runtime.AddCleanup(&struct{ _ *byte }{new(byte)}, func(f func()) { f() }, collected)
}

// mapped is how much memory counts for the limit, in bytes.
func mapped() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64() - s[1].Value.Uint64())
}
