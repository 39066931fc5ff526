package cli

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/agent/places"
	"github.com/extwatch/extwatch/agent/resident"
	"github.com/extwatch/extwatch/signatures"
)

const openLong = `Opens the local page of the running service in your browser: what was found, why, and what to do. The
address works once, within half a minute, and for programs of your account only. You see your own profiles; an administrator (sudo) sees all.`

func newOpen(c *console) *cobra.Command {
	var to string
	var show bool
	cmd := &cobra.Command{
		Use:   "open [flags]",
		Short: "Open the local page in your browser",
		Long:  openLong,
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			reply, err := askService(cmd.Context(), resident.Request{Do: "open", To: to, UID: sudoUser()})
			if err != nil {
				return err
			}
			if show {
				return c.print(reply.URL)
			}
			if err := startBrowser(cmd.Context(), reply.URL); err != nil {
				c.note("no browser could be opened (%v); open this address in yours, within half a minute:", err)
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
	case "darwin": // everybody sees the command lines of everybody
		file, err := doorFile(url)
		if err != nil {
			return err
		}
		defer func() {
			time.Sleep(doorOpen) // for a browser that starts
			os.Remove(file)
		}()
		name, args = "open", []string{file}
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w %s", name, err, oneLine(string(out)))
	}
	return nil
}

// doorOpen is how long the file that leads to the page stays.
const doorOpen = 5 * time.Second

// doorFile writes a page that leads on to an address into the person's own folder for temporary files, for nobody else to
// read.
func doorFile(url string) (string, error) {
	f, err := os.CreateTemp("", "extwatch-*.html") // 0600
	if err != nil {
		return "", fmt.Errorf("write the file that leads to the page: %w", err)
	}
	defer f.Close()
	if uid := sudoUser(); uid > 0 {
		if err := f.Chown(uid, -1); err != nil {
			os.Remove(f.Name())
			return "", fmt.Errorf("hand the file that leads to the page to user %d: %w", uid, err)
		}
	}
	if err := doorTemplate().Execute(f, url); err != nil {
		os.Remove(f.Name())
		return "", fmt.Errorf("write the file that leads to the page: %w", err)
	}
	return f.Name(), nil
}

func doorTemplate() *template.Template {
	return template.Must(template.New("").Parse(`<!doctype html><meta charset="utf-8"><title>ExtWatch</title>` +
		`<meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0; url={{.}}"><a href="{{.}}">ExtWatch</a>` + "\n"))
}

// sudoUser is who called sudo: the page opens in that person's browser. 0: nobody did.
func sudoUser() int {
	uid, err := strconv.Atoi(os.Getenv("SUDO_UID"))
	if err != nil || os.Geteuid() != 0 {
		return 0
	}
	return uid
}

// browseAs lets the service open its page in a user's browser: `extwatch open`, in the user's own session, which asks the
// service for an address of that user's. A browser must not run as a child of the service.
func browseAs(self string) func(context.Context, browsers.User, string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	return func(ctx context.Context, u browsers.User, to string) error {
		if u.UID <= 0 || !strings.HasPrefix(to, "/") {
			return errors.New("there is no session to open it in")
		}
		args := opener(runtime.GOOS, self, u.UID, to)
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Dir = "/"
		if runtime.GOOS == "linux" {
			runtimeDir := fmt.Sprintf("/run/user/%d", u.UID)
			cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + u.Home, "XDG_RUNTIME_DIR=" + runtimeDir, "DBUS_SESSION_BUS_ADDRESS=unix:path=" + runtimeDir + "/bus"}
			if err := runAs(cmd, u); err != nil {
				return err
			}
		}
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("ask the session of %s: %w %s", u.Name, err, oneLine(string(out)))
		}
		return nil
	}
}

// opener is the command that runs `extwatch open` in a user's session: on Linux through the user's systemd, as that user; on
// macOS through launchctl, which changes the session and leaves the rights, and sudo, which gives them up.
func opener(system, self string, uid int, to string) []string {
	if system == "darwin" {
		id := strconv.Itoa(uid)
		return []string{"/bin/launchctl", "asuser", id, "/usr/bin/sudo", "-n", "-H", "-u", "#" + id, "--", self, "open", "--to", to}
	}
	return []string{"systemd-run", "--user", "--collect", "--quiet", "--", self, "open", "--to", to}
}

// askService asks the service that runs.
func askService(ctx context.Context, q resident.Request) (resident.Reply, error) {
	reply, err := resident.Ask(ctx, places.Here().Socket, q)
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
	reply, err := resident.Ask(ctx, places.Here().Socket, q)
	if !errors.Is(err, resident.ErrNotRunning) || !administrator() {
		return reply, answered(reply, err)
	}
	if _, serr := os.Stat(places.Here().State); serr != nil {
		return reply, failed("install it with 'sudo extwatch service install'", "the service does not run, and never did")
	}
	rules, err := signatures.Builtin()
	if err != nil {
		return reply, fmt.Errorf("load the built-in rules: %w", err)
	}
	r, err := resident.New(resident.Config{Load: loadSettings, Rules: rules, Engine: engineVersion, Folder: places.Here().State})
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
