package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/agent/resident"
)

const openLong = `Opens the local page of the running service in your browser: what was found, why, and what to do. The
address works once. You see your own profiles; an administrator (sudo) sees all.`

func newOpen(c *console) *cobra.Command {
	var to string
	var show bool
	cmd := &cobra.Command{
		Use:   "open [flags]",
		Short: "Open the local page in your browser",
		Long:  openLong,
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			reply, err := askService(cmd.Context(), resident.Request{Do: "open", To: to})
			if err != nil {
				return err
			}
			if show {
				return c.print(reply.URL)
			}
			if err := startBrowser(cmd.Context(), reply.URL); err != nil {
				c.note("no browser could be opened (%v); open this address in yours, within a minute:", err)
				return c.print(reply.URL)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&show, "print", false, "print the address instead")
	cmd.Flags().StringVar(&to, "to", "/", "the `PATH` of the page, such as /extensions/12")
	return cmd
}

// startBrowser opens an address in the person's browser.
func startBrowser(ctx context.Context, url string) error {
	name, args := "xdg-open", []string{url}
	switch runtime.GOOS {
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", url}
	case "darwin":
		name = "open"
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w %s", name, err, oneLine(string(out)))
	}
	return nil
}

// browseAs lets the service open its page in a user's browser: `extwatch open`, in the user's own session. A browser must
// not run as a child of the service, whose file system is read-only.
func browseAs(self string) func(context.Context, browsers.User, string) error {
	if runtime.GOOS != "linux" {
		return nil
	}
	return func(ctx context.Context, u browsers.User, to string) error {
		if u.UID <= 0 || !strings.HasPrefix(to, "/") {
			return errors.New("there is no session to open it in")
		}
		runtimeDir := fmt.Sprintf("/run/user/%d", u.UID)
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, "systemd-run", "--user", "--collect", "--quiet", "--", self, "open", "--to", to)
		cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + u.Home, "XDG_RUNTIME_DIR=" + runtimeDir, "DBUS_SESSION_BUS_ADDRESS=unix:path=" + runtimeDir + "/bus"}
		cmd.Dir = "/"
		if err := runAs(cmd, u); err != nil {
			return err
		}
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("ask the session of %s: %w %s", u.Name, err, oneLine(string(out)))
		}
		return nil
	}
}

// askService asks the service that runs.
func askService(ctx context.Context, q resident.Request) (resident.Reply, error) {
	reply, err := resident.Ask(ctx, socketPath(), q)
	return reply, answered(reply, err)
}

// answered puts into words what came of a question.
func answered(reply resident.Reply, err error) error {
	switch {
	case errors.Is(err, resident.ErrNotRunning):
		return failed("start it with 'sudo extwatch service start', or install it with 'sudo extwatch service install'", "the service does not run")
	case err != nil:
		return failed("the log of your system may say more", "%v", err)
	case reply.Error != "":
		return failed("", "%s", reply.Error)
	}
	return nil
}

// ask asks the service, or does it here when none runs and this process may.
func ask(ctx context.Context, q resident.Request) (resident.Reply, error) {
	reply, err := resident.Ask(ctx, socketPath(), q)
	if !errors.Is(err, resident.ErrNotRunning) || !administrator() {
		return reply, answered(reply, err)
	}
	if _, serr := os.Stat(stateFolder()); serr != nil {
		return reply, failed("install it with 'sudo extwatch service install'", "the service does not run, and never did")
	}
	rules, err := loadRules("")
	if err != nil {
		return reply, err
	}
	r, err := resident.New(resident.Config{Load: loadSettings, Rules: rules[0], Engine: engineVersion, Folder: stateFolder()})
	if err != nil {
		return reply, err
	}
	if err := r.Open(ctx); err != nil {
		return reply, failed("it is starting or ending: try again", "%v", err)
	}
	defer r.Close()
	reply = r.Answer(ctx, resident.Caller{Name: "root", Admin: true}, q)
	if reply.Error != "" {
		return reply, failed("", "%s", reply.Error)
	}
	return reply, nil
}
