// Command generate writes what the packages need besides the program, from the program's own tables: manual pages and
// completions from its commands, unit files from agent/service, a settings file and the templates for group policy and
// device management from agent/settings, the bill of materials and the licences from what was linked. So none of them can
// say what the program does not do. installer/dist calls it; nothing of it is installed.
//
//	generate files DIR                             manual pages, completions, units, settings, templates
//	generate sbom -version V PROGRAM…              CycloneDX, JSON, of all programs, on standard output
//	generate licenses PROGRAM…                     the licences of the modules in all programs, on standard output
//	generate universal OUT AMD64 ARM64             one Mach-O file of two
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	if len(args) < 2 {
		return errors.New("usage: generate files|sbom|licenses|universal …")
	}
	when, err := sourceDate(os.Getenv("SOURCE_DATE_EPOCH"))
	if err != nil {
		return err
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the error says it
	version := flags.String("version", "", "version of the product")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	rest := flags.Args()
	switch {
	case args[0] == "files" && len(rest) == 1:
		return files(rest[0], when)
	case args[0] == "sbom" && len(rest) > 0:
		return sbom(out, *version, when, rest)
	case args[0] == "licenses" && len(rest) > 0:
		return licenses(out, rest)
	case args[0] == "universal" && len(rest) == 3:
		return universal(rest[0], rest[1], rest[2])
	}
	return fmt.Errorf("%q takes other arguments; see the comment at the top of installer/generate/main.go", args[0])
}

// sourceDate is the time that all files say they were made at, so that the same commit gives the same bytes.
func sourceDate(epoch string) (time.Time, error) {
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return time.Time{}, errors.New("SOURCE_DATE_EPOCH is not set to seconds since 1970: installer/dist sets it to the time of the commit")
	}
	return time.Unix(seconds, 0).UTC(), nil
}
