package behavior

import (
	"html"
	"slices"
	"strings"
)

// A field is an element of a page into which people type.
type field struct {
	tag, id, name, form string
	classes             []string
	about               string // what tells that it is for a secret; "" for others
}

// maxFormFields bounds the fields of one page.
const maxFormFields = 500

// A fieldReader notes the fields of a page with the texts that stand before them.
type fieldReader struct {
	page  *page
	shown []string
	form  string            // the id of the form that is open
	label string            // the id that the open label is for
	texts map[string]string // of labels, by that id
}

// text notes a text that the page shows.
func (r *fieldReader) text(raw []byte) {
	const maxLabel = 80
	s := strings.Join(strings.Fields(html.UnescapeString(string(raw[:min(len(raw), 4*maxLabel)]))), " ")
	if len(s) < 4 || len(s) > maxLabel {
		return
	}
	if r.label != "" {
		for i := range r.page.fields { // a label behind its field
			if f := &r.page.fields[i]; f.id == r.label {
				f.about = first(f.about, describeField(f.tag, "", nil, []string{s}))
			}
		}
		if r.texts == nil {
			r.texts = map[string]string{}
		}
		r.texts[r.label], r.label = s, ""
	}
	if r.shown = append(r.shown, s); len(r.shown) > maxShown {
		r.shown = r.shown[1:]
	}
}

func (r *fieldReader) tag(tag string, attributes map[string]string) {
	if e, ok := attributes["contenteditable"]; ok && e != "false" && tag != "input" {
		tag = "textarea" // its text is what was typed
	}
	switch tag {
	case "form":
		r.form = attributes["id"]
	case "label":
		r.label = attributes["for"]
	case "input", "textarea":
		if len(r.page.fields) >= maxFormFields {
			return
		}
		var texts []string
		for _, k := range [...]string{"placeholder", "aria-label", "title"} {
			texts = append(texts, attributes[k])
		}
		names := strings.Join([]string{attributes["id"], attributes["name"], attributes["class"]}, " ")
		shown := r.shown
		if s := r.texts[attributes["id"]]; s != "" {
			shown = []string{s}
		}
		r.page.fields = append(r.page.fields, field{tag: tag, id: attributes["id"], name: attributes["name"], form: r.form,
			classes: strings.Fields(attributes["class"]), about: describeField(tag, strings.TrimSpace(names), texts, shown)})
	}
}

// selects reports whether a simple selector, of the last of its parts, may mean the field.
func (f *field) selects(selector string) bool {
	if i := strings.LastIndexAny(selector, " >+~"); i >= 0 {
		selector = selector[i+1:]
	}
	if id, ok := strings.CutPrefix(selector, "#"); ok {
		return f.id != "" && id == f.id
	}
	if _, id, ok := strings.Cut(selector, "#"); ok {
		return f.id != "" && id == f.id
	}
	tag, class, ok := strings.Cut(selector, ".")
	if ok {
		return (tag == "" || tag == f.tag) && slices.Contains(f.classes, class)
	}
	tag, rest, ok := strings.Cut(selector, "[name=")
	if ok {
		return (tag == "" || tag == f.tag) && f.name != "" && strings.Trim(rest, `"']`) == f.name
	}
	return selector == f.tag
}

// aboutFields says what is known of the fields of a page that a selector means, or that are in the form that it means.
func aboutFields(fields []field, selector string) string {
	const maxAbout = 300
	for _, simple := range strings.Split(selector, ", ") {
		for i := range fields {
			if f := &fields[i]; f.selects(simple) && f.about != "" {
				return shorten(f.about, maxAbout)
			}
		}
		for i := range fields {
			f := &fields[i]
			if f.about != "" && (simple == "form" || f.form != "" && simple == "#"+f.form) {
				return shorten(f.about, maxAbout)
			}
		}
	}
	return ""
}

// fieldsOf are the fields of the pages that a script sees as its own: the one that loads it, and what it has written.
func (e *engine) fieldsOf(u *unit) []field {
	if u.inPage() {
		return e.written[u.file]
	}
	var out []field
	if p := e.pages[u.page]; p != nil {
		out = p.fields
	}
	if p := e.pages[u.file]; p != nil && u.file != u.page {
		out = append(out[:len(out):len(out)], p.fields...)
	}
	return append(out[:len(out):len(out)], e.written[u.file]...)
}

// writes notes the fields in HTML that a script puts into a page.
func (e *engine) writes(f *activation, v *value) {
	for _, s := range v.texts() {
		if !strings.Contains(s, "<input") && !strings.Contains(s, "<textarea") || len(e.written[f.u.file]) >= maxFormFields {
			continue
		}
		if e.written == nil {
			e.written = map[string][]field{}
		}
		for _, x := range parseHTML([]byte(s)).fields {
			if !slices.ContainsFunc(e.written[f.u.file], func(y field) bool { return x.about == y.about && x.id == y.id }) {
				e.written[f.u.file] = append(e.written[f.u.file], x)
			}
		}
	}
}
