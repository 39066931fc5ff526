package signatures

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing/fstest"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/analysis"
	"github.com/extwatch/extwatch/signatures/indicators"
	"go.yaml.in/yaml/v3"
)

// A ruleCase is one of the extensions that a rule brings along to prove itself.
type ruleCase struct {
	name       string
	line       int
	match      bool
	ext        *manifests.Extension
	previous   *manifests.Extension
	files      map[string]string
	previously *behavior.Report // likewise of the version before
	given      *behavior.Report // what the code is said to do, besides what its files do; nil: nothing
}

// A CaseResult says how a rule did on one of its own cases.
type CaseResult struct {
	Rule   string // name of the rule
	Case   string // its name, or "match 1"
	Line   int    // in the rule's file
	Match  bool   // whether the rule should match
	Passed bool
	Result Result // the whole judgement, for showing
}

// caseID stands for an extension that nobody knows.
const caseID = "abcdefghijklmnopabcdefghijklmnop"

// decodeCase reads one case: a few fields, or a manifest, or files, or all of them. What is not given is that of an
// ordinary extension from the Chrome Web Store.
func (c *compiler) decodeCase(d *document, n *yaml.Node, match bool) ruleCase {
	rc := ruleCase{line: n.Line, match: match}
	if c == nil {
		return rc
	}
	rc.ext = c.caseExtension(d, n, &rc)
	return rc
}

func (c *compiler) caseExtension(d *document, n *yaml.Node, rc *ruleCase) *manifests.Extension {
	m := &manifests.Manifest{Kind: manifests.KindExtension, ManifestVersion: 3, Name: "Some extension", Version: "1.0"}
	e := &manifests.Extension{ID: caseID, Browser: "chrome", Channel: "stable", Origin: manifests.OriginStore, FromStore: true, Enabled: true}
	// The manifest comes first: the other keys are laid over it.
	for _, key := range []string{"files", "manifest"} {
		if v := member(n, key); v != nil && v.Kind == yaml.MappingNode {
			if given := caseManifest(d, v, key); given != nil {
				m = given
			}
		}
	}
	e.Manifest = m
	known := keys{}
	for _, group := range []keys{caseIdentity(d, e, m), caseDeclared(d, m), caseGranted(d, e), c.caseOther(d, e, rc)} {
		for k, v := range group {
			known[k] = v
		}
	}
	for _, name := range []string{"reach", "reach_mail", "targets", "targets_mail", "targets_api_keys", "official", "imitates", "indicator", "gained", "name_skeleton"} {
		known[name] = func(n *yaml.Node) {
			d.fail(n, "give what it is made from: hosts, permissions, name and ID, previous", "%s: is worked out and cannot be set in a case", name)
		}
	}
	d.mapping(n, "case", known)
	if member(n, "browser") == nil && indicators.IsGecko(e.ID) {
		e.Browser = "firefox"
	}
	if member(n, "from_store") == nil {
		e.FromStore = e.Origin == manifests.OriginStore
	}
	if rc.files != nil {
		e.Names = append(e.Names, localize(m, rc.files)...)
	}
	return e
}

func member(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// caseManifest parses the manifest that a case brings along, as key "manifest" or among its files.
func caseManifest(d *document, n *yaml.Node, key string) *manifests.Manifest {
	var data []byte
	if key == "files" {
		if n = member(n, "manifest.json"); n == nil {
			return nil
		}
		data = []byte(n.Value)
	} else {
		var err error
		if data, err = json.Marshal(plainValue(n)); err != nil {
			d.fail(n, "", "manifest: %v", err)
			return nil
		}
	}
	m, err := manifests.Parse(data)
	if err != nil {
		d.fail(n, "", "manifest: %v", err)
		return nil
	}
	return m
}

// plainValue turns YAML into what encoding/json writes.
func plainValue(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			out[n.Content[i].Value] = plainValue(n.Content[i+1])
		}
		return out
	case yaml.SequenceNode:
		out := []any{}
		for _, c := range n.Content {
			out = append(out, plainValue(c))
		}
		return out
	}
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool":
		return n.Value == "true"
	case "!!int", "!!float":
		if json.Valid([]byte(n.Value)) {
			return json.Number(n.Value)
		}
	}
	return n.Value
}

func caseIdentity(d *document, e *manifests.Extension, m *manifests.Manifest) keys {
	flag := func(p *bool, what string) func(*yaml.Node) { return func(n *yaml.Node) { *p = d.flag(n, what) } }
	return keys{
		"id":           d.into(&e.ID, "id"),
		"id_from_path": flag(&e.IDFromPath, "id_from_path"),
		"name":         func(n *yaml.Node) { m.Name = n.Value },
		"names":        func(n *yaml.Node) { e.Names = append(e.Names, d.texts(n, "names")...) },
		"version":      d.into(&m.Version, "version"),
		"author":       d.into(&m.Author, "author"),
		"update_url":   d.into(&m.UpdateURL, "update_url"),
		"homepage":     d.into(&m.HomepageURL, "homepage"),
		"origin": func(n *yaml.Node) {
			e.Origin = manifests.Origin(d.oneOf(n, "origin", "store", "policy", "sideloaded", "unpacked", "builtin", "unknown"))
		},
		"from_store":   flag(&e.FromStore, "from_store"),
		"signed":       flag(&e.Signed, "signed"),
		"enabled":      flag(&e.Enabled, "enabled"),
		"pending":      flag(&e.Pending, "pending"),
		"browser":      d.into(&e.Browser, "browser"),
		"channel":      d.into(&e.Channel, "channel"),
		"path":         d.into(&e.Path, "path"),
		"command_line": flag(&e.CommandLine, "command_line"),
		"kind":         func(n *yaml.Node) { m.Kind = manifests.Kind(d.oneOf(n, "kind", "extension", "theme", "app", "other")) },
		"disk_differs": d.listInto(&e.DiskDiffers, "disk_differs"),
		"withheld":     flag(&e.Withheld, "withheld"),
	}
}

func caseDeclared(d *document, m *manifests.Manifest) keys {
	// Manifest V2 writes hosts among the permissions; a case may do so as well.
	split := func(apis, hosts *[]string, what string) func(*yaml.Node) {
		return func(n *yaml.Node) {
			*apis = nil
			for _, t := range d.texts(n, what) {
				if t == "<all_urls>" || strings.Contains(t, "://") {
					*hosts = append(*hosts, t)
				} else {
					*apis = append(*apis, t)
				}
			}
		}
	}
	script := func() *manifests.ContentScript {
		if len(m.ContentScripts) == 0 {
			m.ContentScripts = []manifests.ContentScript{{JS: []string{"content.js"}}}
		}
		return &m.ContentScripts[0]
	}
	return keys{
		"permissions":          split(&m.Permissions, &m.Hosts, "permissions"),
		"optional_permissions": split(&m.OptionalPermissions, &m.OptionalHosts, "optional_permissions"),
		"host_permissions":     func(n *yaml.Node) { m.Hosts = append(m.Hosts, d.texts(n, "host_permissions")...) },
		"optional_host_permissions": func(n *yaml.Node) {
			m.OptionalHosts = append(m.OptionalHosts, d.texts(n, "optional_host_permissions")...)
		},
		"content_script_hosts": func(n *yaml.Node) { script().Matches = d.texts(n, "content_script_hosts") },
		"content_script_world": func(n *yaml.Node) { script().World = d.oneOf(n, "content_script_world", "MAIN", "ISOLATED") },
		"externally_connectable": func(n *yaml.Node) {
			m.ExternallyConnectable = &manifests.ExternallyConnectable{Matches: d.texts(n, "externally_connectable")}
		},
		"web_accessible": func(n *yaml.Node) {
			m.WebAccessible = []manifests.WebAccessible{{Resources: d.texts(n, "web_accessible")}}
		},
		"csp": func(n *yaml.Node) {
			m.ContentSecurityPolicy = []manifests.Policy{{For: "extension_pages", Value: d.text(n, "csp")}}
		},
		"overrides": func(n *yaml.Node) {
			for _, t := range d.texts(n, "overrides") {
				setting, url, _ := strings.Cut(t, ": ")
				m.Overrides = append(m.Overrides, manifests.Override{Setting: setting, URL: url})
			}
		},
		"manifest_version": func(n *yaml.Node) {
			m.ManifestVersion = slices.Index([]string{"", "1", "2", "3"}, d.oneOf(n, "manifest_version", "1", "2", "3"))
		},
		"default_locale": d.into(&m.DefaultLocale, "default_locale"),
	}
}

func caseGranted(d *document, e *manifests.Extension) keys {
	grant := func() *manifests.Access {
		if e.Granted == nil {
			e.Granted = &manifests.Access{}
		}
		return e.Granted
	}
	return keys{
		"granted_permissions": func(n *yaml.Node) { grant().APIs = d.texts(n, "granted_permissions") },
		"granted_hosts":       func(n *yaml.Node) { grant().Hosts = d.texts(n, "granted_hosts") },
	}
}

func (c *compiler) caseOther(d *document, e *manifests.Extension, rc *ruleCase) keys {
	file := func(name, text string) {
		if rc.files == nil {
			rc.files = map[string]string{}
		}
		rc.files[name] = text
	}
	known := keys{
		"case":     d.into(&rc.name, "case"),
		"manifest": func(n *yaml.Node) {}, // read before the other keys
		"script":   func(n *yaml.Node) { file("script.js", n.Value) },
		"files": func(n *yaml.Node) {
			if n.Kind != yaml.MappingNode {
				d.fail(n, "write \"background.js: |\" and the code below it", "files: expected file names with text")
				return
			}
			for i := 0; i+1 < len(n.Content); i += 2 {
				name := n.Content[i].Value
				if !fs.ValidPath(name) || name == "." {
					d.fail(n.Content[i], "write path/name.js", "files: %q is no path inside an extension", clip(name, 80))
					continue
				}
				file(name, n.Content[i+1].Value)
			}
		},
		"previous": func(n *yaml.Node) {
			if rc.previous != nil {
				d.fail(n, "", "previous: stands inside previous")
				return
			}
			rc.previous = &manifests.Extension{} // so that it cannot nest
			var inner ruleCase
			inner.previous = rc.previous
			rc.previous = c.caseExtension(d, n, &inner)
			rc.previously = inner.given
			if member(n, "id") == nil {
				rc.previous.ID = e.ID
			}
		},
	}
	for name, read := range d.behaviorKeys(rc) {
		known[name] = read
	}
	return known
}

// localize resolves __MSG_…__ from the files of a case, and returns the names of all locales.
func localize(m *manifests.Manifest, files map[string]string) []string {
	var locales []string
	for _, name := range sortedKeys(files) {
		if parts := strings.Split(name, "/"); len(parts) == 3 && parts[0] == "_locales" && parts[2] == "messages.json" {
			locales = append(locales, parts[1])
		}
	}
	if len(locales) == 0 {
		return nil
	}
	return manifests.Localize(m, "en_US", locales, func(name string) ([]byte, error) {
		text, ok := files[path.Clean(name)]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return []byte(text), nil
	})
}

// caseFiles holds the files of a case in memory.
type caseFiles struct{ fstest.MapFS }

func (caseFiles) Close() error                  { return nil }
func (caseFiles) Problems() []manifests.Problem { return nil }

// run judges the extension of a case.
func (rc *ruleCase) run(ctx context.Context, rs *Ruleset) (Result, error) {
	in := Input{Extension: rc.ext, Previous: rc.previous, undecided: true} // a decision about the ID of an example says nothing of the rule
	report := behavior.Report{Complete: true}
	contents := &Contents{ruleset: rs, Complete: true}
	if rc.files != nil {
		files := fstest.MapFS{}
		for name, text := range rc.files {
			files[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o444}
		}
		var err error
		if contents, err = rs.Read(ctx, caseFiles{files}); err != nil {
			return Result{}, err
		}
		report = analysis.Analyze(ctx, analysis.Input{Manifest: rc.ext.Manifest, Files: files})
	}
	in.Contents, in.Behavior = contents, withGiven(report, rc.given)
	if rc.previous != nil {
		in.PreviousBehavior = withGiven(behavior.Report{Complete: true}, rc.previously)
	}
	return rs.Judge(in), nil
}

// RunCases runs the cases of the rule with this name, or of all rules when it is empty. The error is that of ctx, or
// says that there is no such rule.
func (rs *Ruleset) RunCases(ctx context.Context, name string) ([]CaseResult, error) {
	var out []CaseResult
	found := name == ""
	for i := range rs.rules {
		r := &rs.rules[i]
		if name != "" && r.Name != name {
			continue
		}
		found = true
		count := map[bool]int{}
		for j := range r.cases {
			rc := &r.cases[j]
			count[rc.match]++
			res, err := rc.run(ctx, rs)
			if err != nil {
				return out, err
			}
			hit := slices.ContainsFunc(res.Findings, func(f Finding) bool { return f.Rule == r.Name })
			label := rc.name
			if label == "" {
				label = fmt.Sprintf("%s %d", map[bool]string{true: "match", false: "no_match"}[rc.match], count[rc.match])
			}
			out = append(out, CaseResult{Rule: r.Name, Case: label, Line: rc.line, Match: rc.match, Passed: hit == rc.match, Result: res})
		}
	}
	if !found {
		return nil, fmt.Errorf("no rule %q; hint: `extwatch rules list` shows all", name)
	}
	return out, nil
}
