package indicators

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Covers reports whether a version is among those of a row: written the same, or inside a range "1.2..1.4", both ends
// included. It is false for no versions, which mean all.
func Covers(versions []string, version string) bool {
	return slices.ContainsFunc(versions, func(v string) bool {
		if v == version {
			return true
		}
		low, high, ok := rangeOf(v)
		if !ok {
			return false
		}
		n, ok := numbers(version)
		return ok && compareNumbers(low, n) <= 0 && compareNumbers(n, high) <= 0
	})
}

// rangeOf reads "1.2..1.4".
func rangeOf(text string) (low, high []int, ok bool) {
	from, to, found := strings.Cut(text, "..")
	if !found {
		return nil, nil, false
	}
	low, okLow := numbers(from)
	high, okHigh := numbers(to)
	return low, high, okLow && okHigh && compareNumbers(low, high) <= 0
}

// maxNumbers bounds the numbers of a version; browsers take four, Firefox has taken more.
const maxNumbers = 10

// numbers reads a version that is made of numbers: "1.2.10".
func numbers(version string) ([]int, bool) {
	parts := strings.SplitN(version, ".", maxNumbers+1)
	if len(parts) > maxNumbers {
		return nil, false
	}
	out := make([]int, len(parts))
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 31)
		if err != nil {
			return nil, false
		}
		out[i] = int(n)
	}
	return out, true
}

// compareNumbers compares versions as browsers do: number by number, what is missing is 0.
func compareNumbers(a, b []int) int {
	for i := range max(len(a), len(b)) {
		var x, y int
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if c := cmp.Compare(x, y); c != 0 {
			return c
		}
	}
	return 0
}
