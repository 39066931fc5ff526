package watcher

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// BenchmarkArrival measures from the end of the rename that completes an install to the receipt of the change.
func BenchmarkArrival(b *testing.B) {
	dir := b.TempDir()
	tg := Target{ID: "p", Dir: dir, Files: []string{"Preferences"}, Arrivals: filepath.Join(dir, "Extensions")}
	if err := os.MkdirAll(tg.Arrivals, 0o755); err != nil {
		b.Fatal(err)
	}
	w, err := New(Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	w.Set([]Target{tg}, nil)
	arrivals := make(chan time.Time)
	go func() {
		defer close(arrivals)
		for ch := range w.C {
			if ch.Reason == Arrived {
				arrivals <- time.Now()
			}
		}
	}()
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		id := fmt.Sprint("ext", i)
		renamed, err := install(tg.Arrivals, id, "1.0_0")
		if err != nil {
			b.Fatal(err)
		}
		took = append(took, max(0, (<-arrivals).Sub(renamed)))
		if err := os.RemoveAll(filepath.Join(tg.Arrivals, id)); err != nil {
			b.Fatal(err)
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}
