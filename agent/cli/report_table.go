package cli

import (
	"fmt"
	"strings"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
)

// writeTable writes the report for a person: one block per browser profile, the worst first, and below each block what to
// do about those that are suspicious or worse.
func writeTable(c *console, r *report, all bool) error {
	groups := group(r)
	t := newTable(c, r)
	var lines []string
	for _, g := range groups {
		lines = append(lines, t.group(g, all)...)
		lines = append(lines, "")
	}
	lines = append(lines, t.problems()...)
	return c.print(append(lines, t.summary()...)...)
}

// A place is one browser profile, or one path that was given, with what is in it.
type place struct {
	title      string
	extensions []*judged
}

// group splits the sorted extensions where the profile changes.
func group(r *report) []place {
	var groups []place
	for i := range r.extensions {
		j := &r.extensions[i]
		title := placeTitle(j)
		if n := len(groups); n == 0 || groups[n-1].title != title {
			groups = append(groups, place{title: title})
		}
		g := &groups[len(groups)-1]
		g.extensions = append(g.extensions, j)
	}
	return groups
}

// placeTitle is "Google Chrome · Work (Profile 1) · ada", or the path that was given.
func placeTitle(j *judged) string {
	var parts []string
	if j.under != "" {
		parts = append(parts, clean(j.under, 400))
	}
	if title := browserTitle(&j.ext, j.profile); title != "" {
		parts = append(parts, title)
	}
	name, folder := profileTitle(&j.ext, j.profile), clean(j.ext.Profile, maxName)
	if name != folder && folder != "" {
		name += " (" + folder + ")"
	}
	if name != "" {
		parts = append(parts, name)
	}
	if j.ext.User != "" {
		parts = append(parts, clean(j.ext.User, maxName))
	}
	return strings.Join(parts, " · ")
}

// A table lays out the columns, alike for all blocks so that the eye can run down.
type table struct {
	c       *console
	r       *report
	widths  []int // of the columns before the last, in cells
	columns []string
	known   int // exchanges that the rules know
}

const gap = "  "

// minReach is how many cells exchanges get at least: "Binance +14 more".
const minReach = 18

func newTable(c *console, r *report) *table {
	t := &table{c: c, r: r, columns: []string{"NAME", "VERSION", "ORIGIN", "STATE"}, known: r.rules.exchanges()}
	limits := []int{c.width, 10, 10, 8}
	name := 0
	if r.judged {
		t.columns = append([]string{"VERDICT"}, append(t.columns, "REACH")...)
		limits = append([]int{10}, append(limits, minReach)...)
		name = 1
	}
	used := len(gap)
	for col := range t.columns {
		w := cells(t.columns[col])
		for i := range r.extensions {
			w = max(w, cells(t.row(&r.extensions[i])[col]))
		}
		w = min(w, max(limits[col], cells(t.columns[col])))
		t.widths = append(t.widths, w)
		used += w + len(gap)
	}
	// A long name gives way first; what is left over goes to the last column.
	left := c.width - (used - len(gap))
	if left < 0 {
		t.widths[name] = max(12, t.widths[name]+left)
	} else if r.judged {
		t.widths[len(t.widths)-1] += left
	}
	return t
}

// row gives the cells of one extension, cleaned.
func (t *table) row(j *judged) []string {
	e := &j.ext
	row := []string{clean(e.Name(), maxName), clean(e.Version(), 20), string(e.Origin), state(e)}
	if !t.r.judged {
		return row
	}
	return append([]string{string(j.result.Verdict)}, append(row, t.reach(j.result.Reach, t.c.width))...)
}

// line lays out the cells of one row; paint colours the first.
func (t *table) line(row []string, first shade) string {
	var b strings.Builder
	b.WriteString("  ")
	for i, cell := range row {
		text := fit(cell, t.widths[i])
		if i == len(row)-1 {
			text = clip(cell, t.widths[i])
		}
		if i == 0 {
			text = t.c.paint(first, text)
		}
		b.WriteString(text)
		if i < len(row)-1 {
			b.WriteString(gap)
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// group gives the lines of one profile.
func (t *table) group(g place, all bool) []string {
	lines := []string{t.c.paint(shadeHead, g.title)}
	var rows, details []string
	var harmless, builtin []*judged
	for _, j := range g.extensions {
		switch {
		case !all && j.ext.Origin == manifests.OriginBuiltin && !bad(j.result.Verdict) && j.result.Verdict != signatures.Unreadable:
			builtin = append(builtin, j)
			continue
		case !all && t.r.judged && j.result.Verdict == signatures.Clean && len(j.result.SetAside) == 0 && !(t.r.explain && j.under == j.ext.Path):
			harmless = append(harmless, j)
			continue
		}
		row := t.row(j)
		if t.r.judged {
			row[len(row)-1] = t.reach(j.result.Reach, t.widths[len(t.widths)-1])
		}
		rows = append(rows, t.line(row, shadeOf(j.result.Verdict)))
		details = append(details, t.detail(j, all)...)
	}
	if len(rows) > 0 {
		lines = append(lines, t.c.paint(shadeQuiet, t.line(t.columns, "")))
		lines = append(lines, rows...)
	}
	lines = append(lines, t.short(harmless, "clean")...)
	lines = append(lines, t.short(builtin, "built into the browser")...)
	return append(lines, details...)
}

// short names extensions that need no attention, in a line or two.
func (t *table) short(js []*judged, what string) []string {
	if len(js) == 0 {
		return nil
	}
	names := make([]string, 0, len(js))
	for _, j := range js {
		names = append(names, clean(j.ext.Name(), 30))
	}
	text := fmt.Sprintf("%d %s: %s", len(js), what, strings.Join(names, ", "))
	lines := wrap(text, "  ", "    ", t.c.width)
	if len(lines) > 3 {
		lines = append(lines[:3], "    ... (--all lists them)")
	}
	return lines
}

// reach names the exchanges that an extension can act on, in at most width cells.
func (t *table) reach(reach []signatures.Reach, width int) string {
	if len(reach) == 0 {
		return "-"
	}
	if n := len(reach); n > 1 && n == t.known {
		return fmt.Sprintf("all %d exchanges", n)
	}
	if text := exchanges(reach, width); cells(text) <= width {
		return text
	}
	return count(len(reach), "exchange")
}

// detail explains an extension that needs attention.
func (t *table) detail(j *judged, all bool) []string {
	if !t.r.judged {
		return nil
	}
	v := j.result.Verdict
	if t.r.explain && (all || bad(v) || v == signatures.Unreadable || j.under == j.ext.Path && j.under != "") {
		return t.explained(j)
	}
	if !bad(v) && v != signatures.Unreadable {
		lines := t.trusted(j)
		if all {
			lines = append(lines, t.notes(j)...)
		}
		return lines
	}
	x := explain(&j.ext, &j.result, j.code, j.profile, t.r.rules, t.c.now())
	head := strings.TrimSpace(fmt.Sprintf("%s: \"%s\" %s", v, x.name, x.version))
	lines := []string{"", "  " + t.c.paint(shadeOf(v), head)}
	lines = append(lines, wrap(x.where, "  ", "  ", t.c.width)...)
	return append(lines, x.body(t.c, "  ", maxReportSteps)...)
}

// trusted says that the organisation trusts an extension that there are findings about, until when and why.
func (t *table) trusted(j *judged) []string {
	d := j.result.Decision
	if d == nil || d.Action != "trust" || len(j.result.SetAside) == 0 {
		return nil
	}
	text := fmt.Sprintf("%s: %s trusts it until %s: %s (%s); set aside: ", clean(j.ext.Name(), maxName), clean(d.By, maxName),
		d.LastDay(), clean(d.Reason, maxText), clean(d.Owner, maxText))
	for i, f := range j.result.SetAside {
		if i > 0 {
			text += ", "
		}
		text += clean(f.Title, maxText)
	}
	return wrap(text, "  ", "    ", t.c.width)
}

// notes lists what was odd about an extension that needs no attention.
func (t *table) notes(j *judged) []string {
	var lines []string
	for _, p := range problemsOf(&j.ext, &j.result) {
		lines = append(lines, wrap(clean(j.ext.Name(), maxName)+": "+problem(p), "  note: ", "    ", t.c.width)...)
	}
	return lines
}

// maxReportSteps bounds what to do in a report: the longest advice of the built-in rules has 20 steps.
const maxReportSteps = 30

// maxProblems bounds the problems in a table; JSON has them all.
const maxProblems = 20

// problems lists what could not be read: "no permission" is not "nothing there".
func (t *table) problems() []string {
	if len(t.r.problems) == 0 {
		return nil
	}
	lines := []string{t.c.paint(shadeHead, "Could not be read")}
	for i, p := range t.r.problems {
		if i == maxProblems {
			lines = append(lines, fmt.Sprintf("  - and %d more (--format json lists all)", len(t.r.problems)-i))
			break
		}
		lines = append(lines, wrap(problem(p), "  - ", "    ", t.c.width)...)
	}
	return append(lines, "")
}

// problem writes a problem as "path: reason".
func problem(p manifests.Problem) string {
	where := p.Path
	if p.File != "" {
		where = strings.Trim(where+" "+p.File, " ")
	}
	return optional("", clean(where, 300), ": ") + clean(p.Reason, 300)
}

// summary is what stays on the screen: what was looked at, and what came out.
func (t *table) summary() []string {
	text := count(len(t.r.extensions), "extension")
	if t.r.profiles > 0 {
		text += " in " + count(t.r.profiles, "profile")
	}
	if t.r.judged {
		n := t.r.counts()
		var parts []string
		for _, v := range verdicts() {
			if n[v] > 0 {
				parts = append(parts, t.c.paint(shadeOf(v), fmt.Sprintf("%d %s", n[v], v)))
			}
		}
		text += optional(": ", strings.Join(parts, ", "))
	}
	lines := []string{text}
	if n := len(t.r.problems); n > 0 {
		lines = append(lines, count(n, "place")+" could not be read: what is there is not known")
	}
	if t.r.profiles == 0 && len(t.r.extensions) == 0 {
		lines = []string{"no extension and no browser profile was found here"}
	}
	return append(lines, fmt.Sprintf("took %.2f s", t.r.seconds))
}
