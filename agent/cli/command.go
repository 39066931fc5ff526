package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// Version is the version of the program, without a leading v.
const Version = engineVersion

// Command returns the whole command line, for programs that write manual pages and completions from it. It prints
// nothing and reads nothing.
func Command() *cobra.Command {
	return newRoot(newConsole(strings.NewReader(""), io.Discard, io.Discard, func(string) string { return "" }))
}
