package response

import (
	"errors"
	"strings"

	"golang.org/x/sys/windows"
	winreg "golang.org/x/sys/windows/registry"
)

func machineRegistry() registry { return windowsRegistry{} }

type windowsRegistry struct{}

func (windowsRegistry) values(key string) (map[string]string, error) {
	k, err := winreg.OpenKey(winreg.LOCAL_MACHINE, key, winreg.QUERY_VALUE)
	if errors.Is(err, winreg.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer k.Close()
	names, err := k.ReadValueNames(-1)
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for _, name := range names {
		text, _, err := k.GetStringValue(name)
		if errors.Is(err, winreg.ErrUnexpectedType) {
			var lines []string
			if lines, _, err = k.GetStringsValue(name); err == nil {
				text = strings.Join(lines, "\n")
			}
		}
		if err == nil {
			values[name] = text
		}
	}
	return values, nil
}

func (windowsRegistry) set(key, name, value string) error {
	k, _, err := winreg.CreateKey(winreg.LOCAL_MACHINE, key, winreg.SET_VALUE)
	if err != nil {
		return err
	}
	defer k.Close()
	return k.SetStringValue(name, value)
}

func (windowsRegistry) remove(key, name string) error {
	k, err := winreg.OpenKey(winreg.LOCAL_MACHINE, key, winreg.SET_VALUE)
	if errors.Is(err, winreg.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	err = k.DeleteValue(name)
	if errors.Is(err, winreg.ErrNotExist) {
		err = nil
	}
	k.Close()
	if err == nil {
		err = removeEmpty(key)
	}
	return err
}

// removeEmpty removes a key without values and keys, and those above it that are empty then, up to the policies of all
// programs: an empty key says nothing.
func removeEmpty(key string) error {
	for parent, name, ok := cutLast(key); ok && !strings.EqualFold(name, "Policies"); parent, name, ok = cutLast(key) {
		k, err := winreg.OpenKey(winreg.LOCAL_MACHINE, key, winreg.QUERY_VALUE|winreg.ENUMERATE_SUB_KEYS)
		if err != nil {
			return err
		}
		info, err := k.Stat()
		k.Close()
		if err != nil || info.ValueCount > 0 || info.SubKeyCount > 0 {
			return err
		}
		if err := winreg.DeleteKey(winreg.LOCAL_MACHINE, key); err != nil {
			return err
		}
		key = parent
	}
	return nil
}

// cutLast parts a key's path from its last name; there is none above a key of one name.
func cutLast(key string) (parent, name string, ok bool) {
	i := strings.LastIndex(key, `\`)
	if i < 0 {
		return "", key, false
	}
	return key[:i], key[i+1:], true
}

// refresh lets Windows announce that policies changed: Chrome waits for that, and looks by itself every 15 minutes only.
func (windowsRegistry) refresh() error {
	const force = 1 // RP_FORCE
	proc := windows.NewLazySystemDLL("userenv.dll").NewProc("RefreshPolicyEx")
	if err := proc.Find(); err != nil {
		return nil // the browser finds out within 15 minutes
	}
	proc.Call(1, force) // as above
	return nil
}

func isReadOnly(err error) bool { return errors.Is(err, windows.ERROR_WRITE_PROTECT) }
