package cli

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
	"github.com/extwatch/extwatch/signatures/behavior"
)

// projectURL is where the program is explained.
const projectURL = "https://github.com/extwatch/extwatch"

// unreadableRule is the SARIF rule of extensions that could not be judged: code-scanning tools know only results.
const unreadableRule = "unreadable-extension"

// writeSARIF writes the findings as SARIF 2.1.0: one result per finding and extension, one rule per rule that matched.
func writeSARIF(c *console, r *report) error {
	return encode(c, sarifReport(r))
}

func sarifReport(r *report) sarifLog {
	run := sarifRun{
		Tool: sarifTool{sarifDriver{Name: "extwatch", InformationURI: projectURL, Version: engineVersion, SemanticVersion: engineVersion,
			Rules: []sarifRule{}}},
		Results: []sarifResult{},
	}
	indexes := map[string]int{}
	for i := range r.extensions {
		j := &r.extensions[i]
		for _, f := range sarifFindings(j) {
			index, ok := indexes[f.Rule]
			if !ok {
				index = len(indexes)
				indexes[f.Rule] = index
				run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRuleOf(f))
			}
			result := sarifResultOf(j, f)
			result.RuleIndex = index
			run.Results = append(run.Results, result)
		}
	}
	// False when something could not be read: a tool must not close old results then.
	invocation := sarifInvocation{ExecutionSuccessful: len(r.problems) == 0}
	for _, p := range r.problems {
		invocation.Notifications = append(invocation.Notifications, sarifNotification{Level: "warning", Message: sarifText{Text: problem(p)}})
	}
	run.Invocations = []sarifInvocation{invocation}
	return sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}}
}

// sarifFindings gives the findings of an extension, and one of our own when it could not be judged.
func sarifFindings(j *judged) []signatures.Finding {
	findings := j.result.Findings
	if j.result.Verdict == signatures.Unreadable {
		findings = append(findings[:len(findings):len(findings)], signatures.Finding{
			Rule: unreadableRule, Title: "An extension could not be judged", Level: "low", Verdict: signatures.Unreadable,
			Description: "The browser may run it all the same: what it does is not known.",
			Evidence:    []signatures.Evidence{{File: "manifest.json", Text: unreadable(&j.ext, &j.result)}},
		})
	}
	return findings
}

// sarifRuleOf describes a rule, with help that says what to do.
func sarifRuleOf(f signatures.Finding) sarifRule {
	text, markdown := sarifHelp(f)
	rule := sarifRule{
		ID: f.Rule, Name: f.Rule,
		ShortDescription: sarifText{Text: sentence(f.Title)},
		FullDescription:  sarifText{Text: cmp.Or(sentence(f.Description), sentence(f.Title))},
		Help:             sarifText{Text: text, Markdown: markdown},
		Configuration:    sarifConfig{Level: sarifLevel(f)},
	}
	if len(f.References) > 0 {
		if u, err := url.Parse(f.References[0]); err == nil && u.IsAbs() {
			rule.HelpURI = u.String()
		}
	}
	tags := []string{"security", "browser-extension"}
	if f.Campaign != "" {
		tags = append(tags, "campaign/"+f.Campaign)
	}
	rule.Properties = map[string]any{"tags": tags, "security-severity": severity(f.Level), "precision": precision(f)}
	return rule
}

func sarifHelp(f signatures.Finding) (text, markdown string) {
	var t, m strings.Builder
	t.WriteString(cmp.Or(sentence(f.Description), sentence(f.Title)))
	m.WriteString(t.String())
	section := func(title string, steps []string) {
		if len(steps) == 0 {
			return
		}
		fmt.Fprintf(&t, "\n\n%s", title)
		fmt.Fprintf(&m, "\n\n**%s**\n", title)
		for i, s := range steps {
			fmt.Fprintf(&t, "\n%d. %s", i+1, sentence(s))
			fmt.Fprintf(&m, "\n%d. %s", i+1, sentence(s))
		}
	}
	section("What to do now", f.Response.User)
	section("For administrators", f.Response.Admin)
	section("It may be harmless", f.FalsePositives)
	return t.String(), m.String()
}

// sarifResultOf places a finding in the extension's files.
func sarifResultOf(j *judged, f signatures.Finding) sarifResult {
	e := &j.ext
	message := fmt.Sprintf("%s %s (%s): %s", clean(e.Name(), maxName), clean(e.Version(), 20), clean(e.ID, 64), sentence(f.Title))
	if len(f.Evidence) > 0 {
		message += " " + evidence(f.Evidence[0])
	}
	result := sarifResult{RuleID: f.Rule, Kind: "fail", Level: sarifLevel(f), Message: sarifText{Text: message},
		Fingerprints: map[string]string{"extwatch/v1": fingerprint(e, f)}}
	for _, ev := range f.Evidence {
		result.Locations = append(result.Locations, sarifLocationOf(e, ev))
	}
	if len(f.Evidence) == 0 {
		result.Locations = []sarifLocation{sarifLocationOf(e, signatures.Evidence{})}
	}
	for _, flow := range flowsOf(f, j.code) {
		result.CodeFlows = append(result.CodeFlows, sarifFlow(e, flow))
	}
	result.Properties = map[string]string{"verdict": string(f.Verdict), "extensionId": e.ID, "extensionVersion": e.Version(), "origin": string(e.Origin)}
	for key, value := range map[string]string{"browser": e.Browser, "channel": e.Channel, "user": e.User, "profile": e.Profile, "campaign": f.Campaign} {
		if value != "" {
			result.Properties[key] = value
		}
	}
	return result
}

// sarifFlow is a flow in the code, one location for each of its steps.
func sarifFlow(e *manifests.Extension, flow *behavior.Flow) sarifCodeFlow {
	var thread sarifThread
	for _, s := range flow.Steps {
		location := sarifLocationOf(e, signatures.Evidence{File: s.File, Line: s.Line, Column: s.Column, Text: cmp.Or(s.Code, s.What)})
		location.Message = &sarifText{Text: clean(s.What, maxText)}
		thread.Locations = append(thread.Locations, sarifStep{location})
	}
	return sarifCodeFlow{Message: sarifText{Text: plot(flow)}, Threads: []sarifThread{thread}}
}

// sarifLocationOf is the file and line of a piece of evidence; what has none is placed in the manifest.
func sarifLocationOf(e *manifests.Extension, ev signatures.Evidence) sarifLocation {
	location := sarifLocation{Physical: sarifPhysical{Artifact: sarifArtifact{fileURI(e.Path, cmp.Or(ev.File, "manifest.json"))}}}
	if ev.Line > 0 {
		// The column is left out: ours counts bytes, SARIF's counts characters.
		location.Physical.Region = &sarifRegion{StartLine: ev.Line, Snippet: sarifText{Text: clean(ev.Text, maxText)}}
	}
	if ev.Text != "" {
		location.Message = &sarifText{Text: evidence(ev)}
	}
	return location
}

// fileURI is the URI of a file of an extension: below its folder, or inside its package after "!/", as in jar: URIs.
func fileURI(path, file string) string {
	if path == "" {
		return (&url.URL{Path: file}).String()
	}
	base := filepath.ToSlash(path)
	switch strings.ToLower(filepath.Ext(path)) {
	case ".crx", ".xpi", ".zip":
		base += "!"
	}
	if !strings.HasPrefix(base, "/") {
		base = "/" + base // C:/Users → file:///C:/Users
	}
	return (&url.URL{Scheme: "file", Path: base + "/" + file}).String()
}

// fingerprint stays the same while the same rule matches the same extension in the same place of the same profile,
// whatever its version: a tool then follows one result over time.
func fingerprint(e *manifests.Extension, f signatures.Finding) string {
	h := sha256.New()
	for _, part := range []string{f.Rule, e.Browser, e.User, e.Profile, e.ID, string(e.Origin)} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// sarifLevel maps a finding to SARIF's three levels, by what a person must do.
func sarifLevel(f signatures.Finding) string {
	switch f.Verdict {
	case signatures.Malicious:
		return "error"
	case signatures.Suspicious, signatures.Unreadable:
		return "warning"
	}
	return "note"
}

// severity maps Sigma's levels to the 0 to 10 that code-scanning tools sort by.
func severity(level string) string {
	switch level {
	case "critical":
		return "9.5"
	case "high":
		return "8.0"
	case "medium":
		return "5.5"
	case "low":
		return "3.0"
	}
	return "0.5"
}

// precision says how sure a rule is: a malicious verdict needs exact evidence.
func precision(f signatures.Finding) string {
	if f.Verdict == signatures.Malicious {
		return "very-high"
	}
	return "medium"
}
