package outputs

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc/eventlog"
)

// source is the name of the service, and of its events.
const source = "extwatch"

// An eventLog writes to the Windows Event Log, with the event IDs of Kind.Number.
type eventLog struct{ log *eventlog.Log }

func openEventLog() (local, error) {
	// EventCreate.exe has a text for each ID from 1 to 1000.
	err := eventlog.InstallAsEventCreate(source, eventlog.Error|eventlog.Warning|eventlog.Info)
	if err != nil && !strings.Contains(err.Error(), "already exists") && !errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		return nil, fmt.Errorf("register the source of events: %w", err)
	}
	l, err := eventlog.Open(source)
	if err != nil {
		return nil, fmt.Errorf("open the event log: %w", err)
	}
	return &eventLog{log: l}, nil
}

func (l *eventLog) tell(e Event) error {
	text, id := logText(&e), e.Kind.Number()
	var err error
	switch s := e.severity(); {
	case s <= 2:
		err = l.log.Error(id, text)
	case s <= 4:
		err = l.log.Warning(id, text)
	default:
		err = l.log.Info(id, text)
	}
	if err != nil {
		return fmt.Errorf("write to the event log: %w", err)
	}
	return nil
}

func (l *eventLog) close() { l.log.Close() }
