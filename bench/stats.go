package main

import (
	"fmt"
	"slices"
	"time"
)

// quantile returns the q-quantile (0 to 1) of durations; zero when there are none.
func quantile(d []time.Duration, q float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(d))
	return s[int(q*float64(len(s)-1)+0.5)]
}

func median(d []time.Duration) time.Duration { return quantile(d, 0.5) }

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.2f ms", d.Seconds()*1000) }

func printLatencies(what string, d []time.Duration) {
	fmt.Printf("%-28s n=%-5d p50 %-11s p90 %-11s p99 %-11s max %s\n", what, len(d),
		milliseconds(quantile(d, .5)), milliseconds(quantile(d, .9)), milliseconds(quantile(d, .99)), milliseconds(quantile(d, 1)))
}
