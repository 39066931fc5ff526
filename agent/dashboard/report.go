package dashboard

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"slices"
	"time"

	"github.com/extwatch/extwatch/agent/store"
	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
	"github.com/extwatch/extwatch/signatures/behavior"
)

// A Subject is one extension of a report.
type Subject struct {
	Extension *manifests.Extension
	Result    signatures.Result
	Behavior  *behavior.Report // nil: not analysed
	Profile   string           // the profile as the person knows it; "" takes the extension's
}

// A Report is what a scan found.
type Report struct {
	Made     time.Time
	Engine   string // version of the program
	Ruleset  int    // version of the rules; 0: nothing was judged
	Subjects []Subject
	Problems []manifests.Problem // of places, not of extensions
}

type reportData struct {
	Report
	Style template.CSS
	Judge bool
	Tiles []tile
	Total int
	Items []item
	Ones  []*oneData
}

// WriteReport writes a report as one HTML file that needs no other and holds no script. The rules give the advice; nil
// gives none.
func WriteReport(w io.Writer, rs *signatures.Ruleset, r Report) error {
	all, err := loadViews(func() time.Time { return r.Made })
	if err != nil {
		return err
	}
	style, err := fs.ReadFile(embedded, "static/style.css")
	if err != nil {
		return fmt.Errorf("read the style: %w", err)
	}
	p := &Page{cfg: Config{Rules: rs, Now: func() time.Time { return r.Made }}}
	d := reportData{Report: r, Style: template.CSS(style), Judge: r.Ruleset > 0, Total: len(r.Subjects)} // #nosec G203 -- our own file
	v := all[languages()[0].String()]
	for n := range r.Subjects {
		e := stored(&r.Subjects[n])
		e.Row = int64(n + 1)
		if rs == nil {
			d.Items = append(d.Items, item{Extension: e})
			continue
		}
		one := p.detail(e, r.Subjects[n].Behavior, v.does)
		one.Static = true
		one.Item.Href = ""
		if d.Judge && (one.Item.Verdict().Worse(signatures.Clean) || one.Item.Organisation() != nil) {
			one.Item.Href = fmt.Sprintf("#extension-%d", e.Row)
			d.Ones = append(d.Ones, one)
		}
		d.Items = append(d.Items, *one.Item)
	}
	slices.SortStableFunc(d.Ones, func(a, b *oneData) int { return worseFirst(a.Item.Verdict(), b.Item.Verdict()) })
	slices.SortStableFunc(d.Items, func(a, b item) int { return worseFirst(a.Verdict(), b.Verdict()) })
	d.Tiles = tiles(d.Items)
	var b bytes.Buffer
	if err := v.pages["report"].ExecuteTemplate(&b, "report", sheet{Lang: v.lang, Title: "report.title", Data: d}); err != nil {
		return fmt.Errorf("make the report: %w", err)
	}
	if _, err := w.Write(cleaned(b.Bytes())); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// stored makes of a subject what the store would have of it.
func stored(s *Subject) store.Extension {
	e := s.Extension
	out := store.Extension{
		Browser: e.Browser, Channel: e.Channel, User: e.User, Profile: e.Profile, Title: e.ProfileTitle,
		ID: e.ID, Path: e.Path, Origin: e.Origin, Name: e.Name(), Version: e.Version(), Enabled: e.Enabled,
		Result: s.Result, FirstSeen: e.InstalledAt, Problems: slices.Concat(e.Problems, s.Result.Problems),
	}
	if s.Profile != "" {
		out.Title = s.Profile
	}
	if e.Manifest != nil {
		out.Versions = []store.Version{{Version: e.Version(), Manifest: e.Manifest}}
	}
	for _, f := range s.Result.Findings {
		out.Findings = append(out.Findings, store.Finding{Finding: f, User: e.User})
	}
	if e.Unreadable != "" {
		out.Problems = slices.Concat([]manifests.Problem{{Path: e.Path, Reason: e.Unreadable}}, out.Problems)
	}
	return out
}
