package inventory

import (
	"context"
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/manifests"
)

var update = flag.Bool("update", false, "rewrite testdata/want")

// written is when the preferences in testdata count as written.
var written = time.Now().Add(-24 * time.Hour).Truncate(time.Second)

// plant copies testdata/profiles/<name> to a new home, which stands for {{HOME}} in its files, and makes all of it older
// than the preferences by an hour.
func plant(t testing.TB, name string) (home string) {
	t.Helper()
	home, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	src := filepath.Join("testdata", "profiles", name)
	if err := os.CopyFS(home, os.DirFS(src)); err != nil {
		t.Fatal(err)
	}
	quoted, err := json.Marshal(filepath.ToSlash(home))
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if replaced := strings.ReplaceAll(string(data), "{{HOME}}", strings.Trim(string(quoted), `"`)); replaced != string(data) {
			return os.WriteFile(path, []byte(replaced), 0o600)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	setTimes(t, home, written.Add(-time.Hour))
	for _, name := range []string{"Preferences", "Secure Preferences", "extensions.json"} {
		if path := filepath.Join(home, "Default", name); exists(path) {
			setTime(t, path, written)
		}
	}
	return home
}

func setTime(t testing.TB, path string, to time.Time) {
	t.Helper()
	if err := os.Chtimes(path, to, to); err != nil {
		t.Fatal(err)
	}
}

func setTimes(t testing.TB, dir string, to time.Time) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			err = os.Chtimes(path, to, to)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func profileIn(home string, family browsers.Family) browsers.Profile {
	return browsers.Profile{
		Browser: "chromium", Channel: "stable", Family: family, Name: "Default", Display: "Work",
		User: browsers.User{Name: "ada", Home: home, UID: -1}, DataDir: home, Dir: filepath.Join(home, "Default"),
	}
}

// A row is what the golden files show of an extension.
type row struct {
	ID           string              `json:"id"`
	IDFromPath   bool                `json:"id_from_path,omitempty"`
	Name         string              `json:"name"`
	Names        []string            `json:"names,omitempty"`
	Version      string              `json:"version,omitempty"`
	Kind         manifests.Kind      `json:"kind,omitempty"`
	Path         string              `json:"path,omitempty"`
	Origin       manifests.Origin    `json:"origin"`
	FromStore    bool                `json:"from_store,omitempty"`
	CommandLine  bool                `json:"command_line,omitempty"`
	Enabled      bool                `json:"enabled"`
	Pending      bool                `json:"pending,omitempty"`
	Disabled     []string            `json:"disabled,omitempty"`
	Installed    string              `json:"installed,omitempty"`
	Updated      string              `json:"updated,omitempty"`
	Permissions  []string            `json:"permissions,omitempty"`
	Hosts        []string            `json:"hosts,omitempty"`
	Granted      *manifests.Access   `json:"granted,omitempty"`
	Withheld     bool                `json:"withheld,omitempty"`
	DiskDiffers  []string            `json:"disk_differs,omitempty"`
	Unreadable   string              `json:"unreadable,omitempty"`
	Problems     []manifests.Problem `json:"problems,omitempty"`
	FilesMissing bool                `json:"files_missing,omitempty"` // Open is nil
}

func rowOf(e manifests.Extension) row {
	r := row{
		ID: e.ID, IDFromPath: e.IDFromPath, Name: e.Name(), Names: e.Names, Version: e.Version(), Path: e.Path, Origin: e.Origin,
		FromStore: e.FromStore, CommandLine: e.CommandLine, Enabled: e.Enabled, Pending: e.Pending, Disabled: e.Disabled,
		Granted: e.Granted, Withheld: e.Withheld, DiskDiffers: e.DiskDiffers, Unreadable: e.Unreadable, Problems: e.Problems,
		FilesMissing: e.Open == nil,
	}
	if e.Manifest != nil {
		r.Kind, r.Permissions, r.Hosts = e.Manifest.Kind, e.Manifest.Permissions, e.Manifest.Hosts
	}
	if !e.InstalledAt.IsZero() {
		r.Installed = e.InstalledAt.Format(time.RFC3339Nano)
	}
	if !e.UpdatedAt.IsZero() {
		r.Updated = e.UpdatedAt.Format(time.RFC3339Nano)
	}
	return r
}

func render(t testing.TB, home string, l Listing) string {
	t.Helper()
	out := struct {
		Extensions []row               `json:"extensions"`
		Problems   []manifests.Problem `json:"problems,omitempty"`
	}{Problems: l.Problems}
	for _, e := range l.Extensions {
		out.Extensions = append(out.Extensions, rowOf(e))
	}
	data, err := json.MarshalIndent(out, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(data), home, "{{HOME}}") + "\n"
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "want", name+".json")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; -update rewrites it):\n%s", path, diff)
	}
}

// TestProfiles reads profiles as browsers write them. "origins" and "firefox" are files that Chromium 156 and Firefox 153
// wrote, shortened, with entries added that these could not make here.
func TestProfiles(t *testing.T) {
	tests := []struct {
		name    string
		os      string
		family  browsers.Family
		prepare func(t *testing.T, home string, p *browsers.Profile)
	}{
		{name: "origins", os: "linux", family: browsers.Chromium, prepare: func(t *testing.T, home string, p *browsers.Profile) {
			p.LoadExtension = []string{filepath.Join(home, "dev", "cmdline")}
		}},
		{name: "disabled", os: "linux", family: browsers.Chromium},
		{name: "versions", os: "linux", family: browsers.Chromium, prepare: func(t *testing.T, home string, _ *browsers.Profile) {
			ext := filepath.Join(home, "Default", "Extensions")
			for _, arrived := range []string{"a/1.10_0", "f/1.0_1", "h/3.0_0", "j/1.0_0"} {
				id, version, _ := strings.Cut(arrived, "/")
				setTime(t, filepath.Join(ext, strings.Repeat(id, 32), version), written.Add(5*time.Second))
				setTime(t, filepath.Join(ext, strings.Repeat(id, 32)), written.Add(5*time.Second))
			}
		}},
		{name: "split", os: "windows", family: browsers.Chromium},
		{name: "garbage", os: "linux", family: browsers.Chromium},
		{name: "missing", os: "linux", family: browsers.Chromium},
		{name: "half", os: "darwin", family: browsers.Chromium},
		{name: "tampered", os: "linux", family: browsers.Chromium},
		{name: "duplicates", os: "linux", family: browsers.Chromium},
		{name: "bad", os: "linux", family: browsers.Chromium},
		{name: "firefox", os: "linux", family: browsers.Gecko},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			home := plant(t, tt.name)
			p := profileIn(home, tt.family)
			if tt.prepare != nil {
				tt.prepare(t, home, &p)
			}
			r := NewReader(Config{OS: tt.os})
			l, err := r.Read(context.Background(), p)
			if err != nil {
				t.Fatal(err)
			}
			got := render(t, home, l)
			golden(t, tt.name, got)
			for _, private := range []string{"someone@example.test", "private.example.test"} {
				if strings.Contains(got, private) {
					t.Errorf("the listing holds %q, which is no business of ours", private)
				}
			}
			again, err := r.Read(context.Background(), p)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, render(t, home, again)); diff != "" {
				t.Errorf("read again, the profile looks different (-first +second):\n%s", diff)
			}
		})
	}
}
