package main

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"howett.net/plist"

	"github.com/extwatch/extwatch/agent/cli"
	"github.com/extwatch/extwatch/agent/settings"
)

// tree reads all files below a folder.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		all[filepath.ToSlash(name)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestFiles(t *testing.T) {
	when := time.Unix(1_700_000_000, 0).UTC()
	dir, again := t.TempDir(), t.TempDir()
	for _, d := range []string{dir, again} {
		if err := files(d, when); err != nil {
			t.Fatal(err)
		}
	}
	all := tree(t, dir)
	if !maps.Equal(all, tree(t, again)) {
		t.Error("two calls give different files")
	}
	for _, cmd := range cli.Command().Commands() {
		if page := "man/extwatch-" + cmd.Name() + ".1"; cmd.IsAvailableCommand() && !strings.Contains(all[page], cmd.Short) {
			t.Errorf("%s does not say what the command does", page)
		}
	}
	for name, want := range map[string]string{
		"man/extwatch.1":            "Nov 2023",
		"completions/extwatch.bash": "complete -o default",
		"completions/_extwatch":     "#compdef extwatch",
		"completions/extwatch.fish": "complete -c extwatch",
		"completions/extwatch.ps1":  "Register-ArgumentCompleter",
		"extwatch.service":          "ExecStart=/usr/bin/extwatch",
		"extwatch.openrc":           "/usr/bin/extwatch",
		"extwatch.plist":            "/usr/local/bin/extwatch",
		"config.yml":                "# Settings of ExtWatch",
		"admx/ExtWatch.admx":        "OutputsWebhookUrl",
		"admx/en-US/ExtWatch.adml":  "OutputsWebhookUrl",
		"extwatch.mobileconfig":     "com.extwatch.agent",
	} {
		if !strings.Contains(all[name], want) {
			t.Errorf("%s has no %q", name, want)
		}
		if strings.Contains(all[name], "{{") {
			t.Errorf("%s: a field of its template was not filled in", name)
		}
	}
	if _, err := settings.Load(settings.Places{File: filepath.Join(dir, "config.yml"), Named: true, Managed: func() []settings.Managed { return nil }}); err != nil {
		t.Errorf("config.yml: %v", err)
	}
	var daemon struct {
		Label            string
		Program          string
		ProgramArguments []string
		KeepAlive        any
	}
	if _, err := plist.Unmarshal([]byte(all["extwatch.plist"]), &daemon); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(daemon.ProgramArguments, " "); daemon.Label != "extwatch" || got != "/usr/local/bin/extwatch run --service" {
		t.Errorf("the daemon %s is started by %q", daemon.Label, got)
	}
}

func TestSourceDate(t *testing.T) {
	if when, err := sourceDate("1700000000"); err != nil || when.Format(time.RFC3339) != "2023-11-14T22:13:20Z" {
		t.Errorf("%v, %v", when, err)
	}
	for _, wrong := range []string{"", "yesterday"} {
		if _, err := sourceDate(wrong); err == nil {
			t.Errorf("%q is no error", wrong)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	for _, args := range [][]string{nil, {"sbom"}, {"files", "a", "b"}, {"universal", "a", "b"}, {"nonsense", "a"}, {"sbom", "-nonsense"}} {
		if err := run(args, os.Stdout); err == nil {
			t.Errorf("%q is no error", args)
		}
	}
}
