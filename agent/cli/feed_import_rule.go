package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/extwatch/extwatch/signatures"
	"github.com/extwatch/extwatch/signatures/indicators"
	"github.com/extwatch/extwatch/signatures/lists"
)

const importRule = `title: On the list %NAME%
id: %UUID%
name: %NAME%
status: stable
description: A public list names this extension. A list may err; what it rests on stands beside each row.
references:
  - %SOURCE%
author: extwatch feed import
date: %DATE%
tags: [attack.t1176.001]
logsource: {product: browser, category: extension}
detection:
  selection:
    indicator: %NAME%
  condition: selection
falsepositives:
  - Lists call honest extensions bad at times, and name all versions of one that was hijacked for a week.
level: high
verdict: %VERDICT%
campaign: %NAME%
response:
  user:
    - Switch the extension off in the browser's extension page, and ask who looks after your computer.
  admin:
    - Read what the list says of it, then block it or trust it in decisions.yml.
tests:
  match:
    - case: a row of the list
      id: "%ID%"
      version: "%VERSION%"
  no_match:
    - case: another one
      id: %OTHER%
`

// rule writes the rule that tells of the rows, when the folder is that of a ruleset and no rule does it yet. Without one,
// 'rules check' complains. It says what it did.
func (f *feedImport) rule(folder string, result *lists.Result, builtin *signatures.Ruleset, now time.Time) (string, error) {
	name, ids := result.Campaign, result.Rows[indicators.ID]
	about := func(r signatures.Rule) bool { return r.Name == name || r.Campaign == name }
	if filepath.Base(folder) != indicatorsFolder || len(ids) == 0 || slices.ContainsFunc(builtin.Rules(), about) {
		return "", nil
	}
	dir := filepath.Join(filepath.Dir(folder), "campaigns")
	path := filepath.Join(dir, name+".yml")
	shown := filepath.Join(filepath.Dir(filepath.Clean(f.out)), "campaigns", name+".yml")
	version := "1.0"
	if len(ids[0].Versions) > 0 {
		version, _, _ = strings.Cut(ids[0].Versions[0], "..")
	}
	verdict := "suspicious"
	for _, rows := range result.Rows {
		if slices.ContainsFunc(rows, func(r indicators.Row) bool { return r.Verdict == "malicious" }) {
			verdict = "malicious"
		}
	}
	text := strings.NewReplacer("%NAME%", name, "%UUID%", uuid(), "%SOURCE%", result.Source, "%DATE%", now.UTC().Format(time.DateOnly),
		"%VERDICT%", verdict, "%ID%", ids[0].Value, "%VERSION%", version, "%OTHER%", unlisted(ids)).Replace(importRule)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", badPath(shown, err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return "", nil
	}
	if err != nil {
		return "", badPath(shown, err)
	}
	_, err = file.WriteString(text)
	if err = errors.Join(err, file.Close()); err != nil {
		return "", failed("is the disk full?", "cannot write %s: %v", shown, err)
	}
	return "wrote " + shown + ": the rule that tells of them", nil
}

// indicatorsFolder is where a ruleset keeps its lists.
const indicatorsFolder = "indicators"

// unlisted returns an ID that is not among the rows.
func unlisted(rows []indicators.Row) string {
	for letter := 'a'; letter <= 'p'; letter++ {
		id := strings.Repeat(string(letter), 32)
		if !slices.ContainsFunc(rows, func(r indicators.Row) bool { return r.Value == id }) {
			return id
		}
	}
	return strings.Repeat("ap", 16) // 'rules check' tells if that is listed as well
}
