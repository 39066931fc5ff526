package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// child is the environment variable by which this test program runs as the process that is confined.
const child = "EXTWATCH_SANDBOX_CHILD"

// An attempt is what the confined process tries, and the errors it got; "" is success.
type attempt struct {
	Missing                                   []string
	UID                                       int
	Read, Write, Append, Connect, Run, Unlink string
}

func TestMain(m *testing.M) {
	if mode := os.Getenv(child); mode != "" {
		try(mode)
		return
	}
	os.Exit(m.Run())
}

func try(mode string) {
	dir := os.Args[len(os.Args)-1]
	missing, err := Enter(Policy{Read: mode == "read"})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	text := func(err error) string {
		if err != nil {
			return err.Error()
		}
		return ""
	}
	a := attempt{Missing: missing, UID: os.Getuid()}
	_, err = os.ReadFile(filepath.Join(dir, "file"))
	a.Read = text(err)
	a.Write = text(os.WriteFile(filepath.Join(dir, "new"), nil, 0o600))
	f, err := os.OpenFile(filepath.Join(dir, "file"), os.O_WRONLY|os.O_APPEND, 0)
	if err == nil {
		_, err = io.WriteString(f, "x")
	}
	a.Append = text(err)
	_, err = net.Dial("tcp", os.Getenv("EXTWATCH_SANDBOX_ADDRESS"))
	a.Connect = text(err)
	a.Run = text(exec.Command("/bin/true").Run())
	a.Unlink = text(os.Remove(filepath.Join(dir, "file")))
	json.NewEncoder(os.Stdout).Encode(a)
}

func confined(t *testing.T, mode string) attempt {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := t.TempDir()
	for d := dir; d != filepath.Dir(d) && d != os.TempDir(); d = filepath.Dir(d) { // root's child is nobody: let it in
		if err := os.Chmod(d, 0o777); err != nil {
			break
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "file"), 0o666); err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, dir)
	cmd.Env = append(os.Environ(), child+"="+mode, "EXTWATCH_SANDBOX_ADDRESS="+l.Addr().String())
	if err := Confine(cmd); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	var a attempt
	if err := json.Unmarshal(out, &a); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	return a
}

func TestEnter(t *testing.T) {
	if runtime.GOOS != "linux" {
		if a := confined(t, "read"); a.Read != "" || a.UID == 0 {
			t.Errorf("%+v", a)
		}
		return
	}
	for _, mode := range []string{"read", "none"} {
		a := confined(t, mode)
		t.Logf("%s: %+v", mode, a)
		if a.UID == 0 {
			t.Errorf("%s: it is root still", mode)
		}
		if mode == "read" && a.Read != "" {
			t.Errorf("it may not read: %s", a.Read)
		}
		if mode == "none" && a.Read == "" && len(a.Missing) == 0 {
			t.Error("it reads files, and nothing is said to be missing")
		}
		for what, got := range map[string]string{"write": a.Write, "append": a.Append, "connect": a.Connect, "run": a.Run, "unlink": a.Unlink} {
			if got == "" {
				t.Errorf("%s: it could %s", mode, what)
			}
		}
	}
}
