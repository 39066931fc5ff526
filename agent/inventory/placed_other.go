//go:build !windows

package inventory

// There is no registry on these systems.

func registryPolicies(string) []string { return nil }

func registered(_, _ string) (update string, ok bool) { return "", false }
