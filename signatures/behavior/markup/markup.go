// Package markup reads HTML: the scripts of a page, what people may type into, and where it leads.
package markup

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"golang.org/x/net/html"
)

// A Page is what an HTML file holds.
type Page struct {
	Parts  []Part
	Runs   []Run    // what the page runs, in its order
	Links  []string // pages that it shows in frames or leads to
	Fields []Field  // what people may type into
	Base   string   // of <base href>
	Cut    bool     // it could not be read to its end
}

// A Run is a part of the page, by its index from 1, or a file.
type Run struct {
	Part   int    // 0 for a file
	Src    string // the file
	Module bool
}

// A Part is a script within a page: the content of an element, an on… attribute or a javascript: address.
type Part struct {
	Text    []byte
	Offset  int // in the page, in bytes
	Module  bool
	Handler bool // of an attribute or an address
}

const (
	// maxParts bounds the scripts of one page: generated pages have some hundred handlers.
	maxParts = 2000
	// maxToken bounds one tag or text, in bytes: no file of an extension is read further.
	maxToken = 16 << 20
)

// Parse finds the scripts of a page. It never fails: browsers show whatever there is.
func Parse(text []byte) *Page {
	p := &Page{}
	z := html.NewTokenizer(bytes.NewReader(text))
	z.SetMaxBuf(maxToken)
	var script *Run // the element whose text comes next
	form := fieldReader{page: p}
	for offset := 0; ; {
		kind := z.Next()
		start := offset
		raw := z.Raw()
		offset += len(raw)
		switch kind {
		case html.ErrorToken:
			p.Cut = p.Cut || !errors.Is(z.Err(), io.EOF)
			return p
		case html.TextToken:
			if script == nil {
				form.text(raw)
			} else if script.Src == "" {
				p.add(Part{Text: bytes.Clone(raw), Offset: start, Module: script.Module})
			}
			script = nil
		case html.StartTagToken, html.SelfClosingTagToken:
			script = p.tag(z, bytes.Clone(raw), start, &form)
		default:
			script = nil
		}
		if len(p.Parts) >= maxParts || len(p.Runs) >= maxParts {
			p.Cut = true
			return p
		}
	}
}

func (p *Page) add(s Part) {
	if len(bytes.TrimSpace(s.Text)) == 0 {
		return
	}
	p.Parts = append(p.Parts, s)
	p.Runs = append(p.Runs, Run{Part: len(p.Parts), Module: s.Module})
}

// tag reads a start tag and returns the script element that it begins, if it does.
func (p *Page) tag(z *html.Tokenizer, raw []byte, offset int, form *fieldReader) *Run {
	name, more := z.TagName()
	tag := string(name)
	attributes := map[string]string{}
	for more {
		var k, v []byte
		k, v, more = z.TagAttr()
		key := string(k)
		if _, ok := attributes[key]; ok {
			continue // the first one counts, as in browsers
		}
		attributes[key] = string(v)
		code, isCode := string(v), strings.HasPrefix(key, "on") && len(key) > 3
		if !isCode {
			code, isCode = javascriptURL(key, code)
		}
		if isCode {
			at := max(0, bytes.Index(raw, []byte(code))) // not there when it holds entities
			p.add(Part{Text: []byte(code), Offset: offset + at, Handler: true})
		}
	}
	form.tag(tag, attributes)
	switch tag {
	case "script":
		s := &Run{Src: strings.TrimSpace(attributes["src"])}
		if s.Src == "" {
			s.Src = strings.TrimSpace(first(attributes["href"], attributes["xlink:href"])) // of SVG
		}
		var code bool
		if s.Module, code = scriptType(attributes["type"], attributes["language"]); !code {
			return nil
		}
		if s.Src != "" {
			p.Runs = append(p.Runs, *s)
		}
		return s
	case "base":
		if p.Base == "" {
			p.Base = attributes["href"]
		}
	case "iframe", "frame", "embed", "object", "a", "webview", "portal", "form":
		for _, key := range [...]string{"src", "data", "href", "action"} {
			if link := attributes[key]; link != "" && len(p.Links) < maxParts {
				p.Links = append(p.Links, link)
			}
		}
		if doc := attributes["srcdoc"]; doc != "" {
			p.nested(doc, offset)
		}
	}
	return nil
}

// nested adds the scripts of a document within an attribute. Its own frames are not read: their scripts are attributes
// of attributes, and how deep that goes is up to the author.
func (p *Page) nested(doc string, offset int) {
	inner := Parse([]byte(strings.ReplaceAll(doc, "srcdoc", "data-srcdoc")))
	for _, r := range inner.Runs {
		if r.Part == 0 {
			p.Runs = append(p.Runs, r)
			continue
		}
		s := inner.Parts[r.Part-1]
		s.Offset = offset
		p.add(s)
	}
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// javascriptURL returns the code of an address such as javascript:alert(1).
func javascriptURL(key, value string) (code string, ok bool) {
	switch key {
	case "href", "src", "action", "formaction", "data", "xlink:href":
		value = strings.TrimSpace(value)
		const scheme = "javascript:"
		if len(value) > len(scheme) && strings.EqualFold(value[:len(scheme)], scheme) {
			return value[len(scheme):], true
		}
	}
	return "", false
}

// scriptType says whether browsers run a script element as code, and as a module.
func scriptType(kind, language string) (module, code bool) {
	kind, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(kind)), ";")
	switch strings.TrimSpace(kind) {
	case "module":
		return true, true
	case "":
		language = strings.ToLower(language)
		return false, language == "" || strings.Contains(language, "script") && !strings.Contains(language, "vb")
	case "text/javascript", "application/javascript", "application/x-javascript", "text/x-javascript", "text/ecmascript",
		"application/ecmascript", "application/x-ecmascript", "text/x-ecmascript", "text/jscript", "text/livescript",
		"text/javascript1.0", "text/javascript1.1", "text/javascript1.2", "text/javascript1.3", "text/javascript1.4",
		"text/javascript1.5":
		return false, true
	}
	return false, false
}
