package signatures

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Check says everything that is wrong with the ruleset in fsys, laid out like signatures/rules: what Load refuses,
// and what a good rule has besides: references, cases that pass, steps that begin with a verb, no match on the
// extensions that everybody has. It is empty when all is well. A nil fsys stands for the built-in rules. ctx bounds the
// running of the cases.
func Check(ctx context.Context, fsys fs.FS) []Defect {
	if fsys == nil {
		fsys = builtinFS()
	}
	rs, defects := load(fsys)
	if len(defects) > 0 {
		return defects
	}
	for i := range rs.rules {
		defects = append(defects, rs.rules[i].lint()...)
	}
	defects = append(defects, rs.lintIndicators(fsys)...)
	defects = append(defects, rs.lintCatalog()...)
	results, err := rs.RunCases(ctx, "")
	if err != nil {
		return append(defects, Defect{Path: ".", Reason: err.Error()})
	}
	for _, c := range results {
		if !c.Passed {
			defects = append(defects, Defect{rs.pathOf(c.Rule), c.Line, "tests: " + c.failure(), "run `extwatch rules test " + c.Rule + "`"})
		}
	}
	return append(defects, rs.lintBenign(ctx)...)
}

func (c CaseResult) failure() string {
	if c.Match {
		return fmt.Sprintf("%q should match and does not", c.Case)
	}
	return fmt.Sprintf("%q should not match and does", c.Case)
}

func (rs *Ruleset) pathOf(rule string) string {
	for _, r := range rs.rules {
		if r.Name == rule {
			return r.Path
		}
	}
	return "."
}

// maxTitle keeps a title in one line of a warning.
const maxTitle = 100

// lint tells what a rule lacks for being published.
func (r *Rule) lint() (defects []Defect) {
	defects = slices.Clone(r.slow)
	fail := func(key, hint, format string, args ...any) {
		defects = append(defects, Defect{r.Path, max(r.lines[key], 1), fmt.Sprintf(format, args...), hint})
	}
	for _, k := range []struct {
		key  string
		have bool
	}{
		{"description", r.Description != ""}, {"author", r.Author != ""}, {"date", r.Date != ""},
		{"references", len(r.References) > 0}, {"falsepositives", len(r.FalsePositives) > 0},
		{"response", len(r.Response.User) > 0 && len(r.Response.Admin) > 0},
	} {
		if !k.have {
			hint := ""
			switch k.key {
			case "falsepositives":
				hint = "say which honest extensions it may hit, or why none"
			case "response":
				hint = "give at least one step for the user and one for the admin"
			}
			fail(k.key, hint, "%s: missing", k.key)
		}
	}
	if n := len([]rune(r.Title)); n > maxTitle {
		fail("title", "", "title: %d characters; at most %d fit into a warning", n, maxTitle)
	}
	for _, ref := range r.References {
		if !strings.HasPrefix(ref, "https://") && !strings.HasPrefix(ref, "http://") {
			fail("references", "write https://…", "references: %q is no link", clip(ref, 80))
		}
	}
	if r.Verdict == Malicious && r.Status != "stable" {
		fail("verdict", "set status: stable once its evidence is conclusive, or verdict: suspicious", "verdict: malicious needs status: stable")
	}
	if !slices.ContainsFunc(r.cases, func(c ruleCase) bool { return c.match }) {
		fail("tests", "add an extension that it must find", "tests: no match case")
	}
	if !slices.ContainsFunc(r.cases, func(c ruleCase) bool { return !c.match }) {
		fail("tests", "add an honest extension that comes close", "tests: no no_match case")
	}
	for _, step := range slices.Concat(r.Response.User, r.Response.Admin) {
		if reason, hint := badStep(step); reason != "" {
			fail("response", hint, "response: %s", reason)
		}
	}
	return defects
}

// badStep says what is wrong with a step that a frightened person has to follow.
func badStep(step string) (reason, hint string) {
	first, _, _ := strings.Cut(step, " ")
	first = strings.TrimRight(first, ",:;.")
	switch {
	case len([]rune(step)) > 300:
		return fmt.Sprintf("%q is longer than 300 characters", clip(step, 40)), "make two steps of it"
	case !slices.Contains(verbs(), first):
		return fmt.Sprintf("%q does not begin with a verb that is known", clip(step, 40)), "begin with what to do: Remove, Change, Block, Sign out, …"
	}
	return "", ""
}

// verbs are the words that a step begins with.
func verbs() []string {
	return strings.Fields(`Abort Accept Act Activate Add Adjust Alert Allow Announce Answer Apply Archive Ask Assume Audit Avoid
		Back Backup Ban Be Begin Block Break Bring Buy Call Cancel Change Check Choose Clean Clear Click Close Collect Compare
		Confirm Connect Contact Continue Convert Copy Count Create Cut Deauthorize Decide Decline Delete Demand Deny Deploy
		Disable Disconnect Do Document Don't Download Drop Empty Enable End Enforce Enrol Enroll Ensure Enter Erase Examine Exclude
		Expect Expire Export File Find Flag Follow Force Forward Freeze Get Give Go Grant Have Hold Identify Ignore Image
		Import Include Inform Inspect Install Instruct Investigate Invalidate Isolate Issue Join Keep Leave Let Limit List
		Load Lock Log Look Make Mark Migrate Monitor Move Never Note Notify Open Order Park Pause Pick Pin Power Preserve
		Press Prevent Print Protect Pull Put Quarantine Quit Raise Re-enrol Re-enroll Re-image Read Rebuild Record Recover Re-create
		Refuse Register Reimage Reinstall Reject Reload Remove Rename Renew Repeat Replace Reply Report Request Require Reset
		Restart Restore Restrict Review Revoke Roll Rotate Run Save Scan Screenshot Search Secure See Select Send Separate Set
		Share Shut Sign Sort Start Stay Stop Store Submit Suspend Switch Take Talk Tell Terminate Test Track Transfer Treat Try Turn
		Type Undo Unblock Uninstall Unlink Unplug Update Upgrade Use Verify View Visit Wait Warn Watch Wipe Withdraw Work Write`)
}

// lintCatalog finds bad steps.
func (rs *Ruleset) lintCatalog() (defects []Defect) {
	for _, e := range rs.catalog.exchanges {
		for _, step := range slices.Concat(e.response.User, e.response.Admin) {
			if reason, hint := badStep(step); reason != "" {
				defects = append(defects, Defect{Path: "catalog/exchanges.yml", Reason: e.slug + ": " + reason, Hint: hint})
			}
		}
	}
	for _, step := range slices.Concat(rs.catalog.generic.User, rs.catalog.generic.Admin) {
		if reason, hint := badStep(step); reason != "" {
			defects = append(defects, Defect{Path: "catalog/exchanges.yml", Reason: "generic: " + reason, Hint: hint})
		}
	}
	for _, step := range slices.Concat(rs.catalog.mention.response.User, rs.catalog.mention.response.Admin) {
		if reason, hint := badStep(step); reason != "" {
			defects = append(defects, Defect{Path: "catalog/exchanges.yml", Reason: "server_named: " + reason, Hint: hint})
		}
	}
	for _, about := range slices.Concat(rs.catalog.genericTopics.user, rs.catalog.genericTopics.admin) {
		for _, key := range about {
			if !slices.ContainsFunc(rs.catalog.topics, func(t topic) bool { return t.key == key }) {
				defects = append(defects, Defect{Path: "catalog/exchanges.yml", Reason: "generic: no topic " + key, Hint: "add it to topics"})
			}
		}
	}
	return defects
}

// lintBenign judges the extensions that everybody has. A rule that warns of one of them is wrong.
func (rs *Ruleset) lintBenign(ctx context.Context) (defects []Defect) {
	benign, bad := rs.benign()
	defects = append(defects, bad...)
	for name, rc := range benign {
		res, err := rc.run(ctx, rs)
		if err != nil {
			return append(defects, Defect{Path: ".", Reason: err.Error()})
		}
		for _, f := range res.Findings {
			if f.Verdict.Worse(Unreadable) {
				defects = append(defects, Defect{Path: rs.pathOf(f.Rule), Reason: fmt.Sprintf("warns of the harmless %q (%s)", rc.ext.Name(), name),
					Hint: "make the detection narrower"})
			}
		}
	}
	slices.SortFunc(defects, func(a, b Defect) int { return strings.Compare(a.Path+a.Reason, b.Path+b.Reason) })
	return defects
}

func (rs *Ruleset) benign() (map[string]*ruleCase, []Defect) {
	names, err := fs.Glob(benignFS, "testdata/benign/*.json")
	if err != nil {
		return nil, []Defect{{Path: "testdata/benign", Reason: reason(err)}}
	}
	out := map[string]*ruleCase{}
	var defects []Defect
	c := &compiler{catalog: rs.catalog, schema: rs.schema, known: map[string]int{}}
	for _, name := range names {
		data, err := fs.ReadFile(benignFS, name)
		if err != nil {
			defects = append(defects, Defect{Path: name, Reason: reason(err)})
			continue
		}
		d := &document{path: name}
		if root := d.parse(data); root != nil {
			rc := c.decodeCase(d, root, false)
			out[path.Base(name)] = &rc
		}
		defects = append(defects, d.defects...)
	}
	return out, defects
}
