package signatures

import (
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/extwatch/extwatch/manifests"
)

// header is what the rules of the tests have in common.
const header = `title: A test
id: 11111111-1111-4111-8111-111111111111
name: test
status: stable
logsource: {product: browser, category: extension}
level: high
verdict: suspicious
`

func indent(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n  ") + "\n"
}

// catalogOnly is a ruleset without rules and indicators, loaded once for all tests.
var catalogOnly = sync.OnceValue(func() *Ruleset {
	rs, err := Load(fstest.MapFS{"indicators/none.txt": {}})
	if err != nil {
		panic(err)
	}
	return rs
})

// ruleset loads one rule with this detection, and more files.
func ruleset(t testing.TB, detection string, more ...string) *Ruleset {
	t.Helper()
	if len(more) == 0 {
		rs := *catalogOnly()
		if detection == "" {
			return &rs
		}
		d := &document{path: "test.yml", data: []byte(header + "detection:\n" + indent(detection))}
		if d.root = d.parse(d.data); d.root == nil {
			t.Fatal(d.defects)
		}
		if defects := rs.compile([]*document{d}); len(defects) > 0 {
			t.Fatal(defects)
		}
		return &rs
	}
	files := fstest.MapFS{"indicators/none.txt": {}}
	if detection != "" {
		files["test.yml"] = &fstest.MapFile{Data: []byte(header + "detection:\n" + indent(detection))}
	}
	for i := 0; i+1 < len(more); i += 2 {
		files[more[i]] = &fstest.MapFile{Data: []byte(more[i+1])}
	}
	rs, err := Load(files)
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

// loadError returns what Load says about one rule with this detection.
func loadError(t testing.TB, rule string) string {
	t.Helper()
	_, err := Load(fstest.MapFS{"campaigns/test.yml": {Data: []byte(rule)}, "indicators/none.txt": {}})
	if err == nil {
		return ""
	}
	return err.Error()
}

func extension(change func(*manifests.Extension, *manifests.Manifest)) *manifests.Extension {
	m := &manifests.Manifest{Kind: manifests.KindExtension, ManifestVersion: 3, Name: "Some extension", Version: "1.0"}
	e := &manifests.Extension{ID: caseID, Browser: "chrome", Origin: manifests.OriginStore, FromStore: true, Enabled: true, Manifest: m}
	if change != nil {
		change(e, m)
	}
	return e
}

// files are the files of an extension in memory.
type files struct {
	fs.FS
	problems []manifests.Problem
}

func (files) Close() error                    { return nil }
func (f files) Problems() []manifests.Problem { return f.problems }

func inMemory(texts ...string) files {
	m := fstest.MapFS{}
	for i := 0; i+1 < len(texts); i += 2 {
		m[texts[i]] = &fstest.MapFile{Data: []byte(texts[i+1]), Mode: 0o644}
	}
	return files{FS: m}
}

func read(t testing.TB, rs *Ruleset, texts ...string) *Contents {
	t.Helper()
	c, err := rs.Read(t.Context(), inMemory(texts...))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func names(r Result) string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, f.Rule)
	}
	return strings.Join(out, " ")
}
