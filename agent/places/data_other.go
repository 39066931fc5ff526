//go:build !windows

package places

func programData() string { return "" }
