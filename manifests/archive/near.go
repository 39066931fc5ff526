package archive

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
)

// A near is an os.Root that holds the folder open in which it was last asked for a file. An os.Root opens every folder on
// the way to a file anew, which for most files of an extension costs more than reading them.
type near struct {
	*os.Root

	mu   sync.Mutex
	name string // of the folder that is held
	dir  *os.Root
}

// hold returns the folder that name lies in, and its name there. The caller has locked n.
func (n *near) hold(name string) (*os.Root, string) {
	folder, base := path.Split(name)
	switch {
	case folder == "":
		return n.Root, name
	case n.dir != nil && folder == n.name:
		return n.dir, base
	}
	n.release()
	dir, err := n.Root.OpenRoot(path.Clean(folder) + asFolder)
	if err != nil {
		return n.Root, name // it says what is wrong
	}
	n.name, n.dir = folder, dir
	return dir, base
}

func (n *near) release() {
	if n.dir != nil {
		n.dir.Close()
	}
	n.name, n.dir = "", nil
}

// Lstat implements beneath.
func (n *near) Lstat(name string) (fs.FileInfo, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	dir, base := n.hold(name)
	return dir.Lstat(base)
}

// OpenFile implements beneath. A link may lead out of its folder and yet stay in the extension: what cannot be opened
// in its folder is asked for by its whole name.
func (n *near) OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if dir, base := n.hold(name); dir != n.Root {
		if f, err := dir.OpenFile(base, flag, perm); err == nil {
			return f, nil
		}
	}
	return n.Root.OpenFile(name, flag, perm)
}

// listing lets go of the folder that is held when it, or one above it, is listed: who lists wants to see what is there now.
func (n *near) listing(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if name == "." || strings.HasPrefix(n.name, name+"/") {
		n.release()
	}
}

// Close implements beneath. It does not wait for who is held up by a disk that does not answer.
func (n *near) Close() error {
	if n.mu.TryLock() {
		n.release()
		n.mu.Unlock()
	} else {
		go n.listing(".")
	}
	return n.Root.Close()
}
