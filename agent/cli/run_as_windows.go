package cli

import (
	"errors"
	"os/exec"

	"github.com/extwatch/extwatch/agent/browsers"
)

func runAs(*exec.Cmd, browsers.User) error { return errors.New("not on Windows") }
