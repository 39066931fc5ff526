package browsers

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// standIn makes the test binary play a running browser: it waits until its standard input ends.
const standIn = "EXTWATCH_TEST_STAND_IN"

func TestMain(m *testing.M) {
	if os.Getenv(standIn) != "" {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// write creates files below dir: path with forward slashes, content. A path that ends in "/" is a folder.
func write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(path, 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

// tempDir is t.TempDir without links in its path (macOS: /var).
func tempDir(t testing.TB) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// look finds the browsers of one user with the given home.
func look(t *testing.T, osName, home string, change ...func(*scan)) Machine {
	t.Helper()
	s := newScan(Config{OS: osName, Users: []User{{Name: "ada", Home: home, UID: os.Getuid()}}})
	s.live, s.processes = false, nil
	s.env = func(string) string { return "" }
	for _, c := range change {
		c(s)
	}
	m, err := s.find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// names lists the profiles as "browser channel: name (display)".
func names(m Machine) []string {
	var out []string
	for _, p := range m.Profiles {
		n := p.Browser + " " + p.Channel + ": " + p.Name
		if p.Display != "" {
			n += " (" + p.Display + ")"
		}
		out = append(out, n)
	}
	return out
}

func wantNames(t *testing.T, m Machine, want ...string) {
	t.Helper()
	if d := cmp.Diff(want, names(m)); d != "" {
		t.Errorf("profiles (-want +got):\n%s", d)
	}
}

// wantProblems checks the problems: each is a piece of one reason or path, in order.
func wantProblems(t *testing.T, m Machine, want ...string) {
	t.Helper()
	if len(m.Problems) != len(want) {
		t.Fatalf("%d problems, want %d: %v", len(m.Problems), len(want), m.Problems)
	}
	for i, p := range m.Problems {
		if !strings.Contains(p.Path+": "+p.Reason, want[i]) {
			t.Errorf("problem %d = %v, want it to say %q", i, p, want[i])
		}
	}
}
