package markup

import (
	"html"
	"slices"
	"strings"
)

// A Field is an element of a page into which people type.
type Field struct {
	Tag, ID, Name string
	Form          string // id of the form that it is in
	Classes       []string
	Says          []string // its placeholder and the like, "" where it has none
	Before        []string // texts of the page before it, or of the label that is for it
	Behind        string   // text of a label behind it
}

const (
	// MaxBefore is how many of the texts that stand before a field may be its label: a heading, a hint and a label.
	MaxBefore = 3
	// MaxFields bounds the fields of one page.
	MaxFields = 500
)

// A fieldReader notes the fields of a page with the texts that stand before them.
type fieldReader struct {
	page  *Page
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
		for i := range r.page.Fields { // a label behind its field
			if f := &r.page.Fields[i]; f.ID == r.label {
				f.Behind = first(f.Behind, s)
			}
		}
		if r.texts == nil {
			r.texts = map[string]string{}
		}
		r.texts[r.label], r.label = s, ""
	}
	if r.shown = append(r.shown, s); len(r.shown) > MaxBefore {
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
		if len(r.page.Fields) >= MaxFields {
			return
		}
		var texts []string
		for _, k := range [...]string{"placeholder", "aria-label", "title"} {
			texts = append(texts, attributes[k])
		}
		shown := r.shown
		if s := r.texts[attributes["id"]]; s != "" {
			shown = []string{s}
		}
		r.page.Fields = append(r.page.Fields, Field{Tag: tag, ID: attributes["id"], Name: attributes["name"], Form: r.form,
			Classes: strings.Fields(attributes["class"]), Says: texts, Before: slices.Clone(shown)})
	}
}

// Selects reports whether a simple selector, of the last of its parts, may mean the field.
func (f *Field) Selects(selector string) bool {
	if i := strings.LastIndexAny(selector, " >+~"); i >= 0 {
		selector = selector[i+1:]
	}
	if id, ok := strings.CutPrefix(selector, "#"); ok {
		return f.ID != "" && id == f.ID
	}
	if _, id, ok := strings.Cut(selector, "#"); ok {
		return f.ID != "" && id == f.ID
	}
	tag, class, ok := strings.Cut(selector, ".")
	if ok {
		return (tag == "" || tag == f.Tag) && slices.Contains(f.Classes, class)
	}
	tag, rest, ok := strings.Cut(selector, "[name=")
	if ok {
		return (tag == "" || tag == f.Tag) && f.Name != "" && strings.Trim(rest, `"']`) == f.Name
	}
	return selector == f.Tag
}
