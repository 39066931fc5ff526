package browsers

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// abs makes a path absolute on the system that runs the tests.
func abs(path string) string {
	p, err := filepath.Abs(filepath.FromSlash("/" + path))
	if err != nil {
		panic(err)
	}
	return p
}

func TestParseRun(t *testing.T) {
	cwd, home := abs("work/dir"), abs("home/ada")
	cases := []struct {
		name string
		os   string
		p    Process
		want *run // nil: not a browser
	}{
		{"debian", onLinux, Process{Args: []string{"/usr/lib/chromium/chromium", "--media-router=0", "--load-extension=", "about:blank",
			"--user-data-dir=" + abs("data"), "--load-extension=" + abs("x/a") + ",b," + abs("x/a") + ",~/c"}},
			&run{dataDir: abs("data"), load: []string{abs("x/a"), abs("work/dir/b"), abs("home/ada/c")}}},
		{"helper with one string", onLinux, Process{Args: []string{"/usr/lib/chromium/chromium --type=renderer --user-data-dir=/x"}}, nil},
		{"helper", onWindows, Process{Args: []string{`C:\x\chrome.exe`, "--type=gpu-process"}}, nil},
		{"gecko helper", onLinux, Process{Args: []string{"/usr/lib/firefox/firefox", "-contentproc", "3"}}, nil},
		{"wrapper", onLinux, Process{Args: []string{"timeout", "20", "chromium", "--user-data-dir=/x"}, Exe: "/usr/bin/timeout"}, nil},
		{"other program with the switch", onLinux, Process{Args: []string{"/usr/bin/code", "--user-data-dir=/x"}}, nil},
		{"updated while running", onLinux, Process{Args: []string{"x"}, Exe: "/opt/google/chrome/chrome (deleted)"}, &run{}},
		{"called by another name", onLinux, Process{Args: []string{"kworker/0:1"}, Exe: "/opt/brave.com/brave/brave"}, &run{}},
		{"windows", onWindows, Process{Args: []string{`C:\Program Files\Google\Chrome\Application\CHROME.EXE`, "/Profile-Directory=Profile 2",
			"-USER-DATA-DIR=" + abs("data")}}, &run{dataDir: abs("data"), profileDir: "Profile 2"}},
		{"one dash", onLinux, Process{Args: []string{"chrome", "-user-data-dir=rel"}}, &run{dataDir: abs("work/dir/rel")}},
		{"slash is a page", onLinux, Process{Args: []string{"chrome", "/user-data-dir=x"}}, &run{}},
		{"after the end of switches", onLinux, Process{Args: []string{"chrome", "--", "--user-data-dir=/x"}}, &run{}},
		{"last wins", onLinux, Process{Args: []string{"chrome", "--user-data-dir=" + abs("a"), "--user-data-dir=" + abs("b")}}, &run{dataDir: abs("b")}},
		{"profile outside", onLinux, Process{Args: []string{"chrome", "--profile-directory=../x"}}, &run{}},
		{"except loads too", onLinux, Process{Args: []string{"chrome", "--disable-extensions-except=" + abs("e")}}, &run{load: []string{abs("e")}}},
		{"macOS", onMac, Process{Args: []string{"Google Chrome"}, Exe: "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"}, &run{}},
		{"firefox", onLinux, Process{Args: []string{"firefox-esr", "--profile", "p", "-P", "Wörk", "--headless"}},
			&run{profile: abs("work/dir/p"), name: "Wörk"}},
		{"firefox chooses", onLinux, Process{Args: []string{"firefox", "-P", "-no-remote"}}, &run{}},
		{"firefox in capitals", onWindows, Process{Args: []string{"firefox.exe", "/PROFILE", abs("p")}}, &run{profile: abs("p")}},
		{"no arguments", onLinux, Process{Exe: "/usr/bin/chromium"}, &run{}},
		{"nothing", onLinux, Process{}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.p.Dir = cwd
			got, ok := parseRun(programs(), c.p, c.os, home)
			if ok != (c.want != nil) {
				t.Fatalf("ok = %v", ok)
			}
			if !ok {
				return
			}
			got.Process, got.executable = Process{}, executable{}
			if d := cmp.Diff(*c.want, got, cmp.AllowUnexported(run{}, executable{})); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestRelativeWithoutFolder(t *testing.T) {
	r, _ := parseRun(programs(), Process{Args: []string{"chrome", "--load-extension=a," + strings.Repeat("b", maxPath+1), "--user-data-dir=d"}}, onLinux, "")
	if len(r.load) != 0 || r.dataDir != "" || len(r.unknown) != 3 {
		t.Errorf("%+v", r)
	}
}

func TestParseProcargs(t *testing.T) {
	block := func(count int32, s string) []byte {
		return append(binary.NativeEndian.AppendUint32(nil, uint32(count)), s...)
	}
	for _, c := range []struct {
		in   []byte
		exe  string
		args []string
	}{
		{block(2, "/A/B\x00\x00\x00\x00b\x00--x=1\x00SECRET=1\x00"), "/A/B", []string{"b", "--x=1"}},
		{block(5, "/A\x00b\x00"), "/A", []string{"b"}},
		{block(-1, "/A\x00b\x00"), "", nil},
		{block(1, "/A"), "", nil},
		{[]byte{1}, "", nil},
	} {
		exe, args := parseProcargs(c.in)
		if d := cmp.Diff(c.args, args); d != "" || exe != c.exe {
			t.Errorf("parseProcargs(%q) = %q, %q", c.in, exe, args)
		}
	}
}

func FuzzParseRun(f *testing.F) {
	f.Add([]byte("chrome\x00--user-data-dir=/x\x00--load-extension=a,~/b,,\x00"), true)
	f.Add([]byte("firefox\x00-P\x00x\x00--profile=\x00"), false)
	f.Fuzz(func(t *testing.T, b []byte, win bool) {
		osName := onLinux
		if win {
			osName = onWindows
		}
		parseProcargs(b)
		r, ok := parseRun(programs(), Process{Args: splitArgs(b), Dir: abs("cwd")}, osName, abs("home"))
		if !ok {
			return
		}
		for _, p := range append(r.load, r.dataDir, r.profile) {
			if p != "" && (!filepath.IsAbs(p) || strings.ContainsRune(p, 0)) {
				t.Errorf("path %q", p)
			}
		}
		if r.profileDir != "" && !isFolderName(r.profileDir) || len(r.load) > maxLoad {
			t.Errorf("%+v", r)
		}
	})
}

// startStandIn runs this test's own program under a browser's name, with a browser's arguments.
func startStandIn(t *testing.T, dir, name string, args ...string) (pid int, stop func()) {
	t.Helper()
	if runtime.GOOS == onWindows {
		name += ".exe"
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, b, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env = append(os.Environ(), standIn+"=1")
	cmd.Dir = dir
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid, func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
}

// TestProcesses looks at a real process: Find sees what its command line names, the watch sees it start and end.
func TestProcesses(t *testing.T) {
	dir := tempDir(t)
	write(t, dir, map[string]string{"data/Default/Preferences": "{}", "data/Profile 1/Preferences": "{}", "ext/manifest.json": "{}"})
	data, ext := filepath.Join(dir, "data"), filepath.Join(dir, "ext")
	var w ProcessWatch
	w.Changed()
	pid, stop := startStandIn(t, dir, "chromium", "--user-data-dir="+data, "--profile-directory=Profile 1", "--load-extension="+ext)
	running := func() bool { w.Changed(); return slices.Contains(w.running, pid) }
	for start := time.Now(); !running(); time.Sleep(10 * time.Millisecond) {
		if time.Since(start) > 20*time.Second {
			t.Fatal("the watch does not see the process")
		}
	}
	m, err := Find(t.Context(), Config{Users: []User{{Name: "ada", Home: filepath.Join(dir, "home"), UID: os.Getuid()}}})
	if err != nil {
		t.Fatal(err)
	}
	m.Profiles = slices.DeleteFunc(m.Profiles, func(p Profile) bool { return p.DataDir != data }) // other browsers may run here
	wantNames(t, m, "chromium custom: Default", "chromium custom: Profile 1")
	for i, want := range [][]string{nil, {ext}} {
		if d := cmp.Diff(want, m.Profiles[i].LoadExtension); d != "" || !m.Profiles[i].Running {
			t.Errorf("profile %+v", m.Profiles[i])
		}
	}
	stop()
	if !w.Changed() || slices.Contains(w.running, pid) {
		t.Error("the watch does not see that the process ended")
	}
}

func BenchmarkProcessWatch(b *testing.B) {
	var w ProcessWatch
	for b.Loop() {
		w.Changed()
	}
}
