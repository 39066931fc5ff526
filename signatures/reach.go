package signatures

import (
	"net"
	"slices"
	"strings"

	"github.com/extwatch/extwatch/manifests"
	"golang.org/x/net/publicsuffix"
)

// A site is an exchange or a web-mail host, with what is needed to tell whether a match pattern covers it.
type site struct {
	slug, title string
	mail        bool
	everything  []manifests.Pattern // of each domain
	apiKeys     []page
	withdrawal  []page
}

// A page is one page of an exchange, such as where API keys are made.
type page struct {
	pattern manifests.Pattern
	hosts   []string // where it is tried
	domain  string
	path    string // an example
	word    string // last part of the path: "openapi"
}

// A siteIndex finds the sites that a pattern covers without trying all: most patterns cover none.
type siteIndex struct {
	sites []site
	exact map[string][]int // domain → sites
	below map[string][]int // domain or any parent of it ("com") → sites
}

func newSiteIndex(exchanges []exchange, mail []string) siteIndex {
	x := siteIndex{exact: map[string][]int{}, below: map[string][]int{}}
	add := func(s site, domains []string) {
		i := len(x.sites)
		for _, domain := range domains {
			s.everything = append(s.everything, parseAll([]string{"*://*." + domain + "/*"})...)
			x.exact[domain] = appendOnce(x.exact[domain], i)
			for p := domain; p != ""; p = parent(p) {
				x.below[p] = appendOnce(x.below[p], i)
			}
		}
		x.sites = append(x.sites, s)
	}
	for _, e := range exchanges {
		add(site{slug: e.slug, title: e.title, apiKeys: newPages(e.apiKeys), withdrawal: newPages(e.withdrawal)}, e.domains)
	}
	for _, domain := range mail {
		add(site{slug: domain, title: domain, mail: true}, []string{domain})
	}
	return x
}

func newPages(patterns []string) []page {
	out := make([]page, 0, len(patterns))
	for i, p := range parseAll(patterns) {
		host := hostOf(patterns[i])
		domain := strings.TrimPrefix(host, "*.")
		g := page{pattern: p, domain: domain, hosts: []string{domain}, word: lastWord(pathOf(patterns[i]))}
		if domain != host {
			g.hosts = append(g.hosts, "www."+domain)
		}
		g.path = strings.ReplaceAll(strings.ReplaceAll("/"+pathOf(patterns[i]), "/*/", "/en/"), "*", "")
		out = append(out, g)
	}
	return out
}

// covered reports whether a pattern is meant for the page. That both overlap is not enough: the catalog allows a
// language in front of the path ("/*/user/openapi"), which "/en/trade/*" overlaps in theory. Either the pattern covers
// an example of the page, or it names the page itself.
func (g *page) covered(c cover) bool {
	if !c.pattern.Overlaps(g.pattern) {
		return false
	}
	hosts := g.hosts
	if host := strings.TrimPrefix(hostOf(c.raw), "*."); strings.HasSuffix(host, "."+g.domain) {
		hosts = append(slices.Clone(hosts), host)
	}
	return slices.ContainsFunc(hosts, func(h string) bool { return c.pattern.MatchesURL("https://" + h + g.path) }) || g.namedBy(c)
}

// namedBy reports whether a pattern that overlaps the page has its word in the path.
func (g *page) namedBy(c cover) bool {
	return g.word != "" && slices.Contains(segments(pathOf(c.raw)), g.word) && c.pattern.Overlaps(g.pattern)
}

func coveredBy(pages []page, c cover) bool {
	return slices.ContainsFunc(pages, func(g page) bool { return g.covered(c) })
}

func parseAll(texts []string) []manifests.Pattern {
	out := make([]manifests.Pattern, 0, len(texts))
	for _, t := range texts {
		if p, err := manifests.ParsePattern(t); err == nil {
			out = append(out, p)
		}
	}
	return out
}

func appendOnce(list []int, i int) []int {
	if slices.Contains(list, i) {
		return list
	}
	return append(list, i)
}

func parent(domain string) string {
	_, rest, _ := strings.Cut(domain, ".")
	return rest
}

// maxHost is the length of "*.", the longest host name (253, RFC 1035) and a dot. A longer one reaches no site.
const maxHost = 256

// hostOf returns the host of a match pattern in canonical form, "*" for all of them, or "". An address that is no pattern,
// as of an update_url, is read as it stands.
func hostOf(pattern string) string {
	if len(pattern) > maxFactText {
		return ""
	}
	if p, err := manifests.ParsePattern(pattern); err == nil {
		return p.Host()
	}
	_, rest, ok := strings.Cut(pattern, "://")
	if !ok {
		return ""
	}
	host, _, _ := strings.Cut(rest, "/")
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if len(host) > maxHost {
		return ""
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

func pathOf(pattern string) string {
	_, rest, _ := strings.Cut(pattern, "://")
	_, path, _ := strings.Cut(rest, "/")
	return path
}

// segments returns the parts of a path without wildcards, in lower case.
func segments(path string) []string {
	return strings.FieldsFunc(strings.ToLower(path), func(r rune) bool { return strings.ContainsRune("/*?#", r) })
}

// lastWord returns the last part of a path that is no wildcard.
func lastWord(path string) string {
	parts := segments(path)
	if len(parts) == 0 {
		return ""
	}
	return parts[len(parts)-1]
}

// A cover is a match pattern of an extension, with the sites that it covers.
type cover struct {
	raw     string // the pattern
	text    string // how it is told: the pattern, or what it was found in and the pattern
	pattern manifests.Pattern
	sites   []int // covered
	named   []int // covered, and named by its host rather than by a wildcard for many
}

// cover looks a pattern up. It reports false when it covers no site at all.
func (x *siteIndex) cover(text string) (cover, bool) {
	c := cover{raw: text, text: text}
	host := hostOf(text)
	var named, found []int
	switch base := strings.TrimPrefix(host, "*."); {
	case host == "":
		return c, false
	case host == "*":
		for i := range x.sites {
			found = append(found, i)
		}
	default:
		for p := base; p != ""; p = parent(p) {
			named = append(named, x.exact[p]...)
		}
		if base != host {
			found = x.below[base]
			if suffix, _ := publicsuffix.PublicSuffix(base); suffix != base {
				named = append(named, found...)
			}
		}
	}
	if len(named)+len(found) == 0 {
		return c, false
	}
	var err error
	if c.pattern, err = manifests.ParsePattern(text); err != nil {
		return c, false // the manifest's reader has named it as a problem
	}
	for _, i := range slices.Concat(named, found) {
		if !slices.Contains(c.sites, i) && overlapsAny(c.pattern, x.sites[i].everything) {
			c.sites = append(c.sites, i)
			if slices.Contains(named, i) {
				c.named = append(c.named, i)
			}
		}
	}
	return c, len(c.sites) > 0
}

func overlapsAny(p manifests.Pattern, others []manifests.Pattern) bool {
	return slices.ContainsFunc(others, p.Overlaps)
}

// Reach is told briefly: the strongest reasons of each kind, together at most 8.
const (
	maxPermissionReasons = 4
	maxHostReasons       = 2
	maxScriptReasons     = 2
)

// A tally is what is known so far of the reach on one site.
type tally struct {
	catalog *catalog
	caps    map[string]bool
	because []string
	// pages are the patterns on whose pages it may act; everywhere is set when it needs none for that.
	pages      []cover
	everywhere bool
}

// add counts capabilities that reach is made of. Whether it is the page for API keys or withdrawals is decided by
// the patterns, not by a permission.
func (t *tally) add(capabilities []string) (any bool) {
	for _, c := range capabilities {
		if slices.Contains(t.catalog.capabilities, c) && c != "api_keys.page" && c != "withdrawal.page" {
			t.caps[c] = true
			any = true
		}
	}
	return any
}

// reach returns what an extension may do on one site.
func (a *access) reach(i int) Reach {
	s := &a.catalog.sites.sites[i]
	hosts, scripts := covering(a.hosts, i), covering(a.scripts, i)
	if len(hosts) == 0 && len(scripts) == 0 && len(a.everywhere) == 0 {
		return Reach{}
	}
	t := &tally{catalog: a.catalog, caps: map[string]bool{}, pages: slices.Clone(scripts)}
	a.permissions(t, hosts)
	if len(scripts) > 0 {
		t.add(a.catalog.scripts.capabilities)
	}
	t.special(s.apiKeys, "api_keys.page")
	t.special(s.withdrawal, "withdrawal.page")
	onAPIKeys := func(c cover) bool { return coveredBy(s.apiKeys, c) }
	because := slices.Concat(t.because, reasons(hosts, maxHostReasons, nil), reasons(scripts, maxScriptReasons, onAPIKeys))
	return Reach{Exchange: s.slug, Title: s.title, Capabilities: a.ordered(t.caps), Because: unique(because)}
}

// permissions adds what the API permissions and the hosts give on a site.
func (a *access) permissions(t *tally, hosts []cover) {
	pageByHost := false
	for _, p := range a.apis {
		if p.needsHost && len(hosts) == 0 {
			continue
		}
		if t.add(p.capabilities) && len(t.because) < maxPermissionReasons {
			t.because = append(t.because, p.because)
		}
		if p.needsHost {
			pageByHost = pageByHost || slices.ContainsFunc(p.capabilities, func(c string) bool { return strings.HasPrefix(c, "page.") })
		} else {
			t.everywhere = t.everywhere || slices.Contains(p.capabilities, "page.change")
		}
	}
	if len(hosts) == 0 {
		return
	}
	t.add(a.catalog.hosts.capabilities)
	if a.legacy {
		// Manifest V2 runs code in a page with tabs.executeScript and needs no permission but the host.
		t.add([]string{"page.read", "page.change"})
		pageByHost = true
	}
	if pageByHost {
		t.pages = append(t.pages, hosts...)
	}
}

// special adds the capability to act on one of an exchange's pages.
func (t *tally) special(of []page, name string) {
	covered := func(c cover) bool { return coveredBy(of, c) }
	if len(of) > 0 && (t.everywhere || slices.ContainsFunc(t.pages, covered)) {
		t.caps[name] = true
	}
}

// ordered returns the capabilities in the catalog's order. The clipboard and a screen that the person chooses to show
// belong to no site: without any other reach they say nothing about an exchange.
func (a *access) ordered(caps map[string]bool) []string {
	var out []string
	on := false
	for _, c := range a.catalog.capabilities {
		if caps[c] {
			out = append(out, c)
			on = on || !strings.HasPrefix(c, "clipboard.") && c != "screen.read"
		}
	}
	if !on {
		return nil
	}
	return out
}

func covering(covers []cover, i int) []cover {
	var out []cover
	for _, c := range covers {
		if slices.Contains(c.sites, i) {
			out = append(out, c)
		}
	}
	return out
}

// reasons returns the texts of the first covers, those that first holds for before the others.
func reasons(covers []cover, n int, first func(cover) bool) []string {
	var out []string
	if first != nil {
		for _, c := range covers {
			if first(c) && len(out) < n {
				out = append(out, c.text)
			}
		}
	}
	for _, c := range covers {
		if len(out) < n && !slices.Contains(out, c.text) {
			out = append(out, c.text)
		}
	}
	return out
}
