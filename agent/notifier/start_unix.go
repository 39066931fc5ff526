//go:build unix

package notifier

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// as makes a command run with a person's rights, in a session of its own: no terminal to write to.
func as(cmd *exec.Cmd, p Person) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if os.Geteuid() == p.UID {
		return
	}
	c := &syscall.Credential{Uid: uint32(p.UID), Gid: uint32(p.GID)}
	for _, g := range p.Groups {
		c.Groups = append(c.Groups, uint32(g))
	}
	cmd.SysProcAttr.Credential = c
}

// launch starts a command and connects to it.
func launch(cmd *exec.Cmd) (*process, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the process that warns: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the process that warns: %w", err)
	}
	cmd.Dir = "/"
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the process that warns: %w", err)
	}
	return &process{in: in, out: out, wait: cmd.Wait, kill: func() { _ = cmd.Process.Kill() }}, nil
}
