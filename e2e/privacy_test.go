//go:build linux

package e2e

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// private lists what of a profile is nobody's business: whatever lies there is planted, and no process of ExtWatch may
// open it. What is below a folder counts with it.
var private = map[string][]string{
	".config/chromium/Default": {
		"Cookies", "Cookies-journal", "Network/Cookies", "Login Data", "Login Data For Account", "Login Data-journal", "History", "Archived History",
		"Web Data", "Top Sites", "Favicons", "Bookmarks", "Visited Links", "Shortcuts", "Account Web Data", "Affiliation Database",
		"Local Storage/leveldb/000003.log", "Session Storage/000003.log", "IndexedDB/https_exchange.example_0.indexeddb.leveldb/000003.log",
		"Service Worker/Database/000003.log", "File System/000/t/00/00000000", "Sessions/Session_13370000000000000", "databases/Databases.db",
		"Local Extension Settings/abcdefghijklmnopabcdefghijklmnop/000003.log", "Sync Extension Settings/abcdefghijklmnopabcdefghijklmnop/000003.log",
	},
	".mozilla/firefox/ada.default": {
		"logins.json", "logins-backup.json", "key4.db", "cert9.db", "cookies.sqlite", "cookies.sqlite-wal", "places.sqlite", "places.sqlite-wal",
		"favicons.sqlite", "formhistory.sqlite", "autofill-profiles.json", "signedInUser.json", "webappsstore.sqlite", "sessionstore.jsonlz4",
		"sessionstore-backups/recovery.jsonlz4", "bookmarkbackups/bookmarks-2026-01-01.jsonlz4",
		"storage/default/https+++exchange.example/ls/data.sqlite", "storage/default/https+++exchange.example/idb/1.sqlite",
		"storage/permanent/chrome/idb/2.sqlite", "storage-sync-v2.sqlite",
	},
}

// The privacy statement of docs/administration.md, kept: all opens of all processes are traced while profiles are read, watched and
// changed, and none is of a cookie, password, history or storage file.
func TestNothingPrivateIsOpened(t *testing.T) {
	l, p := newLab(t), newProduct(t)
	plantPrivate(t, l.home)
	plant := func(id, version string) {
		folder := filepath.Join(l.home, ".config/chromium/Default/Extensions", id, version+"_0")
		writeFile(t, filepath.Join(folder, "bg.js"), plantedCode)
		writeFile(t, filepath.Join(folder, "manifest.json"), plantedManifest)
	}
	plant(p.id, "1.0")

	// The control: the trace sees such an open, also one relative to an open folder.
	seen := opens(t, l, exec.Command("sh", "-c", `cat "$0/Cookies" >/dev/null; cd "$0/Local Storage"; cat leveldb/000003.log >/dev/null`,
		filepath.Join(l.home, ".config/chromium/Default")), nil)
	if got := forbidden(l.home, seen); len(got) != 2 {
		t.Fatalf("the trace finds %q of two private files that were opened", got)
	}

	seen = opens(t, l, exec.Command(program, "scan", "--home", l.home, "--format", "json"), nil)
	check := func(what string) {
		t.Helper()
		if got := forbidden(l.home, seen); len(got) > 0 {
			t.Errorf("%s opened %q", what, got)
		}
		for _, must := range []string{".config/chromium/Default/Extensions/" + p.id + "/1.0_0/bg.js", ".mozilla/firefox/ada.default/extensions.json"} {
			if !slices.Contains(seen, filepath.Join(l.home, must)) {
				t.Errorf("%s did not read %s: this proves nothing", what, must)
			}
		}
		t.Logf("%s: %d opens", what, len(seen))
	}
	check("scan")

	second := newProduct(t)
	run := exec.Command(program, "run", "--json", "--home", l.home)
	out, err := run.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	seen = opens(t, l, run, func() {
		judged := 0
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var e event
			json.Unmarshal(lines.Bytes(), &e)
			switch {
			case e.Event == "ready":
				plantPrivate(t, l.home) // as a browser writes them all the time
				plant(second.id, "2.0")
			case e.Event == "warning" && e.Extension.ID == second.id:
				judged++
				run.Process.Signal(syscall.SIGINT)
			}
		}
		if judged == 0 {
			t.Error("run did not warn of the extension that came")
		}
	})
	check("run")
}

// plantPrivate writes profiles of Chromium and Firefox, with all that is private.
func plantPrivate(t *testing.T, home string) {
	t.Helper()
	for profile, names := range private {
		for _, name := range names {
			writeFile(t, filepath.Join(home, profile, name), "the secrets of ada")
		}
	}
	writeFile(t, filepath.Join(home, ".config/chromium/Local State"), "{}")
	writeFile(t, filepath.Join(home, ".config/chromium/Default/Preferences"), "{}")
	writeFile(t, filepath.Join(home, ".mozilla/firefox/profiles.ini"), "[Profile0]\nName=default\nIsRelative=1\nPath=ada.default\n")
	writeFile(t, filepath.Join(home, ".mozilla/firefox/ada.default/extensions.json"), `{"schemaVersion":37,"addons":[]}`)
	writeFile(t, filepath.Join(home, ".mozilla/firefox/ada.default/prefs.js"), "")
}

// forbidden returns which of the opened files are private.
func forbidden(home string, opened []string) (list []string) {
	for profile, names := range private {
		for _, name := range names {
			top, _, below := strings.Cut(name, "/")
			if top == "Network" || top == "storage" { // such folders are themselves listed when one looks for profiles
				top, below = name, false
			}
			file := filepath.Join(home, profile, top)
			for _, o := range opened {
				if (o == file || below && strings.HasPrefix(o, file+"/")) && !slices.Contains(list, o) {
					list = append(list, o)
				}
			}
		}
	}
	return list
}

// openCall is a line of strace's log that is the attempt to open a file, whether or not it succeeded: the folder to which it is relative,
// and the path.
var openCall = regexp.MustCompile(`(?:open|creat|openat|openat2)\((?:[A-Z_0-9]+<([^>]*)>, )?"((?:[^"\\]|\\.)*)"`)

// opens runs a command with while beside it, and returns what it and all its children opened.
func opens(t *testing.T, l *lab, cmd *exec.Cmd, while func()) (list []string) {
	t.Helper()
	log := filepath.Join(l.tmp, "opens")
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatalf("install strace: %v", err)
	}
	// With -D the command is the child of this process, and strace that of the command.
	cmd.Args = append([]string{"strace", "-D", "-f", "--seccomp-bpf", "-y", "-s", "4096", "-e", "trace=open,creat,openat,openat2", "-o", log, "--", cmd.Path}, cmd.Args[1:]...)
	cmd.Path = strace
	os.Remove(log)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if while != nil {
		stop := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
		while()
		stop.Stop()
	}
	cmd.Wait()
	var data []byte
	waitFor(t, "the end of the trace", 20*time.Second, func() bool {
		data, _ = os.ReadFile(log)
		lines := strings.Split(strings.TrimSpace(string(data)), "\n")
		return strings.Contains(lines[len(lines)-1], "+++ ")
	})
	for _, call := range openCall.FindAllStringSubmatch(string(data), -1) {
		name := call[2]
		if !path.IsAbs(name) {
			name = path.Join(call[1], name)
		}
		list = append(list, path.Clean(name))
	}
	slices.Sort(list)
	return slices.Compact(list)
}
