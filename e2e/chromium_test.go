//go:build linux

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

const chromiumBinary = "/usr/lib/chromium/chromium" // not Debian's wrapper, which adds flags of its own

// A chromium is one browser of one home.
type chromium struct {
	home string // the person's home folder
	cmd  *exec.Cmd
	log  bytes.Buffer
}

// dataDir is where Chromium keeps its profiles in a home.
func dataDir(home string) string { return filepath.Join(home, ".config", "chromium") }

// preferences is the file that holds the extensions' settings on Linux.
func preferences(home string) string { return filepath.Join(dataDir(home), "Default", "Preferences") }

// startChromium starts the browser headless on its usual folder of home and returns at once.
func startChromium(t *testing.T, home string, flags ...string) *chromium {
	t.Helper()
	b := &chromium{home: home}
	args := []string{
		"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-component-update", "--disable-sync",
		// Debian's build fetches nothing that policy asks for without it.
		"--enable-remote-extensions",
		"--user-data-dir=" + dataDir(home),
	}
	b.cmd = exec.Command(chromiumBinary, append(append(args, flags...), "about:blank")...)
	b.cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME=", "XDG_CACHE_HOME=")
	b.cmd.Stdout, b.cmd.Stderr = &b.log, &b.log
	// Children that outlive the browser keep the log's pipe open.
	b.cmd.WaitDelay = 5 * time.Second
	if err := b.cmd.Start(); err != nil {
		t.Fatalf("start Chromium (is the package chromium installed?): %v", err)
	}
	t.Cleanup(func() { b.stop(t) })
	return b
}

// stop ends the browser as a person would: it writes its preferences and exits.
func (b *chromium) stop(t *testing.T) {
	t.Helper()
	if b.cmd == nil {
		return
	}
	cmd := b.cmd
	b.cmd = nil
	cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan struct{})
	go func() { cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(15 * time.Second):
		cmd.Process.Kill()
		<-done
		t.Errorf("Chromium did not stop; its log:\n%s", b.log.String())
	}
}

// editPreferences changes the preferences of a browser that is not running.
func editPreferences(t *testing.T, home string, edit func(extensions map[string]any)) {
	t.Helper()
	name := preferences(home)
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var prefs map[string]any
	if err := json.Unmarshal(data, &prefs); err != nil {
		t.Fatal(err)
	}
	extensions, _ := prefs["extensions"].(map[string]any)
	if extensions == nil {
		extensions = map[string]any{}
		prefs["extensions"] = extensions
	}
	edit(extensions)
	data, err = json.Marshal(prefs)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// waitFor asks until ok or the time is over.
func waitFor(t *testing.T, what string, patience time.Duration, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited %v for %s", patience, what)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// writeFile writes a file and the folders above it.
func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
