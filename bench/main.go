// Command bench measures the program as a user meets it: whole processes, in turn with its peers. See README.md.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

func main() {
	commands := map[string]func([]string) error{
		"latency": latency, "chromium": chromium, "inventory": inventory, "idle": idle, "behavior": behavior,
	}
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: bench latency|chromium|inventory|behavior|idle [flags]; see bench/README.md")
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// newFlags returns the flags of one benchmark; a bad flag ends the program.
func newFlags(name string) *flag.FlagSet { return flag.NewFlagSet("bench "+name, flag.ExitOnError) }

// build builds the program into a temporary folder and returns its path.
func build(dir string) (string, error) {
	program := filepath.Join(dir, "extwatch")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "github.com/extwatch/extwatch")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return program, nil
}
