//go:build linux && packages

package e2e

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	installedProgram = `C:\Program Files\ExtWatch\extwatch.exe`
	settingsKey      = `HKLM\SOFTWARE\ExtWatch\Settings`
)

// An office is a fresh Windows with one person's Chrome profile, in which a thief is.
type office struct {
	wine   func(...string) (string, int)
	c      string // its drive C:
	before []string
}

// The life of the MSI: silently installed with properties, it watches and blocks; an upgrade keeps properties, settings and
// what it remembers; the removal leaves files and registry as they were. Wine is not Windows: it shows no access rights, and its
// installer does not wait for services to stop.
func TestPackageMSI(t *testing.T) {
	msi := distFile(t, "extwatch-*-windows-amd64.msi")
	o := newOffice(t)
	o.copyIn(t, msi, "extwatch.msi")
	o.copyIn(t, newerMSI(t, msi), "newer.msi")
	p := o.plantThief(t)
	o.before = o.state(t)

	begun := time.Now()
	o.msiexec(t, 0, "/i", `C:\extwatch.msi`, "FEED_MIRRORS=https://feed.example/", `FEED_ROOT=C:\root.json`, "BLOCK_AUTOMATIC=true")
	t.Logf("installed in %v", time.Since(begun).Round(time.Millisecond))
	o.works(t, "after the installation", p)
	if out, _ := o.wine("reg", "query", `HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\extwatch`); !strings.Contains(out, "REG_EXPAND_SZ    %SystemRoot%") {
		t.Errorf("the source of the Event Log:\n%s", out)
	}

	begun = time.Now()
	o.msiexec(t, 0, "/i", `C:\newer.msi`)
	t.Logf("upgraded in %v", time.Since(begun).Round(time.Millisecond))
	o.works(t, "after the upgrade", p)
	if out, _ := o.wine("reg", "query", `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall`, "/s"); strings.Count(out, "REG_SZ    ExtWatch\r") != 1 {
		t.Errorf("not one ExtWatch is installed:\n%s", out)
	}
	o.msiexec(t, 67, "/i", `C:\extwatch.msi`) // 1603, of which a Unix exit code shows the low byte: a downgrade is refused
	o.works(t, "after the attempt of a downgrade", p)

	o.remove(t, `C:\newer.msi`)
	if out, _ := o.wine("reg", "query", `HKLM\SOFTWARE\Policies\Google\Chrome`, "/s"); strings.Contains(out, p) {
		t.Errorf("still blocked after the removal:\n%s", out)
	}
	if _, err := os.Stat(filepath.Join(o.c, "ProgramData/ExtWatch/state/extwatch.db")); err != nil {
		t.Errorf("the removal took what was remembered: %v", err)
	}
	o.msiexec(t, 0, "/i", `C:\newer.msi`)
	o.remove(t, `C:\newer.msi`, "PURGE=1")
	if diff := difference(strings.Join(o.before, "\n"), strings.Join(o.state(t), "\n")); len(diff) > 0 {
		t.Errorf("not as before: %q", diff)
	}
}

// An installation that fails takes back what it did.
func TestPackageMSIRollback(t *testing.T) {
	msi := distFile(t, "extwatch-*-windows-amd64.msi")
	o := newOffice(t)
	broken := filepath.Join(t.TempDir(), "broken.msi")
	copyFile(t, msi, broken)
	for _, q := range []string{ // 19 is the action that ends the installation with a message
		"INSERT INTO CustomAction (Action, Type, Source, Target) VALUES ('Fail', 19, '', 'deliberate')",
		"INSERT INTO InstallExecuteSequence (Action, Condition, Sequence) VALUES ('Fail', '', 6500)",
	} {
		tool(t, "msibuild", broken, "-q", q)
	}
	o.copyIn(t, broken, "broken.msi")
	o.before = o.state(t)
	o.msiexec(t, 67, "/i", `C:\broken.msi`, "BLOCK_AUTOMATIC=true")
	if diff := difference(strings.Join(o.before, "\n"), strings.Join(o.state(t), "\n")); len(diff) > 0 {
		t.Errorf("not as before: %q", diff)
	}
}

func newOffice(t *testing.T) *office {
	t.Helper()
	tmp := t.TempDir()
	o := &office{wine: winePrefix(t, tmp), c: filepath.Join(tmp, "wine", "drive_c")}
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
	t.Cleanup(func() { keys.Close(); hold.Wait() })
	return o
}

// plantThief makes a profile of Chrome and returns the ID of the extension in it.
func (o *office) plantThief(t *testing.T) (id string) {
	t.Helper()
	p := newProduct(t)
	homes, err := filepath.Glob(filepath.Join(o.c, "users", "*", "AppData"))
	if err != nil || len(homes) == 0 {
		t.Fatalf("homes: %q, %v", homes, err)
	}
	profile := filepath.Join(homes[0], "Local", "Google", "Chrome", "User Data", "Default")
	writeFile(t, filepath.Join(profile, "..", "Local State"), "{}")
	writeFile(t, filepath.Join(profile, "Preferences"), "{}")
	writeFile(t, filepath.Join(profile, "Extensions", p.id, "1.0_0", "bg.js"), plantedCode)
	writeFile(t, filepath.Join(profile, "Extensions", p.id, "1.0_0", "manifest.json"), plantedManifest)
	return p.id
}

func (o *office) copyIn(t *testing.T, from, name string) {
	t.Helper()
	copyFile(t, from, filepath.Join(o.c, name))
}

// msiexec runs Windows Installer silently, and shows the end of its log when the exit code is another.
func (o *office) msiexec(t *testing.T, want int, args ...string) {
	t.Helper()
	_, code := o.wine(append(append([]string{"msiexec"}, args...), "/qn", "/l*v", `C:\msi.log`)...)
	if code != want {
		log, _ := os.ReadFile(filepath.Join(o.c, "msi.log"))
		t.Fatalf("msiexec %q: exit %d, want %d\n%s", args, code, want, log[max(0, len(log)-3000):])
	}
	os.Remove(filepath.Join(o.c, "msi.log"))
}

// remove stops the service first: Wine's installer does not wait until it has stopped.
func (o *office) remove(t *testing.T, args ...string) {
	t.Helper()
	o.wine("net", "stop", "extwatch")
	o.msiexec(t, 0, append([]string{"/x"}, args...)...)
}

// works expects a service that runs, has the properties as settings, and blocked the thief by itself.
func (o *office) works(t *testing.T, when, id string) {
	t.Helper()
	if out, _ := o.wine("sc", "query", "extwatch"); !strings.Contains(out, "RUNNING") {
		t.Fatalf("%s the service manager says:\n%s", when, out)
	}
	for name, want := range map[string]string{"FeedMirrors": "https://feed.example/", "FeedRoot": `C:\root.json`, "BlockAutomatic": "true"} {
		if out, _ := o.wine("reg", "query", settingsKey, "/v", name); !strings.Contains(out, want) {
			t.Errorf("%s %s is:\n%s", when, name, out)
		}
	}
	var s struct {
		machineStatus
		Mistakes []string
	}
	waitFor(t, "the block "+when, 40*time.Second, func() bool {
		out, _ := o.wine(installedProgram, "status", "--json")
		if err := json.Unmarshal([]byte(out), &s); err != nil {
			t.Fatalf("status: %v\n%s", err, out)
		}
		return s.Ready && s.Profiles == 1 && s.Blocked == 1
	})
	for _, m := range s.Mistakes {
		if strings.Contains(m, "BlockAutomatic") {
			t.Errorf("%s: %s", when, m)
		}
	}
	if out, _ := o.wine("reg", "query", `HKLM\SOFTWARE\Policies\Google\Chrome`, "/s"); !strings.Contains(out, id) {
		t.Errorf("%s Chrome's policies:\n%s", when, out)
	}
	if out, _ := o.wine(installedProgram, "history", id); !strings.Contains(out, "session-cookie-theft") {
		t.Errorf("%s the history:\n%s", when, out)
	}
}

// changing is what Wine itself writes at any time.
var changing = regexp.MustCompile(`(?i)\\(Time ?Zones?|ServiceCurrent|Perflib|DeviceClasses|Enum|MUI|Explorer|Prefetch|Control\\Video)(\\|\])|/(users/[^/]+/(Temp|AppData/Local/Temp)|windows/(temp|Installer))(/|$)`)

// owned are keys that every Windows has, and Wine only from the first installation on. What is in them counts.
var owned = regexp.MustCompile(`(?i)\\(Installer|Installer\\(Features|Products|UpgradeCodes|UserData)|UserData\\S-1-5-18(\\(Components|Products))?|Eventlog\\Application)$`)

// state lists all files and the keys and values of the registry, but for what Wine changes by itself.
func (o *office) state(t *testing.T) (list []string) {
	t.Helper()
	err := filepath.WalkDir(o.c, func(path string, _ fs.DirEntry, err error) error {
		if name := strings.TrimPrefix(path, o.c); err == nil && !changing.MatchString(name) {
			list = append(list, name)
		}
		return nil // some go while one looks
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, root := range []string{`HKLM\Software`, `HKLM\System`} {
		out, _ := o.wine("reg", "query", root, "/s")
		key := ""
		for line := range strings.Lines(out) {
			line = strings.TrimRight(line, "\r\n")
			if strings.HasPrefix(line, "HKEY_") {
				key = line
			}
			if line != "" && !changing.MatchString(key+`\`) && !(line == key && owned.MatchString(key)) {
				list = append(list, key+" "+line)
			}
		}
	}
	slices.Sort(list)
	return list
}

// newerMSI makes an installer of version 99 of the same files.
func newerMSI(t *testing.T, msi string) string {
	t.Helper()
	dir := t.TempDir()
	out := filepath.Join(dir, "newer.msi")
	copyFile(t, msi, out)
	old := property(t, msi, "ProductVersion")
	tool(t, "msibuild", out, "-q", "UPDATE Property SET Value='99.0.0' WHERE Property='ProductVersion'")
	tool(t, "msibuild", out, "-q", "UPDATE Property SET Value='{99999999-528B-5BD1-AB02-EC5BBD1FE2FF}' WHERE Property='ProductCode'")
	table := strings.ReplaceAll(tool(t, "msiinfo", "export", out, "Upgrade"), "\t"+old+"\t", "\t99.0.0\t")
	writeFile(t, filepath.Join(dir, "Upgrade.idt"), table)
	tool(t, "msibuild", out, "-i", filepath.Join(dir, "Upgrade.idt"))
	tool(t, "msibuild", out, "-s", "ExtWatch", "The ExtWatch authors", "x64;1033", "{99999999-0687-5909-A54D-A65147FD3A8C}")
	return out
}

func property(t *testing.T, msi, name string) string {
	t.Helper()
	for line := range strings.Lines(tool(t, "msiinfo", "export", msi, "Property")) {
		if value, ok := strings.CutPrefix(line, name+"\t"); ok {
			return strings.TrimSpace(value)
		}
	}
	t.Fatalf("the MSI has no %s", name)
	return ""
}
