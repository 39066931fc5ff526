// Package outputs tells other systems what the agent sees: syslog, systemd's journal, the Windows Event Log, a webhook and
// a file. Each is off until it is set.
//
// Syslog and the webhook lead over a network, which fails: their messages wait in a [Queue], survive a restart, and are
// tried again with growing pauses. The journal, the Event Log and the file are on this machine; an error of theirs is
// returned at once.
//
// # Formats
//
// The file and the webhook have one JSON object for each event: plain is [Event] itself, ecs is the Elastic Common Schema
// 8.17, ocsf is the Open Cybersecurity Schema Framework 1.5.0 (Detection Finding for findings, Base Event for the rest).
// Syslog is RFC 5424 with the facts as structured data; over TCP and TLS with octet counting (RFC 6587, RFC 5425).
//
// The webhook's receiver checks X-ExtWatch-Signature: "sha256=" and the hex HMAC-SHA256, with the shared key, of the value
// of X-ExtWatch-Timestamp (seconds since 1970), a full stop, and the body. X-ExtWatch-Key names the event for ever: what
// comes twice has the same.
package outputs

import (
	"time"

	"github.com/extwatch/extwatch/signatures"
)

// A Kind says what happened. Its number is the event ID in the Windows Event Log, and never changes.
type Kind string

// The kinds of events.
const (
	Opened  Kind = "finding.opened"
	Closed  Kind = "finding.closed" // the extension is gone, changed or judged anew
	Warned  Kind = "warning.told"
	Blocked Kind = "extension.blocked"
	Undone  Kind = "extension.unblocked"
	Trusted Kind = "extension.trusted"
	Problem Kind = "problem"
	Feed    Kind = "feed" // new rules, or rules that are too old
)

// Number is the event ID: 100 finding opened, 101 closed, 200 warning told, 300 blocked, 301 unblocked, 310 trusted, 400
// problem, 500 feed, 1 anything else.
func (k Kind) Number() uint32 {
	switch k {
	case Opened:
		return 100
	case Closed:
		return 101
	case Warned:
		return 200
	case Blocked:
		return 300
	case Undone:
		return 301
	case Trusted:
		return 310
	case Problem:
		return 400
	case Feed:
		return 500
	}
	return 1
}

// An Event is something that other systems are told. What an extension chose is in it as it is: formats escape it.
type Event struct {
	Key     string    `json:"key"` // names it for ever
	Kind    Kind      `json:"event"`
	Time    time.Time `json:"time"`
	Message string    `json:"message"` // one English sentence
	Host    string    `json:"host,omitempty"`
	Agent   string    `json:"agent_version,omitempty"`

	User      string             `json:"user,omitempty"`    // whose profile
	By        string             `json:"by,omitempty"`      // who decided or was warned
	Browser   string             `json:"browser,omitempty"` // "chrome"
	Profile   string             `json:"profile,omitempty"`
	Extension string             `json:"extension,omitempty"` // its ID
	Name      string             `json:"name,omitempty"`
	Version   string             `json:"version,omitempty"`
	Path      string             `json:"path,omitempty"`
	Verdict   signatures.Verdict `json:"verdict,omitempty"`
	Exchanges []string           `json:"exchanges,omitempty"` // titles
	Reason    string             `json:"reason,omitempty"`    // of a decision or problem

	FindingKey string              `json:"finding_key,omitempty"` // the same for opened and closed
	Finding    *signatures.Finding `json:"finding,omitempty"`
}

// severity is syslog's: 2 critical, 4 warning, 5 notice, 6 informational.
func (e *Event) severity() int {
	switch {
	case e.Kind == Problem:
		return 4
	case e.Kind != Opened && e.Kind != Warned:
		return 6
	case e.Verdict == signatures.Malicious:
		return 2
	case e.Verdict == signatures.Suspicious, e.Verdict == signatures.Unreadable:
		return 4
	}
	return 5
}
