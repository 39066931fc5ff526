//go:build !figures

package indicators_test

// scale is how many IDs the tests make up; the figures are made with a million (go test -tags figures).
const scale = 100_000
