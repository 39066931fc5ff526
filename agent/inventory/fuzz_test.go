package inventory

import (
	"hash/maphash"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/extwatch/extwatch/manifests"
)

func seed(f *testing.F, pattern string) {
	f.Helper()
	names, err := filepath.Glob(filepath.FromSlash(pattern))
	if err != nil || len(names) == 0 {
		f.Fatalf("no seeds in %s: %v", pattern, err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
}

func FuzzPreferences(f *testing.F) {
	seed(f, "testdata/profiles/*/Default/*Preferences")
	f.Add([]byte(`{"extensions":{"settings":{"` + id("a") + `":{"location":1,"path":"x","disable_reasons":[1e99,-1,"x"],"active_permissions":{"api":{}}}}}}`))
	hash := maphash.MakeSeed()
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parsePreferences(data, hash, nil)
		if err != nil {
			return
		}
		for id, e := range p.entries {
			if !manifests.ValidID(id) {
				t.Errorf("kept the entry %q", id)
			}
			if e.installed && e.manifest == nil && e.broken == "" && e.location == locInternal && e.granted == nil {
				continue
			}
			if !utf8.ValidString(e.path) {
				t.Errorf("path %q is not UTF-8", e.path)
			}
		}
		again, err := parsePreferences(data, hash, p)
		if err != nil || len(again.entries) != len(p.entries) {
			t.Errorf("parsed again with the first result at hand: %v", err)
		}
		for id, e := range again.entries {
			if e != p.entries[id] {
				t.Errorf("%s was not taken from the first result", id)
			}
		}
	})
}

func FuzzExtensionsJSON(f *testing.F) {
	seed(f, "testdata/profiles/*/Default/extensions.json")
	seed(f, "testdata/profiles/*/Default/extension-preferences.json")
	f.Add([]byte(`{"addons":[{"id":"x","installDate":1e300,"locales":7,"defaultLocale":[],"userPermissions":{"permissions":[1,{}]}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if g, err := parseExtensionsJSON(data); err == nil {
			for _, a := range g.addons {
				if a.id == "" || !g.known[a.id] || a.said == nil {
					t.Errorf("add-on %+v", a)
				}
				geckoOrigin(a)
			}
		}
		if grants, err := parseGrants(data); err == nil {
			for id, a := range grants {
				if len(a.APIs)+len(a.Hosts) == 0 {
					t.Errorf("empty grant of %q", id)
				}
			}
		}
	})
}

func FuzzPrefsJS(f *testing.F) {
	seed(f, "testdata/profiles/*/Default/prefs.js")
	f.Add([]byte("user_pref(\"extensions.webextensions.uuids\", \"{\\x22a\\x22:1,\\u0022b\\u0022:2}\");"))
	f.Add([]byte("user_pref(\"extensions.webextensions.uuids\", 7);\nuser_pref(\"extensions.webextensions.uuids\","))
	f.Fuzz(func(t *testing.T, data []byte) {
		ids, err := parsePrefsJS(data)
		if err != nil && ids != nil {
			t.Errorf("both %q and %v", ids, err)
		}
		for _, id := range ids {
			if id == "" {
				t.Error("an empty ID")
			}
		}
	})
}
