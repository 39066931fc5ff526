package cli

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
	"github.com/extwatch/extwatch/signatures/behavior"
)

const (
	// maxTold bounds the findings that are told in full. More say the same again.
	maxTold = 6
	// maxReached bounds the lines about exchanges: each is for all exchanges that it can do the same on.
	maxReached = 6
	// maxTalks bounds the hosts that are listed.
	maxTalks = 20
	// maxExcerpts bounds the places whose code is read: a file is read from its beginning for each.
	maxExcerpts = 60
	// maxGaps bounds what is listed of what could not be read.
	maxGaps = 8
)

// An explainer tells all about one extension: what was found and how it happens in the code, what it reaches and whom it
// talks to, how sure that is, and what to do.
type explainer struct {
	c     *console
	r     *report
	j     *judged
	lines []string
	read  int // places whose code was read

	stories []string // that were told with their code
}

// explained gives the lines of one extension for --explain.
func (t *table) explained(j *judged) []string {
	x := &explainer{c: t.c, r: t.r, j: j}
	e := &j.ext
	head := strings.TrimSpace(fmt.Sprintf("%s: \"%s\" %s", j.result.Verdict, clean(e.Name(), maxName), clean(e.Version(), 20)))
	x.lines = append(x.lines, "", "  "+t.c.paint(shadeOf(j.result.Verdict), head))
	x.say("  ", where(e, j.profile, t.c.now()))
	x.findings()
	x.reach()
	x.talks()
	x.sure()
	x.steps()
	place := clean(e.ID, 64)
	if e.Path != "" {
		place += " in " + clean(e.Path, 400)
	}
	x.lines = append(x.lines, wrap(place, "  "+t.c.paint(shadeQuiet, "ID "), "     ", t.c.width)...)
	return x.lines
}

// section begins a part.
func (x *explainer) section(title string) {
	x.lines = append(x.lines, "  "+x.c.paint(shadeHead, title))
}

// say adds text, wrapped; the lines after its first stand under it.
func (x *explainer) say(first, text string) {
	if text == "" {
		return
	}
	x.lines = append(x.lines, wrap(text, first, strings.Repeat(" ", cells(first)), x.c.width)...)
}

// findings tells each finding, and how it happens in the code.
func (x *explainer) findings() {
	var files manifests.Files
	if open := x.j.ext.Open; open != nil {
		if opened, err := open(); err == nil { // the report says why it cannot be opened
			defer opened.Close()
			files = opened
		}
	}
	for i, f := range x.j.result.Findings {
		if i == maxTold {
			x.say("  ", fmt.Sprintf("and %s: --format json lists them", count(len(x.j.result.Findings)-i, "more finding")))
			break
		}
		x.section(fmt.Sprintf("What was found: %s (%s, %s)", clean(strings.TrimSuffix(f.Title, "."), maxText), f.Verdict, clean(f.Rule, maxName)))
		x.say("    ", sentence(f.Description))
		told := flowsOf(f, x.j.code)
		for _, flow := range told {
			x.story(flow, files)
		}
		for _, reason := range reasons(withoutFlows(f, len(told) > 0), x.j.result.Reach) {
			x.say("    - ", reason)
		}
		for _, d := range first(f.FalsePositives, maxDoubts) {
			x.say("    ", "It may be harmless: "+sentence(d))
		}
	}
	if x.j.result.Verdict == signatures.Unreadable {
		x.section("Why it could not be judged")
		x.say("    ", sentence(unreadable(&x.j.ext, &x.j.result)))
	}
}

// withoutFlows leaves out the evidence that a story tells better.
func withoutFlows(f signatures.Finding, told bool) signatures.Finding {
	if told {
		f.Evidence = slices.DeleteFunc(slices.Clone(f.Evidence), func(ev signatures.Evidence) bool { return ev.Key == flowKey })
	}
	return f
}

// story tells a flow in one line, then with the code of each of its places. The code stands there once: a second finding
// about the same flow has only the line.
func (x *explainer) story(flow *behavior.Flow, files fs.FS) {
	line := plot(flow)
	if slices.Contains(x.stories, line) {
		x.say("    ", line+" (the code stands above)")
		return
	}
	x.stories = append(x.stories, line)
	x.say("    ", line)
	steps, left := scenes(flow)
	var last []string
	for i, s := range steps {
		if left > 0 && i == maxPlot/2 {
			x.say("      ", fmt.Sprintf("(%s between)", count(left, "step")))
		}
		x.say("      ", clean(fmt.Sprintf("%s:%d:%d", s.File, s.Line, s.Column), maxName)+"  "+clean(s.What, maxText))
		var code []string
		if x.read++; files != nil && x.read <= maxExcerpts {
			code = snippet(files, spotIn{s.File, s.Line, s.Column})
		}
		if code == nil && s.Code != "" {
			code = []string{codeMark + clean(strings.TrimSpace(s.Code), maxCodeLine)}
		}
		if slices.Equal(code, last) {
			continue
		}
		last = code
		for _, line := range code {
			x.lines = append(x.lines, "        "+x.c.paint(shadeQuiet, line))
		}
	}
}

// reach says what it can do on which exchanges, and why.
func (x *explainer) reach() {
	x.section("What it can reach")
	if len(x.j.result.Reach) == 0 {
		x.say("    ", "no exchange")
		return
	}
	var groups [][]signatures.Reach
	for _, r := range x.j.result.Reach {
		i := slices.IndexFunc(groups, func(g []signatures.Reach) bool {
			return slices.Equal(g[0].Capabilities, r.Capabilities) && slices.Equal(g[0].Because, r.Because)
		})
		if i < 0 {
			groups = append(groups, []signatures.Reach{r})
			continue
		}
		groups[i] = append(groups[i], r)
	}
	for i, g := range groups {
		if i == maxReached {
			x.say("    - ", "and others: --format json lists them")
			break
		}
		because := make([]string, 0, len(g[0].Because))
		for _, b := range g[0].Because {
			because = append(because, clean(b, maxText))
		}
		x.say("    - ", fmt.Sprintf("it may %s on %s", abilities(g[0].Capabilities), exchanges(g, 400))+optional(", because of ", strings.Join(because, ", ")))
	}
}

// talks lists the hosts that the code talks to, and whose they are.
func (x *explainer) talks() {
	if x.j.code == nil {
		return
	}
	x.section("Whom its code talks to")
	said := map[string]bool{}
	for _, c := range x.j.code.Contacts {
		if !c.Called || said[c.Host] {
			continue
		}
		if said[c.Host] = true; len(said) > maxTalks {
			x.say("    - ", "and others: --format json lists them")
			break
		}
		x.say("    - ", fmt.Sprintf("%s: %s (%s:%d)", clean(c.Host, maxText), cmp.Or(partyOf(c.Party), "whose host it is, is not known"), clean(c.File, maxName), c.Line))
	}
	if len(said) == 0 {
		x.say("    ", "nobody, as far as the code can be read")
	}
}

// sure says whether all of the code was analysed, and what hides it.
func (x *explainer) sure() {
	x.section("How sure this is")
	code := x.j.code
	if code == nil {
		x.say("    ", "Its code was not analysed.")
		return
	}
	if code.Complete {
		x.say("    ", "All of its code was analysed.")
	} else {
		x.say("    ", "Not all of its code could be analysed: it may do more than is said here.")
	}
	problems := problemsOf(&x.j.ext, &x.j.result)
	for i, p := range problems {
		if i == maxGaps {
			x.say("    - ", fmt.Sprintf("and %d more (--format json lists all)", len(problems)-i))
			break
		}
		x.say("    - ", problem(manifests.Problem{File: p.File, Reason: p.Reason}))
	}
	hidden := map[string]int{}
	for _, s := range code.Obfuscation {
		hidden[s.Kind]++
	}
	if len(hidden) > 0 {
		var kinds []string
		for kind, n := range hidden {
			kinds = append(kinds, fmt.Sprintf("%s (%d)", clean(kind, maxName), n))
		}
		slices.Sort(kinds)
		x.say("    - ", "signs of hidden code: "+strings.Join(kinds, ", "))
	}
}

// steps says what to do now, for the person and for who looks after the machine.
func (x *explainer) steps() {
	if !bad(x.j.result.Verdict) || len(x.r.rules) == 0 {
		return
	}
	advice := x.r.rules[0].Advice(&x.j.ext, x.j.result)
	for _, part := range []struct {
		title string
		steps []string
	}{{"What to do now", advice.User}, {"For administrators", advice.Admin}} {
		if len(part.steps) == 0 {
			continue
		}
		x.section(part.title)
		for i, s := range first(part.steps, maxReportSteps) {
			x.say(fmt.Sprintf("    %d. ", i+1), sentence(s))
		}
	}
}
