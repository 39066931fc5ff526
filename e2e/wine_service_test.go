//go:build linux

package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The life of the service under Wine's service manager: installed, it answers through its named pipe, reads a profile and
// the policies of the registry, stops in time, and is gone when it was uninstalled. Access rights, session 0 and messages
// on the screen are not Windows' own in Wine.
func serviceUnderWine(t *testing.T, tmp, exe string, wine func(...string) (string, int)) {
	t.Helper()
	// When its last ordinary program ends, Wine ends the services as well.
	hold := exec.Command("wine", "cmd")
	hold.Env = append(os.Environ(), "HOME="+tmp, "WINEPREFIX="+filepath.Join(tmp, "wine"), "WINEDEBUG=-all", "DISPLAY=")
	keys, err := hold.StdinPipe()
	if err == nil {
		err = hold.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { keys.Close(); hold.Wait() }()

	c := filepath.Join(tmp, "wine", "drive_c")
	data, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(c, "Program Files", "ExtWatch", "extwatch.exe"), string(data))
	const program = `C:\Program Files\ExtWatch\extwatch.exe`
	wine("reg", "add", `HKLM\SOFTWARE\Policies\ExtWatch`, "/v", "OutputsEventLog", "/t", "REG_DWORD", "/d", "1", "/f")

	if out, code := wine(program, "service", "install"); code != 0 || !strings.Contains(out, "is installed as a service and runs") {
		t.Fatalf("service install: exit %d\n%s", code, out)
	}
	status := func() (s machineStatus) {
		out, _ := wine(program, "status", "--json")
		if err := json.Unmarshal([]byte(out), &s); err != nil {
			t.Fatalf("status: %v\n%s", err, out)
		}
		return s
	}
	waitFor(t, "the service to be ready", 30*time.Second, func() bool { return status().Ready })
	if out, _ := wine("sc", "query", "extwatch"); !strings.Contains(out, "RUNNING") {
		t.Errorf("Wine's service manager says:\n%s", out)
	}
	if out, _ := wine("reg", "query", `HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\extwatch`); !strings.Contains(out, "EventMessageFile") {
		t.Errorf("the policy that turns the event log on had no effect:\n%s", out)
	}

	p := newProduct(t)
	homes, err := filepath.Glob(filepath.Join(c, "users", "*", "AppData"))
	if err != nil || len(homes) == 0 {
		t.Fatalf("homes: %q, %v", homes, err)
	}
	profile := filepath.Join(homes[0], "Local", "Google", "Chrome", "User Data", "Default")
	folder := filepath.Join(profile, "Extensions", p.id, "1.0_0")
	writeFile(t, filepath.Join(profile, "..", "Local State"), "{}")
	writeFile(t, filepath.Join(profile, "Preferences"), "{}")
	writeFile(t, filepath.Join(folder, "bg.js"), plantedCode)
	writeFile(t, filepath.Join(folder, "manifest.json"), plantedManifest)
	begun := time.Now()
	waitFor(t, "the finding in the status", 30*time.Second, func() bool { s := status(); return s.Profiles == 1 && s.Malicious == 1 })
	t.Logf("planted to status: %v", time.Since(begun).Round(time.Millisecond))
	out, _ := wine(program, "status")
	t.Logf("status:\n%s", out)
	if out, code := wine(program, "history", p.id); code != 0 || !strings.Contains(out, "Rate Helper") {
		t.Errorf("history: exit %d\n%s", code, out)
	}
	if out, code := wine(program, "block", p.id, "--browser", "chrome"); code != 0 {
		t.Errorf("block: exit %d\n%s", code, out)
	} else if out, _ := wine("reg", "query", `HKLM\SOFTWARE\Policies\Google\Chrome`, "/s"); !strings.Contains(out, p.id) {
		t.Errorf("Chrome's policies after the block:\n%s", out)
	}
	if out, code := wine(program, "unblock", p.id); code != 0 {
		t.Errorf("unblock: exit %d\n%s", code, out)
	}
	if out, code := wine(program, "trust", p.id, "--reason", "a test"); code != 0 || status().Malicious != 0 {
		t.Errorf("trust: exit %d\n%s", code, out)
	}

	begun = time.Now()
	if out, code := wine(program, "service", "stop"); code != 0 {
		t.Errorf("stop: exit %d\n%s", code, out)
	}
	var stopped string
	waitFor(t, "the stop", time.Minute, func() bool {
		stopped, _ = wine("sc", "query", "extwatch")
		return strings.Contains(stopped, "STOPPED")
	})
	// Most of it is the start of two programs under Wine, on a busy machine more than service.StopWithin. A service that exceeds
	// its own limit says so with its exit code.
	t.Logf("stopped in %v:\n%s", time.Since(begun).Round(time.Millisecond), stopped)
	if !regexp.MustCompile(`SERVICE_EXIT_CODE\s*: 0 `).MatchString(stopped) {
		t.Error("it did not end by itself")
	}
	if out, code := wine(program, "service", "uninstall", "--purge"); code != 0 {
		t.Errorf("uninstall: exit %d\n%s", code, out)
	}
	if _, err := os.Stat(filepath.Join(c, "ProgramData", "ExtWatch", "state")); err == nil {
		t.Error("what it remembered is still there")
	}
	if out, code := wine("sc", "query", "extwatch"); code == 0 && strings.Contains(out, "SERVICE_NAME") {
		t.Errorf("the service is still there:\n%s", out)
	}
}
