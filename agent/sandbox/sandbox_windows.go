package sandbox

import (
	"fmt"
	"os/exec"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// enter does nothing: a process cannot lower its own rights as far as its parent can, with Confine.
func enter(Policy) (missing []string, err error) { return nil, nil }

// As does nothing: without the person's password or session there is no token of theirs. Use Confine.
func As(*exec.Cmd, int, int, []int) {}

// Confine makes a command run with a token that has lost all privileges and has low integrity: it reads what this
// process may read, and writes nothing that does not have low integrity itself.
func Confine(cmd *exec.Cmd) error {
	token, err := restricted()
	if err != nil {
		return fmt.Errorf("restrict the rights of a process: %w", err)
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Token = syscall.Token(token) // closed with this process: there are few
	cmd.SysProcAttr.HideWindow = true
	return nil
}

func restricted() (windows.Token, error) {
	var own windows.Token
	if err := windows.OpenProcessToken(windows.CurrentProcess(), windows.TOKEN_DUPLICATE|windows.TOKEN_QUERY|windows.TOKEN_ASSIGN_PRIMARY|windows.TOKEN_ADJUST_DEFAULT, &own); err != nil {
		return 0, err
	}
	defer own.Close()
	const disableMaxPrivilege = 1 // DISABLE_MAX_PRIVILEGE
	var token windows.Token
	create := windows.NewLazySystemDLL("advapi32.dll").NewProc("CreateRestrictedToken")
	if err := create.Find(); err != nil {
		return 0, err
	}
	if ok, _, err := create.Call(uintptr(own), disableMaxPrivilege, 0, 0, 0, 0, 0, 0, uintptr(unsafe.Pointer(&token))); ok == 0 {
		return 0, err
	}
	low, err := windows.CreateWellKnownSid(windows.WinLowLabelSid)
	if err != nil {
		token.Close()
		return 0, err
	}
	label := windows.Tokenmandatorylabel{Label: windows.SIDAndAttributes{Sid: low, Attributes: windows.SE_GROUP_INTEGRITY}}
	if err := windows.SetTokenInformation(token, windows.TokenIntegrityLevel, (*byte)(unsafe.Pointer(&label)), label.Size()); err != nil {
		token.Close()
		return 0, err
	}
	return token, nil
}
