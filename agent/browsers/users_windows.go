package browsers

import (
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows/registry"
)

// systemUsers returns the users of the registry's profile list, which names homes that lie elsewhere than in C:\Users.
func (s *scan) systemUsers() []User {
	const list = `SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList`
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, list, registry.ENUMERATE_SUB_KEYS)
	if err != nil {
		s.problem(`HKLM\`+list, s.reason(err))
		return nil
	}
	defer key.Close()
	sids, err := key.ReadSubKeyNames(-1)
	if err != nil {
		s.problem(`HKLM\`+list, s.reason(err))
	}
	var users []User
	for _, sid := range sids {
		// S-1-5-18, -19 and -20 are services, whose homes only an elevated process can read.
		if len(sid) <= len("S-1-5-20") && !s.privileged || strings.HasSuffix(sid, ".bak") {
			continue
		}
		home, err := profilePath(key, sid)
		if err != nil {
			s.problem(`HKLM\`+list+`\`+sid, s.reason(err))
			continue
		}
		users = append(users, User{Name: filepath.Base(home), Home: home, UID: -1})
	}
	return users
}

func profilePath(list registry.Key, sid string) (string, error) {
	key, err := registry.OpenKey(list, sid, registry.QUERY_VALUE)
	if err != nil {
		return "", err
	}
	defer key.Close()
	path, _, err := key.GetStringValue("ProfileImagePath")
	if err != nil {
		return "", err
	}
	return registry.ExpandString(path)
}
