package settings

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/windows"
)

// trustworthy refuses a file that an ordinary user made: everybody may make files below C:\ProgramData, and the settings
// say where the service writes.
func trustworthy(f *os.File) error {
	sd, err := windows.GetSecurityInfo(windows.Handle(f.Fd()), windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("ask who owns it: %w", err)
	}
	owner, _, err := sd.Owner()
	if err != nil {
		return fmt.Errorf("ask who owns it: %w", err)
	}
	for _, kind := range [...]windows.WELL_KNOWN_SID_TYPE{windows.WinBuiltinAdministratorsSid, windows.WinLocalSystemSid} {
		if owner.IsWellKnown(kind) {
			return nil
		}
	}
	me, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err == nil && me.User.Sid.Equals(owner) {
		return nil // what runs with this account's rights anyhow
	}
	return errors.New("its owner is no administrator; make it anew in a terminal that was opened as administrator")
}
