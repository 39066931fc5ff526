package flow

import (
	"slices"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/markup"
)

// aboutField says what tells that a field is for a secret; "" for others.
func aboutField(f *markup.Field) string {
	names := strings.TrimSpace(strings.Join(slices.Concat([]string{f.ID, f.Name}, f.Classes), " "))
	about := describeField(f.Tag, names, f.Says, f.Before)
	if about == "" && f.Behind != "" {
		about = describeField(f.Tag, "", nil, []string{f.Behind})
	}
	return about
}

// aboutFields says what is known of the fields of a page that a selector means, or that are in the form that it means.
func aboutFields(fields []markup.Field, selector string) string {
	const maxAbout = 300
	for _, simple := range strings.Split(selector, ", ") {
		for i := range fields {
			if f := &fields[i]; f.Selects(simple) {
				if about := aboutField(f); about != "" {
					return behavior.Shorten(about, maxAbout)
				}
			}
		}
		for i := range fields {
			if f := &fields[i]; simple == "form" || f.Form != "" && simple == "#"+f.Form {
				if about := aboutField(f); about != "" {
					return behavior.Shorten(about, maxAbout)
				}
			}
		}
	}
	return ""
}

// fieldsOf are the fields of the pages that a script sees as its own: the one that loads it, and what it has written.
func (e *Engine) fieldsOf(u *Script) []markup.Field {
	if u.InPage() {
		return e.written[u.File]
	}
	out := e.fields[u.Page]
	if u.File != u.Page {
		out = append(out[:len(out):len(out)], e.fields[u.File]...)
	}
	return append(out[:len(out):len(out)], e.written[u.File]...)
}

// writes notes the fields in HTML that a script puts into a page.
func (e *Engine) writes(f *activation, v *value) {
	for _, s := range v.texts() {
		if !strings.Contains(s, "<input") && !strings.Contains(s, "<textarea") || len(e.written[f.u.File]) >= markup.MaxFields {
			continue
		}
		if e.written == nil {
			e.written = map[string][]markup.Field{}
		}
		for _, x := range markup.Parse([]byte(s)).Fields {
			if !slices.ContainsFunc(e.written[f.u.File], func(y markup.Field) bool { return aboutField(&x) == aboutField(&y) && x.ID == y.ID }) {
				e.written[f.u.File] = append(e.written[f.u.File], x)
			}
		}
	}
}
