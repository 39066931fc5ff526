package outputs

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// journalSocket takes entries in the journal's own protocol.
const journalSocket = "/run/systemd/journal/socket"

// messageID returns the MESSAGE_ID of a kind: `journalctl MESSAGE_ID=…` finds all of it. They never change.
func messageID(k Kind) string {
	return fmt.Sprintf("5e1f0a7c9b3d4e62a8c4d17be0f6%04x", k.Number())
}

// A journal writes to systemd's journal.
type journal struct {
	path string
	conn *net.UnixConn
}

func newJournal(path string) *journal {
	if path == "" {
		path = journalSocket
	}
	return &journal{path: path}
}

// entry writes an event as the journal takes it: fields one to a line, those with line breaks with their length.
func entry(e *Event) []byte {
	var b bytes.Buffer
	field := func(name, value string) {
		if value == "" {
			return
		}
		if !strings.Contains(value, "\n") {
			fmt.Fprintf(&b, "%s=%s\n", name, value)
			return
		}
		b.WriteString(name + "\n")
		_ = binary.Write(&b, binary.LittleEndian, uint64(len(value)))
		b.WriteString(value + "\n")
	}
	field("MESSAGE", oneLine(e.Message, 1024))
	field("MESSAGE_ID", messageID(e.Kind))
	field("PRIORITY", strconv.Itoa(e.severity()))
	field("SYSLOG_IDENTIFIER", "extwatch")
	for _, p := range parameters(e) {
		field("EXTWATCH_"+strings.ToUpper(p.name), strings.ToValidUTF8(p.value[:min(len(p.value), 4096)], ""))
	}
	return b.Bytes()
}

func (j *journal) tell(e Event) error {
	data := entry(&e)
	for again := false; ; again = true {
		if j.conn == nil {
			c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: j.path, Net: "unixgram"})
			if err != nil {
				return fmt.Errorf("tell the journal: %w", err)
			}
			j.conn = c
		}
		_, err := j.conn.Write(data)
		if err == nil {
			return nil
		}
		j.close() // journald was restarted, perhaps
		if again {
			return fmt.Errorf("tell the journal: %w", err)
		}
	}
}

func (j *journal) close() {
	if j.conn != nil {
		j.conn.Close()
		j.conn = nil
	}
}
