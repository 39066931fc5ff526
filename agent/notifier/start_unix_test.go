//go:build unix

package notifier

import (
	"os"
	"os/exec"
)

func testProcess(mode string) (*process, error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), hostile+"="+mode)
	as(cmd, Person{UID: os.Getuid()})
	return launch(cmd)
}
