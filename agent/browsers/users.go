package browsers

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Linux gives people numbers from 1000; 65534 is "nobody" (login.defs, systemd's UIDS-GIDS).
const (
	firstUID = 1000
	nobody   = 65534
)

// users returns the users whose homes are read.
func (s *scan) users() []User {
	if s.given != nil {
		return s.given
	}
	l := &userList{scan: s, homes: map[string]bool{}}
	switch {
	case s.os == onWindows && s.live:
		l.addAll(s.systemUsers())
		l.folders(systemDrive(s.env) + `\Users`)
	case s.os == onWindows:
		l.folders(filepath.Join(s.root, "Users"))
	case s.os == onMac && s.live:
		l.folders("/Users")
		if s.privileged {
			l.add(User{Name: "root", Home: "/var/root", UID: 0})
		}
	case s.os == onMac:
		l.folders(filepath.Join(s.root, "Users"))
		l.administrator(filepath.Join(s.root, "private", "var", "root"))
	case s.live:
		l.addAll(s.systemUsers())
		l.folders("/home")
	default:
		l.folders(filepath.Join(s.root, "home"))
		l.administrator(filepath.Join(s.root, "root"))
	}
	if s.live {
		l.current()
	}
	return l.users
}

// systemDrive returns the drive that holds Windows ("C:").
func systemDrive(env func(string) string) string {
	if d := env("SystemDrive"); d != "" {
		return d
	}
	return "C:"
}

// A userList collects users, one per home.
type userList struct {
	*scan
	users []User
	homes map[string]bool
}

func (l *userList) add(u User) {
	u.Home = filepath.Clean(u.Home)
	key := l.fold(u.Home)
	if !filepath.IsAbs(u.Home) || l.homes[key] {
		return
	}
	if len(l.users) == maxUsers {
		l.problem(u.Home, "is beyond the "+strconv.Itoa(maxUsers)+" homes that we read")
		return
	}
	l.homes[key] = true
	l.users = append(l.users, u)
}

func (l *userList) addAll(users []User) {
	for _, u := range users {
		l.add(u)
	}
}

// administrator adds root's home on a mounted disk, if it is there.
func (l *userList) administrator(home string) {
	if fi, err := os.Lstat(home); err == nil && fi.IsDir() {
		l.add(User{Name: "root", Home: home, UID: 0})
	}
}

// folders adds the sub-folders of dir, each a home. It also waits for new ones.
func (l *userList) folders(dir string) {
	real, err := resolve(l.root, dir)
	var top folder
	if err == nil {
		top, err = openFolder(real, l.maxEntries)
	}
	var names []string
	if err == nil {
		defer top.root.Close()
		l.awaited = append(l.awaited, Await{real, ""})
		names, err = top.list()
	}
	if err != nil && !missing(err) {
		l.problem(dir, l.reason(err))
	}
	var unknown []string
	for _, name := range names {
		// What the accounts name is not looked at here: a home on a dead network drive never answers.
		if !notHome(name) && !l.homes[l.fold(filepath.Join(dir, name))] {
			unknown = append(unknown, name)
		}
	}
	for i, fi := range l.lookAt(dir, unknown) {
		if fi != nil {
			uid, _ := owner(fi)
			l.add(User{Name: unknown[i], Home: filepath.Join(dir, unknown[i]), UID: uid})
		}
	}
}

// lookAt returns what is known of the sub-folders of dir; nil for what is none. A few that never answer do not hold up the
// rest.
func (l *userList) lookAt(dir string, names []string) []os.FileInfo {
	type answer struct {
		i  int
		fi os.FileInfo
	}
	answers, slots := make(chan answer, len(names)), make(chan struct{}, workers)
	go func() {
		for i, name := range names {
			slots <- struct{}{}
			go func() {
				defer func() { <-slots }()
				answers <- answer{i, l.folder(filepath.Join(dir, name))}
			}()
		}
	}()
	found := make([]os.FileInfo, len(names))
	timer := time.NewTimer(homePatience)
	defer timer.Stop()
	for range names {
		select {
		case a := <-answers:
			found[a.i] = a.fi
		case <-timer.C:
			l.problem(dir, fmt.Sprintf("some homes did not answer within %v; are they on a network share that is down?", homePatience))
			return found
		}
	}
	return found
}

// folder returns what is known of a folder, nil when it is none, such as a link that leads nowhere.
func (l *userList) folder(name string) os.FileInfo {
	real, err := resolve(l.root, name)
	if err != nil {
		return nil
	}
	fi, err := os.Lstat(real)
	if err != nil || !fi.IsDir() {
		return nil
	}
	return fi
}

// current adds who runs this process, also when no list names them (LDAP and other directories), and the home that the
// environment names: browsers follow $HOME.
func (l *userList) current() {
	name := ""
	if u, err := user.Current(); err == nil {
		name = u.Username
		if _, short, ok := strings.Cut(name, `\`); ok {
			name = short
		}
		l.add(User{Name: name, Home: u.HomeDir, UID: os.Getuid()})
	}
	for _, v := range []string{"HOME", "USERPROFILE"} {
		home := l.env(v)
		if home == "" || (v == "HOME") == (l.os == onWindows) {
			continue
		}
		if name == "" {
			name = filepath.Base(home)
		}
		l.add(User{Name: name, Home: home, UID: os.Getuid()})
	}
}

// notHome reports whether a folder among the homes is shared or a template.
func notHome(name string) bool {
	switch strings.ToLower(name) {
	case "public", "default", "default user", "all users", "shared", ".localized", "lost+found":
		return true
	}
	return strings.HasPrefix(name, ".")
}

// readPasswd returns the people in /etc/passwd, and root.
func readPasswd() ([]User, error) {
	f, err := os.Open("/etc/passwd")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := readAll(f, 0, maxPasswd)
	if err != nil && !errors.Is(err, errTooLarge) {
		return nil, err
	}
	return parsePasswd(b), err
}

func parsePasswd(b []byte) []User {
	var users []User
	for line := range strings.Lines(string(b)) {
		f := strings.Split(strings.TrimRight(line, "\r\n"), ":")
		if len(f) < 7 {
			continue
		}
		uid, err := strconv.Atoi(f[2])
		if err != nil || uid < 0 || uid != 0 && uid < firstUID || uid == nobody {
			continue
		}
		// A home "/" would make everything that user's.
		if home := f[5]; path.IsAbs(home) && (path.Clean(home) != "/" || uid == 0) {
			users = append(users, User{Name: f[0], Home: home, UID: uid})
		}
	}
	return users
}
