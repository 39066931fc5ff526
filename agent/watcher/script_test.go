package watcher

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestScripts runs testdata/*.txt on real folders. A script is a list of commands, each on a line; paths are relative to
// a fresh folder. Lines that begin with "->" say which changes the commands before them cause, in any order:
//
//	target ID dir=D [files=a,b] [arrivals=A] [folders=F,G]   declare a target
//	await DIR [NAME]                                         declare an awaited entry
//	set                                                      watch what was declared
//	reset                                                    declare nothing
//	mkdir DIR | write FILE | rm PATH | mv FROM TO | ln TARGET LINK | sleep DURATION
//	install EXTENSIONS ID VERSION                            as Chromium does: staged, then moved by one rename
//	burst FILE N                                             write it N times, 5 ms apart
//	-> REASON TARGET|* [PATH]
//	-> none                                                  nothing happens
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			// On a busy machine what settles together may come apart, and what comes apart may be merged.
			for try := 1; ; try++ {
				err := runScript(t, string(data))
				if err == nil {
					return
				}
				if try == 3 {
					t.Fatal(err)
				}
				t.Logf("try %d: %v", try, err)
			}
		})
	}
}

type script struct {
	t       *testing.T
	root    string
	w       *Watcher
	targets []Target
	awaits  []Await
}

func runScript(t *testing.T, text string) error {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w, err := New(Config{Quiet: 40 * time.Millisecond, Patience: 400 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	s := &script{t: t, root: root, w: w}
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := strings.TrimSpace(lines[i])
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "->"):
			var want []string
			for ; i < len(lines) && strings.HasPrefix(lines[i], "->"); i++ {
				want = append(want, strings.TrimSpace(strings.TrimPrefix(lines[i], "->")))
			}
			i--
			if err := s.expect(i+1, want); err != nil {
				return err
			}
		default:
			if err := s.command(strings.Fields(line)); err != nil {
				t.Fatalf("line %d: %s: %v", i+1, line, err)
			}
		}
	}
	return nil
}

func (s *script) path(name string) string { return filepath.Join(s.root, filepath.FromSlash(name)) }

func (s *script) paths(names string) []string {
	var paths []string
	for name := range strings.SplitSeq(names, ",") {
		paths = append(paths, s.path(name))
	}
	return paths
}

func (s *script) command(f []string) error {
	switch f[0] {
	case "target":
		tg := Target{ID: f[1]}
		for _, arg := range f[2:] {
			switch name, value, _ := strings.Cut(arg, "="); name {
			case "dir":
				tg.Dir = s.path(value)
			case "files":
				tg.Files = strings.Split(value, ",")
			case "arrivals":
				tg.Arrivals = s.path(value)
			case "folders":
				tg.Folders = s.paths(value)
			default:
				return fmt.Errorf("unknown argument %s", arg)
			}
		}
		s.targets = append(s.targets, tg)
	case "await":
		s.awaits = append(s.awaits, Await{Dir: s.path(f[1]), Name: strings.Join(f[2:], " ")})
	case "reset":
		s.targets, s.awaits = nil, nil
	case "set":
		for _, err := range s.w.Set(s.targets, s.awaits) {
			return err
		}
	case "mkdir":
		return os.MkdirAll(s.path(f[1]), 0o755)
	case "write":
		return os.WriteFile(s.path(f[1]), []byte(time.Now().String()), 0o644)
	case "rm":
		return os.RemoveAll(s.path(f[1]))
	case "mv":
		return os.Rename(s.path(f[1]), s.path(f[2]))
	case "ln":
		return os.Symlink(s.path(f[1]), s.path(f[2]))
	case "sleep":
		d, err := time.ParseDuration(f[1])
		time.Sleep(d)
		return err
	case "install":
		_, err := install(s.path(f[1]), f[2], f[3])
		return err
	case "burst":
		n, err := strconv.Atoi(f[2])
		for range n {
			if err := s.command([]string{"write", f[1]}); err != nil {
				return err
			}
			time.Sleep(5 * time.Millisecond)
		}
		return err
	default:
		return fmt.Errorf("unknown command")
	}
	return nil
}

// install does what Chromium does: it stages the extension in Temp and renames it into place. It tells when that was.
func install(extensions, id, version string) (renamed time.Time, err error) {
	staged := filepath.Join(extensions, "Temp", "scoped_dir"+id+version)
	from := filepath.Join(staged, "CRX_INSTALL")
	if err := os.MkdirAll(from, 0o755); err != nil {
		return renamed, err
	}
	if err := os.WriteFile(filepath.Join(from, "manifest.json"), []byte("{}"), 0o644); err != nil {
		return renamed, err
	}
	if err := os.MkdirAll(filepath.Join(extensions, id), 0o755); err != nil {
		return renamed, err
	}
	if err := os.Rename(from, filepath.Join(extensions, id, version)); err != nil {
		return renamed, err
	}
	renamed = time.Now()
	return renamed, os.Remove(staged)
}

// expect waits for the wanted changes, then makes sure that no more come.
func (s *script) expect(line int, want []string) error {
	if slices.Equal(want, []string{"none"}) {
		want = nil
	}
	var got []string
	patience := time.After(10 * time.Second)
	for len(got) < len(want) {
		select {
		case ch := <-s.w.C:
			got = append(got, s.show(ch))
			continue
		case <-patience:
		}
		break
	}
	for more := true; more; {
		select {
		case ch := <-s.w.C:
			got = append(got, s.show(ch))
		case <-time.After(150 * time.Millisecond):
			more = false
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("line %d: changes (-want +got):\n%s", line, diff)
	}
	return nil
}

func (s *script) show(ch Change) string {
	target := ch.Target
	if target == "" {
		target = "*"
	}
	text := string(ch.Reason) + " " + target
	if ch.At.IsZero() {
		text += " at no time"
	}
	if rel, err := filepath.Rel(s.root, ch.Path); err == nil && ch.Path != "" {
		text += " " + filepath.ToSlash(rel)
	}
	return text
}
