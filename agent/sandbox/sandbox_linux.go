package sandbox

import (
	"fmt"
	"runtime"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/landlock-lsm/go-landlock/landlock"
	llsys "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

func enter(p Policy) (missing []string, err error) {
	if err := dropRoot(p); err != nil {
		return nil, err
	}
	// Others of the same user cannot attach to it or read its memory; no core is written.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("forbid attaching: %w", err)
	}
	if err := restrictFiles(p); err != nil {
		return nil, err
	}
	if v, err := llsys.LandlockGetABIVersion(); err != nil || v < 1 {
		missing = append(missing, "this kernel has no Landlock")
	}
	if !seccomp.Supported() {
		return append(missing, "this kernel has no seccomp filters"), nil
	}
	if err := seccomp.LoadFilter(filter()); err != nil {
		return nil, fmt.Errorf("restrict system calls: %w", err)
	}
	return missing, nil
}

// restrictFiles allows to read files, or nothing. An older kernel restricts less; seccomp then still forbids writing.
func restrictFiles(p Policy) error {
	var rules []landlock.Rule
	if p.Read {
		rules = append(rules, landlock.PathAccess(llsys.AccessFSReadFile|llsys.AccessFSReadDir, "/"))
	}
	if err := landlock.V6.BestEffort().Restrict(rules...); err != nil {
		return fmt.Errorf("restrict files: %w", err)
	}
	return nil
}

// forbidden are system calls that read or parse nothing. An allowlist would be narrower, and break with each Go release.
func forbidden() []string {
	list := []string{
		"socket", "socketpair", "connect", "bind", "listen", "accept4", "execve", "execveat", "ptrace", "process_vm_readv",
		"process_vm_writev", "mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "bpf", "perf_event_open",
		"userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "keyctl", "add_key", "request_key",
		"open_by_handle_at", "init_module", "finit_module", "kexec_load", "unlinkat", "renameat2", "mkdirat",
		"mknodat", "symlinkat", "linkat", "fchmodat", "fchownat", "fchmod", "fchown", "truncate", "ftruncate", "utimensat",
		"setxattr", "lsetxattr", "fsetxattr", "removexattr", "memfd_create", "openat2",
	}
	if runtime.GOARCH == "amd64" { // newer architectures never had these
		list = append(list, "open", "creat", "unlink", "rename", "mkdir", "mknod", "symlink", "link", "chmod", "chown", "lchown",
			"utime", "utimes", "rmdir", "accept", "fork", "vfork")
	}
	return list
}

// filter forbids system calls, and the opening of files for anything but reading.
func filter() seccomp.Filter {
	deny := seccomp.ActionErrno | seccomp.Action(unix.EPERM)
	var writing []seccomp.NameWithConditions
	for _, flag := range []uint64{unix.O_WRONLY, unix.O_RDWR, unix.O_CREAT, unix.O_TRUNC} {
		writing = append(writing, seccomp.NameWithConditions{Name: "openat", Conditions: []seccomp.Condition{
			{Argument: 2, Operation: seccomp.BitsSet, Value: flag},
		}})
	}
	return seccomp.Filter{NoNewPrivs: true, Flag: seccomp.FilterFlagTSync, Policy: seccomp.Policy{
		DefaultAction: seccomp.ActionAllow,
		Syscalls: []seccomp.SyscallGroup{
			{Names: forbidden(), Action: deny},
			{NamesWithCondtions: writing, Action: deny},
		},
	}}
}
