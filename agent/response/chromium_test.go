package response

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	thief = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	other = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	admin = "cccccccccccccccccccccccccccccccc"
	dir   = "etc/chromium/policies/managed/"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// machine writes files below a root folder, and returns a Blocker for it.
func machine(t *testing.T, files map[string]string) (*Blocker, string) {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	state := filepath.Join(root, "var/lib/extwatch")
	return New(Config{OS: "linux", Root: root, Folder: state, Now: func() time.Time { return noon }}), root
}

// tree returns all files below root with their contents, and folders with a slash; without what is ours.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, p)
		rel = filepath.ToSlash(rel)
		switch {
		case strings.HasPrefix(rel, "var"):
		case d.IsDir():
			all[rel+"/"] = ""
		default:
			data, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			all[rel] = string(data)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func block(t *testing.T, b *Blocker, browser, id string) Outcome {
	t.Helper()
	out, err := b.Block(t.Context(), Target{Browser: browser, ID: id}, "root", "test")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func unblock(t *testing.T, b *Blocker, browser, id string) {
	t.Helper()
	if _, err := b.Unblock(t.Context(), Target{Browser: browser, ID: id}); err != nil {
		t.Fatal(err)
	}
}

func TestChromium(t *testing.T) {
	const blocksOurs = "{\n\t\"ExtensionInstallBlocklist\": [\n\t\t\"" + thief + "\"\n\t]\n}\n"
	tests := []struct {
		name  string
		files map[string]string
		file  string // ours
		want  string
	}{
		{"nothing there", nil, "zz-extwatch.json", blocksOurs},
		{"other policies", map[string]string{dir + "a.json": `{"HomepageLocation": "https://a.example"}`}, "zz-extwatch.json", blocksOurs},
		{"settings are used", map[string]string{dir + "a.json": `{"ExtensionSettings": {"*": {"installation_mode": "allowed"}}} // ours`}, "zz-extwatch.json", blocksOurs},
		{
			"the list is used", map[string]string{dir + "zzz.json": `{"ExtensionInstallBlocklist": ["` + admin + `"]}`}, "zz-extwatch.json",
			"{\n\t\"ExtensionSettings\": {\n\t\t\"" + thief + "\": {\n\t\t\t\"installation_mode\": \"blocked\"\n\t\t}\n\t}\n}\n",
		},
		{
			"both are used", map[string]string{dir + "a.json": `{"ExtensionInstallBlocklist": ["` + admin + `"], "ExtensionSettings": {}}`}, "zz-extwatch.json",
			"{\n\t\"ExtensionInstallBlocklist\": [\n\t\t\"" + thief + "\",\n\t\t\"" + admin + "\"\n\t]\n}\n",
		},
		{
			"both are used, in a file that sorts late", map[string]string{dir + "zzz": `{"ExtensionInstallBlocklist": [], "ExtensionSettings": {}}`}, "~extwatch.json", blocksOurs,
		},
		{"a broken file is none", map[string]string{dir + "a.json": `{"ExtensionInstallBlocklist": [`}, "zz-extwatch.json", blocksOurs},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, root := machine(t, tt.files)
			before := tree(t, root)
			out := block(t, b, "chromium", thief)
			file := filepath.Join(root, dir, tt.file)
			if out.Effect != Soon || out.Policy != file {
				t.Errorf("outcome %+v", out)
			}
			got, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, string(got)); d != "" {
				t.Error(d)
			}
			if fi, _ := os.Stat(file); fi.Mode().Perm() != 0o644 {
				t.Errorf("mode %v: a browser that runs as its user cannot read it", fi.Mode())
			}
			block(t, b, "chromium", thief) // again: nothing changes
			if again, _ := os.ReadFile(file); string(again) != tt.want {
				t.Errorf("blocking twice made\n%s", again)
			}
			unblock(t, b, "chromium", thief)
			if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("our file after the block: %v", err)
			}
			if _, err := os.Stat(filepath.Dir(file)); err != nil {
				t.Errorf("a browser that watches the folder loses it: %v", err)
			}
			if err := b.UndoAll(t.Context()); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(before, tree(t, root)); d != "" {
				t.Errorf("it is not as it was: %s", d)
			}
		})
	}
}

func TestChromiumOverruled(t *testing.T) {
	for _, entry := range []string{thief, other + "," + thief, " " + thief + " ," + other} {
		b, root := machine(t, map[string]string{dir + "a.json": `{"ExtensionSettings": {"` + entry + `": {"installation_mode": "force_installed"}}}`})
		before := tree(t, root)
		_, err := b.Block(t.Context(), Target{Browser: "chromium", ID: thief}, "root", "")
		if !errors.Is(err, ErrOverruled) || !strings.Contains(err.Error(), "a.json") {
			t.Errorf("%s: %v", entry, err)
		}
		if d := cmp.Diff(before, tree(t, root)); d != "" {
			t.Errorf("something was written: %s", d)
		}
		if list, err := b.Blocked(); err != nil || len(list) != 0 {
			t.Errorf("%v, %v", list, err)
		}
	}
}

// The administrator's list holds, and goes on to hold when it changes.
func TestRefresh(t *testing.T) {
	b, root := machine(t, map[string]string{dir + "a.json": `{"ExtensionInstallBlocklist": [], "ExtensionSettings": {}}`})
	block(t, b, "chromium", thief)
	if out, err := b.Refresh(t.Context()); err != nil || len(out) != 0 {
		t.Errorf("nothing changed, but %v, %v", out, err)
	}
	if err := os.WriteFile(filepath.Join(root, dir, "a.json"), []byte(`{"ExtensionInstallBlocklist": ["`+admin+`"], "ExtensionSettings": {}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := b.Refresh(t.Context()); err != nil || len(out) != 1 {
		t.Errorf("%v, %v", out, err)
	}
	got, err := os.ReadFile(filepath.Join(root, dir, ourName))
	if err != nil || !strings.Contains(string(got), admin) || !strings.Contains(string(got), thief) {
		t.Errorf("%s, %v", got, err)
	}
	if err := os.Remove(filepath.Join(root, dir, ourName)); err != nil { // somebody took it away
		t.Fatal(err)
	}
	if out, err := b.Refresh(t.Context()); err != nil || len(out) != 1 {
		t.Errorf("%v, %v", out, err)
	}
}

func TestSeveral(t *testing.T) {
	b, root := machine(t, nil)
	before := tree(t, root)
	block(t, b, "chromium", thief)
	block(t, b, "chrome", thief)
	block(t, b, "chromium", other)
	unblock(t, b, "chromium", thief)
	list, err := b.Blocked()
	if err != nil || len(list) != 2 || list[0].Browser != "chrome" || list[0].At != noon || list[0].By != "root" {
		t.Errorf("%+v, %v", list, err)
	}
	if got, _ := os.ReadFile(filepath.Join(root, dir, ourName)); strings.Contains(string(got), thief) || !strings.Contains(string(got), other) {
		t.Errorf("%s", got)
	}
	if err := b.UndoAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(before, tree(t, root)); d != "" {
		t.Error(d)
	}
	if entries, _ := os.ReadDir(b.cfg.Folder); len(entries) != 0 {
		t.Errorf("left: %v", entries)
	}
	if _, err := b.Unblock(t.Context(), Target{Browser: "chromium", ID: thief}); !errors.Is(err, ErrNotBlocked) {
		t.Error(err)
	}
}

func TestTouch(t *testing.T) {
	b, root := machine(t, nil)
	target := Target{Browser: "chromium", ID: thief}
	if err := b.Touch(target); err != nil {
		t.Errorf("nothing is blocked: %v", err)
	}
	block(t, b, "chromium", thief)
	if err := b.Touch(target); err != nil {
		t.Fatal(err)
	}
	if fi, err := os.Stat(filepath.Join(root, dir, ourName)); err != nil || !fi.ModTime().Equal(noon) {
		t.Errorf("%v, %v", fi, err)
	}
}

func TestByHand(t *testing.T) {
	b, root := machine(t, nil)
	for _, target := range []Target{{"chrome", "flatpak", thief}, {"chrome", "portable", thief}, {"arc", "", thief}, {"tor", "", "x@y.example"}} {
		out, err := b.Block(t.Context(), target, "root", "")
		if err != nil || out.Effect != ByHand || out.Note == "" {
			t.Errorf("%+v: %+v, %v", target, out, err)
		}
	}
	mac := New(Config{OS: "darwin", Folder: filepath.Join(root, "state")})
	if out, err := mac.Block(t.Context(), Target{Browser: "chrome", ID: thief}, "root", ""); err != nil || out.Effect != ByHand {
		t.Errorf("%+v, %v", out, err)
	}
	if got := tree(t, root); len(got) != 1 {
		t.Errorf("written: %v", got)
	}
}

func TestBadID(t *testing.T) {
	b, root := machine(t, nil)
	for _, id := range []string{"", "*", "abc", strings.Repeat("a", 33), "../../x@y", `a"b@c.example`, "a,b@c.example", "{x}", thief + "\n"} {
		if _, err := b.Block(t.Context(), Target{Browser: "chromium", ID: id}, "root", ""); !errors.Is(err, ErrID) {
			t.Errorf("%q: %v", id, err)
		}
	}
	if got := tree(t, root); len(got) != 1 {
		t.Errorf("written: %v", got)
	}
}
