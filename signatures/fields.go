package signatures

import (
	"slices"
	"strconv"
	"strings"

	"github.com/extwatch/extwatch/manifests"
)

// A kind is the type of a field.
type kind string

const (
	kindText   kind = "a text"
	kindList   kind = "a list of texts"
	kindFlag   kind = "true or false"
	kindNumber kind = "a number"
	kindScript kind = "code"
)

// A field is something that a rule can ask for. docs/rule-format.md describes each; a test keeps the two together.
type field struct {
	name  string
	index int
	kind  kind
	words []string // the only values there are; nil: any
	group string   // of the things whose parts must hold together: flow, call, contact; "" for a field of the extension
	get   func(*subject) []fact
}

// A fact is one value of a field of one extension.
type fact struct {
	text     string
	folded   string // for comparing without case
	evidence Evidence
	path     []Evidence // of a flow: its steps, told instead of evidence
	row      *indicator // the indicator that the fact comes from
}

// evidences returns what a finding shows of the fact.
func (f *fact) evidences() []Evidence {
	if len(f.path) > 0 {
		return f.path
	}
	return []Evidence{f.evidence}
}

// maxFactText bounds the text that is compared: longer values are no permission, host or name, and every pattern
// would run over them.
const maxFactText = 16 << 10

// fold is how texts are compared without case.
func fold(s string) string { return strings.ToLower(s) }

// asciiLower folds as the search through the code does.
func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

func newFact(key, text string) fact {
	text = clip(text, maxFactText)
	return fact{text: text, folded: fold(text), evidence: Evidence{Key: key, Text: show(text)}}
}

// A schema is all fields.
type schema struct {
	byName map[string]*field
	count  int
}

func (s schema) names() []string { return sortedKeys(s.byName) }

func newSchema() schema {
	s := schema{byName: map[string]*field{}}
	for _, group := range [][]field{identityFields(), declaredFields(), derivedFields(), codeFields(), behaviorFields()} {
		for _, f := range group {
			f.index = s.count
			s.byName[f.name] = &f
			s.count++
		}
	}
	return s
}

func text(name string, get func(*subject) string) field {
	return field{name: name, kind: kindText, get: func(s *subject) []fact {
		if t := get(s); t != "" {
			return []fact{newFact(name, t)}
		}
		return nil
	}}
}

func list(name string, get func(*subject) []string) field {
	return field{name: name, kind: kindList, get: func(s *subject) []fact {
		texts := get(s)
		facts := make([]fact, 0, len(texts))
		for _, t := range texts {
			facts = append(facts, newFact(name, t))
		}
		return facts
	}}
}

func flag(name string, get func(*subject) bool) field {
	return field{name: name, kind: kindFlag, words: []string{"true", "false"}, get: func(s *subject) []fact {
		return []fact{newFact(name, strconv.FormatBool(get(s)))}
	}}
}

// only restricts a field to known values, so that a misspelt one is refused instead of never matching.
func (f field) only(words ...string) field {
	f.words = words
	return f
}

func identityFields() []field {
	return []field{
		text("id", func(s *subject) string { return s.ext.ID }),
		list("name", func(s *subject) []string { return s.names() }),
		list("name_skeleton", func(s *subject) []string { return s.skeletons() }),
		text("version", func(s *subject) string { return s.m.Version }),
		text("author", func(s *subject) string { return s.m.Author }),
		text("update_url", func(s *subject) string { return s.updateURL() }),
		text("homepage", func(s *subject) string { return s.m.HomepageURL }),
		text("origin", func(s *subject) string { return string(s.ext.Origin) }).only(
			string(manifests.OriginStore), string(manifests.OriginPolicy), string(manifests.OriginSideloaded),
			string(manifests.OriginUnpacked), string(manifests.OriginBuiltin), string(manifests.OriginUnknown)),
		flag("from_store", func(s *subject) bool { return s.ext.FromStore }),
		flag("enabled", func(s *subject) bool { return s.ext.Enabled }),
		flag("pending", func(s *subject) bool { return s.ext.Pending }),
		text("browser", func(s *subject) string { return s.ext.Browser }),
		text("channel", func(s *subject) string { return s.ext.Channel }),
		text("path", func(s *subject) string { return s.ext.Path }),
		flag("command_line", func(s *subject) bool { return s.ext.CommandLine }),
		text("kind", func(s *subject) string { return string(s.m.Kind) }).only(
			string(manifests.KindExtension), string(manifests.KindTheme), string(manifests.KindApp), string(manifests.KindOther)),
	}
}

func declaredFields() []field {
	number := text("manifest_version", func(s *subject) string {
		if s.m.ManifestVersion == 0 {
			return ""
		}
		return strconv.Itoa(s.m.ManifestVersion)
	})
	number.kind, number.words = kindNumber, []string{"1", "2", "3"}
	return []field{
		list("permissions", func(s *subject) []string { return s.m.Permissions }),
		list("optional_permissions", func(s *subject) []string { return s.m.OptionalPermissions }),
		list("host_permissions", func(s *subject) []string { return s.m.Hosts }),
		list("optional_host_permissions", func(s *subject) []string { return s.m.OptionalHosts }),
		list("content_script_hosts", func(s *subject) []string { return scriptHosts(s.m) }),
		list("content_script_world", func(s *subject) []string {
			return scriptValues(s.m, func(c *manifests.ContentScript) []string { return []string{c.World} })
		}).only("MAIN", "ISOLATED"),
		list("externally_connectable", func(s *subject) []string {
			if c := s.m.ExternallyConnectable; c != nil {
				return slices.Concat(c.IDs, c.Matches)
			}
			return nil
		}),
		list("web_accessible", func(s *subject) []string {
			var out []string
			for _, w := range s.m.WebAccessible {
				out = append(out, w.Resources...)
			}
			return unique(out)
		}),
		list("csp", func(s *subject) []string {
			var out []string
			for _, p := range s.m.ContentSecurityPolicy {
				out = append(out, p.Value)
			}
			return out
		}),
		list("overrides", func(s *subject) []string {
			var out []string
			for _, o := range s.m.Overrides {
				out = append(out, o.Setting+": "+o.URL)
			}
			return out
		}),
		number,
		text("default_locale", func(s *subject) string { return s.m.DefaultLocale }),
		list("granted_permissions", func(s *subject) []string { return s.granted().APIs }),
		list("granted_hosts", func(s *subject) []string { return s.granted().Hosts }),
		flag("withheld", func(s *subject) bool { return s.ext.Withheld }),
	}
}

func derivedFields() []field {
	return []field{
		{name: "reach", kind: kindList, get: (*subject).reachFacts},
		list("reach_mail", func(s *subject) []string { return s.access().mail() }),
		list("targets", func(s *subject) []string { return s.access().targets() }),
		list("targets_mail", func(s *subject) []string { return s.access().targetsMail() }),
		list("targets_api_keys", func(s *subject) []string { return s.access().targetsAPIKeys() }),
		list("official", func(s *subject) []string {
			if s.knownGood() {
				return []string{s.rs.catalog.official[strings.ToLower(s.ext.ID)].slug}
			}
			return nil
		}),
		{name: "imitates", kind: kindList, get: (*subject).imitatesFacts},
		{name: "indicator", kind: kindList, get: (*subject).indicatorFacts},
		list("gained", func(s *subject) []string { return s.gained() }),
		list("disk_differs", func(s *subject) []string { return s.ext.DiskDiffers }),
	}
}

// codeFields come from the files as they are.
func codeFields() []field {
	return []field{
		{name: "script", kind: kindScript, get: func(s *subject) []fact {
			if s.contents != nil && s.contents.scripts > 0 {
				return []fact{newFact("script", strconv.Itoa(s.contents.scripts)+" files")}
			}
			return nil
		}},
		{name: "file.path", kind: kindList, get: func(s *subject) []fact { return s.fileFacts("file.path") }},
		{name: "file.sha256", kind: kindList, get: func(s *subject) []fact { return s.fileFacts("file.sha256") }},
	}
}

// refuses says why a value can never match the field, or "".
func (f *field) refuses(c *compiler, raw, plain string, wild bool, op op) string {
	if len(f.words) > 0 && !wild && op == opEqual && !slices.Contains(f.words, plain) {
		return strconv.Quote(clip(plain, 40)) + " is not one of its values"
	}
	switch {
	case f.name == "reach" && op == opEqual:
		exchange, capability, ok := strings.Cut(raw, ":")
		switch {
		case !ok:
			return "expected exchange:capability"
		case !strings.ContainsAny(exchange, "*?") && !c.catalog.hasExchange(exchange):
			return "no exchange " + strconv.Quote(clip(exchange, 40)) + " in the catalog"
		case !strings.ContainsAny(capability, "*?") && !slices.Contains(c.catalog.capabilities, capability):
			return "no capability " + strconv.Quote(clip(capability, 40))
		}
	case (f.name == "targets" || f.name == "targets_api_keys") && op == opEqual && !wild && !c.catalog.hasExchange(plain):
		return "no exchange " + strconv.Quote(clip(plain, 40)) + " in the catalog"
	case f.name == "indicator" && (wild || op != opEqual || !slugForm().MatchString(plain)):
		return "expected the slug of a campaign"
	}
	return ""
}

// hint tells the values of a field.
func (f *field) hint(c *compiler) string {
	switch {
	case len(f.words) > 0:
		return "it has " + strings.Join(f.words, ", ")
	case f.name == "reach":
		return "write binance:session.read or *:api_keys.page; capabilities are " + strings.Join(c.catalog.capabilities, " ")
	case f.name == "targets", f.name == "targets_api_keys":
		return "known are: " + strings.Join(c.catalog.exchangeSlugs(), " ")
	}
	return ""
}
