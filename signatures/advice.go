package signatures

import (
	"cmp"
	"slices"
	"strings"

	"github.com/extwatch/extwatch/manifests"
	"go.yaml.in/yaml/v3"
)

// A topic is what a step is about, and the words by which a step of a rule shows it.
type topic struct {
	key   string
	words []string // in lower case
}

// maxOwnSteps is for how many exchanges the steps are told one by one. Beyond, a frightened person would have to
// work through dozens of lines; the general order is better.
const maxOwnSteps = 3

// Advice says what to do now, in order and without repetition: the steps of the worst finding, then those of the
// exchanges that the extension reaches, or when it reaches many, the general ones about what was not said yet. It is
// empty when there is nothing to warn of.
func (rs *Ruleset) Advice(ext *manifests.Extension, result Result) Response {
	advice := Response{User: []string{}, Admin: []string{}}
	switch {
	case result.Verdict == Unreadable && ext.Browser == "":
		advice.User = append(advice.User, "Install it nowhere until it can be read: what it does could not be checked.")
		return advice
	case result.Verdict == Unreadable:
		advice.User = append(advice.User,
			"Open the extensions page of the browser and look whether you know "+show(ext.Name())+".",
			"Remove it if you do not know it, or if you can do without it: what it does could not be checked.")
		return advice
	case !result.Verdict.Worse(Unreadable) || len(result.Findings) == 0:
		return advice
	}
	own := result.Findings[0].Response.User
	for _, f := range result.Findings {
		advice.Admin = append(advice.Admin, f.Response.Admin...)
	}
	var more []string
	if len(result.Reach) > maxOwnSteps {
		if more = notCovered(rs.catalog, rs.catalog.generic.User, rs.catalog.genericTopics.user, own); len(more) > 0 {
			more = append([]string{"Do the following on every exchange that you use, in this order."}, more...)
		}
	} else {
		for _, r := range result.Reach {
			more = append(more, rs.exchangeSteps(r, own)...)
		}
	}
	advice.User = append(advice.User, own...)
	// What follows closes accounts and changes keys. A suspicion alone does not call for it.
	if result.Verdict == Suspicious && len(more) > 0 {
		advice.User = append(advice.User, "Go on with these steps at once if you see a login, trade, withdrawal or API key that is not yours.")
	}
	advice.User = unique(append(advice.User, more...))
	advice.Admin = unique(append(advice.Admin, notCovered(rs.catalog, rs.catalog.generic.Admin, rs.catalog.genericTopics.admin, advice.Admin)...))
	return advice
}

// exchangeSteps returns the steps of an exchange, without those about which a step of own speaks for this very exchange.
func (rs *Ruleset) exchangeSteps(r Reach, own []string) []string {
	var out []string
	for _, e := range rs.catalog.exchanges {
		if e.slug != r.Exchange {
			continue
		}
		var named []string
		for _, step := range own {
			if strings.Contains(step, e.title) {
				named = append(named, step)
			}
		}
		said := rs.catalog.topicsOf(named...)
		for _, step := range e.response.User {
			if about := rs.catalog.topicsOf(step); len(about) == 0 || !within(about, said) {
				out = append(out, e.title+": "+step)
			}
		}
	}
	return out
}

// notCovered returns the general steps about what the given ones do not speak of.
func notCovered(c *catalog, general []string, topics [][]string, own []string) []string {
	said := c.topicsOf(own...)
	var out []string
	for i, step := range general {
		if about := topics[i]; len(about) == 0 || !within(about, said) {
			out = append(out, step)
		}
	}
	return out
}

// topicsOf returns what the steps are about.
func (c *catalog) topicsOf(steps ...string) []string {
	var out []string
	for _, t := range c.topics {
		if slices.ContainsFunc(steps, func(step string) bool {
			step = fold(step)
			return slices.ContainsFunc(t.words, func(w string) bool { return strings.Contains(step, w) })
		}) {
			out = append(out, t.key)
		}
	}
	return out
}

func within(all, of []string) bool {
	return !slices.ContainsFunc(all, func(s string) bool { return !slices.Contains(of, s) })
}

// genericKeys reads the general steps. One is a text, or {topics: […], step: …}: it is left out when the steps of the
// findings speak of all its topics.
func (c *catalog) genericKeys(d *document, n *yaml.Node) {
	c.generic, c.genericTopics.user, c.genericTopics.admin = Response{}, nil, nil
	d.mapping(n, "generic", keys{
		"admin": generalSteps(d, "admin", &c.generic.Admin, &c.genericTopics.admin),
		"user":  generalSteps(d, "user", &c.generic.User, &c.genericTopics.user),
	})
}

func generalSteps(d *document, key string, steps *[]string, topics *[][]string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		d.list(n, key, func(n *yaml.Node) {
			var step string
			var about []string
			if n.Kind == yaml.ScalarNode {
				step = d.text(n, "step")
			} else {
				d.mapping(n, "step", keys{"topics": d.listInto(&about, "topics"), "step": d.into(&step, "step")})
			}
			*steps, *topics = append(*steps, step), append(*topics, about)
		})
	}
}

// topicKeys reads the topics with their words.
func (c *catalog) topicKeys(d *document, n *yaml.Node) {
	d.list(n, "topics", func(n *yaml.Node) {
		var t topic
		d.mapping(n, "topic", keys{
			"topic": func(n *yaml.Node) { t.key = d.text(n, "topic") },
			"words": func(n *yaml.Node) {
				for _, w := range d.texts(n, "words") {
					t.words = append(t.words, fold(w))
				}
			},
		})
		d.needs(n, "topic", t.key != "", "topic", len(t.words) > 0, "words")
		c.topics = append(c.topics, t)
	})
}

// A mention is how to tell that the code only names a server of a campaign.
type mention struct {
	title, level, description string // {campaign} in the title stands for its name
	falsePositives            []string
	response                  Response
}

func (c *catalog) mentionKeys(d *document, n *yaml.Node) {
	c.mention = mention{}
	d.mapping(n, "server_named", keys{
		"title":          d.into(&c.mention.title, "title"),
		"level":          func(n *yaml.Node) { c.mention.level = d.oneOf(n, "level", levels()...) },
		"description":    d.into(&c.mention.description, "description"),
		"falsepositives": d.listInto(&c.mention.falsePositives, "falsepositives"),
		"response":       func(n *yaml.Node) { c.mention.response = d.response(n) },
	})
	d.needs(n, "server_named", strings.Contains(c.mention.title, "{campaign}"), "title with {campaign}", c.mention.level != "", "level",
		len(c.mention.response.User) > 0, "response: {user: […]}")
}

// soften tells calmly of a finding that rests on nothing but a server's address in the code: a security tool or a list
// may name it as well, and nobody should make a new wallet for that.
func (c *catalog) soften(f *Finding, facts []fact) {
	if c.mention.title == "" || len(facts) == 0 || slices.ContainsFunc(facts, func(t fact) bool {
		return t.row == nil || t.evidence.Key != "script"
	}) {
		return
	}
	name, _, ok := strings.Cut(f.Title, ": ")
	if !ok {
		name = cmp.Or(f.Campaign, f.Rule)
	}
	f.Title = strings.ReplaceAll(c.mention.title, "{campaign}", name)
	f.Level, f.FalsePositives, f.Response = c.mention.level, c.mention.falsePositives, c.mention.response
	f.Description = strings.TrimSpace(c.mention.description + " " + f.Description)
}
