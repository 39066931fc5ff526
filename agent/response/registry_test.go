package response

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A memory is a registry for tests on every system.
type memory map[string]map[string]string

func (m memory) values(key string) (map[string]string, error) { return maps.Clone(m[key]), nil }
func (m memory) refresh() error                               { return nil }
func (m memory) set(key, name, value string) error {
	if m[key] == nil {
		m[key] = map[string]string{}
	}
	m[key][name] = value
	return nil
}

func (m memory) remove(key, name string) error {
	delete(m[key], name)
	if len(m[key]) == 0 {
		delete(m, key)
	}
	return nil
}

func (m memory) clone() memory {
	c := memory{}
	for k, v := range m {
		c[k] = maps.Clone(v)
	}
	return c
}

const (
	chromeKey  = `SOFTWARE\Policies\Google\Chrome`
	firefoxKey = `SOFTWARE\Policies\Mozilla\Firefox`
)

func onWindows(t *testing.T, m memory) *Blocker {
	return New(Config{OS: "windows", Folder: t.TempDir(), registry: m})
}

func TestWindowsChromium(t *testing.T) {
	tests := []struct {
		name  string
		admin memory
		want  map[string]string
	}{
		{"nothing there", memory{}, map[string]string{"1": thief}},
		{"a list", memory{chromeKey + `\` + blocklist: {"1": admin, "2": other}}, map[string]string{"1": admin, "2": other, "3": thief}},
		{"in the list already", memory{chromeKey + `\` + blocklist: {"1": thief}}, map[string]string{"1": thief}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := tt.admin.clone()
			b := onWindows(t, m)
			block(t, b, "chrome", thief)
			if d := cmp.Diff(tt.want, m[chromeKey+`\`+blocklist]); d != "" {
				t.Error(d)
			}
			block(t, b, "chrome", thief)
			unblock(t, b, "chrome", thief)
			if d := cmp.Diff(tt.admin, m); d != "" {
				t.Errorf("it is not as it was: %s", d)
			}
		})
	}
}

// Ours is taken from the middle without a gap: the browser stops at the first number that is missing.
func TestWindowsOrder(t *testing.T) {
	m := memory{}
	b := onWindows(t, m)
	block(t, b, "chrome", thief)
	block(t, b, "chrome", other)
	if err := m.set(chromeKey+`\`+blocklist, "3", admin); err != nil {
		t.Fatal(err)
	}
	unblock(t, b, "chrome", thief)
	if d := cmp.Diff(map[string]string{"1": other, "2": admin}, m[chromeKey+`\`+blocklist]); d != "" {
		t.Error(d)
	}
}

func TestWindowsOverruled(t *testing.T) {
	for name, m := range map[string]memory{
		"text": {chromeKey: {settings: `{"` + thief + `": {"installation_mode": "force_installed"}}`}},
		"key":  {chromeKey + `\` + settings + `\` + thief: {"installation_mode": "allowed"}},
	} {
		before := m.clone()
		if _, err := onWindows(t, m).Block(t.Context(), Target{Browser: "chrome", ID: thief}, "a", ""); !errors.Is(err, ErrOverruled) {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(before, m); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestWindowsFirefox(t *testing.T) {
	m := memory{firefoxKey + `\` + settings + `\` + uuid: {"installation_mode": "blocked"}}
	before := m.clone()
	b := onWindows(t, m)
	out := block(t, b, "firefox", addon)
	block(t, b, "firefox", uuid)
	if out.Effect != AtRestart || m[firefoxKey+`\`+settings+`\`+addon]["installation_mode"] != "blocked" {
		t.Errorf("%+v, %v", out, m)
	}
	unblock(t, b, "firefox", addon)
	unblock(t, b, "firefox", uuid) // the administrator's own stays
	if d := cmp.Diff(before, m); d != "" {
		t.Error(d)
	}
	text := memory{firefoxKey: {settings: "{}"}}
	if _, err := onWindows(t, text).Block(t.Context(), Target{Browser: "firefox", ID: addon}, "a", ""); !errors.Is(err, ErrOverruled) || !strings.Contains(err.Error(), settings) {
		t.Error(err)
	}
}
