package cli

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/extwatch/extwatch/agent"
	"github.com/extwatch/extwatch/agent/settings"
	"github.com/extwatch/extwatch/signatures"
)

type runFlags struct {
	logLevel string
	json     bool
	feed     string
	homes    homes

	service, check, example bool
}

const runLong = `Watches the extensions of every browser and profile that you may read, and warns the moment one
that can rob an exchange or wallet account arrives or changes. Stays until Ctrl-C.

With --json it prints one event a line: ready, found (there at the start), new, changed, gone,
judged (its code has been analysed), warning, problem.`

const runExample = `  extwatch run                          warn in this terminal
  sudo extwatch run                     for all users of this machine
  extwatch run --json | my-log-shipper  for programs`

func newRun(c *console) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:     "run [flags]",
		Short:   "Stay, and warn of extensions that arrive or change",
		Long:    runLong,
		Example: runExample,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.check && len(args) == 1 {
				return nil
			}
			return noArgs(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case f.check:
				return checkConfig(c, args)
			case f.example:
				return c.print(strings.TrimSuffix(settings.Example(), "\n"))
			case f.service:
				return runService(cmd.Context(), c)
			}
			return runAgent(cmd.Context(), c, f)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.json, "json", false, "print events as JSON lines")
	flags.StringVar(&f.logLevel, "log-level", "warn", "log to stderr from `LEVEL`: debug, info, warn or error")
	flags.StringVar(&f.feed, "feed", "", "use the feed in `FOLDER`, where 'feed update --into' puts it, instead of the service's, and follow it")
	flags.BoolVar(&f.service, "service", false, "run as the service of this system: settings from its file, log to its log")
	flags.BoolVar(&f.check, "check-config", false, "say what is wrong with the service's settings, or those in a FILE, and end")
	flags.BoolVar(&f.example, "print-config", false, "print a file with all settings of the service, and end")
	f.homes.flag(flags)
	complete(cmd, "log-level", "debug", "info", "warn", "error")
	return cmd
}

func runAgent(ctx context.Context, c *console, f runFlags) error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return usage("the levels are debug, info, warn and error", "there is no log level %q", f.logLevel)
	}
	machine, err := f.homes.machine()
	if err != nil {
		return err
	}
	builtin, fed, err := openFed(f.feed, f.feed != "")
	if err != nil {
		return err
	}
	rules := rulesets{builtin}
	analyst, err := newAnalyst()
	if err != nil {
		return err
	}
	defer analyst.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	logger := slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: level}))
	t := &teller{c: c, rules: rules, json: f.json, stop: cancel, found: map[signatures.Verdict]int{}}
	box := newMailbox(maxWaiting, t.print)
	a, err := agent.New(agent.Config{
		Machine: machine,
		Rules:   rules[0],
		Analyst: analyst,
		Tell:    box.put,
		Logger:  logger,
	})
	if err != nil {
		box.close()
		return failed("run it with --log-level debug to see more", "cannot watch: %v", err)
	}
	var following sync.WaitGroup
	if fed != nil {
		following.Go(func() {
			fed.Run(ctx, func(rules *signatures.Ruleset) {
				t.use(rules)
				a.Swap(rules)
			}, func(problem string) { logger.Warn(problem) })
		})
	}
	err = a.Run(ctx)
	cancel()
	following.Wait()
	box.close()
	if err != nil && !errors.Is(err, context.Canceled) {
		return failed("run it with --log-level debug to see more", "the agent stopped: %v", err)
	}
	return t.failure()
}
