// Command extwatch knows every browser extension on a machine and warns of those that can rob an exchange or wallet account.
package main

import (
	"os"

	"github.com/extwatch/extwatch/agent/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
