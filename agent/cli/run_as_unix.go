//go:build unix

package cli

import (
	"fmt"
	"os/exec"
	"os/user"
	"strconv"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/agent/sandbox"
)

// runAs makes a command run with a user's rights and groups.
func runAs(cmd *exec.Cmd, u browsers.User) error {
	account, err := user.LookupId(strconv.Itoa(u.UID))
	if err != nil {
		return fmt.Errorf("look up user %d: %w", u.UID, err)
	}
	gid, err := strconv.Atoi(account.Gid)
	if err != nil {
		return fmt.Errorf("look up the group of %s: %w", u.Name, err)
	}
	var groups []int
	ids, _ := account.GroupIds() // without them it may do a little less
	for _, id := range ids {
		if n, err := strconv.Atoi(id); err == nil {
			groups = append(groups, n)
		}
	}
	sandbox.As(cmd, u.UID, gid, groups)
	return nil
}
