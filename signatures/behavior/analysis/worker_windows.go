package analysis

import (
	"io"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// limitMemory does nothing: the parent puts the process into a job.
func limitMemory(uint64) {}

// limitTime does nothing: the job ends with the parent.
func limitTime(time.Duration) {}

type jobObject windows.Handle

func (j jobObject) Close() error { return windows.CloseHandle(windows.Handle(j)) }

// confine puts a process into a job that bounds its memory and ends it with this process. Without a job, which systems
// may refuse, the clock of the parent remains.
func confine(pid int, memory uint64) io.Closer {
	handle, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return nil
	}
	info := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{
		BasicLimitInformation: windows.JOBOBJECT_BASIC_LIMIT_INFORMATION{
			LimitFlags: windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | windows.JOB_OBJECT_LIMIT_PROCESS_MEMORY |
				windows.JOB_OBJECT_LIMIT_ACTIVE_PROCESS | windows.JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION,
			ActiveProcessLimit: 1,
		},
		ProcessMemoryLimit: uintptr(memory),
	}
	process, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(pid))
	if err == nil {
		defer windows.CloseHandle(process)
		_, err = windows.SetInformationJobObject(handle, windows.JobObjectExtendedLimitInformation,
			uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)))
	}
	if err == nil {
		err = windows.AssignProcessToJobObject(handle, process)
	}
	if err != nil {
		windows.CloseHandle(handle)
		return nil
	}
	return jobObject(handle)
}
