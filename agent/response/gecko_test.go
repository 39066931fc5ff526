package response

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
)

const (
	addon = "thief.v2@bad.example"
	uuid  = "{0f1e2d3c-0000-4000-8000-0123456789ab}"
	file  = "etc/firefox/policies/policies.json"
)

func mode(t *testing.T, root, id string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	if !gjson.ValidBytes(data) {
		t.Fatalf("not strict JSON: %s", data)
	}
	return modeOf(data, id)
}

func TestFirefox(t *testing.T) {
	odd := "{ \"policies\" :\n   {\"DisableTelemetry\":true,\n\"ExtensionSettings\": {\"*\": {\"installation_mode\": \"allowed\"}}  }}\n\n"
	tests := []struct {
		name  string
		files map[string]string
		keeps string // must be there still
	}{
		{"nothing there", nil, ""},
		{"an administrator's file", map[string]string{file: odd}, `"DisableTelemetry":true`},
		{"an empty file", map[string]string{file: "\n"}, ""},
		{"a file beside the program", map[string]string{"usr/lib/firefox-esr/distribution/policies.json": odd}, `"DisableTelemetry":true`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, root := machine(t, tt.files)
			before := tree(t, root)
			out := block(t, b, "firefox", addon)
			block(t, b, "firefox", uuid)
			if out.Effect != AtRestart || !strings.Contains(out.Note, "close it") {
				t.Errorf("%+v", out)
			}
			if mode(t, root, addon) != "blocked" || mode(t, root, uuid) != "blocked" {
				t.Errorf("not blocked: %v", tree(t, root)[file])
			}
			if !strings.Contains(tree(t, root)[file], tt.keeps) {
				t.Errorf("the administrator's setting is gone: %s", tree(t, root)[file])
			}
			unblock(t, b, "firefox", addon)
			if mode(t, root, addon) != "" || mode(t, root, uuid) != "blocked" {
				t.Errorf("after unblocking one: %s", tree(t, root)[file])
			}
			unblock(t, b, "firefox", uuid)
			if d := cmp.Diff(before, tree(t, root)); d != "" {
				t.Errorf("it is not as it was: %s", d)
			}
		})
	}
}

// Who changes the file after us keeps the change; only our entries go.
func TestFirefoxChangedSince(t *testing.T) {
	b, root := machine(t, map[string]string{file: `{"policies": {"DisablePocket": true}}`})
	block(t, b, "firefox", addon)
	name := filepath.Join(root, file)
	data, _ := os.ReadFile(name)
	changed := strings.Replace(string(data), `"DisablePocket": true`, `"DisablePocket": false`, 1)
	if err := os.WriteFile(name, []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	block(t, b, "firefox", uuid)
	if mode(t, root, addon) != "blocked" || mode(t, root, uuid) != "blocked" {
		t.Errorf("%s", tree(t, root)[file])
	}
	unblock(t, b, "firefox", addon)
	unblock(t, b, "firefox", uuid)
	got := gjson.Get(tree(t, root)[file], "policies")
	if got.Get("DisablePocket").Bool() || !got.Get("DisablePocket").Exists() || strings.Contains(got.Raw, addon) {
		t.Errorf("%s", got.Raw)
	}
}

func TestFirefoxRefused(t *testing.T) {
	for name, text := range map[string]string{
		"comment":   "{\"policies\": {}} // ours",
		"BOM":       "\ufeff{\"policies\": {}}",
		"list":      "[]",
		"overruled": `{"policies": {"ExtensionSettings": {"` + addon + `": {"installation_mode": "force_installed"}}}}`,
	} {
		b, root := machine(t, map[string]string{file: text})
		_, err := b.Block(t.Context(), Target{Browser: "firefox", ID: addon}, "root", "")
		if err == nil || (name == "overruled") != errors.Is(err, ErrOverruled) {
			t.Errorf("%s: %v", name, err)
		}
		if got := tree(t, root)[file]; got != text {
			t.Errorf("%s: the file was changed: %q", name, got)
		}
	}
}
