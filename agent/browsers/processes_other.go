//go:build !linux && !windows && !darwin

package browsers

// Processes lists the running browsers' main processes; on this system it does not know how to, and lists none.
func Processes() ([]Process, error) { return nil, nil }

func (w *ProcessWatch) browsers() ([]int, error) { return nil, nil }
