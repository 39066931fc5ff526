package behavior

import (
	"bytes"
	"errors"
	"io"
	"path"
	"strings"

	"golang.org/x/net/html"
)

// A page is an HTML file that was read.
type page struct {
	parts    []part
	run      []run    // what the page runs, in its order
	links    []string // pages that it shows in frames or leads to
	fields   []field  // what people may type into
	base     string   // of <base href>
	cut      bool     // it could not be read to its end
	position *position
}

// A run is a part of the page, by its index from 1, or a file.
type run struct {
	part   int
	src    string
	module bool
}

// A part is a script within a page: the content of an element, an on… attribute or a javascript: address.
type part struct {
	text     []byte
	offset   int // in the page
	module   bool
	handler  bool
	features features
	refs     []reference
}

// maxParts bounds the scripts of one page: generated pages have some hundred handlers.
const maxParts = 2000

// parseHTML finds the scripts of a page. It never fails: browsers show whatever there is.
func parseHTML(text []byte) *page {
	p := &page{position: newPosition(text)}
	z := html.NewTokenizer(bytes.NewReader(text))
	z.SetMaxBuf(maxFile)
	var script *run // the element whose text comes next
	form := fieldReader{page: p}
	for offset := 0; ; {
		kind := z.Next()
		start := offset
		raw := z.Raw()
		offset += len(raw)
		switch kind {
		case html.ErrorToken:
			p.cut = p.cut || !errors.Is(z.Err(), io.EOF)
			return p
		case html.TextToken:
			if script == nil {
				form.text(raw)
			} else if script.src == "" {
				p.add(part{text: bytes.Clone(raw), offset: start, module: script.module})
			}
			script = nil
		case html.StartTagToken, html.SelfClosingTagToken:
			script = p.tag(z, bytes.Clone(raw), start, &form)
		default:
			script = nil
		}
		if len(p.parts) >= maxParts || len(p.run) >= maxParts {
			p.cut = true
			return p
		}
	}
}

func (p *page) add(s part) {
	if len(bytes.TrimSpace(s.text)) == 0 {
		return
	}
	p.parts = append(p.parts, s)
	p.run = append(p.run, run{part: len(p.parts), module: s.module})
}

// tag reads a start tag and returns the script element that it begins, if it does.
func (p *page) tag(z *html.Tokenizer, raw []byte, offset int, form *fieldReader) *run {
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
			p.add(part{text: []byte(code), offset: offset + at, handler: true})
		}
	}
	form.tag(tag, attributes)
	switch tag {
	case "script":
		s := &run{src: strings.TrimSpace(attributes["src"])}
		if s.src == "" {
			s.src = strings.TrimSpace(first(attributes["href"], attributes["xlink:href"])) // of SVG
		}
		var code bool
		if s.module, code = scriptType(attributes["type"], attributes["language"]); !code {
			return nil
		}
		if s.src != "" {
			p.run = append(p.run, *s)
		}
		return s
	case "base":
		if p.base == "" {
			p.base = attributes["href"]
		}
	case "iframe", "frame", "embed", "object", "a", "webview", "portal", "form":
		for _, key := range [...]string{"src", "data", "href", "action"} {
			if link := attributes[key]; link != "" && len(p.links) < maxParts {
				p.links = append(p.links, link)
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
func (p *page) nested(doc string, offset int) {
	inner := parseHTML([]byte(strings.ReplaceAll(doc, "srcdoc", "data-srcdoc")))
	for _, r := range inner.run {
		if r.part == 0 {
			p.run = append(p.run, r)
			continue
		}
		s := inner.parts[r.part-1]
		s.offset = offset
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

// addPage adds the scripts of a page of the extension.
func (c *collector) addPage(name string, context Context) {
	if name = c.find("", name); name == "" || c.stopped {
		return
	}
	p := c.pages[name]
	if p == nil {
		if p = c.loadPage(name); p == nil {
			return
		}
	} else if context != Background {
		return // its scripts are units already
	}
	dir := path.Dir(name)
	if p.base != "" && !strings.Contains(p.base, ":") {
		dir = path.Join(dir, p.base)
		if strings.HasPrefix(p.base, "/") {
			dir = strings.TrimPrefix(path.Clean(p.base), "/")
		}
	}
	for _, r := range p.run {
		like := unit{context: context, page: name, module: r.module}
		if r.part == 0 {
			c.addScript(c.find(dir, r.src), like)
			continue
		}
		c.addPart(name, p, r.part, like)
	}
	for _, link := range p.links {
		next := c.find(dir, link)
		switch strings.ToLower(path.Ext(next)) {
		case ".html", ".htm", ".xhtml":
			c.addPage(next, context)
		}
	}
}

func (c *collector) addPart(name string, p *page, index int, like unit) {
	s := &p.parts[index-1]
	like.file, like.index, like.handler, like.features = name, index, s.handler, s.features
	if c.stopped || c.seen[like.key()] != nil {
		return
	}
	if s.features.worth(len(s.text)) {
		like.text, like.position = s.text, newPosition(s.text)
		like.baseLine, like.baseCol = p.position.at(s.offset)
	}
	c.add(&like)
}

// loadPage reads a page and looks at its parts.
func (c *collector) loadPage(name string) *page {
	c.used[name] = true
	text := c.read(name)
	if text == nil {
		return nil
	}
	p := parseHTML(text)
	if p.cut {
		c.problem(name, "a page with too much in it; the rest was not analysed")
	}
	for i := range p.parts {
		s := &p.parts[i]
		l := lookFor(s.text, c.isFile)
		s.features, s.refs = l.features, l.refs
	}
	c.contact(name, text, p.position, lookFor(text, c.isFile).urls)
	c.pages[name] = p
	return p
}
