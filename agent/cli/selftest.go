package cli

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/extwatch/extwatch/agent"
	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/manifests"
)

// selftestFiles is the extension that is planted: our own, inert, with the public half of a key whose private half was
// thrown away, so that its ID is always the same and nobody can publish another one under it. The built-in rules know
// that ID.
//
//go:embed selftest
var selftestFiles embed.FS

// selftestPatience is how long each step may take. A second is the promise; a busy machine deserves an answer that says
// "slow" instead of "broken".
const selftestPatience = 10 * time.Second

const selftestLong = `Proves that a warning would come: it lays out an empty browser profile in a temporary folder, runs
the real agent on it with the built-in rules, installs a harmless extension in it as Chromium does, and
follows that extension from the disk to the warning. The extension does nothing and contacts
nothing; your browsers and their profiles are not touched.

Exit code: 0 passed, 1 failed.`

func newSelftest(c *console) *cobra.Command {
	var asJSON, keep bool
	cmd := &cobra.Command{
		Use:   "selftest [flags]",
		Short: "Prove that a warning would come, with a harmless extension",
		Long:  selftestLong,
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runSelftest(cmd.Context(), c, asJSON, keep) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the steps and their times as JSON")
	cmd.Flags().BoolVar(&keep, "keep", false, "leave the temporary folder, to look into it")
	return cmd
}

// A step is one thing that had to happen, and how long it took.
type step struct {
	Step         string  `json:"step"` // ready, found, verdict, warning, gone
	Milliseconds float64 `json:"milliseconds"`
}

type selftestReport struct {
	OK     bool   `json:"ok"`
	Steps  []step `json:"steps"`
	Error  string `json:"error,omitempty"`
	Folder string `json:"folder,omitempty"` // with --keep
}

func runSelftest(ctx context.Context, c *console, asJSON, keep bool) error {
	home, err := os.MkdirTemp("", "extwatch-selftest-")
	if err != nil {
		return failed("is there room, and may you write, in the folder for temporary files?", "cannot make a temporary folder: %v", err)
	}
	s := &selftest{c: c, quiet: asJSON, home: home, events: make(chan agent.Event, 64)}
	err = s.run(ctx)
	report := selftestReport{OK: err == nil, Steps: list(s.steps)}
	if err != nil {
		report.Error = err.Error()
	}
	if keep {
		report.Folder = home
		c.note("the folder is left at %s", home)
	} else if rerr := os.RemoveAll(home); rerr != nil && err == nil {
		err = failed("remove it by hand", "cannot remove the temporary folder: %v", rerr)
	}
	if asJSON {
		if jerr := encode(c, report); jerr != nil {
			return jerr
		}
	}
	if err != nil {
		return failed("run 'extwatch run --log-level debug' to see what the agent sees", "the self-test failed: %v", err)
	}
	if !asJSON {
		return c.print("", c.paint(shadeGood, "passed"))
	}
	return nil
}

// A selftest follows the planted extension.
type selftest struct {
	c      *console
	quiet  bool
	home   string
	events chan agent.Event
	steps  []step
	start  time.Time // of the step that is waited for
}

// run does the steps in order and stops at the first that does not come.
func (s *selftest) run(ctx context.Context) error {
	rules, err := loadRules("")
	if err != nil {
		return err
	}
	files, err := fs.Sub(selftestFiles, "selftest")
	if err != nil {
		return fmt.Errorf("open the planted extension: %w", err)
	}
	id, err := selftestID(files)
	if err != nil {
		return err
	}
	profile, err := s.layOut()
	if err != nil {
		return fmt.Errorf("lay out a profile: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a, err := agent.New(agent.Config{
		// Only the temporary home: neither the environment nor running browsers may add another.
		Machine: browsers.Config{
			Users:     []browsers.User{{Name: "selftest", Home: s.home, UID: -1}},
			Env:       func(string) string { return "" },
			Processes: func() ([]browsers.Process, error) { return nil, nil },
		},
		Rules:  rules[0],
		Tell:   func(e agent.Event) { s.events <- e },
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return fmt.Errorf("start the agent: %w", err)
	}
	s.start = time.Now()
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	defer func() {
		cancel()
		s.drain(ended)
	}()
	return s.follow(ctx, rules, id, profile, files)
}

// drain waits for the agent's end; it may be telling something that nobody waits for any more.
func (s *selftest) drain(ended <-chan error) {
	for {
		select {
		case <-ended:
			return
		case <-s.events:
		}
	}
}

// follow plants the extension and waits for each thing that has to be told.
func (s *selftest) follow(ctx context.Context, rules rulesets, id, profile string, files fs.FS) error {
	if _, err := s.wait(ctx, "ready", agent.Ready, ""); err != nil {
		return err
	}
	s.say("the agent watches an empty profile in %s", s.home)
	place, err := s.install(id, profile, files)
	if err != nil {
		return fmt.Errorf("install the extension: %w", err)
	}
	e, err := s.wait(ctx, "verdict", agent.Installed, id)
	if err != nil {
		return err
	}
	s.say("the agent saw it: %q %s, %s", clean(e.Extension.Name(), maxName), clean(e.Extension.Version(), 20), e.Result.Verdict)
	w, err := s.wait(ctx, "warning", agent.Warning, id)
	if err != nil {
		return err
	}
	s.say("the agent warned; this is what you would read:")
	if !s.quiet {
		var lines []string
		for _, l := range writeWarning(s.c, explain(&w.Extension, &w.Result, w.Code, &w.Profile, rules, time.Now())) {
			lines = append(lines, "    | "+l)
		}
		if err := s.c.print(lines...); err != nil {
			return err
		}
	}
	s.start = time.Now()
	if err := os.RemoveAll(place); err != nil {
		return fmt.Errorf("remove the extension: %w", err)
	}
	if _, err := s.wait(ctx, "gone", agent.Gone, id); err != nil {
		return err
	}
	s.say("the agent saw that it was removed")
	return nil
}

// say prints the last step with its time.
func (s *selftest) say(format string, args ...any) {
	if s.quiet {
		return
	}
	last := s.steps[len(s.steps)-1]
	s.c.print(fmt.Sprintf("%7.1f ms  ", last.Milliseconds) + fmt.Sprintf(format, args...))
}

// wait waits for an event of one kind about the extension.
func (s *selftest) wait(ctx context.Context, name string, kind agent.Kind, id string) (agent.Event, error) {
	late := time.NewTimer(selftestPatience)
	defer late.Stop()
	for {
		select {
		case e := <-s.events:
			if e.Kind == kind && (id == "" || e.Extension.ID == id) {
				s.steps = append(s.steps, step{Step: name, Milliseconds: milliseconds(time.Since(s.start))})
				return e, nil
			}
		case <-late.C:
			return agent.Event{}, fmt.Errorf("waited %v for the step %q", selftestPatience, name)
		case <-ctx.Done():
			return agent.Event{}, ctx.Err()
		}
	}
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Round(100*time.Microsecond)) / float64(time.Millisecond)
}

// layOut makes what Chromium's profile consists of before its first extension, and gives the profile's folder.
func (s *selftest) layOut() (string, error) {
	data := filepath.Join(s.home, ".config", "chromium")
	switch runtime.GOOS {
	case "windows":
		data = filepath.Join(s.home, "AppData", "Local", "Chromium", "User Data")
	case "darwin":
		data = filepath.Join(s.home, "Library", "Application Support", "Chromium")
	}
	profile := filepath.Join(data, "Default")
	if err := os.MkdirAll(filepath.Join(profile, "Extensions", "Temp"), 0o700); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(data, "Local State"), []byte("{}"), 0o600); err != nil {
		return "", err
	}
	return profile, os.WriteFile(filepath.Join(profile, "Preferences"), []byte("{}"), 0o600)
}

// install puts the extension there as Chromium does: written in Extensions/Temp, then the ID's folder made and the
// version moved into it by one rename (measured on Chromium 156.0.8078.79, Linux). The clock starts before that rename.
func (s *selftest) install(id, profile string, files fs.FS) (string, error) {
	temp := filepath.Join(profile, "Extensions", "Temp", "scoped_dir1_1")
	if err := os.CopyFS(temp, files); err != nil {
		return "", err
	}
	place := filepath.Join(profile, "Extensions", id)
	if err := os.Mkdir(place, 0o700); err != nil {
		return "", err
	}
	s.start = time.Now()
	return place, os.Rename(temp, filepath.Join(place, "1.0_0"))
}

// selftestID computes the ID of the planted extension from its key, as the browser does.
func selftestID(files fs.FS) (string, error) {
	data, err := fs.ReadFile(files, "manifest.json")
	if err != nil {
		return "", fmt.Errorf("read the planted manifest: %w", err)
	}
	m, err := manifests.Parse(data)
	if err != nil {
		return "", fmt.Errorf("read the planted manifest: %w", err)
	}
	id, err := manifests.IDFromKey(strings.TrimSpace(m.Key))
	if err != nil {
		return "", fmt.Errorf("read the planted manifest's key: %w", err)
	}
	return id, nil
}
