//go:build !windows

package outputs

import "errors"

func openEventLog() (local, error) {
	return nil, errors.New("only Windows has an Event Log; set outputs.event_log to false")
}
