package signatures

import (
	"net/url"
	"slices"
	"strings"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/indicators"
	"go.yaml.in/yaml/v3"
)

// A catalog is what is known to be good or worth robbing: exchanges, wallets, permissions. It never changes after
// loading.
type catalog struct {
	generic Response // what to do on every exchange
	// genericTopics says what each of the general steps is about.
	genericTopics struct{ user, admin [][]string }
	topics        []topic
	mention       mention
	exchanges     []exchange
	wallets       []wallet
	brands        []wallet // names that have no official extension
	permissions   map[string]permission
	hosts         ability // what a host permission lets an extension do
	scripts       ability // what a content script lets it do
	mailDomains   []string

	capabilities []string // that reach is made of
	official     map[string]*wallet
	honest       map[string]string // domain → the domain of the catalog that it is or is above
	placeholders map[string][]string
	sites        siteIndex
	phrases      phraseIndex
}

// An exchange is a place where money can be robbed with a session or an API key.
type exchange struct {
	slug, title string
	domains     []string // each with all below it
	login       []string // match patterns
	withdrawal  []string // match patterns
	apiKeys     []string // match patterns
	response    Response
	references  []string
}

// A wallet is a brand with the IDs of its official extensions.
type wallet struct {
	slug, title string
	aliases     []string
	ids         map[string][]string // store (chrome, edge, firefox, opera) → IDs
	domains     []string
	statement   string // of a brand: that it has no extension
	references  []string
}

// A permission is one API permission of the manifest.
type permission struct {
	name string
	ability
	needsHost bool // means nothing without access to the site
}

// An ability is what something lets an extension do on a site, and how to say it to a trader.
type ability struct {
	says         string
	capabilities []string
}

// canonical is what reach is made of, in the order in which it is told: from what robs at once to what helps.
// permissions.yml may name others (history.read, downloads): they are explained to people but are no reach.
func canonical() []string {
	return []string{
		"session.read", "api_keys.page", "withdrawal.page", "page.change", "page.read", "request.change",
		"request.read", "traffic.proxy", "screen.read", "clipboard.read", "clipboard.write",
	}
}

func (c *catalog) lists() map[string][]string { return c.placeholders }

func (c *catalog) hasExchange(slug string) bool {
	return slices.ContainsFunc(c.exchanges, func(e exchange) bool { return e.slug == slug })
}

func (c *catalog) exchangeSlugs() []string {
	out := make([]string, 0, len(c.exchanges))
	for _, e := range c.exchanges {
		out = append(out, e.slug)
	}
	return out
}

// catalogFiles are the parts of a catalog, in the order that newCatalog expects.
func catalogFiles() []string {
	return []string{"catalog/exchanges.yml", "catalog/wallets.yml", "catalog/permissions.yml"}
}

// newCatalog makes a catalog of its files. It is nil when there are defects.
func newCatalog(parts []*document) (*catalog, []Defect) {
	c := &catalog{
		permissions: map[string]permission{},
		hosts:       ability{capabilities: []string{"page.read"}},
		scripts:     ability{capabilities: []string{"page.read", "page.change"}},
	}
	var defects []Defect
	for i, read := range []func(*document) keys{c.exchangeKeys, c.walletKeys, c.permissionKeys} {
		d := parts[i]
		if d.root != nil {
			d.mapping(d.root, "catalog", read(d))
		}
		defects = append(defects, d.defects...)
	}
	if len(defects) > 0 {
		return nil, defects
	}
	c.index()
	return c, nil
}

func (c *catalog) index() {
	c.capabilities = canonical()
	c.official = map[string]*wallet{}
	lists := map[string][]string{"webmail_domains": c.mailDomains, "exchange_slugs": c.exchangeSlugs()}
	for i := range c.wallets {
		w := &c.wallets[i]
		for _, ids := range w.ids {
			for _, id := range ids {
				c.official[strings.ToLower(id)] = w
			}
		}
		lists["wallet_names"] = append(append(lists["wallet_names"], w.title), w.aliases...)
		lists["wallet_domains"] = append(lists["wallet_domains"], w.domains...)
	}
	for _, b := range c.brands {
		lists["brand_names"] = append(append(lists["brand_names"], b.title), b.aliases...)
	}
	for _, e := range c.exchanges {
		lists["exchange_names"] = append(lists["exchange_names"], e.title)
		lists["exchange_domains"] = append(lists["exchange_domains"], e.domains...)
	}
	c.placeholders = lists
	c.honest = c.honestDomains()
	c.sites = newSiteIndex(c.exchanges, c.mailDomains)
	c.phrases = newPhraseIndex(slices.Concat(c.wallets, c.brands))
}

func (c *catalog) exchangeKeys(d *document) keys {
	return keys{
		"generic":      func(n *yaml.Node) { c.genericKeys(d, n) },
		"topics":       func(n *yaml.Node) { c.topicKeys(d, n) },
		"server_named": func(n *yaml.Node) { c.mentionKeys(d, n) },
		"exchanges": func(n *yaml.Node) {
			d.list(n, "exchanges", func(n *yaml.Node) {
				var e exchange
				d.mapping(n, "exchange", keys{
					"slug":       func(n *yaml.Node) { e.slug = d.slug(n, "slug") },
					"title":      d.into(&e.title, "title"),
					"domains":    func(n *yaml.Node) { e.domains = d.domains(n, "domains") },
					"login":      func(n *yaml.Node) { e.login = d.patterns(n, "login") },
					"withdrawal": func(n *yaml.Node) { e.withdrawal = d.patterns(n, "withdrawal") },
					"api_keys":   func(n *yaml.Node) { e.apiKeys = d.patterns(n, "api_keys") },
					"response":   func(n *yaml.Node) { e.response = d.response(n) },
					"references": func(n *yaml.Node) { e.references = d.references(n) },
					"notes":      func(n *yaml.Node) { d.texts(n, "notes") },
				})
				d.needs(n, "exchange", e.slug != "", "slug", e.title != "", "title", len(e.domains) > 0, "domains",
					len(e.references) > 0, "references", len(e.response.User) > 0, "response: {user: […]}")
				if c.hasExchange(e.slug) {
					d.fail(n, "", "exchange %q stands twice", e.slug)
				}
				c.exchanges = append(c.exchanges, e)
			})
		},
	}
}

func (c *catalog) walletKeys(d *document) keys {
	seen := map[string]bool{}
	read := func(out *[]wallet, brand bool) func(*yaml.Node) {
		return func(n *yaml.Node) {
			d.list(n, "wallets", func(n *yaml.Node) {
				w := wallet{ids: map[string][]string{}}
				known := keys{
					"title":      d.into(&w.title, "title"),
					"aliases":    d.listInto(&w.aliases, "aliases"),
					"references": func(n *yaml.Node) { w.references = d.references(n) },
					"notes":      func(n *yaml.Node) { d.texts(n, "notes") },
					"slug":       func(n *yaml.Node) { w.slug = d.slug(n, "slug") },
					"domains":    func(n *yaml.Node) { w.domains = d.domains(n, "domains") },
				}
				if brand {
					known["statement"] = d.into(&w.statement, "statement")
				} else {
					known["ids"] = func(n *yaml.Node) { d.storeIDs(n, w.ids, seen) }
				}
				d.mapping(n, "wallet", known)
				d.needs(n, "wallet", w.title != "", "title", len(w.references) > 0, "references", brand || w.slug != "", "slug")
				*out = append(*out, w)
			})
		}
	}
	return keys{"wallets": read(&c.wallets, false), "brands": read(&c.brands, true)}
}

func (d *document) storeIDs(n *yaml.Node, ids map[string][]string, seen map[string]bool) {
	read := func(store string) func(*yaml.Node) {
		return func(n *yaml.Node) {
			ids[store] = d.texts(n, store)
			for _, id := range ids[store] {
				if gecko := store == "firefox"; gecko && !indicators.IsGecko(id) || !gecko && !manifests.ValidID(id) {
					d.fail(n, "", "%s: %q is no extension ID", store, id)
				}
				if seen[id] {
					d.fail(n, "", "%s: %q stands twice", store, id)
				}
				seen[id] = true
			}
		}
	}
	d.mapping(n, "ids", keys{"chrome": read("chrome"), "edge": read("edge"), "firefox": read("firefox"), "opera": read("opera")})
}

func (c *catalog) permissionKeys(d *document) keys {
	return keys{
		"permissions": func(n *yaml.Node) {
			d.list(n, "permissions", func(n *yaml.Node) {
				var p permission
				known := d.abilityKeys(&p.ability)
				known["name"] = d.into(&p.name, "name")
				known["needs_host"] = func(n *yaml.Node) { p.needsHost = d.flag(n, "needs_host") }
				d.mapping(n, "permission", known)
				d.needs(n, "permission", p.name != "", "name", p.says != "", "says")
				if _, ok := c.permissions[p.name]; ok {
					d.fail(n, "", "permission %q stands twice", p.name)
				}
				c.permissions[p.name] = p
			})
		},
		"hosts":           func(n *yaml.Node) { c.hosts = ability{}; d.mapping(n, "hosts", d.abilityKeys(&c.hosts)) },
		"content_scripts": func(n *yaml.Node) { c.scripts = ability{}; d.mapping(n, "content_scripts", d.abilityKeys(&c.scripts)) },
		"mail":            func(n *yaml.Node) { c.mailDomains = d.domains(n, "mail") },
		"references":      func(n *yaml.Node) { d.references(n) },
	}
}

var capabilityForm = form(`^[a-z_]+(\.[a-z_]+)*$`)

func (d *document) abilityKeys(a *ability) keys {
	return keys{
		"says":       d.into(&a.says, "says"),
		"references": func(n *yaml.Node) { d.references(n) },
		"notes":      func(n *yaml.Node) { d.texts(n, "notes") },
		"capabilities": func(n *yaml.Node) {
			a.capabilities = d.texts(n, "capabilities")
			for _, t := range a.capabilities {
				if !capabilityForm().MatchString(t) {
					d.fail(n, "write session.read", "capabilities: %q", t)
				}
			}
		},
	}
}

// needs takes pairs of bool and string: what must be there, and its name.
func (d *document) needs(n *yaml.Node, what string, pairs ...any) {
	for i := 0; i+1 < len(pairs); i += 2 {
		if ok, _ := pairs[i].(bool); !ok {
			d.fail(n, "", "%s: missing %v", what, pairs[i+1])
		}
	}
}

func (d *document) domains(n *yaml.Node, what string) []string {
	domains := d.texts(n, what)
	for _, t := range domains {
		if err := indicators.CheckDomain(t); err != nil {
			d.fail(n, "", "%s: %v", what, err)
		}
	}
	return domains
}

func (d *document) patterns(n *yaml.Node, what string) []string {
	patterns := d.texts(n, what)
	for _, t := range patterns {
		if _, err := manifests.ParsePattern(t); err != nil {
			d.fail(n, "write https://www.example.com/path*", "%s: match pattern %q: %v", what, t, err)
		}
	}
	return patterns
}

func (d *document) links(n *yaml.Node, what string) []string {
	links := d.texts(n, what)
	for _, t := range links {
		if u, err := url.Parse(t); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			d.fail(n, "write https://…", "%s: %q is no link", what, clip(t, 80))
		}
	}
	return links
}

func (d *document) references(n *yaml.Node) []string { return d.links(n, "references") }
