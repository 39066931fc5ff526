package cli

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

// Who rests and uses memory up is told so, and is busy again before memory runs out.
func TestRestEndsWhenMemoryIsUsedUp(t *testing.T) {
	t.Cleanup(func() {
		debug.SetGCPercent(100)
		debug.SetMemoryLimit(math.MaxInt64)
	})
	collected := make(chan struct{}, 1)
	rest(func() { collected <- struct{}{} })
	before := collections()
	var kept []byte
	for range 10 {
		kept = make([]byte, 1<<20)
	}
	runtime.KeepAlive(kept)
	if now := collections(); now != before {
		t.Errorf("%d collections at rest", now-before)
	}
	for range 100 {
		kept = make([]byte, 1<<20)
	}
	runtime.KeepAlive(kept)
	select {
	case <-collected:
	case <-time.After(10 * time.Second):
		t.Fatal("nobody was told")
	}
	busy()
	if was := debug.SetGCPercent(100); was != busyPercent {
		t.Errorf("garbage is collected at %d %%", was)
	}
}

func collections() uint64 {
	s := []metrics.Sample{{Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
