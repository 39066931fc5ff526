//go:build !windows && !darwin

package settings

// readManaged finds nothing: on these systems the folder conf.d is what tools of an organisation write.
func readManaged() []Managed { return nil }
