package browsers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// workers is how many homes are read at once: the work is waiting for the disk more than computing.
const workers = 4

// A scan is one call of Find. All but its results is fixed before the homes are read.
type scan struct {
	os         string
	root       string // of a mounted disk, links resolved; "" on this machine
	live       bool   // this machine, not a disk
	privileged bool
	given      []User // Config.Users
	all        []User // whose homes are read
	env        func(string) string
	processes  func() ([]Process, error)
	tree       *node
	maxEntries int

	results
	lastUsed map[string]string // data folder -> profile folder that "Local State" says was used last
	dirs     map[string]bool   // folded Dir of each profile
}

// results is what a scan, or one home, found.
type results struct {
	profiles []Profile
	data     []Await // in data folders that exist
	awaited  []Await // where a data folder may appear
	problems []Problem
}

func newScan(cfg Config) *scan {
	s := &scan{
		os: cfg.OS, given: cfg.Users, env: cfg.Env, processes: cfg.Processes,
		privileged: privileged(), maxEntries: maxEntries, lastUsed: map[string]string{}, dirs: map[string]bool{},
	}
	if s.os == "" {
		s.os = runtime.GOOS
	}
	s.live = cfg.Root == "" && s.os == runtime.GOOS
	if cfg.Root != "" {
		s.mount(cfg.Root)
	}
	if s.env == nil {
		s.env = func(string) string { return "" }
		if s.live {
			s.env = os.Getenv
		}
	}
	if s.processes == nil && s.live {
		s.processes = Processes
	}
	s.tree = buildTree(table(), s.fold, func(r row) string {
		if r.os != s.os {
			return ""
		}
		return r.below()
	})
	return s
}

func (s *scan) find(ctx context.Context) (Machine, error) {
	s.all = s.users()
	s.homes(ctx)
	if err := ctx.Err(); err != nil {
		return Machine{}, fmt.Errorf("looking for browsers: %w", err)
	}
	s.running(ctx)
	if err := ctx.Err(); err != nil {
		return Machine{}, fmt.Errorf("looking for browsers: %w", err)
	}
	return s.machine(), nil
}

// mount notes the folder of a mounted disk, by its real path on this host.
func (s *scan) mount(root string) {
	s.root = root
	abs, err := filepath.Abs(root)
	if err == nil {
		abs, err = filepath.EvalSymlinks(abs)
	}
	if err != nil {
		s.problem(root, s.reason(err))
		return
	}
	s.root = abs
}

// fold returns name as the file systems of the operating system compare it.
func (s *scan) fold(name string) string {
	if s.os == onLinux {
		return name
	}
	return strings.ToLower(name)
}

// samePath reports whether two clean paths are the same folder's.
func (s *scan) samePath(a, b string) bool { return s.fold(a) == s.fold(b) }

// homes reads all homes, a few at a time. One that does not answer costs homePatience, not the others.
func (s *scan) homes(ctx context.Context) {
	found := make([]*homeScan, len(s.all))
	slots := make(chan struct{}, workers)
	var wg sync.WaitGroup
	for i, u := range s.all {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			found[i] = s.patiently(ctx, u)
		})
	}
	wg.Wait()
	for _, h := range found {
		if h == nil {
			continue
		}
		for _, p := range h.profiles {
			s.add(p)
		}
		s.data = append(s.data, h.data...)
		s.awaited = append(s.awaited, h.awaited...)
		s.problems = append(s.problems, h.problems...)
		for dir, name := range h.lastUsed {
			s.lastUsed[dir] = name
		}
	}
}

// patiently reads one home, or gives up on it.
func (s *scan) patiently(ctx context.Context, u User) *homeScan {
	done := make(chan *homeScan, 1)
	go func() { done <- s.home(ctx, u) }()
	timer := time.NewTimer(homePatience)
	defer timer.Stop()
	select {
	case h := <-done:
		return h
	case <-ctx.Done():
		return nil
	case <-timer.C:
		h := &homeScan{user: u}
		h.problem(u.Home, fmt.Sprintf("did not answer within %v; is it on a network share that is down?", homePatience))
		return h
	}
}

func (r *results) problem(path, reason string) {
	if len(r.problems) == maxProblems {
		reason = "more problems in this home than we report"
	}
	if len(r.problems) <= maxProblems {
		r.problems = append(r.problems, Problem{path, reason})
	}
}

// reason says why something could not be read, and for a missing right what to do.
func (s *scan) reason(err error) string {
	if errors.Is(err, fs.ErrPermission) {
		switch s.os {
		case onMac:
			return "no permission; give ExtWatch Full Disk Access (System Settings > Privacy & Security), or run it with sudo"
		case onWindows:
			return "no permission; run ExtWatch as administrator"
		}
		return "no permission; run ExtWatch as root, or as the user whose folder it is"
	}
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	return err.Error()
}

// missing reports whether err means that something is not there, which is no problem.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotFolder) || errors.Is(err, syscall.ENOTDIR)
}

// machine puts the results in order and removes what was found twice.
func (s *scan) machine() Machine {
	slices.SortStableFunc(s.profiles, func(a, b Profile) int {
		return cmp.Or(cmp.Compare(a.User.Home, b.User.Home), cmp.Compare(a.Browser, b.Browser),
			cmp.Compare(a.DataDir, b.DataDir), cmp.Compare(a.Name, b.Name))
	})
	m := Machine{Profiles: s.profiles, Awaited: s.fewAwaited()}
	seen := map[Problem]bool{}
	for _, p := range s.problems {
		if !seen[p] {
			seen[p] = true
			m.Problems = append(m.Problems, p)
		}
	}
	return m
}

// add appends a profile unless its folder is known: two ways can lead to one (a link, the table and a process).
func (s *scan) add(p Profile) {
	if key := s.fold(p.Dir); !s.dirs[key] {
		s.dirs[key] = true
		s.profiles = append(s.profiles, p)
	}
}

// fewAwaited removes duplicates and, when there are too many (a server with hundreds of homes), replaces the names in
// one folder by "any new sub-folder", and in the end leaves some out, data folders last.
func (s *scan) fewAwaited() []Await {
	few := unique(append(s.data, s.awaited...))
	if len(few) <= maxAwaited {
		return few
	}
	for i := range few {
		if n := few[i].Name; n != userData.index() && n != geckoRoot.index() {
			few[i].Name = ""
		}
	}
	few = unique(few)
	if len(few) > maxAwaited {
		s.problem("", fmt.Sprintf("%d folders in which a browser may appear are not watched; the regular sweep looks there", len(few)-maxAwaited))
		few = few[:maxAwaited]
	}
	return few
}

func unique(all []Await) []Await {
	var out []Await
	seen := make(map[Await]bool, len(all))
	for _, a := range all {
		if !seen[a] {
			seen[a] = true
			out = append(out, a)
		}
	}
	return out
}
