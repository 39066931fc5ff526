// Package cli is the command line of ExtWatch: one file per subcommand, flags and output only.
//
//	scan       list and judge what is installed           scan.go, scanner.go
//	run        stay, and warn of what arrives             run.go
//	selftest   prove that a warning would come            selftest.go
//	rules      list, show, new, check, test               rules.go, rules_*.go
//	feed       make, publish and serve a feed             feed.go, feed_*.go
//	service    install, start, stop, uninstall            service.go, run_service.go
//	status     is this machine protected?                 status.go
//	history    what was seen, and when                    history.go
//	open       the local page                             open.go
//	block …    block, unblock, trust, untrust             decide.go
//	version    which program and which rules              version.go
//
// How it speaks, and every exit code, is in errors.go. A report is made once as data (report.go) and then written by one
// file per format: report_table.go, report_json.go, report_sarif.go. The words of a warning are in warning.go. All text
// that an extension controls goes through clean (text.go) before a person sees it.
package cli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Main runs the command line and returns the exit code: 0 clean, 1 error, 2 usage, 3 findings. The first interrupt ends
// a command in order, a second one ends the process at once.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	c := newConsole(stdin, stdout, stderr, os.Getenv)
	root := newRoot(c)
	root.SetArgs(append([]string{}, args...)) // never nil: cobra would take the process's own arguments
	return exit(stderr, root.ExecuteContext(ctx))
}

const rootLong = `ExtWatch knows every browser extension on this machine, and warns of those that can
rob an account at an exchange or a wallet.

It never opens cookies, passwords, history or page storage, and sends nothing anywhere.`

const rootExample = `  extwatch scan                 what is installed, and what it may do
  extwatch scan ./extension.crx before you install it
  extwatch run                  stay, and warn of what arrives
  extwatch selftest             prove that a warning would come`

func newRoot(c *console) *cobra.Command {
	root := &cobra.Command{
		Use:           "extwatch",
		Short:         "Warns of browser extensions that can rob an exchange or wallet account",
		Long:          rootLong,
		Example:       rootExample,
		Version:       engineVersion,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          onlySubcommands,
		RunE:          showHelp,
	}
	root.SetIn(c.in)
	root.SetOut(c.out)
	root.SetErr(c.err)
	root.SetVersionTemplate("extwatch {{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	root.SetUsageTemplate(usageTemplate)
	root.SetHelpCommand(newHelp())
	root.AddCommand(newScan(c), newRun(c), newSelftest(c), newRules(c), newFeed(c), newVersion(c), newAnalyze(c),
		newRead(c), newNotify(c), newService(c), newStatus(c), newHistory(c), newOpen(c), newBlock(c), newUnblock(c), newTrust(c), newUntrust(c))
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "completion" {
			cmd.Short = "Print the completion script for your shell"
			cmd.Args, cmd.RunE = onlySubcommands, showHelp
		}
	}
	return root
}

// usageTemplate is what --help prints after the description: usage, examples, commands, flags.
const usageTemplate = `Usage:
  {{if .HasAvailableSubCommands}}{{.CommandPath}} COMMAND [flags]{{else}}{{.UseLine}}{{end}}
{{- if .HasExample}}

Examples:
{{.Example}}
{{- end}}
{{- if .HasAvailableSubCommands}}

Commands:
{{- range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding }} {{.Short}}
{{- end}}{{end}}
{{- end}}
{{- if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}
{{- end}}
{{- if .HasAvailableSubCommands}}

Use "{{.CommandPath}} COMMAND --help" for more about a command.
{{- end}}
`

func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// onlySubcommands refuses what is neither a subcommand nor a flag, and suggests what may have been meant.
func onlySubcommands(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2
	hint := "run '" + cmd.CommandPath() + " --help' to see the commands"
	if s := cmd.SuggestionsFor(args[0]); len(s) > 0 {
		hint = "did you mean '" + cmd.CommandPath() + " " + strings.Join(s, "' or '"+cmd.CommandPath()+" ") + "'?"
	}
	return usage(hint, "there is no command %q", args[0])
}

// flagError words what the flag library complains about.
func flagError(cmd *cobra.Command, err error) error {
	return usage("run '"+cmd.CommandPath()+" --help' to see the flags", "%s", err)
}

// noArgs refuses arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usage("run '"+cmd.CommandPath()+" --help'", "'%s' takes no argument, but got %q", cmd.CommandPath(), args[0])
}

// newHelp is "extwatch help COMMAND", the same as COMMAND --help.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Explain a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			target, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return onlySubcommands(cmd.Root(), args)
			}
			target.InitDefaultHelpFlag()
			target.InitDefaultVersionFlag()
			return target.Help()
		},
	}
}
