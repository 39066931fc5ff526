package browsers

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const procDir = "/proc"

// Processes lists the running browsers' main processes. Those of other users can be read without special rights,
// except for their program file and working folder.
func Processes() ([]Process, error) {
	pids, err := listPIDs()
	if err != nil {
		return nil, err
	}
	known := programs()
	buf := make([]byte, 4096)
	var out []Process
	for _, pid := range pids {
		if p, ok := readProcess(known, pid, buf); ok {
			out = append(out, p)
		}
	}
	return out, nil
}

// browsers returns the PIDs of browsers, looking only at processes that are new. When no process was made since the last
// look, which is the rule on an idle machine, it only asks whether the browsers still run.
func (w *ProcessWatch) browsers() ([]int, error) {
	newest := newestPID()
	if newest != "" && newest == w.newest && w.settled {
		return slices.DeleteFunc(slices.Clone(w.running), func(pid int) bool {
			_, err := os.Lstat(filepath.Join(procDir, strconv.Itoa(pid)))
			return err != nil
		}), nil
	}
	w.newest, w.settled = newest, true
	pids, err := listPIDs()
	if err != nil {
		return nil, err
	}
	known := programs()
	buf := make([]byte, 4096)
	seen := make(map[int]int, len(pids))
	var out []int
	for _, pid := range pids {
		looks := w.seen[pid]
		if looks >= 0 && looks < settledPolls {
			looks++
			if isBrowserPID(known, pid, buf) {
				looks = isBrowser
			}
		}
		seen[pid] = looks
		w.settled = w.settled && (looks < 0 || looks >= settledPolls) // one that may still become a browser is looked at again
		if looks == isBrowser {
			out = append(out, pid)
		}
	}
	w.seen = seen
	return out, nil
}

// newestPID is the number of the process that was made last, as the last field of /proc/loadavg; "" when unknown.
func newestPID() string {
	data, err := os.ReadFile(filepath.Join(procDir, "loadavg"))
	if err != nil {
		return ""
	}
	fields := strings.Fields(string(data))
	if len(fields) != 5 {
		return ""
	}
	return fields[4]
}

func listPIDs() ([]int, error) {
	d, err := os.Open(procDir)
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	pids := make([]int, 0, len(names))
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// head returns the start of a process's command line and whether the process is a browser. Kernel threads have no
// command line and cost one read.
func head(known map[string]executable, pid int, buf []byte) (file *os.File, start []byte, exe string, ok bool) {
	dir := filepath.Join(procDir, strconv.Itoa(pid))
	f, err := os.Open(dir + "/cmdline")
	if err != nil {
		return nil, nil, "", false // it ended, or is hidden
	}
	n, err := io.ReadFull(f, buf)
	if n == 0 || err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		f.Close()
		return nil, nil, "", false
	}
	first, _, _ := strings.Cut(string(buf[:n]), "\x00")
	exe, err = os.Readlink(dir + "/exe")
	if err != nil { // another user's: its short name is all there is besides what it calls itself
		if b, err := os.ReadFile(dir + "/comm"); err == nil {
			exe = strings.TrimSuffix(string(b), "\n")
		}
	}
	if _, ok := program(known, Process{Exe: exe, Args: []string{first}}); !ok {
		f.Close()
		return nil, nil, "", false
	}
	return f, buf[:n], exe, true
}

func isBrowserPID(known map[string]executable, pid int, buf []byte) bool {
	f, start, _, ok := head(known, pid, buf)
	if !ok {
		return false
	}
	f.Close()
	return !isChild(splitArgs(start))
}

func readProcess(known map[string]executable, pid int, buf []byte) (Process, bool) {
	f, start, exe, ok := head(known, pid, buf)
	if !ok {
		return Process{}, false
	}
	defer f.Close()
	rest, err := io.ReadAll(io.LimitReader(f, maxCmdline))
	if err != nil {
		return Process{}, false
	}
	args := splitArgs(append(append([]byte{}, start...), rest...))
	if isChild(args) {
		return Process{}, false
	}
	p := Process{PID: pid, Args: args, Exe: exe, UID: -1}
	dir := filepath.Join(procDir, strconv.Itoa(pid))
	if cwd, err := os.Readlink(dir + "/cwd"); err == nil {
		p.Dir = cwd
	}
	if fi, err := os.Stat(dir); err == nil {
		p.UID, _ = owner(fi)
	}
	return p, true
}
