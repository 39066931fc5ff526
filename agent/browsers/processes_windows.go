package browsers

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Processes lists the running browsers' main processes. The working folder and the user are not known. Other users'
// command lines need administrator rights: an error says that some could not be read, beside the list, in which those
// processes have no Args.
func Processes() ([]Process, error) {
	entries, err := snapshot()
	if err != nil {
		return nil, err
	}
	var out []Process
	var failed error
	for _, e := range mainEntries(entries) {
		args, exe, err := commandLine(e.pid)
		if err != nil {
			failed = fmt.Errorf("reading the command line of process %d (%s): %w", e.pid, e.name, err)
		}
		if exe == "" {
			exe = e.name
		}
		if !isChild(args) {
			out = append(out, Process{PID: int(e.pid), Args: args, Exe: exe, UID: -1})
		}
	}
	return out, failed
}

// browsers returns the PIDs of browsers.
func (w *ProcessWatch) browsers() ([]int, error) {
	entries, err := snapshot()
	if err != nil {
		return nil, err
	}
	var out []int
	for _, e := range mainEntries(entries) {
		out = append(out, int(e.pid))
	}
	return out, nil
}

type entry struct {
	pid, parent uint32
	name        string
}

func snapshot() ([]entry, error) {
	h, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPPROCESS, 0)
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	defer windows.CloseHandle(h)
	pe := windows.ProcessEntry32{Size: uint32(unsafe.Sizeof(windows.ProcessEntry32{}))}
	var out []entry
	for err = windows.Process32First(h, &pe); err == nil; err = windows.Process32Next(h, &pe) {
		out = append(out, entry{pe.ProcessID, pe.ParentProcessID, programName(windows.UTF16ToString(pe.ExeFile[:]))})
	}
	if !errors.Is(err, windows.ERROR_NO_MORE_FILES) {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	return out, nil
}

// mainEntries returns the browsers that were not started by a process of the same program, as helpers are.
func mainEntries(all []entry) []entry {
	known := programs()
	names := make(map[uint32]string, len(all))
	for _, e := range all {
		names[e.pid] = e.name
	}
	var out []entry
	for _, e := range all {
		if _, ok := known[e.name]; ok && names[e.parent] != e.name {
			out = append(out, e)
		}
	}
	return out
}

// commandLine returns a process's arguments and program file.
func commandLine(pid uint32) (args []string, exe string, err error) {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, pid)
	if err != nil {
		return nil, "", err
	}
	defer windows.CloseHandle(h)
	path := make([]uint16, windows.MAX_LONG_PATH)
	if n := uint32(len(path)); windows.QueryFullProcessImageName(h, 0, &path[0], &n) == nil {
		exe = windows.UTF16ToString(path[:n])
	}
	// A command line has at most 32,767 characters; the structure before it is 16 bytes. uint64 aligns it.
	buf := make([]uint64, (2*32768+64)/8)
	var n uint32
	err = windows.NtQueryInformationProcess(h, windows.ProcessCommandLineInformation, unsafe.Pointer(&buf[0]), uint32(len(buf)*8), &n)
	if err != nil {
		return nil, exe, err
	}
	line := (*windows.NTUnicodeString)(unsafe.Pointer(&buf[0])).String()
	runtime.KeepAlive(buf)
	args, err = windows.DecomposeCommandLine(line)
	return args, exe, err
}
