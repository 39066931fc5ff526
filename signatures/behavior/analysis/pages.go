package analysis

import (
	"path"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/flow"
	"github.com/extwatch/extwatch/signatures/behavior/markup"
	"github.com/extwatch/extwatch/signatures/behavior/syntax"
)

// A page is an HTML file of the package that was read.
type page struct {
	*markup.Page
	looks    []look // at its parts
	position *syntax.Position
}

// addPage adds the scripts of a page of the extension.
func (c *collector) addPage(name string, context behavior.Context) {
	if name = c.find("", name); name == "" || c.stopped {
		return
	}
	p := c.pages[name]
	if p == nil {
		if p = c.loadPage(name); p == nil {
			return
		}
	} else if context != behavior.Background {
		return // its scripts are units already
	}
	dir := path.Dir(name)
	if p.Base != "" && !strings.Contains(p.Base, ":") {
		dir = path.Join(dir, p.Base)
		if strings.HasPrefix(p.Base, "/") {
			dir = strings.TrimPrefix(path.Clean(p.Base), "/")
		}
	}
	for _, r := range p.Runs {
		like := unit{Script: flow.Script{Context: context, Page: name, Module: r.Module}}
		if r.Part == 0 {
			c.addScript(c.find(dir, r.Src), like)
			continue
		}
		c.addPart(name, p, r.Part, like)
	}
	for _, link := range p.Links {
		next := c.find(dir, link)
		switch strings.ToLower(path.Ext(next)) {
		case ".html", ".htm", ".xhtml":
			c.addPage(next, context)
		}
	}
}

func (c *collector) addPart(name string, p *page, index int, like unit) {
	s, l := &p.Parts[index-1], &p.looks[index-1]
	like.File, like.index, like.handler, like.features = name, index, s.Handler, l.features
	if c.stopped || c.seen[like.key()] != nil {
		return
	}
	if l.features.worth(len(s.Text)) {
		like.text, like.Position = s.Text, syntax.NewPosition(s.Text)
		like.BaseLine, like.BaseCol = p.position.At(s.Offset)
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
	p := &page{Page: markup.Parse(text), position: syntax.NewPosition(text)}
	if p.Cut {
		c.problem(name, "a page with too much in it; the rest was not analysed")
	}
	for i := range p.Parts {
		p.looks = append(p.looks, lookFor(p.Parts[i].Text, c.isFile))
	}
	c.contact(name, text, p.position, lookFor(text, c.isFile).urls)
	c.pages[name] = p
	return p
}
