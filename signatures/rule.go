package signatures

import (
	"path"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// A Rule is one detection, as its file says it.
type Rule struct {
	Name           string // same as the file name without .yml
	Title          string
	ID             string // UUID
	Status         string // stable, test, experimental, deprecated, unsupported
	Description    string
	References     []string
	Author         string
	Date           string // 2026-01-31
	Modified       string
	Tags           []string
	FalsePositives []string
	Level          string  // informational, low, medium, high, critical
	Verdict        Verdict // malicious, suspicious or capable
	Campaign       string  // slug, or ""
	Response       Response
	Path           string // inside the ruleset: "campaigns/x.yml"
	Source         []byte // the file

	detection expr
	cases     []ruleCase
	lines     map[string]int // of the top-level keys
	slow      []Defect
}

var (
	// name and campaign are used as file name, on the command line and in URLs.
	slugForm = form(`^[a-z0-9]+([.-][a-z0-9]+)*$`)
	uuidForm = form(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	tagForm  = form(`^[a-z0-9_-]+\.[a-z0-9._-]+$`)
)

// maxName keeps names readable in one column of a terminal.
const maxName = 64

func levels() []string {
	return []string{"informational", "low", "medium", "high", "critical"}
}

// compileRule makes a rule of its file, and notes the defects there.
func compileRule(env *compiler, d *document) *Rule {
	r := &Rule{Path: d.path, Source: d.data, lines: map[string]int{}}
	for i := 0; i+1 < len(d.root.Content); i += 2 {
		r.lines[d.root.Content[i].Value] = d.root.Content[i].Line
	}
	d.mapping(d.root, "rule", r.keys(env, d))
	r.finish(d, d.root)
	r.slow = d.slow
	return r
}

func (r *Rule) keys(env *compiler, d *document) keys {
	return keys{
		"title": d.into(&r.Title, "title"),
		"id":    d.into(&r.ID, "id"),
		"name":  d.into(&r.Name, "name"),
		"status": func(n *yaml.Node) {
			r.Status = d.oneOf(n, "status", "stable", "test", "experimental", "deprecated", "unsupported")
		},
		"description":    d.into(&r.Description, "description"),
		"references":     d.listInto(&r.References, "references"),
		"author":         d.into(&r.Author, "author"),
		"date":           func(n *yaml.Node) { r.Date = d.date(n, "date") },
		"modified":       func(n *yaml.Node) { r.Modified = d.date(n, "modified") },
		"tags":           func(n *yaml.Node) { r.Tags = d.tags(n) },
		"logsource":      func(n *yaml.Node) { logsource(d, n) },
		"detection":      func(n *yaml.Node) { r.detection = env.detection(d, n) },
		"falsepositives": d.listInto(&r.FalsePositives, "falsepositives"),
		"level":          func(n *yaml.Node) { r.Level = d.oneOf(n, "level", levels()...) },
		"verdict": func(n *yaml.Node) {
			r.Verdict = Verdict(d.oneOf(n, "verdict", string(Malicious), string(Suspicious), string(Capable)))
		},
		"campaign": func(n *yaml.Node) { r.Campaign = d.slug(n, "campaign") },
		"response": func(n *yaml.Node) { r.Response = d.response(n) },
		"tests": func(n *yaml.Node) {
			d.mapping(n, "tests", keys{
				"match": func(n *yaml.Node) {
					d.list(n, "match", func(n *yaml.Node) { r.cases = append(r.cases, env.decodeCase(d, n, true)) })
				},
				"no_match": func(n *yaml.Node) {
					d.list(n, "no_match", func(n *yaml.Node) { r.cases = append(r.cases, env.decodeCase(d, n, false)) })
				},
			})
		},
	}
}

// finish notes what a rule cannot run without. What a good rule has besides is up to Check.
func (r *Rule) finish(d *document, root *yaml.Node) {
	for _, key := range []string{"title", "id", "name", "status", "logsource", "detection", "level", "verdict"} {
		if r.lines[key] == 0 {
			d.fail(root, "`extwatch rules new` writes a rule that has all of them", "missing key %q", key)
		}
	}
	if r.lines["id"] > 0 && !uuidForm().MatchString(r.ID) {
		d.defects = append(d.defects, Defect{d.path, r.lines["id"], "id: expected a UUID in lower case", "make one with uuidgen"})
	}
	if r.lines["name"] > 0 && (!slugForm().MatchString(r.Name) || len(r.Name) > maxName) {
		d.defects = append(d.defects, Defect{d.path, r.lines["name"], "name: expected words in lower case joined by \"-\", at most 64 characters", ""})
	} else if want := strings.TrimSuffix(path.Base(d.path), ".yml"); r.lines["name"] > 0 && r.Name != want {
		d.defects = append(d.defects, Defect{d.path, r.lines["name"], "name: must be the file name, " + want, ""})
	}
}

func logsource(d *document, n *yaml.Node) {
	var product, category string
	d.mapping(n, "logsource", keys{"product": d.into(&product, "product"), "category": d.into(&category, "category")})
	if product != "browser" || category != "extension" {
		d.fail(n, "write {product: browser, category: extension}", "logsource: only browser extensions are judged")
	}
}

func (d *document) date(n *yaml.Node, what string) string {
	t := d.text(n, what)
	if _, err := time.Parse(time.DateOnly, t); t != "" && err != nil {
		d.fail(n, "write 2026-01-31", "%s: %q is no date", what, t)
	}
	return t
}

func (d *document) slug(n *yaml.Node, what string) string {
	t := d.text(n, what)
	if t != "" && (!slugForm().MatchString(t) || len(t) > maxName) {
		d.fail(n, "", "%s: expected words in lower case joined by \"-\", at most 64 characters", what)
	}
	return t
}

func (d *document) tags(n *yaml.Node) []string {
	tags := d.texts(n, "tags")
	for _, t := range tags {
		if !tagForm().MatchString(t) {
			d.fail(n, "write attack.t1176.001", "tags: %q is not namespace.name", t)
		}
	}
	return tags
}

func (d *document) response(n *yaml.Node) Response {
	var r Response
	d.mapping(n, "response", keys{"user": d.listInto(&r.User, "user"), "admin": d.listInto(&r.Admin, "admin")})
	return r
}
