package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/extwatch/extwatch/signatures"
)

// errOutput marks that stdout could not be written to.
var errOutput = errors.New("cannot write the output")

// defaultWidth is used when stdout is not a terminal, or does not say how wide it is.
const defaultWidth = 80

// maxWidth keeps lines readable on very wide terminals.
const maxWidth = 120

// A console is where a command reads and writes, and what the person there can see.
type console struct {
	in     io.Reader
	out    io.Writer
	err    io.Writer
	color  bool // stdout understands colours and the person did not refuse them
	width  int  // of stdout, in cells
	person bool // somebody is watching stderr
	now    func() time.Time
}

func newConsole(stdin io.Reader, stdout, stderr io.Writer, getenv func(string) string) *console {
	c := &console{in: stdin, out: stdout, err: stderr, width: defaultWidth, now: time.Now}
	if f, ok := stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		c.color = getenv("NO_COLOR") == "" && getenv("TERM") != "dumb" && enableColor(f)
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			c.width = min(max(w, minWidth), maxWidth)
		}
	}
	if f, ok := stderr.(*os.File); ok {
		c.person = term.IsTerminal(int(f.Fd()))
	}
	return c
}

// plain returns a console that writes to w without colour, for a report into a file.
func (c *console) plain(w io.Writer) *console {
	d := *c
	d.out, d.color, d.width = w, false, defaultWidth
	return &d
}

// print writes lines to stdout.
func (c *console) print(lines ...string) error {
	if len(lines) == 0 {
		return nil
	}
	if _, err := io.WriteString(c.out, strings.Join(lines, "\n")+"\n"); err != nil {
		return fmt.Errorf("%w: %w", errOutput, err)
	}
	return nil
}

// note writes a line to stderr: something the person may want to know, but did not ask for.
func (c *console) note(format string, args ...any) {
	fmt.Fprintf(c.err, "extwatch: "+format+"\n", args...)
}

// A shade is an ANSI colour, by what it is for.
type shade string

const (
	shadeBad   shade = "1;31" // bold red: malicious
	shadeWarn  shade = "1;33" // bold yellow: suspicious
	shadeOdd   shade = "35"   // magenta: unreadable
	shadeGood  shade = "32"   // green: clean, passed
	shadeHead  shade = "1"    // bold: headings
	shadeQuiet shade = "2"    // dim: column titles, paths
)

// paint colours text when the terminal wants it.
func (c *console) paint(s shade, text string) string {
	if !c.color || s == "" || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// shadeOf is the colour of a verdict.
func shadeOf(v signatures.Verdict) shade {
	switch v {
	case signatures.Malicious:
		return shadeBad
	case signatures.Suspicious:
		return shadeWarn
	case signatures.Unreadable:
		return shadeOdd
	case signatures.Clean:
		return shadeGood
	}
	return ""
}
