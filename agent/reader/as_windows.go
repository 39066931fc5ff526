package reader

import (
	"os/exec"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/agent/sandbox"
)

// as takes what rights can be taken. A person's own token exists only while they are logged in, so the child keeps the
// service's eyes and loses its hands: no privileges, low integrity.
func as(cmd *exec.Cmd, _ browsers.User) error { return sandbox.Confine(cmd) }
