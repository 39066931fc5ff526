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

// newAccess tells what the extension may touch: all that the manifest requires, and of its optional permissions those
// that the browser has granted. What is required counts even when the browser's record of grants lacks it: the record
// may be stale or edited, and an empty one must not make a thief look harmless. Only while the person lets the
// extension act on click are its sites told as such.
func newAccess(c *catalog, ext *manifests.Extension, m *manifests.Manifest) *access {
	a := &access{catalog: c, legacy: m.ManifestVersion > 0 && m.ManifestVersion < 3}
	hosts, scripts := bounded(unique(m.Hosts)), bounded(scriptHosts(m))
	for _, pattern := range unique(slices.Concat(hosts, scripts)) {
		if cov, ok := c.sites.cover(pattern); ok {
			a.declared = append(a.declared, cov)
		}
	}
	a.hold(m.Permissions, "permissions: ")
	a.hosts = a.covers(hosts, "host_permissions: ")
	a.scripts = a.covers(scripts, "content_scripts: ")
	granted := manifests.Access{}
	if ext.Granted != nil {
		granted = *ext.Granted
	}
	if ext.Withheld {
		a.withhold(bounded(unique(granted.Hosts)))
	}
	a.grant(granted, ext, m, hosts, scripts)
	return a
}

func bounded(patterns []string) []string { return patterns[:min(len(patterns), maxPatterns)] }

func (a *access) hold(names []string, label string) {
	for _, name := range unique(names) {
		p, ok := a.catalog.permissions[name]
		if !ok || len(p.capabilities) == 0 {
			continue
		}
		h := heldPermission{permission: p, because: label + name}
		a.apis = append(a.apis, h)
		if !p.needsHost {
			a.everywhere = append(a.everywhere, h)
		}
	}
}

// grant adds what the browser has granted of the optional permissions, and the sites that the person allowed of those
// that are otherwise on click. A granted pattern that the manifest has only among its content scripts (Chromium keeps
// those as "scriptable hosts") gives no more than that.
func (a *access) grant(granted manifests.Access, ext *manifests.Extension, m *manifests.Manifest, hosts, scripts []string) {
	var apis []string
	for _, name := range granted.APIs {
		if slices.Contains(m.OptionalPermissions, name) && !slices.Contains(m.Permissions, name) {
			apis = append(apis, name)
		}
	}
	a.hold(apis, "granted: ")
	allowed := a.covers(bounded(unique(m.OptionalHosts)), "")
	if ext.Withheld {
		allowed = append(allowed, a.covers(hosts, "")...)
	}
	for _, g := range bounded(unique(granted.Hosts)) {
		if slices.Contains(hosts, g) || slices.Contains(scripts, g) && !slices.Contains(m.OptionalHosts, g) {
			continue
		}
		for _, c := range a.covers([]string{g}, "granted: ") {
			// A site may be granted out of a wider pattern.
			if slices.ContainsFunc(allowed, func(o cover) bool { return o.pattern.Overlaps(c.pattern) }) {
				a.hosts = append(a.hosts, c)
			}
		}
	}
}

// withhold notes which sites the extension may act on only when the person clicks it: those that no grant covers.
func (a *access) withhold(granted []string) {
	all := a.covers(granted, "")
	for i := range a.hosts {
		if !slices.Contains(granted, a.hosts[i].raw) {
			a.hosts[i].text = "on click: " + a.hosts[i].text
		}
	}
	for i := range a.scripts {
		if !slices.ContainsFunc(all, func(g cover) bool { return g.pattern.Overlaps(a.scripts[i].pattern) }) {
			a.scripts[i].text = "on click: " + a.scripts[i].text
		}
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
