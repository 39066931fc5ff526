package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
	"github.com/extwatch/extwatch/signatures/behavior"
)

// A warning has to fit on a screen beside a frightened person: at most about 25 lines. What is left out is in the scan
// report and in the log.
const (
	maxWhat   = 2   // findings told in words
	maxWhy    = 5   // pieces of evidence
	maxSteps  = 6   // things to do
	maxDoubts = 1   // ways in which it may be harmless
	maxBrief  = 240 // bytes of what was found
)

// An explanation is all that a person is told about one extension, in words, cleaned.
type explanation struct {
	verdict signatures.Verdict
	name    string // "Aggr Helper"
	version string
	where   string   // "in Google Chrome (Work), installed 2 seconds ago, loaded from a folder"
	what    []string // what was found, one sentence or two each
	why     []string // the evidence
	more    int      // evidence left out
	steps   []string // what to do now, in order
	doubts  []string // when it may be harmless
	place   string   // ID and path, for whoever helps
}

// explain puts a judgement into words. p may be nil, for an extension given by path.
func explain(e *manifests.Extension, res *signatures.Result, code *behavior.Report, p *browsers.Profile, rules rulesets, now time.Time) explanation {
	x := explanation{
		verdict: res.Verdict, name: clean(e.Name(), maxName), version: clean(e.Version(), 20), where: where(e, p, now),
		place: clean(e.ID, 64),
	}
	if e.Path != "" {
		x.place += " in " + clean(e.Path, 400)
	}
	var seen []string
	for _, f := range res.Findings {
		if !bad(f.Verdict) && bad(res.Verdict) {
			continue // what only adds detail has no place beside what matters
		}
		if !slices.Contains(seen, f.Title) {
			seen = append(seen, f.Title)
			x.what = append(x.what, sentence(f.Title)+optional(" ", sentence(f.Description)))
		}
		told := stories(f, code)
		for _, story := range told {
			x.why = appendNew(x.why, story)
		}
		for _, reason := range reasons(withoutFlows(f, len(told) > 0), res.Reach) {
			x.why = appendNew(x.why, reason)
		}
		for _, d := range f.FalsePositives {
			x.doubts = appendNew(x.doubts, sentence(d))
		}
	}
	if res.Verdict == signatures.Unreadable {
		x.what = append(x.what, sentence("it could not be judged: "+unreadable(e, res)))
	}
	if len(x.doubts) == 0 && res.Verdict == signatures.Suspicious {
		x.doubts = []string{"If you know this extension and installed it yourself for a purpose, it may be harmless. " +
			"If somebody else told you to install it, treat it as an attack."}
	}
	x.why = append(x.why, reachReasons(res.Reach)...)
	x.more = max(0, len(x.why)-maxWhy)
	x.what, x.why, x.doubts = first(x.what, maxWhat), first(x.why, maxWhy), first(x.doubts, maxDoubts)
	x.steps = steps(rules, e, res)
	return x
}

// steps gives what to do now, without repetition.
func steps(rules rulesets, e *manifests.Extension, res *signatures.Result) []string {
	var out []string
	if len(rules) > 0 {
		for _, s := range rules[0].Advice(e, *res).User {
			out = appendNew(out, sentence(s))
		}
	}
	return out
}

// unreadable says why an extension could not be judged.
func unreadable(e *manifests.Extension, res *signatures.Result) string {
	if e.Unreadable != "" {
		return e.Unreadable
	}
	for _, p := range problemsOf(e, res) {
		return optional("", p.File, ": ") + p.Reason
	}
	return "no reason was recorded"
}

// where says in which browser it is, since when, and how it came.
func where(e *manifests.Extension, p *browsers.Profile, now time.Time) string {
	var parts []string
	if title := browserTitle(e, p); title != "" {
		if name := profileTitle(e, p); name != "" {
			title += " (" + name + ")"
		}
		parts = append(parts, "in "+title)
	}
	if t := e.InstalledAt; !t.IsZero() {
		parts = append(parts, "installed "+ago(t, now))
		if e.UpdatedAt.Sub(t) > time.Minute {
			parts = append(parts, "updated "+ago(e.UpdatedAt, now))
		}
	}
	if e.Browser == "" {
		return strings.Join(append(parts, "not installed in a browser here"), ", ")
	}
	if e.Pending && e.Origin == manifests.OriginUnknown {
		return strings.Join(append(parts, "just arrived: the browser has not yet recorded where it came from"), ", ")
	}
	parts = append(parts, origin(e))
	switch state(e) {
	case "pending":
		parts = append(parts, "not yet recorded by the browser")
	case "disabled":
		parts = append(parts, "switched off at the moment")
	}
	return strings.Join(parts, ", ")
}

// browserTitle names the browser as its maker does.
func browserTitle(e *manifests.Extension, p *browsers.Profile) string {
	if p != nil && p.Title != "" {
		return clean(p.Title, maxName)
	}
	return clean(e.Browser, maxName)
}

// profileTitle names the profile as the person does.
func profileTitle(e *manifests.Extension, p *browsers.Profile) string {
	name := e.ProfileTitle
	if name == "" && p != nil {
		name = p.Display
	}
	if name == "" {
		name = e.Profile
	}
	return clean(name, maxName)
}

// origin says in words how an extension came.
func origin(e *manifests.Extension) string {
	switch e.Origin {
	case manifests.OriginStore:
		return "from the browser's store"
	case manifests.OriginPolicy:
		return "installed by a policy on this computer"
	case manifests.OriginSideloaded:
		return "put there by another program, not by the store"
	case manifests.OriginUnpacked:
		if e.CommandLine {
			return "loaded from a folder by whatever started the browser"
		}
		return "loaded from a folder, not from the store"
	case manifests.OriginBuiltin:
		return "part of the browser"
	}
	return "of unknown origin"
}

// ago says how long ago something was, as people do.
func ago(t, now time.Time) string {
	d := now.Sub(t)
	switch {
	case d < 2*time.Second: // also the future: clocks differ
		return "just now"
	case d < time.Minute:
		return fmt.Sprintf("%d seconds ago", int(d.Seconds()))
	case d < time.Hour:
		return count(int(d.Minutes()), "minute") + " ago"
	case d < 48*time.Hour:
		return count(int(d.Hours()), "hour") + " ago"
	}
	if d < 60*24*time.Hour {
		return count(int(d.Hours()/24), "day") + " ago"
	}
	return "on " + t.Format("2 January 2006")
}

// writeWarning gives the lines of a warning.
func writeWarning(c *console, x explanation) []string {
	head := fmt.Sprintf("WARNING: %s: %q", x.verdict, x.name)
	lines := []string{c.paint(shadeOf(x.verdict), strings.TrimSpace(strings.ReplaceAll(head, `\"`, `"`)+" "+x.version))}
	lines = append(lines, wrap(x.where, "", "", c.width)...)
	for i := range x.what {
		x.what[i] = brief(x.what[i])
	}
	return append(lines, x.body(c, "", maxSteps)...)
}

// body gives the lines below the headline, each after indent, with at most so many steps.
func (x *explanation) body(c *console, indent string, most int) []string {
	var lines []string
	section := func(title string) { lines = append(lines, indent+c.paint(shadeHead, title)) }
	if len(x.what) > 0 {
		section("What was found")
		for _, w := range x.what {
			lines = append(lines, wrap(w, indent+"  ", indent+"  ", c.width)...)
		}
	}
	if len(x.why) > 0 {
		section("Why we think so")
		for _, w := range x.why {
			lines = append(lines, wrap(w, indent+"  - ", indent+"    ", c.width)...)
		}
		if x.more > 0 {
			lines = append(lines, fmt.Sprintf("%s  - and %d more", indent, x.more))
		}
	}
	if len(x.steps) > 0 {
		section("What to do now")
		for i, s := range first(x.steps, most) {
			lines = append(lines, wrap(s, fmt.Sprintf("%s  %d. ", indent, i+1), indent+"     ", c.width)...)
		}
		if n := len(x.steps) - most; n > 0 {
			lines = append(lines, fmt.Sprintf("%s  and %s: see 'extwatch scan'", indent, count(n, "more step")))
		}
	}
	if len(x.doubts) > 0 {
		section("It may be harmless")
		for _, d := range x.doubts {
			lines = append(lines, wrap(d, indent+"  ", indent+"  ", c.width)...)
		}
	}
	return append(lines, wrap(x.place, indent+c.paint(shadeQuiet, "ID "), indent+"   ", c.width)...)
}

// brief keeps the first sentences of a text, as many as a warning has room for, and at least one.
func brief(s string) string {
	end := strings.Index(s, ". ")
	for end >= 0 {
		next := strings.Index(s[end+2:], ". ")
		if next < 0 {
			next = len(s) - end - 3
		}
		if end+2+next+1 > maxBrief {
			return s[:end+1]
		}
		if end += 2 + next; end+1 >= len(s) {
			break
		}
	}
	return s
}

// sentence makes text one clean sentence: a capital first, a full stop at the end.
func sentence(s string) string {
	s = clean(strings.Join(strings.Fields(s), " "), 600)
	if s == "" {
		return ""
	}
	if r := s[0]; r >= 'a' && r <= 'z' {
		s = string(r-'a'+'A') + s[1:]
	}
	// A full stop behind an address would be copied with it.
	if last := s[strings.LastIndexByte(s, ' ')+1:]; !strings.HasSuffix(last, "…") && !strings.Contains(last, "://") && !strings.ContainsAny(last[len(last)-1:], ".!?:") {
		s += "."
	}
	return s
}

// optional gives before+s+after, or nothing when s is empty.
func optional(before, s string, after ...string) string {
	if s == "" {
		return ""
	}
	return before + s + strings.Join(after, "")
}

func appendNew(list []string, s string) []string {
	if s == "" || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

func first[T any](list []T, n int) []T { return list[:min(n, len(list))] }
