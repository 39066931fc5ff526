package manifests

import (
	"strings"

	"github.com/tidwall/gjson"
)

// permissions reads all that the extension asks for. Manifest V2 writes hosts among the permissions, V3 in a list of
// their own; browsers ignore the other place, and so a host there gives no reach.
func (p *parser) permissions(top object) {
	m := p.m
	granted := p.access(top, "permissions")
	m.Permissions = granted.APIs
	if m.ManifestVersion == 3 && len(granted.Hosts) > 0 {
		p.problem("permissions holds match patterns (%s), which have no effect in Manifest V3", sample(granted.Hosts))
	} else {
		m.Hosts = granted.Hosts
	}
	hosts := p.patterns(top, "host_permissions")
	if old := m.ManifestVersion == 1 || m.ManifestVersion == 2; old && len(hosts) > 0 {
		p.problem("host_permissions (%s) has no effect before Manifest V3", sample(hosts))
	} else {
		m.Hosts = append(m.Hosts, hosts...)
	}
	// Firefox takes optional hosts from both places in V3; they are only asked for later, so both count.
	optional := p.access(top, "optional_permissions")
	m.OptionalPermissions = optional.APIs
	m.OptionalHosts = append(optional.Hosts, p.patterns(top, "optional_host_permissions")...)
}

// access splits a list of permissions into API names and match patterns.
func (p *parser) access(top object, key string) Access {
	var a Access
	for _, e := range p.list(top, key) {
		name, ok := p.permission(e)
		switch {
		case !ok:
		case isPattern(name):
			p.checkPattern(e.path(), name)
			a.Hosts = append(a.Hosts, name)
		default:
			a.APIs = append(a.APIs, name)
		}
	}
	return a
}

// permission returns the name of one permission: a string, or an object with the name as its only key, as platform
// apps write it ({"fileSystem": ["write"]}).
func (p *parser) permission(e entry) (name string, ok bool) {
	if e.Type == gjson.String {
		return e.Str, true
	}
	if members := Object(e.Result); len(members) == 1 {
		for name = range members {
			p.problem("%s is an object, not a string; read as %q", e.path(), clip(name))
		}
		return name, true
	}
	p.wrong(e.path(), e.Result, "a string")
	return "", false
}

// isPattern tells match patterns from API names. Some API names hold a colon ("internal:privateBrowsingAllowed"), so
// only the schemes without slashes are looked for.
func isPattern(s string) bool {
	return s == allURLs || strings.Contains(s, "://") || strings.HasPrefix(s, "data:") || strings.HasPrefix(s, "urn:")
}

// sample names the first of several texts.
func sample(texts []string) string {
	if len(texts) == 1 {
		return clip(texts[0])
	}
	return clip(texts[0]) + ", …"
}

// connections reads which pages and extensions may send messages to this one.
func (p *parser) connections(top object) {
	if !top.has("externally_connectable") {
		return
	}
	o := p.object(top, "externally_connectable")
	if o.members == nil {
		return
	}
	p.m.ExternallyConnectable = &ExternallyConnectable{IDs: p.texts(o, "ids"), Matches: p.patterns(o, "matches")}
}

// webAccessible reads a Manifest V2 list of paths or a V3 list of groups, or a mixture.
func (p *parser) webAccessible(top object) {
	const key = "web_accessible_resources"
	open := WebAccessible{Matches: []string{allURLs}}
	for _, e := range p.list(top, key) {
		switch {
		case e.Type == gjson.String:
			open.Resources = append(open.Resources, e.Str)
		case e.IsObject():
			o := p.asObject(e.path(), e.Result)
			p.m.WebAccessible = append(p.m.WebAccessible, WebAccessible{
				Resources:    p.texts(o, "resources"),
				Matches:      p.patterns(o, "matches"),
				ExtensionIDs: p.texts(o, "extension_ids"),
			})
		default:
			p.wrong(e.path(), e.Result, "a string or an object")
		}
	}
	if len(open.Resources) > 0 {
		p.m.WebAccessible = append(p.m.WebAccessible, open)
	}
}

// policies reads the content security policies: one string in V2, an object in V3.
func (p *parser) policies(top object) {
	const key = "content_security_policy"
	add := func(pages, value string) {
		if value != "" {
			p.m.ContentSecurityPolicy = append(p.m.ContentSecurityPolicy, Policy{For: pages, Value: value})
		}
	}
	switch r, ok := top.members[key]; {
	case !ok:
	case r.Type == gjson.String:
		add("extension_pages", r.Str)
	case r.IsObject():
		o := p.object(top, key)
		for _, pages := range p.keys(o) {
			add(pages, p.text(o, pages))
		}
	default:
		p.wrong(key, r, "a string or an object")
	}
	add("sandbox", p.text(p.object(top, "sandbox"), key)) // its place in V2
}
