package browsers

import (
	"bytes"
	"encoding/binary"
	"path/filepath"
	"slices"
	"strings"
)

// A Process is the main process of a running browser.
type Process struct {
	PID  int
	Args []string // the command line, Args[0] the program as it was called
	Dir  string   // its working folder; "" when unknown
	UID  int      // whose it is; -1 when unknown
	Exe  string   // the program's file; "" when unknown
}

// A ProcessWatch notices that a browser was started or ended. The zero value is ready. It is not safe for concurrent
// use.
type ProcessWatch struct {
	seen    map[int]int // PID -> polls in which it was looked at and was no browser, or isBrowser
	running []int       // sorted
	polls   int
	newest  string // the newest process at the last look (Linux)
	settled bool   // none of those seen may still become a browser
}

const (
	// isBrowser marks a PID as a browser's.
	isBrowser = -1
	// settledPolls is how often a new process is looked at before it is taken to stay what it is: a wrapper script
	// becomes the browser (exec) some time after it started.
	settledPolls = 3
	// forgetPolls is how often all are looked at anew, for those that take their time, and for numbers used again.
	forgetPolls = 15
)

// Changed reports whether the set of running browsers is another than at the last call; the first call compares with
// none. On Linux it costs one listing of /proc, and a look at processes that are new. What cannot be listed counts as
// no change; Find reports it.
func (w *ProcessWatch) Changed() bool {
	if w.polls%forgetPolls == 0 {
		w.seen, w.newest = map[int]int{}, ""
	}
	w.polls++
	now, err := w.browsers()
	if err != nil {
		return false
	}
	slices.Sort(now)
	changed := !slices.Equal(now, w.running)
	w.running = now
	return changed
}

// programName returns a program's file name as the table of executables has it.
func programName(path string) string {
	path = strings.TrimSuffix(path, " (deleted)") // Linux, after an update
	if i := strings.LastIndexAny(path, `/\`); i >= 0 {
		path = path[i+1:]
	}
	return strings.TrimSuffix(strings.ToLower(path), ".exe")
}

// programs maps names to browsers, for one pass over many processes.
func programs() map[string]executable {
	m := map[string]executable{}
	for _, e := range executables() {
		m[e.name] = e
	}
	return m
}

// program returns the browser that p is. The file counts before the name that it was called by.
func program(known map[string]executable, p Process) (executable, bool) {
	if e, ok := known[programName(p.Exe)]; ok {
		return e, true
	}
	if len(p.Args) == 0 {
		return executable{}, false
	}
	e, ok := known[programName(p.Args[0])]
	return e, ok
}

// isChild reports whether the arguments are those of a helper process (renderer, GPU, zygote). On Linux Chromium's
// helpers overwrite their arguments with one string (measured on 156.0.8078.79).
func isChild(args []string) bool {
	for i, a := range args {
		if strings.HasPrefix(a, "--type=") || a == "-contentproc" || i == 0 && strings.Contains(a, " --type=") {
			return true
		}
	}
	return false
}

// A run is what a browser's command line says.
type run struct {
	Process
	executable
	dataDir    string   // --user-data-dir, absolute; "" is the default one
	profileDir string   // --profile-directory: a folder name
	profile    string   // Gecko's -profile, absolute
	name       string   // Gecko's -P
	load       []string // absolute
	unknown    []string // relative paths of a process whose working folder is unknown
	lost       bool     // it uses another folder than the usual one, and which is unknown
}

// parseRun reads a command line. ok is false if the process is not a browser's main process. home is where "~" leads.
func parseRun(known map[string]executable, p Process, osName, home string) (r run, ok bool) {
	e, ok := program(known, p)
	if !ok || isChild(p.Args) {
		return run{}, false
	}
	r = run{Process: p, executable: e}
	if len(p.Args) == 0 {
		return r, true
	}
	if e.family == Gecko {
		r.geckoArgs(p.Args[1:], osName)
	} else {
		r.chromiumArgs(p.Args[1:], osName, home)
	}
	return r, true
}

// chromiumArgs reads switches as base::CommandLine does: --name=value with one or two dashes (on Windows also "/" and
// any case), the last of several wins, and "--" ends them.
func (r *run) chromiumArgs(args []string, osName, home string) {
	values := map[string]string{}
	for _, a := range args {
		if a == "--" {
			break
		}
		name, ok := strings.CutPrefix(a, "--")
		if !ok {
			name, ok = strings.CutPrefix(a, "-")
		}
		if !ok && osName == onWindows {
			name, ok = strings.CutPrefix(a, "/")
		}
		if !ok {
			continue
		}
		name, value, _ := strings.Cut(name, "=")
		if osName == onWindows {
			name = strings.ToLower(name)
		}
		values[name] = value
	}
	if v := values["user-data-dir"]; v != "" {
		r.dataDir = r.absolute(v, "")
		r.lost = r.dataDir == ""
	}
	if v := values["profile-directory"]; isFolderName(v) {
		r.profileDir = v
	}
	// Both switches load the extensions that they name.
	for _, list := range []string{values["load-extension"], values["disable-extensions-except"]} {
		for dir := range strings.SplitSeq(list, ",") {
			if dir == "" || len(r.load) == maxLoad {
				continue
			}
			if abs := r.absolute(dir, home); abs != "" && !slices.Contains(r.load, abs) {
				r.load = append(r.load, abs)
			}
		}
	}
}

// geckoArgs reads options as Firefox does: -name value with one or two dashes (on Windows also "/"), in any case.
func (r *run) geckoArgs(args []string, osName string) {
	for i := 0; i < len(args); i++ {
		a := args[i]
		if osName == onWindows {
			if rest, ok := strings.CutPrefix(a, "/"); ok {
				a = "-" + rest
			}
		}
		name, ok := strings.CutPrefix(a, "-")
		if !ok {
			continue
		}
		name, value, inline := strings.Cut(strings.TrimPrefix(name, "-"), "=")
		if !inline && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
			value = args[i+1]
		}
		switch name = strings.ToLower(name); {
		case value == "":
		case name == "profile":
			r.profile = r.absolute(value, "")
			r.lost = r.profile == ""
		case name == "p":
			r.name = value
		}
	}
}

// absolute returns a path of the command line as an absolute one, or "" with a note if that cannot be.
func (r *run) absolute(path, home string) string {
	if len(path) > maxPath || strings.ContainsRune(path, 0) {
		r.unknown = append(r.unknown, path[:min(len(path), 200)])
		return ""
	}
	if rest, ok := strings.CutPrefix(path, "~"); ok && home != "" && (rest == "" || rest[0] == '/') {
		path = filepath.Join(home, rest)
	}
	if !filepath.IsAbs(path) {
		if !filepath.IsAbs(r.Dir) {
			r.unknown = append(r.unknown, path)
			return ""
		}
		path = filepath.Join(r.Dir, path)
	}
	return filepath.Clean(path)
}

// splitArgs splits what /proc/PID/cmdline holds.
func splitArgs(b []byte) []string {
	b = bytes.TrimRight(b, "\x00")
	if len(b) == 0 {
		return nil
	}
	return strings.Split(string(b), "\x00")
}

// parseProcargs splits what macOS returns for kern.procargs2: the number of arguments, the program's file, padding, the
// arguments, and the environment, which is left alone.
func parseProcargs(b []byte) (exe string, args []string) {
	if len(b) < 4 {
		return "", nil
	}
	count := int(int32(binary.NativeEndian.Uint32(b)))
	file, rest, ok := bytes.Cut(b[4:], []byte{0})
	if !ok || count < 0 {
		return "", nil
	}
	rest = bytes.TrimLeft(rest, "\x00")
	for range count {
		arg, after, ok := bytes.Cut(rest, []byte{0})
		if !ok {
			break
		}
		args = append(args, string(arg))
		rest = after
	}
	return string(file), args
}
