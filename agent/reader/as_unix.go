//go:build unix

package reader

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/agent/sandbox"
)

// as makes a command run with the rights of a user. Who is not root has no others to give. Root's own child stays root:
// what it reads is root's.
func as(cmd *exec.Cmd, u browsers.User) error {
	if os.Geteuid() != 0 {
		return nil
	}
	uid := u.UID
	fi, err := os.Lstat(u.Home)
	if err != nil {
		return fmt.Errorf("look at the home: %w", err)
	}
	owner, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("nobody knows whose home %s is", u.Home)
	}
	if uid < 0 {
		uid = int(owner.Uid)
	}
	gid, groups := int(owner.Gid), []int(nil)
	if account, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		gid, _ = strconv.Atoi(account.Gid)
		list, _ := account.GroupIds() // without them it reads a little less
		for _, g := range list {
			if n, err := strconv.Atoi(g); err == nil {
				groups = append(groups, n)
			}
		}
	} else if uid != int(owner.Uid) {
		gid = sandbox.Nobody
	}
	sandbox.As(cmd, uid, gid, groups)
	return nil
}
