package manifests

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite testdata/*/want.json")

func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*/manifest.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		folder := filepath.Dir(file)
		t.Run(filepath.Base(folder), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			m, err := Parse(data)
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			encoder := json.NewEncoder(&got)
			encoder.SetEscapeHTML(false)
			encoder.SetIndent("", "  ")
			if err := encoder.Encode(m); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join(folder, "want.json")
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			// Git may have turned the line ends of the file.
			want = bytes.ReplaceAll(want, []byte("\r\n"), []byte("\n"))
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("(-want +got), run with -update if it is meant:\n%s", diff)
			}
		})
	}
}

func TestParseFails(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"empty", "", "line 1, column 1: the text ends where a value should stand"},
		{"list", "\n [1]", "line 2, column 2: the manifest is a list, not an object"},
		{"string", `"name"`, "line 1, column 1: the manifest is a string, not an object"},
		{"null", `null`, "line 1, column 1: the manifest is null, not an object"},
		{"boolean", `true`, "line 1, column 1: the manifest is true or false, not an object"},
		{"trailing comma", "{\n  \"name\": \"x\",\n}", "line 2, column 14: there is a comma after the last entry"},
		{"too large", strings.Repeat(" ", MaxSize) + "{}", "line 1, column 1: the manifest has 8388610 bytes; at most 8388608 are read"},
		{"deep", strings.Repeat(`{"a":`, 100_000), "line 1, column 996: objects and arrays are nested deeper than browsers allow (199)"},
	}
	for _, tt := range tests {
		_, err := Parse([]byte(tt.in))
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || err.Error() != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
}

func TestParseName(t *testing.T) {
	// Measured on Chromium 156.0.8078.79.
	for in, want := range map[string]string{
		"n": "n", "a\nb": "ab", "a\rb": "ab", "a\r\nb": "ab", `a\nb`: "ab", `a\tb  c`: "a b c", "  a  ": "a",
		"\u00a0a\u00a0": "a", `\ta\t`: "a", `en\n  two`: "entwo", `a \n b`: "ab", "a\u2028b": "a b", "a\x7fb": "a\x7fb",
		`a\x00b`: "a\x00b", "a\u200bb": "a\u200bb", `\x41`: "A", ` \n `: "", "": "",
	} {
		m, err := Parse([]byte(`{"name":"` + in + `"}`))
		if err != nil || m.Name != want {
			t.Errorf("%q: %q, %v, want %q", in, m.Name, err, want)
		}
	}
}

func TestParseAccess(t *testing.T) {
	type access struct{ APIs, Hosts, OptionalAPIs, OptionalHosts []string }
	tests := []struct {
		name, in string
		want     access
		problems []string
	}{
		{
			name: "V2 hosts among permissions",
			in:   `{"manifest_version":2,"permissions":["tabs","*://*.example.com/*","<all_urls>"],"optional_permissions":["cookies","https://*/"]}`,
			want: access{[]string{"tabs"}, []string{"*://*.example.com/*", "<all_urls>"}, []string{"cookies"}, []string{"https://*/"}},
		},
		{
			name: "V3",
			in:   `{"manifest_version":3,"permissions":["tabs"],"host_permissions":["*://*/*"],"optional_permissions":["cookies"],"optional_host_permissions":["http://a/*"]}`,
			want: access{[]string{"tabs"}, []string{"*://*/*"}, []string{"cookies"}, []string{"http://a/*"}},
		},
		{
			name:     "V3 with hosts among permissions",
			in:       `{"manifest_version":3,"permissions":["tabs","<all_urls>","http://a/*"]}`,
			want:     access{APIs: []string{"tabs"}},
			problems: []string{"permissions holds match patterns (<all_urls>, …), which have no effect in Manifest V3"},
		},
		{
			name:     "V2 with host_permissions",
			in:       `{"manifest_version":2,"host_permissions":["http://a/*"]}`,
			problems: []string{"host_permissions (http://a/*) has no effect before Manifest V3"},
		},
		{
			name: "without version both count",
			in:   `{"permissions":["http://a/*"],"host_permissions":["http://b/*"]}`,
			want: access{Hosts: []string{"http://a/*", "http://b/*"}},
		},
		{
			name: "keys are case-sensitive, the last one counts",
			in:   `{"permissions":[],"host_permissions":[],"Permissions":[],"permissions":["cookies"],"manifest_version":3,"host_permissions":["<all_urls>"],"Host_Permissions":[]}`,
			want: access{APIs: []string{"cookies"}, Hosts: []string{"<all_urls>"}},
			problems: []string{
				"permissions is given more than once; the last one counts", "host_permissions is given more than once; the last one counts",
			},
		},
		{
			name: "wrong types",
			in:   `{"manifest_version":3,"permissions":["tabs",7,{"fileSystem":["write"]},{"a":1,"b":2},{},["x"],null,true,"cookies"]}`,
			want: access{APIs: []string{"tabs", "fileSystem", "cookies"}},
			problems: []string{
				"permissions[1] is a number, not a string; left out",
				`permissions[2] is an object, not a string; read as "fileSystem"`,
				"permissions[3] is an object, not a string; left out",
				"permissions[4] is an object, not a string; left out",
				"permissions[5] is a list, not a string; left out",
				"permissions[6] is null, not a string; left out",
				"permissions[7] is true or false, not a string; left out",
			},
		},
		{
			name:     "pattern that is none",
			in:       `{"manifest_version":3,"host_permissions":["http://*foo/*","example.com"]}`,
			want:     access{Hosts: []string{"http://*foo/*", "example.com"}},
			problems: []string{`host_permissions: "http://*foo/*" is not a match pattern: in its host, * may only stand alone or first, before a dot`, `host_permissions: "example.com" is not a match pattern: it has no scheme`},
		},
		{
			name: "API names with a colon",
			in:   `{"manifest_version":2,"permissions":["internal:privateBrowsingAllowed","data:*","urn:x"]}`,
			want: access{APIs: []string{"internal:privateBrowsingAllowed"}, Hosts: []string{"data:*", "urn:x"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := Parse([]byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			got := access{m.Permissions, m.Hosts, m.OptionalPermissions, m.OptionalHosts}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			var reasons []string
			for _, p := range m.Problems {
				reasons = append(reasons, p.Reason)
			}
			if diff := cmp.Diff(tt.problems, reasons); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseKindAndVersion(t *testing.T) {
	tests := []struct {
		in      string
		kind    Kind
		version int
	}{
		{`{}`, KindExtension, 0},
		{`{"manifest_version":1}`, KindExtension, 1},
		{`{"manifest_version":2,"theme":{}}`, KindTheme, 2},
		{`{"manifest_version":3,"theme":5,"app":{}}`, KindTheme, 3},
		{`{"manifest_version":2,"app":{"background":{"scripts":["a.js"]}}}`, KindApp, 2},
		{`{"manifest_version":2,"langpack_id":"de"}`, KindOther, 2},
		{`{"manifest_version":2,"dictionaries":{"de":"de.dic"}}`, KindOther, 2},
		{`{"manifest_version":3,"langpack_id":"de","background":{"service_worker":"a.js"}}`, KindExtension, 3},
		{`{"manifest_version":"3"}`, KindExtension, 0},
		{`{"manifest_version":3.0}`, KindExtension, 0},
		{`{"manifest_version":4}`, KindExtension, 0},
		{`{"manifest_version":-1}`, KindExtension, 0},
		{`{"manifest_version":99999999999999999999}`, KindExtension, 0},
		{`{"manifest_version":null}`, KindExtension, 0},
	}
	for _, tt := range tests {
		m, err := Parse([]byte(tt.in))
		if err != nil || m.Kind != tt.kind || m.ManifestVersion != tt.version {
			t.Errorf("%s: %s, %d, %v", tt.in, m.Kind, m.ManifestVersion, err)
		}
		if odd := tt.version == 0 && tt.in != `{}`; odd != (len(m.Problems) > 0) && !strings.Contains(tt.in, "theme\":5") {
			t.Errorf("%s: problems %v", tt.in, m.Problems)
		}
	}
}

// full has every key that Parse knows, each with a right value.
const full = `{"manifest_version":3,"name":"n","short_name":"s","version":"1","version_name":"v","description":"d","author":"a",
"homepage_url":"h","update_url":"u","key":"k","default_locale":"en","developer":{"name":"dn","url":"du"},
"browser_specific_settings":{"gecko":{"id":"g","update_url":"gu"}},"applications":{"gecko":{"id":"ag"}},
"permissions":["p"],"host_permissions":["http://h/*"],"optional_permissions":["o"],"optional_host_permissions":["http://o/*"],
"content_scripts":[{"matches":["http://m/*"],"exclude_matches":["http://e/*"],"include_globs":["i"],"exclude_globs":["x"],"js":["j"],"css":["c"],"run_at":"document_end","world":"MAIN","all_frames":true,"match_about_blank":true,"match_origin_as_fallback":true}],
"background":{"page":"bp","scripts":["bs"],"service_worker":"sw","type":"module"},"background_page":"b1","app":{"background":{"scripts":["as"],"page":"ap"},"launch":{"local_path":"lp","web_url":"wu"}},
"action":{"default_popup":"1","popup":"2"},"browser_action":{"default_popup":"3"},"page_action":{"default_popup":"4"},
"options_page":"op","options_ui":{"page":"ou"},"devtools_page":"dp","side_panel":{"default_path":"sp"},"sidebar_action":{"default_panel":"sa"},
"chrome_url_overrides":{"newtab":"nt","history":"hi"},"sandbox":{"pages":["sb"],"content_security_policy":"sc"},
"web_accessible_resources":["w",{"resources":["r"],"matches":["http://w/*"],"extension_ids":["e"]}],
"externally_connectable":{"ids":["i"],"matches":["http://c/*"]},
"declarative_net_request":{"rule_resources":[{"id":"r","path":"rp","enabled":true}]},"commands":{"_execute_action":{},"go":{}},
"chrome_settings_overrides":{"homepage":"hp","search_provider":{"search_url":"su","suggest_url":"sg"},"startup_pages":["st"]},
"content_security_policy":{"extension_pages":"ep","sandbox":"sn"}}`

// Every value of the full manifest is replaced by every JSON type in turn. Whatever it is, the other fields stay, and
// where the type is not the right one a problem says so.
func TestParseWrongTypes(t *testing.T) {
	right, err := Parse([]byte(full))
	if err != nil || len(right.Problems) > 0 {
		t.Fatal(err, right.Problems)
	}
	var tree any
	if err := json.Unmarshal([]byte(full), &tree); err != nil {
		t.Fatal(err)
	}
	wrongs := []any{nil, true, 7.5, "text", []any{}, map[string]any{}, []any{7.0}, []any{nil}, []any{[]any{}}, []any{map[string]any{"x": 1.0}}, map[string]any{"x": 1.0}}
	count := 0
	mutate(tree, wrongs, func(path string, was, now any) {
		count++
		data, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Parse(data)
		if err != nil {
			t.Fatalf("%s is %v: %v", path, now, err)
		}
		if fmt.Sprintf("%T", was) != fmt.Sprintf("%T", now) && len(m.Problems) == 0 && !mayBe(path, now) {
			t.Errorf("%s is %v: no problem", path, now)
		}
		if path != ".name" && m.Name != "n" || len(m.Keys) != len(right.Keys) {
			t.Errorf("%s is %v: other fields are lost", path, now)
		}
		if !strings.HasPrefix(path, ".content_scripts") && len(m.ContentScripts) != 1 ||
			!strings.HasPrefix(path, ".permissions") && len(m.Permissions) != 1 {
			t.Errorf("%s is %v: other fields are lost", path, now)
		}
	})
	if count < 1000 {
		t.Errorf("only %d cases", count)
	}
}

// mayBe reports whether the key takes the type although the full manifest shows another.
func mayBe(path string, now any) bool {
	_, isString := now.(string)
	_, isObject := now.(map[string]any)
	switch path {
	case ".content_security_policy":
		return isString
	case ".author", ".web_accessible_resources[0]":
		return isObject
	case ".web_accessible_resources[1]":
		return isString
	}
	return false
}

// mutate puts each of wrongs at each place of tree, calls f, and restores it.
func mutate(tree any, wrongs []any, f func(path string, was, now any)) {
	var walk func(path string, node any, set func(any))
	walk = func(path string, node any, set func(any)) {
		if path != "" {
			for _, wrong := range wrongs {
				set(wrong)
				f(path, node, wrong)
			}
			set(node)
		}
		switch node := node.(type) {
		case map[string]any:
			for key, child := range node {
				walk(path+"."+key, child, func(v any) { node[key] = v })
			}
		case []any:
			for i, child := range node {
				walk(fmt.Sprintf("%s[%d]", path, i), child, func(v any) { node[i] = v })
			}
		}
	}
	walk("", tree, nil)
}

func TestParseBounds(t *testing.T) {
	m, err := Parse([]byte(`{"manifest_version":3,"permissions":[` + strings.Repeat(`"p",`, maxList) + `"last"],"commands":7,"icons":[` + strings.Repeat("7,", 1000) + `7]}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Permissions) != maxList || len(m.Problems) != 2 {
		t.Errorf("%d permissions, problems %v", len(m.Permissions), m.Problems)
	}
	var patterns []string
	for i := range 3 * maxProblems {
		patterns = append(patterns, fmt.Sprintf(`"http://*%d/*"`, i))
	}
	m, err = Parse([]byte(`{"manifest_version":3,"host_permissions":[` + strings.Join(patterns, ",") + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(m.Problems); n != maxProblems+1 || m.Problems[n-1].Reason != "200 more problems" || len(m.Hosts) != len(patterns) {
		t.Errorf("%d hosts, %d problems, last %v", len(m.Hosts), n, m.Problems[n-1])
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	files, err := filepath.Glob("testdata/*/manifest.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		var syntax *SyntaxError
		if err != nil {
			if !errors.As(err, &syntax) || syntax.Line < 1 || syntax.Column < 1 || syntax.Reason == "" {
				t.Fatalf("error %#v", err)
			}
			return
		}
		if len(m.Problems) > maxProblems+1 {
			t.Fatalf("%d problems", len(m.Problems))
		}
		Localize(m, "en", []string{"en"}, func(string) ([]byte, error) { return data, nil })
	})
}

// A hostile manifest of the largest size must not take long.
func BenchmarkParse(b *testing.B) {
	nested := strings.Repeat(`{"a":`, 190) + strings.Repeat(" ", 4<<20) + "1" + strings.Repeat("}", 190)
	for name, text := range map[string]string{
		"full":      full,
		"keys":      "{" + strings.Repeat(`"permissions":["cookies"],`, 200_000) + `"a":1}`,
		"nested":    `{"background":` + nested + `}`,
		"nested CS": `{"content_scripts":[{"js":` + nested + `}]}`,
		"patterns":  `{"host_permissions":["` + strings.Repeat(`http://*x/*","`, 500_000) + `"]}`,
		"problems":  `{"permissions":[` + strings.Repeat(`7,`, 3_000_000) + `7]}`,
		"stars":     `{"host_permissions":["http://x/` + strings.Repeat(`*a`, 30_000) + `"]}`,
		"unicode":   `{"host_permissions":["` + strings.Repeat(`http://`+strings.Repeat("ü", 500)+`/*","`, 7_000) + `"]}`,
	} {
		if len(text) > MaxSize {
			b.Fatal(name, len(text))
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse([]byte(text)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
