//go:build unix

package reader

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
	"time"

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
	if uid >= 0 {
		if gid, groups, ok := groupsOf(uid); ok {
			sandbox.As(cmd, uid, gid, groups)
			return nil
		}
	}
	// No account says it, so the home does.
	owner, err := ownerOf(u.Home)
	if err != nil {
		return err
	}
	if uid < 0 {
		uid = int(owner.Uid)
	}
	gid, groups, ok := groupsOf(uid)
	if !ok {
		gid = int(owner.Gid)
		if uid != int(owner.Uid) {
			gid = sandbox.Nobody
		}
	}
	sandbox.As(cmd, uid, gid, groups)
	return nil
}

// groupsOf looks an account up.
func groupsOf(uid int) (gid int, groups []int, ok bool) {
	account, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return 0, nil, false
	}
	if gid, err = strconv.Atoi(account.Gid); err != nil {
		return 0, nil, false
	}
	list, _ := account.GroupIds() // without them it reads a little less
	for _, g := range list {
		if n, err := strconv.Atoi(g); err == nil {
			groups = append(groups, n)
		}
	}
	return gid, groups, true
}

// homeWithin is how long a home may take to say whose it is. On a dead network drive it never does.
const homeWithin = 3 * time.Second

func ownerOf(home string) (*syscall.Stat_t, error) {
	type answer struct {
		fi  os.FileInfo
		err error
	}
	answers := make(chan answer, 1)
	go func() {
		fi, err := os.Lstat(home)
		answers <- answer{fi, err}
	}()
	select {
	case a := <-answers:
		if a.err != nil {
			return nil, fmt.Errorf("look at the home: %w", a.err)
		}
		if owner, ok := a.fi.Sys().(*syscall.Stat_t); ok {
			return owner, nil
		}
		return nil, fmt.Errorf("nobody knows whose home %s is", home)
	case <-time.After(homeWithin):
		return nil, fmt.Errorf("the home %s did not answer within %v", home, homeWithin)
	}
}
