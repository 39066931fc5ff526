package archive

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"unicode"
	"unicode/utf8"

	"github.com/extwatch/extwatch/manifests"
)

// problems collects what was refused, each once, and at most maxProblems of them.
type problems struct {
	path string // of the folder or package; "" for a reader

	mu   sync.Mutex
	list []manifests.Problem
	seen map[manifests.Problem]bool
	more bool
}

// add notes a problem with a file, or with the whole package when file is "".
func (p *problems) add(file, reason string) {
	problem := manifests.Problem{Path: p.path, Reason: reason}
	if file != "" {
		problem.File = shown(file)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.seen[problem]:
	case len(p.list) == maxProblems:
		p.more = true
	default:
		if p.seen == nil {
			p.seen = map[manifests.Problem]bool{}
		}
		p.seen[problem] = true
		p.list = append(p.list, problem)
	}
}

// Problems returns what was refused or found odd so far.
func (p *problems) Problems() []manifests.Problem {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := append([]manifests.Problem(nil), p.list...)
	if p.more {
		list = append(list, manifests.Problem{Path: p.path, Reason: "more problems than are listed here"})
	}
	return list
}

// oddName says what is unusual about a name that is nevertheless read, or "".
func oddName(name string) string {
	switch {
	case !utf8.ValidString(name):
		return "its name is not UTF-8"
	case strings.IndexFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0:
		return "its name holds invisible or control characters"
	}
	return ""
}

// shown returns a name as people may be shown it: as it is, or quoted when characters of it could deceive the eye or a
// terminal, and never long.
func shown(name string) string {
	cut := ""
	if len(name) > maxShown {
		name, cut = strings.ToValidUTF8(name[:maxShown], ""), "…"
	}
	if oddName(name) != "" {
		name = strconv.Quote(name)
	}
	return name + cut
}

// explain turns an error of the operating system into the reason that people read and the error that the caller gets.
// The reason is "" when the file simply is not there.
func explain(err error) (reason string, cause error) {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	switch {
	case errors.Is(err, ErrRefused):
		return err.Error(), err
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return "", fs.ErrNotExist
	case errors.Is(err, fs.ErrPermission):
		return "no permission to read it", err
	case errors.Is(err, syscall.ELOOP):
		err = refusal("it is a link that leads in a circle, or through too many links")
	case strings.Contains(err.Error(), "escapes from parent"): // os.Root's error for it has no name
		err = refusal("it is a link that leads out of the folder")
	}
	return err.Error(), err
}
