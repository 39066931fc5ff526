package manifests

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

// Parse reads a manifest. The error is a *SyntaxError: the text is not what Standardize accepts, is not an object, or
// is longer than MaxSize. Everything else that is wrong is named in the manifest's Problems.
func Parse(data []byte) (*Manifest, error) {
	if len(data) > MaxSize {
		return nil, syntaxError(nil, 0, fmt.Sprintf("the manifest has %d bytes; at most %d are read", len(data), MaxSize))
	}
	text, err := Standardize(data)
	if err != nil {
		return nil, err
	}
	root := parseJSON(text)
	if !root.IsObject() {
		start := max(0, bytes.IndexByte(data, root.Raw[0]))
		return nil, syntaxError(data, start, "the manifest is "+typeName(root)+", not an object")
	}
	m := &Manifest{Keys: topKeys(root)}
	p := &parser{m: m}
	var complete bool
	if m.DuplicateKeys, complete = duplicateKeys(text); !complete {
		p.problem("more than %d keys; later ones are not checked for being given twice", maxTrackedKeys)
	}
	for _, path := range m.DuplicateKeys {
		p.problem("%s is given more than once; the last one counts", path)
	}
	top := object{members: Object(root)}
	p.identity(top)
	p.permissions(top)
	p.contentScripts(top)
	p.background(top)
	p.pages(top)
	p.webAccessible(top)
	p.connections(top)
	p.rules(top)
	p.overrides(top)
	p.policies(top)
	if p.dropped > 0 {
		m.Problems = append(m.Problems, Problem{File: manifestName, Reason: fmt.Sprintf("%d more problems", p.dropped)})
	}
	return m, nil
}

// topKeys returns the keys of the manifest in order of appearance, each once.
func topKeys(root gjson.Result) []string {
	var keys []string
	seen := make(map[string]bool)
	root.ForEach(func(key, _ gjson.Result) bool {
		if !seen[key.Str] {
			seen[key.Str] = true
			keys = append(keys, key.Str)
		}
		return len(keys) < maxList
	})
	return keys
}

func (p *parser) identity(top object) {
	m := p.m
	m.ManifestVersion = p.manifestVersion(top)
	m.Name = collapseSpace(p.text(top, "name"))
	m.ShortName = p.text(top, "short_name")
	m.Version = p.version(top)
	m.VersionName = p.text(top, "version_name")
	m.Description = p.text(top, "description")
	m.Author = p.author(top)
	m.HomepageURL = p.text(top, "homepage_url")
	m.UpdateURL = p.text(top, "update_url")
	m.Key = p.text(top, "key")
	m.DefaultLocale = p.text(top, "default_locale")

	// Firefox shows the developer's name and page when they are given.
	developer := p.object(top, "developer")
	if name := p.text(developer, "name"); m.Author == "" {
		m.Author = name
	}
	if url := p.text(developer, "url"); m.HomepageURL == "" {
		m.HomepageURL = url
	}

	m.Gecko = p.gecko(top, "browser_specific_settings")
	if old := p.gecko(top, "applications"); m.Gecko == (Gecko{}) {
		m.Gecko = old // its name before Firefox 48
	}
	m.Kind = kind(top)
}

func (p *parser) gecko(top object, key string) Gecko {
	o := p.object(p.object(top, key), "gecko")
	return Gecko{ID: p.text(o, "id"), UpdateURL: p.text(o, "update_url")}
}

// kind follows Chromium's order (extensions/common/manifest.cc): a theme key makes a theme whatever else is there.
func kind(top object) Kind {
	switch {
	case top.has("theme"):
		return KindTheme
	case top.has("app"):
		return KindApp
	case top.has("background"), top.has("content_scripts"), top.has("permissions"), top.has("host_permissions"):
		// The two keys below mean nothing to Chromium: they must not make an extension look harmless.
		return KindExtension
	case top.has("dictionaries"), top.has("langpack_id"):
		return KindOther
	}
	return KindExtension
}

// manifestVersion accepts an integer only: browsers refuse "3" and 3.0.
func (p *parser) manifestVersion(top object) int {
	r, ok := top.members["manifest_version"]
	if !ok {
		return 0
	}
	if r.Type != gjson.Number {
		p.wrong("manifest_version", r, "a number")
		return 0
	}
	n, err := strconv.Atoi(r.Raw)
	if err != nil || n < 1 || n > 3 {
		p.problem("manifest_version is %s, not 1, 2 or 3", clip(r.Raw))
		return 0
	}
	return n
}

// version keeps the text of a number: no browser loads it, but the reader of a report wants to see it.
func (p *parser) version(top object) string {
	if r := top.members["version"]; r.Type == gjson.Number {
		p.problem("version is a number, not a string; browsers refuse it")
		return clip(r.Raw)
	}
	return p.text(top, "version")
}

// author is a string, or {"email": …} in Chrome's Manifest V3.
func (p *parser) author(top object) string {
	if !top.members["author"].IsObject() {
		return p.text(top, "author")
	}
	author := p.object(top, "author")
	email, name := p.text(author, "email"), p.text(author, "name")
	if email != "" {
		return email
	}
	return name
}

// collapseSpace prepares a name as Chromium does (base::CollapseWhitespace with trimming, called by
// extensions/common/extension.cc): white space at the ends goes, a run that holds a line break goes, any other run
// becomes one space.
func collapseSpace(s string) string {
	var b strings.Builder
	pending, broken := false, false
	for _, r := range s {
		if isSpace(r) {
			pending, broken = true, broken || r == '\n' || r == '\r'
			continue
		}
		if pending && !broken && b.Len() > 0 {
			b.WriteByte(' ')
		}
		pending, broken = false, false
		b.WriteRune(r)
	}
	return b.String()
}

// isSpace holds the White_Space characters of Unicode, as base::IsUnicodeWhitespace does.
func isSpace(r rune) bool {
	switch {
	case r >= 0x09 && r <= 0x0D, r == ' ', r == 0x85, r == 0xA0, r == 0x1680, r >= 0x2000 && r <= 0x200A:
		return true
	case r == 0x2028, r == 0x2029, r == 0x202F, r == 0x205F, r == 0x3000:
		return true
	}
	return false
}
