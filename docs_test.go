package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// The commands of docs/publishing.md are run as they stand, one after the other, in an empty folder: from the ceremony to a
// stolen key. What differs from a reader's shell is the work of guessing a passphrase, which is made small.
func TestPublishingPage(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Log("the page's commands are a POSIX shell's")
		return
	}
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("docs", "publishing.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^```sh\n(.*?)^```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) < 10 {
		t.Fatalf("%d blocks of commands", len(blocks))
	}
	script := "set -eu\n"
	for _, b := range blocks {
		script += "\n" + b[1]
	}
	script = strings.Replace(script, "extwatch feed init feed", "extwatch feed init feed --scrypt 8", 1)
	dir, bin := t.TempDir(), t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The test binary is the program when it is called by that name: see TestMain.
	if err := os.Symlink(self, filepath.Join(bin, "extwatch")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-x", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "NO_COLOR=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"published: targets 2", "Example Ltd: ", "published: root "} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the commands never said %q:\n%s", want, out)
		}
	}
}
