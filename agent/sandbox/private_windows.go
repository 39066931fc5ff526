package sandbox

import (
	"fmt"
	"os"

	"golang.org/x/sys/windows"
)

// administratorsOnly gives a folder to the administrators and the system, with all that is in it: what is below
// C:\ProgramData may else be read by everybody, and written to by whoever makes a file there first.
const administratorsOnly = "O:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"

// Private makes a folder that only administrators and the system may use, and takes it from whoever made it before.
func Private(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	sd, err := windows.SecurityDescriptorFromString(administratorsOnly)
	if err != nil {
		return fmt.Errorf("describe who may use %s: %w", folder, err)
	}
	owner, _, err := sd.Owner()
	if err != nil {
		return fmt.Errorf("name the owner of %s: %w", folder, err)
	}
	dacl, _, err := sd.DACL()
	if err != nil {
		return fmt.Errorf("list who may use %s: %w", folder, err)
	}
	err = windows.SetNamedSecurityInfo(folder, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION|
		windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, owner, nil, dacl, nil)
	if err != nil {
		return fmt.Errorf("let only administrators use %s: %w", folder, err)
	}
	return nil
}
