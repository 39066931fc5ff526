package cli

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

func newRulesNew(c *console) *cobra.Command {
	var campaign bool
	var dir string
	cmd := &cobra.Command{
		Use:   "new NAME [flags]",
		Short: "Write the file of a new rule, to be filled in",
		Long: `Writes NAME.yml, a rule that passes 'extwatch rules check' as it is, with a comment at each line
that you have to change. It never overwrites a file.`,
		Example: `  extwatch rules new session-to-webhook        how something is done
  extwatch rules new --campaign fake-airdrop   who did it: a named incident`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("for example: extwatch rules new session-to-webhook", "'extwatch rules new' takes one name")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return newRule(c, args[0], dir, campaign) },
	}
	cmd.Flags().BoolVar(&campaign, "campaign", false, "a rule about a named incident, instead of a technique")
	cmd.Flags().StringVar(&dir, "dir", ".", "write it into `DIR`")
	return cmd
}

// newRule writes the template. The name becomes a file name, so only a slug is taken.
func newRule(c *console, name, dir string, campaign bool) error {
	if len(name) > 64 || !regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`).MatchString(name) {
		return usage("use lower-case words and hyphens, at most 64 characters: session-to-webhook", "%q cannot be the name of a rule", name)
	}
	if _, err := directory(dir); err != nil {
		return err
	}
	path := filepath.Join(dir, name+".yml")
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return usage("choose another name, or remove the file first", "%s exists already", path)
	}
	if err != nil {
		return badPath(dir, err)
	}
	text := ruleTemplate(name, uuid(), c.now().UTC().Format("2006-01-02"), campaign)
	if _, err := file.WriteString(text); err != nil {
		file.Close()
		return failed("is the disk full?", "cannot write %s: %v", path, err)
	}
	if err := file.Close(); err != nil {
		return failed("is the disk full?", "cannot write %s: %v", path, err)
	}
	return c.print("wrote "+path, "next: edit it, then run 'extwatch rules check "+path+"'")
}

// uuid gives a random UUID (version 4).
func uuid() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

const ruleText = `title: %TITLE%   # what it finds, in at most 80 characters
id: %UUID%
name: %NAME%   # the same as the file's name
status: experimental   # test or stable later; only a stable rule may say malicious
description: Say in one or two plain sentences what such an extension does to an account.
references:
    - https://news.example/replace-me   # who found it: a report, an article
author: Your Name
date: %DATE%
tags:
    - attack.t1176.001   # MITRE ATT&CK: Software Extensions: Browser Extensions
logsource:
    product: browser
    category: extension
detection:
    # All fields of one selection must match; a list of values means any of them.
    selection:
        permissions: cookies
        host_permissions|contains: collect.example
    condition: selection
falsepositives:
    - Say when an honest extension may look like this.
level: high   # informational, low, medium, high, critical
verdict: suspicious   # capable, suspicious, malicious
%CAMPAIGN%response:
    user:
        - Switch the extension off in the browser's extension page.
    admin:
        - Look for the same extension on other machines.
tests:
    match:
        - case: takes cookies to a host of its own
          permissions: [cookies]
          host_permissions: ["https://collect.example/*"]
    no_match:
        - case: a shop helper without cookies
          permissions: [storage]
          host_permissions: ["https://shop.example/*"]
`

func ruleTemplate(name, id, date string, campaign bool) string {
	title, line := "The technique in a few words", ""
	if campaign {
		title, line = "The campaign in a few words", "campaign: "+name+"\n"
	}
	return strings.NewReplacer("%TITLE%", title, "%UUID%", id, "%NAME%", name, "%DATE%", date, "%CAMPAIGN%", line).Replace(ruleText)
}
