package feed

import (
	"fmt"
	"strings"
)

// maxPath is the longest target path, in bytes; the publisher's own are shorter than 60.
const maxPath = 200

// checkPath says what is wrong with a target path. Paths become names in an fs.FS and part of a mirror's address, never
// names on this disk; still they are held to what every system and every URL takes as it is.
func checkPath(p string) error {
	if p == "" || len(p) > maxPath {
		return fmt.Errorf("a target path of %d bytes", len(p))
	}
	for i := range len(p) {
		if c := p[i]; !isNameByte(c) && c != '/' {
			return fmt.Errorf("target path %q: only letters, digits and . _ - / are allowed", p)
		}
	}
	for part := range strings.SplitSeq(p, "/") {
		switch {
		case part == "":
			return fmt.Errorf("target path %q: an empty part", p)
		case part[0] == '.' || part[len(part)-1] == '.':
			return fmt.Errorf("target path %q: a part that starts or ends with a dot", p)
		}
	}
	return nil
}

// checkRole says what is wrong with the name of a delegated role. It becomes a file name in metadata/.
func checkRole(name string) error {
	if name == "" || len(name) > 64 {
		return fmt.Errorf("a role name of %d bytes", len(name))
	}
	for i := range len(name) {
		if c := name[i]; c < 'a' && c != '-' && (c < '0' || c > '9') && c != '_' || c > 'z' {
			return fmt.Errorf("role name %q: only small letters, digits, _ and - are allowed", name)
		}
	}
	switch name {
	case "root", "targets", "snapshot", "timestamp":
		return fmt.Errorf("role name %q is taken", name)
	}
	return nil
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-'
}

// A pathSet notices two paths that are one on a file system that ignores case, and a file where another path has a folder.
type pathSet map[string]string

func (s pathSet) add(p string) error {
	if err := checkPath(p); err != nil {
		return err
	}
	low := strings.ToLower(p)
	if old, ok := s[low]; ok {
		return fmt.Errorf("target paths %q and %q clash", strings.TrimSuffix(old, "/"), p)
	}
	s[low] = p
	for i, c := range p {
		if c != '/' {
			continue
		}
		dir := p[:i+1]
		switch old, ok := s[low[:i]]; {
		case !ok:
			s[low[:i]] = dir
		case old != dir:
			return fmt.Errorf("target paths %q and %q clash", strings.TrimSuffix(old, "/"), p)
		}
	}
	return nil
}
