//go:build figures

package indicators_test

const scale = 1_000_000
