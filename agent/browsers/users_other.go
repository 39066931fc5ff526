//go:build !linux && !windows

package browsers

// systemUsers returns nothing: the folders of homes are the list.
func (s *scan) systemUsers() []User { return nil }
