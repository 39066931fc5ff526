// Package notifier tells people of warnings: on their own screens, in their own language, of their own profiles only.
//
// [Compose] puts warnings into words. A [Desktop] is the side of the service: for each person who is to be warned it runs
// a process with that person's rights, in that person's session, which shows the warnings and hands back what the person
// chose. [Serve] is that process, the hidden subcommand `extwatch notify`.
//
// # How each system shows it
//
// Linux: org.freedesktop.Notifications on the session bus. A bus takes no connection from another user, root included,
// so the process has the user's ID. Windows: a service lives in a session without a screen, so the process is started with
// the token of the user's session; when that fails, the service asks the session itself for a message box. macOS: an alert
// through osascript in the user's session; texts are passed as arguments, never as source.
//
// # What is promised
//
// A person sees one notification of ExtWatch at a time: several warnings fold into it. A malicious one stays until it is
// answered, also past the end of the service: [Desktop.Adopt] gives its buttons back their meaning.
// What could not be shown is an error, never a success: who calls keeps it and tries again, for example when
// [Desktop.Watch] says that somebody came. What is told twice is prevented by the caller, by Warning.Key; what has the
// same key as a warning on the screen takes its place. A person's choice is a wish: the service decides what it may do.
package notifier

import (
	"errors"
	"time"

	"github.com/extwatch/extwatch/signatures"
)

// A Warning is what is told about one extension in one profile.
type Warning struct {
	Key     string `json:"key"` // names it for ever; a second one with the same key takes the place of the first
	ID      string `json:"id"`
	Name    string `json:"name"` // as the extension says: anything
	Version string `json:"version,omitempty"`
	Browser string `json:"browser,omitempty"` // "Google Chrome"
	Profile string `json:"profile,omitempty"` // "Work"
	User    string `json:"user,omitempty"`

	Installed time.Time            `json:"installed,omitzero"` // zero: not known, or long ago
	Verdict   signatures.Verdict   `json:"verdict"`
	Findings  []signatures.Finding `json:"findings,omitempty"` // worst first
	Reach     []signatures.Reach   `json:"reach,omitempty"`
	// Sends is what it reads to send away, and Party whose server gets it, as in docs/behavior.md ("cookies",
	// "stranger"). Both "" when that is not known; then the title of the first finding says why.
	Sends string `json:"sends,omitempty"`
	Party string `json:"party,omitempty"`
}

// A Person is somebody with an account on this machine.
type Person struct {
	Name   string // of the account
	UID    int    // Linux and macOS
	GID    int
	Groups []int
	SID    string // Windows; "" is found by Name
}

// A Choice is what a person did with a warning.
type Choice string

// The choices.
const (
	WhatNow   Choice = "what_now"  // wants to know what to do; the warning stays when it is malicious
	Block     Choice = "block"     // wants it blocked
	Trust     Choice = "trust"     // wants no more of it
	Dismissed Choice = "dismissed" // closed it
	Expired   Choice = "expired"   // the desktop took it away
)

// A Report says what became of warnings. One of Shown, Choice and Err is set.
type Report struct {
	Person Person
	Keys   []string // of the warnings
	Shown  bool     // they are on the screen now
	Place  uint32   // of Shown: what Adopt wants
	Choice Choice
	Err    error // they were not shown; ErrNotDelivered when nobody was there to see them
}

// ErrNotDelivered says that there is nobody to see a warning now. Keep it, and try again when somebody logs in.
var ErrNotDelivered = errors.New("nobody is there to see the warning; it is shown when they log in")
