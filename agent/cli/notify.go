package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"runtime"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/agent/notifier"
	"github.com/extwatch/extwatch/agent/resident"
	"github.com/extwatch/extwatch/agent/settings"
	"github.com/extwatch/extwatch/signatures"
)

// notifyCommand is the hidden subcommand that the service starts in a person's session, with that person's rights, to
// show warnings.
const notifyCommand = "notify"

func newNotify(c *console) *cobra.Command {
	return &cobra.Command{
		Use:    notifyCommand,
		Hidden: true,
		Args:   noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := c.out
			if runtime.GOOS == "windows" {
				out = &pageOpener{out: c.out, open: openPage}
			}
			if err := notifier.Serve(cmd.Context(), c.in, out); err != nil && !errors.Is(err, notifier.ErrNotDelivered) {
				return fmt.Errorf("show warnings: %w", err)
			}
			return nil
		},
	}
}

// A pageOpener hands answers on, and opens the page when the answer is that the person wants to know what to do now. The
// service cannot open it on Windows: only a process in the person's session has a screen for a browser.
type pageOpener struct {
	out  io.Writer
	open func() error
}

// Write takes one answer as one line of JSON, which is how notifier.Serve writes them.
func (o *pageOpener) Write(line []byte) (int, error) {
	var a struct {
		Choice notifier.Choice `json:"choice"`
	}
	n, err := o.out.Write(line)
	if err == nil && json.Unmarshal(line, &a) == nil && a.Choice == notifier.WhatNow {
		// A page that does not open is no reason to lose the warning; the start menu has it as well.
		_ = o.open()
	}
	return n, err
}

// openPage starts "extwatch open" with the rights of this process, and does not wait for the browser.
func openPage() error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the program's own file: %w", err)
	}
	cmd := exec.Command(self, "open")
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("open the page: %w", err)
	}
	go func() { _ = cmd.Wait() }()
	return nil
}

// lookAgain is when the wait for people who log in begins anew, where it cannot begin yet.
const lookAgain = 30 * time.Second

// screens shows the service's warnings on people's screens.
type screens struct {
	desktop *notifier.Desktop
	stop    context.CancelFunc
}

func newScreens(command []string) func(settings.Settings, func(resident.Report)) (resident.Screens, error) {
	return func(s settings.Settings, report func(resident.Report)) (resident.Screens, error) {
		desktop, err := notifier.NewDesktop(notifier.Config{Command: command, Language: s.Language, Report: func(r notifier.Report) {
			report(resident.Report{User: browsers.User{Name: r.Person.Name, UID: r.Person.UID}, Keys: r.Keys, Shown: r.Shown, Place: r.Place, Choice: resident.Choice(r.Choice), Err: r.Err})
		}})
		if err != nil {
			return nil, err
		}
		ctx, stop := context.WithCancel(context.Background())
		go func() {
			for ctx.Err() == nil {
				if desktop.Watch(ctx, func(uid int) { report(resident.Report{User: browsers.User{UID: uid}, Came: true}) }) != nil {
					wait(ctx, lookAgain)
				}
			}
		}()
		return &screens{desktop, stop}, nil
	}
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (s *screens) Close() {
	s.stop()
	s.desktop.Close()
}

func (s *screens) Show(u browsers.User, list ...resident.Warning) error {
	out := make([]notifier.Warning, len(list))
	for i := range list {
		out[i] = warningOf(&list[i])
	}
	return s.desktop.Show(personOf(u), out...)
}

func (s *screens) Adopt(u browsers.User, place uint32, list ...resident.Warning) error {
	out := make([]notifier.Warning, len(list))
	for i := range list {
		out[i] = warningOf(&list[i])
	}
	return s.desktop.Adopt(personOf(u), place, out...)
}

func (s *screens) Withdraw(u browsers.User, keys ...string) error {
	return s.desktop.Withdraw(personOf(u), keys...)
}

// warningOf says what a notification is made from.
func warningOf(w *resident.Warning) notifier.Warning {
	x := &w.Extension
	out := notifier.Warning{
		Key: w.Key, ID: x.ID, Name: x.Name, Version: x.Version, Browser: w.Profile.Title, Profile: x.Title, User: x.User,
		Installed: x.FirstSeen, Verdict: x.Result.Verdict, Reach: x.Result.Reach,
	}
	if out.Browser == "" {
		out.Browser = x.Browser
	}
	if out.Profile == "" {
		out.Profile = x.Profile
	}
	for _, f := range w.Findings {
		out.Findings = append(out.Findings, f.Finding)
		if f.Verdict == signatures.Malicious || out.Verdict == "" {
			out.Verdict = f.Verdict
		}
		if flows := flowsOf(f.Finding, w.Code); out.Sends == "" && len(flows) > 0 {
			out.Sends, out.Party = flows[0].Source, string(flows[0].Party)
		}
	}
	return out
}

// personOf is the account of a user, with its groups.
func personOf(u browsers.User) notifier.Person {
	p := notifier.Person{Name: u.Name, UID: u.UID, GID: u.UID}
	account, err := user.LookupId(strconv.Itoa(u.UID))
	if err != nil {
		return p
	}
	if gid, err := strconv.Atoi(account.Gid); err == nil {
		p.GID = gid
	}
	groups, _ := account.GroupIds() // without them it may do a little less
	for _, g := range groups {
		if n, err := strconv.Atoi(g); err == nil {
			p.Groups = append(p.Groups, n)
		}
	}
	return p
}
