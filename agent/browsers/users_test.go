package browsers

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUsersOfDisk(t *testing.T) {
	root := tempDir(t)
	write(t, root, map[string]string{
		"home/ada/": "", "home/bob/": "", "home/lost+found/": "", "home/notes.txt": "", "root/": "", "srv/eve/": "",
		"Users/ada/": "", "Users/Public/": "", "Users/Default/": "", "Users/Default User/": "", "Users/All Users/": "",
		"Users/desktop.ini": "", "Users/Shared/": "", "Users/.localized": "", "Users/.hidden/": "", "private/var/root/": "",
	})
	link(t, filepath.Join("..", "srv", "eve"), filepath.Join(root, "home", "eve"))
	link(t, "nowhere", filepath.Join(root, "home", "gone"))
	for osName, want := range map[string][]string{
		onLinux:   {"home/ada", "home/bob", "home/eve", "root"},
		onWindows: {"Users/ada"},
		onMac:     {"Users/ada", "private/var/root"},
	} {
		s := newScan(Config{OS: osName, Root: root})
		var got []string
		for _, u := range s.users() {
			rel, err := filepath.Rel(root, u.Home)
			if err != nil || u.Name != filepath.Base(u.Home) {
				t.Errorf("user %+v: %v", u, err)
			}
			got = append(got, filepath.ToSlash(rel))
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", osName, d)
		}
		if len(s.problems) != 0 {
			t.Errorf("%s: %v", osName, s.problems)
		}
	}
}

func TestParsePasswd(t *testing.T) {
	in := strings.Join([]string{
		"root:x:0:0:root:/root:/bin/bash",
		"daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin",
		"ada:x:1000:1000:Ada,,,:/home/ada:/bin/bash",
		"far:x:200001:1:Far:/srv/far home:/bin/sh\r",
		"slash:x:1001:1:::/bin/sh",
		"top:x:1002:1::/:/bin/sh",
		"top2:x:1003:1::/.//:/bin/sh",
		"relative:x:1004:1::home/x:/bin/sh",
		"nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
		"minus:x:-5:1::/home/m:/bin/sh",
		"nan:x:ten:1::/home/n:/bin/sh",
		"short:x:1005", "", "+::::::",
	}, "\n")
	want := []User{{"root", "/root", 0}, {"ada", "/home/ada", 1000}, {"far", "/srv/far home", 200001}}
	if d := cmp.Diff(want, parsePasswd([]byte(in))); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func FuzzParsePasswd(f *testing.F) {
	f.Add([]byte("ada:x:1000:1000:Ada,,,:/home/ada:/bin/bash\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, u := range parsePasswd(b) {
			if !strings.HasPrefix(u.Home, "/") || u.UID != 0 && u.UID < firstUID {
				t.Errorf("accepted %+v", u)
			}
		}
	})
}

// TestUsersOfThisMachine: whoever runs this is among the users, and so is the home that the environment names.
func TestUsersOfThisMachine(t *testing.T) {
	mine := tempDir(t)
	s := newScan(Config{Env: func(name string) string {
		if name == "HOME" || name == "USERPROFILE" {
			return mine
		}
		return ""
	}})
	users := s.users()
	at := slices.IndexFunc(users, func(u User) bool { return u.Home == mine })
	if at < 0 {
		t.Fatalf("%s is not among %+v", mine, users)
	}
	if users[at].UID != os.Getuid() || users[at].Name == "" {
		t.Errorf("user %+v", users[at])
	}
	if runtime.GOOS != onWindows && !slices.ContainsFunc(users, func(u User) bool { return u.UID == os.Getuid() && u.Home != mine }) {
		t.Errorf("user %d is not among %+v", os.Getuid(), users)
	}
}

func TestTooManyUsers(t *testing.T) {
	l := &userList{scan: newScan(Config{OS: onLinux, Root: tempDir(t)}), homes: map[string]bool{}}
	for i := range maxUsers + 5 {
		home := filepath.Join(l.root, strings.Repeat("x", 1+i%7), string(rune('a'+i%26)), strings.Repeat("y", i/182+1))
		l.add(User{Name: "u", Home: home})
		l.add(User{Name: "again", Home: home})
	}
	if len(l.users) != maxUsers || len(l.problems) == 0 {
		t.Errorf("%d users, %d problems", len(l.users), len(l.problems))
	}
}
