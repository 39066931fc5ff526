package browsers

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Processes lists the running browsers' main processes. Other users' command lines need root; without it those
// processes are left out. The working folder is not known.
func Processes() ([]Process, error) {
	all, err := unix.SysctlKinfoProcSlice("kern.proc.all")
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	known := programs()
	var out []Process
	for i := range all {
		pid := int(all[i].Proc.P_pid)
		b, err := unix.SysctlRaw("kern.procargs2", pid)
		if err != nil {
			continue // the kernel's own, ended, or another user's
		}
		exe, args := parseProcargs(b)
		p := Process{PID: pid, Args: args, Exe: exe, UID: int(all[i].Eproc.Ucred.Uid)}
		if _, ok := program(known, p); ok && !isChild(args) {
			out = append(out, p)
		}
	}
	return out, nil
}

// browsers returns the PIDs of browsers, by the short name that the kernel keeps (16 bytes; helpers have another).
func (w *ProcessWatch) browsers() ([]int, error) {
	all, err := unix.SysctlKinfoProcSlice("kern.proc.all")
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	short := map[string]bool{}
	for _, e := range executables() {
		short[e.name[:min(len(e.name), len(unix.ExternProc{}.P_comm)-1)]] = true
	}
	var out []int
	for i := range all {
		if short[programName(unix.ByteSliceToString(all[i].Proc.P_comm[:]))] {
			out = append(out, int(all[i].Proc.P_pid))
		}
	}
	return out, nil
}
