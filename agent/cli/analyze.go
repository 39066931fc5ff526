package cli

import (
	"fmt"
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/extwatch/extwatch/agent"
	"github.com/extwatch/extwatch/agent/sandbox"
	"github.com/extwatch/extwatch/signatures/behavior/analysis"
)

// analyzeCommand is the hidden subcommand that the program starts itself with to read code: a process that may be killed.
const analyzeCommand = "analyze"

func newAnalyze(c *console) *cobra.Command {
	return &cobra.Command{
		Use:    analyzeCommand,
		Hidden: true,
		Args:   noArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := confine(c, sandbox.Policy{}); err != nil {
				return err
			}
			if err := analysis.Serve(c.in, c.out); err != nil {
				return fmt.Errorf("analyse code: %w", err)
			}
			return nil
		},
	}
}

// newAnalyst starts the program again, once for each processor, when code is to be analysed.
func newAnalyst() (*agent.Analyst, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, failed("start it by its full path", "cannot find the program's own file: %v", err)
	}
	return agent.NewAnalyst(runtime.NumCPU(), []string{self, analyzeCommand}, engineVersion), nil
}
