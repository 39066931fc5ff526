//go:build unix

package sandbox

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// As makes a command run as another user, with that user's groups and no others. Only root may start it.
func As(cmd *exec.Cmd, uid, gid int, groups []int) {
	c := &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	for _, g := range groups {
		c.Groups = append(c.Groups, uint32(g))
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Credential = c
	cmd.SysProcAttr.Setsid = true // no terminal to write to
}

// Confine prepares a command that is not given another user. There is nothing to prepare here: the process confines itself.
func Confine(*exec.Cmd) error { return nil }

// dropRoot makes a process of root's one of nobody's, unless it is to stay root. Go applies it to all threads.
func dropRoot(p Policy) error {
	if p.Root || os.Geteuid() != 0 {
		return nil
	}
	if err := unix.Setgroups(nil); err != nil {
		return fmt.Errorf("give up groups: %w", err)
	}
	if err := syscall.Setgid(Nobody); err != nil {
		return fmt.Errorf("give up the group of root: %w", err)
	}
	if err := syscall.Setuid(Nobody); err != nil {
		return fmt.Errorf("give up root: %w", err)
	}
	return nil
}
