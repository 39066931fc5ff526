package browsers

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const chromeDir = ".config/google-chrome/"

func TestChromiumProfiles(t *testing.T) {
	home := tempDir(t)
	files := map[string]string{
		// As Chromium 156.0.8078.79 writes it, shortened.
		"Local State": "\xef\xbb\xbf" + `{"browser":{"enabled_labs_experiments":[]},"profile":{"info_cache":{
			"Default":{"name":"Ada","user_name":"ada@mail.example","gaia_name":"Ada L","is_ephemeral":false},
			"Profile 1":{"name":"ada@work.example","user_name":"ada@work.example"},
			"Weird Näme":{"name":"Trading"},
			"Gone":{"name":"deleted"},
			"Fresh":{"name":"New"}},"last_used":"Profile 1","profiles_created":3}}`,
		"Default/Preferences":                "{}",
		"Profile 1/Secure Preferences":       "{}",
		"Weird Näme/Preferences":             "{}",
		"Fresh/":                             "",
		"user-abc__0a1b-2c/Preferences":      "{}",
		"Killed Early/Extensions/abcd/":      "",
		"System Profile/Preferences":         "{}",
		"Guest Profile/Preferences":          "{}",
		"Snapshots/150.0/Default/":           "",
		"Crashpad/reports/":                  "",
		"ShaderCache/data":                   "",
		"Crowd Deny/2021.1/Preload Data":     "",
		"First Run":                          "",
		"Preferences":                        "a file in the data folder is no profile",
		"component_crx_cache/abc":            "",
		"Safe Browsing/Preferences":          "any folder can be a profile: --profile-directory",
		"not a profile/preferences.txt/":     "",
		"Preferences in a file is no folder": "",
	}
	write(t, filepath.Join(home, chromeDir), files)
	link(t, "host-4711", filepath.Join(home, chromeDir, "SingletonLock")) // leads nowhere, as in life
	m := look(t, onLinux, home)
	wantNames(t, m,
		"chrome stable: Default (Ada)",
		"chrome stable: Fresh (New)",
		"chrome stable: Killed Early",
		"chrome stable: Profile 1", // its name was an e-mail address
		"chrome stable: Safe Browsing",
		"chrome stable: Weird Näme (Trading)",
		"chrome stable: user-abc__0a1b-2c",
	)
	wantProblems(t, m)

	write(t, filepath.Join(home, chromeDir), map[string]string{"Guest Profile/Extensions/abcd/": ""})
	if m := look(t, onLinux, home); len(m.Profiles) != 8 {
		t.Errorf("a guest profile that holds extensions is left out: %v", names(m))
	}
}

func TestOperaProfiles(t *testing.T) {
	home := tempDir(t)
	write(t, filepath.Join(home, ".config/opera"), map[string]string{
		"Preferences":         "{}", // as older versions keep it
		"Default/Preferences": "{}",
		"_side_profiles/3138_abc/Default/Preferences":   "{}",
		"_side_profiles/3139_def/Preferences":           "{}",
		"_side_profiles/empty/":                         "",
		"_side_profiles/3140_ghi/Default/Extensions/x/": "",
	})
	m := look(t, onLinux, home)
	wantNames(t, m,
		"opera stable: .",
		"opera stable: Default",
		"opera stable: _side_profiles/3138_abc/Default",
		"opera stable: _side_profiles/3139_def",
		"opera stable: _side_profiles/3140_ghi/Default",
	)
	p := m.Profiles[2]
	if want := filepath.Join(home, ".config", "opera", "_side_profiles", "3138_abc", "Default"); p.Dir != want {
		t.Errorf("Dir = %s, want %s", p.Dir, want)
	}
	if want := filepath.Join(home, ".config", "opera"); p.DataDir != want {
		t.Errorf("DataDir = %s, want %s", p.DataDir, want)
	}
}

// TestNewlineInName: names are whatever the file system allows.
func TestNewlineInName(t *testing.T) {
	if runtime.GOOS == onWindows {
		return // its file systems have no such names
	}
	home := tempDir(t)
	write(t, filepath.Join(home, chromeDir), map[string]string{
		"Local State":               `{"profile":{"info_cache":{"a\nb":{"name":"two\nlines"}}}}`,
		"a\nb/Preferences":          "{}",
		"\xff\xfe/Preferences":      "{}",
		"\u202egnp.exe/Preferences": "{}",
	})
	m := look(t, onLinux, home)
	wantNames(t, m, "chrome stable: a\nb (two\nlines)", "chrome stable: \u202egnp.exe", "chrome stable: \xff\xfe")
}

// TestBrokenLocalState: the folders still tell.
func TestBrokenLocalState(t *testing.T) {
	for _, c := range []struct{ name, content, problem string }{
		{"cut", `{"profile":{"info_cache":{"Default":{"name":"A`, "is not JSON"},
		{"empty", "", "is not JSON"},
		{"deep", strings.Repeat("[", 5_000_000), "nested deeper than 200"},
		{"deep in strings", `{"a":"` + strings.Repeat("[", 300) + `"}`, ""},
		{"array", `[]`, ""},
		{"odd types", `{"profile":{"info_cache":["Default"],"last_used":7}}`, ""},
		{"null", `{"profile":null}`, ""},
		{"name is a number", `{"profile":{"info_cache":{"Default":{"name":7}}}}`, ""},
		{"entry is a string", `{"profile":{"info_cache":{"Default":"x"}}}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			home := tempDir(t)
			write(t, filepath.Join(home, chromeDir), map[string]string{"Local State": c.content, "Default/Preferences": "{}"})
			m := look(t, onLinux, home)
			wantNames(t, m, "chrome stable: Default")
			if c.problem == "" {
				wantProblems(t, m)
			} else {
				wantProblems(t, m, c.problem)
			}
		})
	}
	t.Run("folder", func(t *testing.T) {
		home := tempDir(t)
		write(t, filepath.Join(home, chromeDir), map[string]string{"Local State/": "", "Default/Preferences": "{}"})
		m := look(t, onLinux, home)
		wantNames(t, m, "chrome stable: Default")
		wantProblems(t, m, "not a regular file")
	})
	t.Run("huge", func(t *testing.T) {
		home := tempDir(t)
		write(t, filepath.Join(home, chromeDir), map[string]string{"Local State": "", "Default/Preferences": "{}"})
		if err := os.Truncate(filepath.Join(home, chromeDir, "Local State"), 1<<40); err != nil {
			t.Fatal(err)
		}
		m := look(t, onLinux, home)
		wantNames(t, m, "chrome stable: Default")
		wantProblems(t, m, "larger than we read")
	})
}

func TestHostileInfoCache(t *testing.T) {
	home := tempDir(t)
	write(t, home, map[string]string{
		"secret/Preferences": "{}",
		chromeDir + "Local State": `{"profile":{"last_used":"../../secret","info_cache":{"../../secret":{"name":"up"},"..":{},".":{},"":{},
			"a/b":{},"a\\b":{},"C:\\x":{},"nul\u0000":{},"` + strings.Repeat("x", 300) + `":{},"Default":{"name":"ok"}}}}`,
		chromeDir + "Default/Preferences": "{}",
		chromeDir + "a/b/Preferences":     "{}",
	})
	m := look(t, onLinux, home)
	wantNames(t, m, "chrome stable: Default (ok)")
	wantProblems(t, m, `"../../secret"`, `".."`, `"."`, `""`, `"a/b"`, `"a\\b"`, `"C:\\x"`, `"nul\x00"`, `"xxxx`)
}

func TestTooManyProfiles(t *testing.T) {
	home := tempDir(t)
	files := map[string]string{"Local State": `{"profile":{"info_cache":{"zz":{"name":"real"}}}}`, "zz/Preferences": "{}"}
	for i := range maxProfiles + 10 {
		files[fmt.Sprintf("decoy%04d/Preferences", i)] = "{}"
	}
	write(t, filepath.Join(home, chromeDir), files)
	m := look(t, onLinux, home)
	if got := names(m); len(got) != maxProfiles || got[len(got)-1] != "chrome stable: zz (real)" {
		t.Errorf("%d profiles, the last %s", len(got), got[len(got)-1])
	}
	wantProblems(t, m, "has more than 512 profiles")
}

func TestPlainName(t *testing.T) {
	for in, want := range map[string]string{
		"Ada":                     "Ada",
		"ada@mail.example":        "",
		"":                        "",
		strings.Repeat("ä", 1000): strings.Repeat("ä", 65),
		"a\xffb":                  "a\uFFFDb",
	} {
		if d := cmp.Diff(want, plainName(in)); d != "" {
			t.Errorf("plainName(%.20q): %s", in, d)
		}
	}
}

func FuzzParseLocalState(f *testing.F) {
	f.Add([]byte(`{"profile":{"info_cache":{"Default":{"name":"Ada","user_name":"a@b.example"}},"last_used":"Default"}}`))
	f.Add([]byte("\xef\xbb\xbf{}"))
	f.Add([]byte(`{"profile":{"info_cache":{"../x":{},"\u0000":1}}}`))
	f.Add([]byte(`{"profile":[[[["` + "\\\""))
	f.Fuzz(func(t *testing.T, b []byte) {
		state, _ := parseLocalState(b)
		for name, display := range state.profiles {
			if !isFolderName(name) || !filepath.IsLocal(filepath.FromSlash(name)) || strings.ContainsAny(name, `/\`) {
				t.Errorf("accepted %q", name)
			}
			if strings.Contains(display, "@") || len(display) > maxDisplay+4 {
				t.Errorf("kept %q", display)
			}
		}
		if state.lastUsed != "" && !isFolderName(state.lastUsed) {
			t.Errorf("accepted %q", state.lastUsed)
		}
	})
}
