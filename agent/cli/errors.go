package cli

// How the program speaks
//
// What was asked for goes to stdout, everything else to stderr. An error is one sentence, without a capital and
// without a full stop, after "extwatch: error:"; where something can be done about it, a second line says what, after
// "extwatch: hint:". Usage is shown when asked for, never thrown after an error. Text that comes from an extension is
// cleaned first (text.go), also in errors: a name may hold escape sequences.
//
// Exit codes:
//
//	0  done, nothing suspicious
//	1  it did not work, or was interrupted
//	2  it was called wrongly: a bad flag, path or rule
//	3  done, and something suspicious or malicious was found (scan, rules test --against)
//
// All failures that a person can see are made by the functions below, so that this file is the whole list of their kinds.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	exitOK       = 0
	exitError    = 1
	exitUsage    = 2
	exitFindings = 3
)

// A failure is an error that knows its exit code and what to do next.
type failure struct {
	code int
	err  error
	hint string // one sentence; may be empty
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// errFindings ends a command that worked and found something. It is shown as an exit code only: the report has said it.
var errFindings = errors.New("something suspicious was found")

// usage says that the command was called wrongly.
func usage(hint, format string, args ...any) error {
	return &failure{code: exitUsage, err: fmt.Errorf(format, args...), hint: hint}
}

// failed says that it did not work.
func failed(hint, format string, args ...any) error {
	return &failure{code: exitError, err: fmt.Errorf(format, args...), hint: hint}
}

// interrupted says that the person stopped it.
func interrupted(what string) error {
	return &failure{code: exitError, err: fmt.Errorf("interrupted: %s", what)}
}

// exit shows err and gives the exit code for it.
func exit(stderr io.Writer, err error) int {
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFindings):
		return exitFindings
	case errors.Is(err, errOutput):
		// The reader of a pipe went away ("extwatch scan | head"): nothing is left to say, and nobody to say it to.
		return exitError
	}
	f := &failure{code: exitError, err: err}
	if errors.As(err, &f) {
		err = f.err
	}
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	fmt.Fprintf(stderr, "extwatch: error: %s\n", oneLine(err.Error()))
	if f.hint != "" {
		fmt.Fprintf(stderr, "extwatch: hint: %s\n", oneLine(f.hint))
	}
	return f.code
}

// maxErrorText bounds an error in bytes: it may quote a path or a name that a thief chose.
const maxErrorText = 600

// oneLine makes text safe for one line of the terminal.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
	return clean(s, maxErrorText)
}
