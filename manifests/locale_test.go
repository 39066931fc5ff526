package manifests

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// localize runs Localize on a manifest with messages by folder.
func localize(t *testing.T, manifest, locale string, messages map[string]string) (*Manifest, []string) {
	t.Helper()
	m, err := Parse([]byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	names := Localize(m, locale, slices.Sorted(maps.Keys(messages)), func(name string) ([]byte, error) {
		folder := strings.TrimSuffix(strings.TrimPrefix(name, "_locales/"), "/messages.json")
		if text, ok := messages[folder]; ok && text != "missing" {
			return []byte(text), nil
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	})
	return m, names
}

// Rows marked "measured" were loaded in Chromium 156.0.8078.79, Linux, with UI locale en-US.
func TestLocalizeName(t *testing.T) {
	const foo = `{"name":"__MSG_Foo__","default_locale":"de"}`
	tests := []struct {
		name, manifest string
		messages       map[string]string
		want           string
		names          []string
		problem        string
	}{
		{
			name:     "without default_locale (measured)",
			manifest: `{"name":"__MSG_Foo__"}`,
			messages: map[string]string{"en": `{"foo":{"message":"x"}}`},
			want:     "__MSG_Foo__", names: []string{"__MSG_Foo__"},
		},
		{
			name:     "exact locale first (measured)",
			manifest: foo,
			messages: map[string]string{"en_US": `{"foo":{"message":"us"}}`, "en": `{"foo":{"message":"en"}}`, "de": `{"foo":{"message":"de"}}`},
			want:     "us", names: []string{"us", "de", "en"},
		},
		{
			name:     "then the language (measured)",
			manifest: foo,
			messages: map[string]string{"en": `{"foo":{"message":"en"}}`, "de": `{"foo":{"message":"de"}}`},
			want:     "en", names: []string{"en", "de"},
		},
		{
			name:     "each message falls back on its own (measured)",
			manifest: `{"name":"__MSG_a__ __MSG_b__","default_locale":"de"}`,
			messages: map[string]string{"en": `{"a":{"message":"en"}}`, "de": `{"a":{"message":"de"},"b":{"message":"zwei"}}`},
			want:     "en zwei", names: []string{"en zwei", "de zwei"},
		},
		{
			name:     "folder with a hyphen is not the UI locale's (measured), but its name counts",
			manifest: foo,
			messages: map[string]string{"en-US": `{"foo":{"message":"hyphen"}}`, "de": `{"foo":{"message":"de"}}`},
			want:     "de", names: []string{"de", "hyphen"},
		},
		{
			name:     "default_locale in another spelling",
			manifest: `{"name":"__MSG_foo__","default_locale":"DE-at"}`,
			messages: map[string]string{"de_AT": `{"foo":{"message":"servus"}}`},
			want:     "servus", names: []string{"servus"},
		},
		{
			name:     "case of names: last in byte order (measured)",
			manifest: foo,
			messages: map[string]string{"de": `{"foo":{"message":"lower"},"FOO":{"message":"upper"},"Foo":{"message":"mixed"}}`},
			want:     "lower", names: []string{"lower"},
		},
		{
			name:     "not replaced again; placeholders neither (measured)",
			manifest: `{"name":"__MSG_a__ __MSG_b__","default_locale":"de"}`,
			messages: map[string]string{"de": `{"a":{"message":"__MSG_b__ $X$ $$ $1","placeholders":{"x":{"content":"$y$"},"y":{"content":"Y"}}},"b":{"message":"B"}}`},
			want:     "__MSG_b__ $y$ $$ $1 B", names: []string{"__MSG_b__ $y$ $$ $1 B"},
		},
		{
			name:     "dollars (measured)",
			manifest: foo,
			messages: map[string]string{"de": `{"foo":{"message":"$$5 $a$$A$ $","placeholders":{"A":{"content":"$1"}}}}`},
			want:     "$$5 $1$1 $", names: []string{"$$5 $1$1 $"},
		},
		{
			name:     "unknown placeholder stays",
			manifest: foo,
			messages: map[string]string{"de": `{"foo":{"message":"p $nope$ q","placeholders":7}}`},
			want:     "p $nope$ q", names: []string{"p $nope$ q"},
		},
		{
			name:     "reserved messages and what is no message (measured)",
			manifest: `{"name":"n __MSG_@@ui_locale__ __MSG_@@bidi_dir__ __MSG_ bad__ __MSG____","default_locale":"de"}`,
			messages: map[string]string{"de": `{}`},
			want:     "n en_US ltr __MSG_ bad__ __MSG____", names: []string{"n en_US ltr __MSG_ bad__ __MSG____", "n de ltr __MSG_ bad__ __MSG____"},
		},
		{
			name:     "the ID is no message of a manifest (measured)",
			manifest: `{"name":"__MSG_@@extension_id__","default_locale":"de"}`,
			messages: map[string]string{"de": `{}`},
			want:     "__MSG_@@extension_id__", names: []string{"__MSG_@@extension_id__"},
			problem: `message "@@extension_id" is used but not in any messages.json for en_US`,
		},
		{
			name:     "right to left",
			manifest: `{"name":"__MSG_@@bidi_dir__ __MSG_@@bidi_reversed_dir__ __MSG_@@bidi_start_edge__ __MSG_@@bidi_end_edge__ ","default_locale":"he"}`,
			messages: map[string]string{"he": `{}`},
			want:     "ltr rtl left right", names: []string{"ltr rtl left right", "rtl ltr right left"},
		},
		{
			name:     "missing message",
			manifest: foo,
			messages: map[string]string{"de": `{"bar":{"message":"x"}}`},
			want:     "__MSG_Foo__", names: []string{"__MSG_Foo__"},
			problem: `message "foo" is used but not in any messages.json for en_US`,
		},
		{
			name:     "default_locale without folder",
			manifest: foo,
			messages: map[string]string{"en": `{"foo":{"message":"en"}}`},
			want:     "en", names: []string{"en"},
			problem: `default_locale is "de", which has no folder in _locales`,
		},
		{
			name:     "raw tab after byte order mark and comment",
			manifest: foo,
			messages: map[string]string{"de": "\uFEFF// x\n{\"foo\":{\"message\":\" a\\n b\tc \"}}"},
			want:     "__MSG_Foo__", names: []string{"__MSG_Foo__"},
			problem: "read messages: line 2, column 26: control character U+0009 inside a string",
		},
		{
			name:     "line breaks and white space (measured)",
			manifest: foo,
			messages: map[string]string{"de": "{\"foo\":{\"message\":\" a\\n b\\t c \"}}"},
			want:     "ab c", names: []string{"ab c"},
		},
		{
			name:     "file missing in one locale",
			manifest: foo,
			messages: map[string]string{"en_US": "missing", "de": `{"foo":{"message":"de"}}`},
			want:     "de", names: []string{"de"},
			problem: "read messages: open _locales/en_US/messages.json: file does not exist",
		},
		{
			name:     "message that is a string",
			manifest: foo,
			messages: map[string]string{"en": `{"foo":"x"}`, "de": `{"foo":{"message":"de"}}`},
			want:     "de", names: []string{"de"},
			problem: `message "foo" has no text`,
		},
		{
			name:     "messages that are a list",
			manifest: foo,
			messages: map[string]string{"en": `[]`, "de": `{"foo":{"message":"de"}}`},
			want:     "de", names: []string{"de"},
			problem: "the messages are a list, not an object",
		},
		{
			name:     "huge file",
			manifest: foo,
			messages: map[string]string{"en": strings.Repeat(" ", maxMessages+1), "de": `{"foo":{"message":"de"}}`},
			want:     "de", names: []string{"de"},
			problem: "the file has 4194305 bytes; at most 4194304 are read",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, names := localize(t, tt.manifest, "en_US", tt.messages)
			if m.Name != tt.want {
				t.Errorf("name %q, want %q", m.Name, tt.want)
			}
			if diff := cmp.Diff(tt.names, names); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
			var reasons []string
			for _, p := range m.Problems {
				reasons = append(reasons, p.Reason)
			}
			if tt.problem == "" && reasons != nil || tt.problem != "" && !slices.Contains(reasons, tt.problem) {
				t.Errorf("problems %q, want %q", reasons, tt.problem)
			}
		})
	}
}

func TestLocalizeParents(t *testing.T) {
	messages := map[string]string{
		"sr": `{"a":{"message":"sr"},"b":{"message":"sr"},"c":{"message":"sr"}}`, "sr_Cyrl": `{"a":{"message":"Cyrl"},"b":{"message":"Cyrl"}}`,
		"sr_Cyrl_RS": `{"a":{"message":"RS"}}`, "en": `{}`,
	}
	m, _ := localize(t, `{"name":"__MSG_a__ __MSG_b__ __MSG_c__","default_locale":"en"}`, "sr-Cyrl-RS", messages)
	if m.Name != "RS Cyrl sr" {
		t.Errorf("name %q", m.Name)
	}
}

func TestLocalizeFields(t *testing.T) {
	m, names := localize(t, `{"name":"plain","short_name":"__MSG_x__","description":"a __MSG_x__","version_name":"__MSG_x__","author":"__MSG_x__",
		"homepage_url":"https://__MSG_x__.example/","default_locale":"en","permissions":["__MSG_x__"],
		"chrome_settings_overrides":{"homepage":"https://__MSG_X__.test/","search_provider":{"search_url":"https://s.test/__MSG_x__"},"startup_pages":["https://__MSG_x__.test/"]}}`,
		"en_US", map[string]string{"en": `{"x":{"message":"y"}}`})
	got := []string{m.ShortName, m.Description, m.VersionName, m.Author, m.HomepageURL, m.Permissions[0]}
	for _, o := range m.Overrides {
		got = append(got, o.URL)
	}
	want := []string{"y", "a y", "y", "y", "https://y.example/", "__MSG_x__", "https://y.test/", "https://s.test/y", "https://y.test/"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"plain"}, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

// Messages cannot grow a name without end, nor locales the work.
func TestLocalizeBounds(t *testing.T) {
	message := strings.Repeat("$a$", 1000)
	m, _ := localize(t, `{"name":"`+strings.Repeat("__MSG_x__", 1000)+`","default_locale":"en"}`, "en",
		map[string]string{"en": `{"x":{"message":"` + message + `","placeholders":{"a":{"content":"` + strings.Repeat("é", 100_000) + `"}}}}`})
	if len(m.Name) > maxText || len(m.Problems) != 1 {
		t.Errorf("name has %d bytes, problems %v", len(m.Name), m.Problems)
	}
	long := strings.Repeat("long ", maxText)
	if m, _ = localize(t, `{"name":"__MSG_@@bidi_dir__","description":"`+long+`","default_locale":"en"}`, "en", nil); m.Description != long {
		t.Error("a description without messages was cut")
	}

	messages := map[string]string{"default": `{}`}
	for i := range 2 * maxLocales {
		messages[fmt.Sprintf("l%03d", i)] = fmt.Sprintf(`{"x":{"message":"name %d"}}`, i)
	}
	m, names := localize(t, `{"name":"__MSG_x__","default_locale":"l000"}`, "en", messages)
	if len(names) != maxLocales-1 || m.Name != "name 0" || len(m.Problems) != 1 {
		t.Errorf("%d names, %q, problems %v", len(names), m.Name, m.Problems)
	}
}

func FuzzLocalize(f *testing.F) {
	f.Add([]byte(`{"a":{"message":"$b$ $$","placeholders":{"B":{"content":"x"}}},"A":{"message":"y"}}`), "pre __MSG_a__ post")
	f.Add([]byte("\uFEFF//\n{}"), "__MSG_@@ui_locale__ __MSG___")
	f.Add([]byte(`{"a":[],"b":{"message":1}}`), "__MSG_a____MSG_b__")
	f.Fuzz(func(t *testing.T, messages []byte, name string) {
		m := &Manifest{Name: name, Description: name, DefaultLocale: "en"}
		names := Localize(m, "de_DE", []string{"de", "en", "fr"}, func(file string) ([]byte, error) {
			if file == "_locales/de/messages.json" {
				return nil, errors.New("unreadable")
			}
			return messages, nil
		})
		if len(names) > 4 || slices.Contains(names, "") || m.Name != "" && names[0] != m.Name {
			t.Fatalf("names %q of %q", names, m.Name)
		}
		if !strings.Contains(name, messageBegin) && len(name) <= maxText && m.Description != name {
			t.Fatalf("%q became %q", name, m.Description)
		}
	})
}
