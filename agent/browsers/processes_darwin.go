package browsers

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Processes lists the running browsers' main processes. The working folder is not known. Other users' command lines
// need root: an error says that some could not be read, beside the list, in which those processes have no Args.
func Processes() ([]Process, error) {
	all, err := unix.SysctlKinfoProcSlice("kern.proc.all")
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	known, short := programs(), shortNames()
	var out []Process
	var failed error
	for i := range all {
		p := Process{PID: int(all[i].Proc.P_pid), UID: int(all[i].Eproc.Ucred.Uid)}
		name := programName(unix.ByteSliceToString(all[i].Proc.P_comm[:]))
		b, err := unix.SysctlRaw("kern.procargs2", p.PID)
		if err == nil {
			p.Exe, p.Args = parseProcargs(b)
		} else if full, ok := short[name]; ok { // the kernel's own and those that just ended do not matter
			p.Exe = full
			failed = fmt.Errorf("reading the command line of process %d (%s): %w", p.PID, full, err)
		}
		if _, ok := program(known, p); ok && !isChild(p.Args) {
			out = append(out, p)
		}
	}
	return out, failed
}

// shortNames maps the names that the kernel keeps, cut to 16 bytes, to whole ones.
func shortNames() map[string]string {
	short := map[string]string{}
	for _, e := range executables() {
		short[e.name[:min(len(e.name), len(unix.ExternProc{}.P_comm)-1)]] = e.name
	}
	return short
}

// browsers returns the PIDs of browsers, by the short name that the kernel keeps (16 bytes; helpers have another).
func (w *ProcessWatch) browsers() ([]int, error) {
	all, err := unix.SysctlKinfoProcSlice("kern.proc.all")
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	short := shortNames()
	var out []int
	for i := range all {
		if _, ok := short[programName(unix.ByteSliceToString(all[i].Proc.P_comm[:]))]; ok {
			out = append(out, int(all[i].Proc.P_pid))
		}
	}
	return out, nil
}
