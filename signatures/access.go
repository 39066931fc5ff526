package signatures

import (
	"slices"
	"strings"

	"github.com/extwatch/extwatch/manifests"
)

// An access is what one extension may touch now.
type access struct {
	catalog    *catalog
	legacy     bool // Manifest V1 or V2
	apis       []heldPermission
	everywhere []heldPermission // those of apis that need no host
	hosts      []cover          // text is the reason, "host_permissions: …"
	scripts    []cover
	declared   []cover // hosts and content scripts as written, text is the pattern
}

type heldPermission struct {
	permission
	because string
}

// maxPatterns bounds the patterns that are looked at. The largest real lists hold a few thousand sites.
const maxPatterns = 20_000

func scriptHosts(m *manifests.Manifest) []string {
	return scriptValues(m, func(c *manifests.ContentScript) []string { return c.Matches })
}

func scriptValues(m *manifests.Manifest, get func(*manifests.ContentScript) []string) []string {
	var out []string
	for i := range m.ContentScripts {
		for _, v := range get(&m.ContentScripts[i]) {
			if v != "" {
				out = append(out, v)
			}
		}
	}
	return unique(out)
}

// newAccess tells what the extension may touch: what the browser has granted when that is known, what the manifest
// declares otherwise. Optional permissions count once they are granted.
func newAccess(c *catalog, ext *manifests.Extension, m *manifests.Manifest) *access {
	a := &access{catalog: c, legacy: m.ManifestVersion > 0 && m.ManifestVersion < 3}
	hosts, scripts := bounded(unique(m.Hosts)), bounded(scriptHosts(m))
	for _, pattern := range unique(slices.Concat(hosts, scripts)) {
		if cov, ok := c.sites.cover(pattern); ok {
			a.declared = append(a.declared, cov)
		}
	}
	if ext.Granted == nil {
		a.hold(m.Permissions, m.Permissions)
		a.hosts = a.covers(hosts, "host_permissions: ")
		a.scripts = a.covers(scripts, "content_scripts: ")
		if ext.Withheld {
			a.onClick(a.hosts)
			a.onClick(a.scripts)
		}
		return a
	}
	a.hold(ext.Granted.APIs, m.Permissions)
	a.grant(ext, m, hosts, scripts)
	return a
}

func bounded(patterns []string) []string { return patterns[:min(len(patterns), maxPatterns)] }

func (a *access) hold(names, declared []string) {
	for _, name := range unique(names) {
		p, ok := a.catalog.permissions[name]
		if !ok || len(p.capabilities) == 0 {
			continue
		}
		h := heldPermission{permission: p, because: "permissions: " + name}
		if !slices.Contains(declared, name) {
			h.because = "granted: " + name
		}
		a.apis = append(a.apis, h)
		if !p.needsHost {
			a.everywhere = append(a.everywhere, h)
		}
	}
}

// grant fills hosts and scripts from what the browser has granted. A content script runs where some granted host
// covers it; a granted pattern that the manifest has only among its content scripts (Chromium keeps those as
// "scriptable hosts") gives no more than that.
func (a *access) grant(ext *manifests.Extension, m *manifests.Manifest, hosts, scripts []string) {
	granted := bounded(unique(ext.Granted.Hosts))
	var explicit []string
	for _, g := range granted {
		if !slices.Contains(scripts, g) || slices.Contains(hosts, g) || slices.Contains(m.OptionalHosts, g) {
			explicit = append(explicit, g)
		}
	}
	for _, g := range explicit {
		label := "granted: "
		if slices.Contains(hosts, g) {
			label = "host_permissions: "
		}
		a.hosts = append(a.hosts, a.covers([]string{g}, label)...)
	}
	all := a.covers(granted, "")
	for _, s := range a.covers(scripts, "content_scripts: ") {
		ok := slices.ContainsFunc(all, func(g cover) bool { return g.pattern.Overlaps(s.pattern) })
		if !ok && ext.Withheld {
			s.text = "on click: " + s.text
		}
		if ok || ext.Withheld {
			a.scripts = append(a.scripts, s)
		}
	}
	if ext.Withheld {
		var rest []string
		for _, h := range hosts {
			if !slices.Contains(granted, h) {
				rest = append(rest, h)
			}
		}
		a.hosts = append(a.hosts, a.covers(rest, "on click: host_permissions: ")...)
	}
}

func (a *access) covers(patterns []string, label string) []cover {
	var out []cover
	for _, p := range patterns {
		if c, ok := a.catalog.sites.cover(p); ok {
			c.text = label + show(p)
			out = append(out, c)
		}
	}
	return out
}

func (a *access) onClick(covers []cover) {
	for i := range covers {
		covers[i].text = "on click: " + covers[i].text
	}
}

// exchanges returns the reach on each exchange where there is any.
func (a *access) exchanges() []Reach {
	var out []Reach
	for i := range a.catalog.sites.sites {
		if a.catalog.sites.sites[i].mail {
			continue
		}
		if r := a.reach(i); len(r.Capabilities) > 0 {
			out = append(out, r)
		}
	}
	return out
}

// mail returns the web-mail hosts whose pages or session it can read or change.
func (a *access) mail() []string {
	var out []string
	for i, s := range a.catalog.sites.sites {
		if !s.mail {
			continue
		}
		if slices.ContainsFunc(a.reach(i).Capabilities, func(c string) bool {
			return strings.HasPrefix(c, "page.") || c == "session.read"
		}) {
			out = append(out, s.slug)
		}
	}
	return out
}

// named returns the sites that a declared pattern names, rather than covers with a wildcard for many.
func (a *access) named(mail bool, also func(cover, *site) bool) []string {
	var out []string
	for i := range a.catalog.sites.sites {
		s := &a.catalog.sites.sites[i]
		if s.mail == mail && slices.ContainsFunc(a.declared, func(c cover) bool {
			return slices.Contains(c.named, i) && (also == nil || also(c, s))
		}) {
			out = append(out, s.slug)
		}
	}
	return out
}

func (a *access) targets() []string     { return a.named(false, nil) }
func (a *access) targetsMail() []string { return a.named(true, nil) }

// targetsAPIKeys asks for the page's own word in the path, so that a pattern for the whole exchange is not counted.
func (a *access) targetsAPIKeys() []string {
	return a.named(false, func(c cover, s *site) bool {
		return slices.ContainsFunc(s.apiKeys, func(g page) bool { return g.namedBy(c) })
	})
}
