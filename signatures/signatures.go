// Package signatures knows what is bad, and how to tell: it judges extensions by rules and indicators.
//
// A [Ruleset] is made from a folder laid out like signatures/rules: Sigma rules (campaigns/*.yml, techniques/*.yml),
// indicators (indicators/*.csv) and a catalog of exchanges, wallets and permissions (catalog/*.yml). [Builtin] gives
// the one inside the program, [Load] one from elsewhere; [Check] says what is wrong with one. The rule format and
// every field are described in docs/rule-format.md.
//
// Judging has steps, so that a person is warned before the code has been read and understood:
//
//	rs, err := signatures.Builtin()
//	first := rs.Judge(signatures.Input{Extension: ext})              // manifest and indicators; Partial is set
//	contents, err := rs.Read(ctx, files)                             // every file once
//	report, err := pool.Analyze(ctx, analysis.Input{Manifest: ext.Manifest, Files: files}) // what the code does
//	final := rs.Judge(signatures.Input{Extension: ext, Contents: contents, Behavior: &report})
//	todo := rs.Advice(ext, final)
//
// The verdict is a ladder, never a sum: malicious needs exact evidence, suspicious needs the behaviour of a theft
// technique, capable is reach on an exchange and nothing more. Scores would rank an ad blocker, which reaches every
// site, above a thief that asks for one exchange only.
//
// Nothing here opens the network or writes; all functions may be called from many goroutines at once.
package signatures

import (
	"time"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/behavior"
)

// A Verdict is what is thought of an extension, from clean to malicious.
type Verdict string

// The verdicts, worst first.
const (
	Malicious  Verdict = "malicious"  // exact evidence: an indicator, or a rule whose evidence is conclusive
	Suspicious Verdict = "suspicious" // behaves like a theft technique, without the last proof
	Unreadable Verdict = "unreadable" // could not be judged; Extension.Unreadable or the first of Result.Problems says why
	Capable    Verdict = "capable"    // reaches an exchange, nothing more
	Clean      Verdict = "clean"
)

// rank orders verdicts; an unknown one is below clean.
func (v Verdict) rank() int {
	switch v {
	case Malicious:
		return 5
	case Suspicious:
		return 4
	case Unreadable:
		return 3
	case Capable:
		return 2
	case Clean:
		return 1
	}
	return 0
}

// Worse reports whether v calls for more attention than w: malicious, suspicious, unreadable, capable, clean.
func (v Verdict) Worse(w Verdict) bool { return v.rank() > w.rank() }

// A Finding says that a rule or an indicator matched an extension.
type Finding struct {
	Rule           string     `json:"rule"` // the rule's name: "session-cookie-theft"
	Title          string     `json:"title"`
	Description    string     `json:"description,omitempty"`
	Level          string     `json:"level"` // informational, low, medium, high, critical
	Verdict        Verdict    `json:"verdict"`
	Campaign       string     `json:"campaign,omitempty"` // slug of the campaign that the rule or the indicator is about
	Evidence       []Evidence `json:"evidence"`
	FalsePositives []string   `json:"false_positives,omitempty"`
	References     []string   `json:"references,omitempty"`
	Response       Response   `json:"response"`
}

// Evidence is what made a rule match: a place in a file, or a key of the manifest with its value.
// Text is at most 160 characters, control and format characters are escaped: it is safe to show as text.
type Evidence struct {
	File   string `json:"file,omitempty"`   // relative to the extension, slashes
	Line   int    `json:"line,omitempty"`   // from 1; 0 when there is no line
	Column int    `json:"column,omitempty"` // in bytes, from 1
	Key    string `json:"key,omitempty"`    // field of the rule: "permissions", "id"
	Text   string `json:"text"`
}

// Response is what to do now, in order.
type Response struct {
	User  []string `json:"user"`  // for the person at the screen
	Admin []string `json:"admin"` // for who looks after the machines
}

// Reach is what an extension may do on one exchange.
type Reach struct {
	Exchange     string   `json:"exchange"`     // "binance"
	Title        string   `json:"title"`        // "Binance"
	Capabilities []string `json:"capabilities"` // "session.read", in the order of docs/rule-format.md
	Because      []string `json:"because"`      // "permissions: cookies"; at most 8
}

// A Result is the judgement of one extension.
type Result struct {
	Verdict  Verdict
	Reach    []Reach   // in the order of the catalog
	Findings []Finding // worst first
	// Problems are those of reading the files and of judging. Those that the extension brought along
	// (Extension.Problems) are not repeated.
	Problems []manifests.Problem
	// Decision is what the organisation decided of this extension; nil when it did not. See docs/rule-format.md for
	// what counts more.
	Decision *Decision
	// SetAside are findings that do not count because the organisation trusts the extension, worst first.
	SetAside []Finding
	// Partial is set while the files have not been read or their code has not been analysed: the verdict may still
	// rise.
	Partial bool
}

// Input is what a verdict is made from.
type Input struct {
	Extension *manifests.Extension
	Previous  *manifests.Extension // the version before an update; nil when there is none
	Contents  *Contents            // from Read or Adopt of the same ruleset; nil: judge by manifest and indicators only
	Behavior  *behavior.Report     // what the code does; nil: not analysed yet
	// PreviousBehavior is what the code of Previous did: what is new since then is in the field gained. Nil: not known.
	PreviousBehavior *behavior.Report
	// Now is the time, for decisions that end; zero is the present.
	Now time.Time

	undecided bool // decisions do not count: what the rules say by themselves is asked for
}
