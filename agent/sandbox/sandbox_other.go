//go:build unix && !linux && !darwin

package sandbox

// enter becomes nobody when it is root; more is not known of this system.
func enter(p Policy) (missing []string, err error) {
	return []string{"this system has no sandbox that ExtWatch knows"}, dropRoot(p)
}
