package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// engineVersion is the version of the program. It rises when a verdict may change without the rules changing.
const engineVersion = "0.1.0"

// commit is the commit that a package was built from; installer/dist has the linker set it. What the compiler records by
// itself depends on how the files were checked out, and the same commit is to give the same bytes.
var commit string

func newVersion(c *console) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the version of the program and of its rules",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			rules, err := loadRules("")
			if err != nil {
				return err
			}
			info := rules.info()
			return c.print(
				"extwatch "+engineVersion+revision(),
				fmt.Sprintf("rules    version %d: %s, %s", info.Version, count(info.Rules, "rule"), count(info.Indicators, "indicator")),
				fmt.Sprintf("built    %s for %s/%s", runtime.Version(), runtime.GOOS, runtime.GOARCH),
			)
		},
	}
}

// revision names the commit that the program was built from, when the build recorded it.
func revision() string {
	if commit != "" {
		return " (" + commit + ")"
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	found, dirty := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && len(s.Value) >= 12:
			found = " (" + s.Value[:12]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = ", changed"
		}
	}
	if found == "" {
		return ""
	}
	return found + dirty + ")"
}
