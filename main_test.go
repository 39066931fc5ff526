package main

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/extwatch/extwatch/agent/cli"
)

// go test . -update writes the expected output in testdata/script anew; look at the difference before keeping it.
var update = flag.Bool("update", false, "write the expected output of the scripts anew")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"extwatch": func() { os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// TestScripts runs the transcripts in testdata/script: what a person types and what they read. "exits CODE COMMAND..."
// runs a command that must end with that exit code.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join("testdata", "script"),
		UpdateScripts: *update,
		Setup: func(e *testscript.Env) error {
			// Neither colours nor the browsers of whoever runs the tests.
			e.Values[runningKey{}] = &running{}
			e.Setenv("NO_COLOR", "1")
			extensions, err := filepath.Abs(filepath.Join("signatures", "testdata"))
			if err != nil {
				return err
			}
			e.Setenv("EXTENSIONS", extensions)
			e.Setenv("HOME", filepath.Join(e.WorkDir, "nobody"))
			return os.Mkdir(filepath.Join(e.WorkDir, "nobody"), 0o755)
		},
		Cmds: commands(),
	})
}

func commands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"exits": exits,
		"start": start,
		"until": until,
		"stop":  stop,
		"scrub": scrub,
		"replace": func(ts *testscript.TestScript, _ bool, args []string) { // replace FILE OLD NEW
			data := strings.ReplaceAll(ts.ReadFile(args[0]), args[1], args[2])
			ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(data), 0o644))
		},
	}
}

// exits runs a command and checks its exit code: "exits 2 extwatch scan --frobnicate".
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if want := args[0]; strconv.Itoa(code) != want {
		ts.Fatalf("exit code %d, want %s", code, want)
	}
}

// A running is the program that a script started, and what it printed so far.
type running struct {
	cmd *exec.Cmd
	mu  sync.Mutex
	out bytes.Buffer
}

func (r *running) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.out.Write(p)
}

func (r *running) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.out.String()
}

type runningKey struct{}

// scrub copies what the last command printed to a file, without what differs from run to run: the folder of the test, IDs
// made from it, keys and hashes, and seconds. "scrub FILE".
func scrub(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: scrub FILE")
	}
	text := strings.ReplaceAll(ts.ReadFile("stdout"), ts.Getenv("WORK"), "$WORK")
	text = regexp.MustCompile(`\b[a-p]{32}\b`).ReplaceAllString(text, "ID")
	text = regexp.MustCompile(`\b[0-9a-f]{64}\b`).ReplaceAllString(text, "HASH")
	text = regexp.MustCompile(`-[0-9a-f]{12}\b`).ReplaceAllString(text, "-KEY")
	text = regexp.MustCompile(`took [0-9.]+ s`).ReplaceAllString(text, "took T s")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}

// start runs a command that stays: "start extwatch run".
func start(ts *testscript.TestScript, neg bool, args []string) {
	r := ts.Value(runningKey{}).(*running)
	if neg || len(args) == 0 || r.cmd != nil {
		ts.Fatalf("usage: start COMMAND..., once")
	}
	path, err := exec.LookPath(args[0])
	ts.Check(err)
	r.cmd = exec.Command(path, args[1:]...)
	r.cmd.Dir = ts.MkAbs(".")
	r.cmd.Env = append(os.Environ(), "NO_COLOR=1", "HOME="+ts.Getenv("HOME"))
	r.cmd.Stdout, r.cmd.Stderr = r, r
	ts.Check(r.cmd.Start())
	ts.Defer(func() { r.cmd.Process.Kill() })
}

// until waits until what the started command printed matches: "until 'WARNING: suspicious'".
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: until REGEXP")
	}
	r, re := ts.Value(runningKey{}).(*running), regexp.MustCompile(args[0])
	for deadline := time.Now().Add(20 * time.Second); !re.MatchString(r.String()); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			ts.Fatalf("waited 20 s for %q in:\n%s", args[0], r)
		}
	}
}

// stop interrupts the started command, as Ctrl-C does, and checks that it ends well.
func stop(ts *testscript.TestScript, _ bool, _ []string) {
	r := ts.Value(runningKey{}).(*running)
	if runtime.GOOS == "windows" { // has no interrupt to send to another process
		ts.Check(r.cmd.Process.Kill())
		r.cmd.Wait()
		return
	}
	ts.Check(r.cmd.Process.Signal(os.Interrupt))
	if err := r.cmd.Wait(); err != nil {
		ts.Fatalf("after an interrupt: %v\n%s", err, r)
	}
	ts.Logf("%s", r)
}
