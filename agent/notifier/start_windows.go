package notifier

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// lookForPeople is how often sessions are listed: only a service's own handler is told of them.
const lookForPeople = 15 * time.Second

// sessions returns the IDs of the sessions with somebody at a screen, the console's or a remote one's.
func sessions() ([]uint32, error) {
	var first *windows.WTS_SESSION_INFO
	var n uint32
	if err := windows.WTSEnumerateSessions(0, 0, 1, &first, &n); err != nil {
		return nil, fmt.Errorf("list the sessions: %w", err)
	}
	defer windows.WTSFreeMemory(uintptr(unsafe.Pointer(first)))
	var ids []uint32
	for _, s := range unsafe.Slice(first, n) {
		if s.State == windows.WTSActive && s.SessionID != 0 { // session 0 is that of services: nobody sees it
			ids = append(ids, s.SessionID)
		}
	}
	return ids, nil
}

// belongs reports whether a token is the person's.
func belongs(token windows.Token, p Person) bool {
	u, err := token.GetTokenUser()
	if err != nil {
		return false
	}
	if p.SID != "" {
		return u.User.Sid.String() == p.SID
	}
	account, _, _, err := u.User.Sid.LookupAccount("")
	return err == nil && strings.EqualFold(account, p.Name)
}

// start runs the process in the person's session, with the token of that session. It needs to be LocalSystem; a program
// that the person started itself runs it as it is.
func (d *Desktop) start(p Person) (*process, error) {
	own := windows.GetCurrentProcessToken()
	ids, err := sessions()
	if err != nil {
		return nil, err
	}
	err = fmt.Errorf("%w: %s has no session", ErrNotDelivered, p.Name)
	for _, id := range ids {
		var token windows.Token
		if e := windows.WTSQueryUserToken(id, &token); e != nil {
			var self uint32
			if windows.ProcessIdToSessionId(windows.GetCurrentProcessId(), &self) == nil && self == id && belongs(own, p) {
				return d.run(own)
			}
			err = fmt.Errorf("ask for the user of session %d: %w", id, e)
			continue
		}
		if !belongs(token, p) {
			token.Close()
			continue
		}
		child, e := d.run(token)
		token.Close()
		if e == nil {
			return child, nil
		}
		return within(id, e), nil
	}
	return nil, err
}

// run starts the command with a token, on the desktop that people see, connected by two pipes.
func (d *Desktop) run(token windows.Token) (*process, error) {
	var files []*os.File
	fail := func(err error) (*process, error) {
		for _, f := range files {
			f.Close()
		}
		return nil, fmt.Errorf("start the process that warns: %w", err)
	}
	var primary windows.Token
	if err := windows.DuplicateTokenEx(token, windows.MAXIMUM_ALLOWED, nil, windows.SecurityIdentification, windows.TokenPrimary, &primary); err != nil {
		return fail(err)
	}
	defer primary.Close()
	for range 2 {
		r, w, err := os.Pipe()
		if err != nil {
			return fail(err)
		}
		files = append(files, r, w)
	}
	theirs := []windows.Handle{windows.Handle(files[0].Fd()), windows.Handle(files[3].Fd())}
	var environment *uint16
	if err := windows.CreateEnvironmentBlock(&environment, primary, false); err != nil {
		return fail(err)
	}
	defer windows.DestroyEnvironmentBlock(environment)
	info, err := startAs(primary, d.cfg.Command, environment, theirs)
	if err != nil {
		return fail(err)
	}
	windows.CloseHandle(info.Thread)
	files[0].Close()
	files[3].Close()
	return &process{in: files[1], out: files[2],
		kill: func() { _ = windows.TerminateProcess(info.Process, 1) },
		wait: func() error {
			defer windows.CloseHandle(info.Process)
			defer files[2].Close()
			_, err := windows.WaitForSingleObject(info.Process, windows.INFINITE)
			return err
		}}, nil
}

// startAs inherits the two pipes' ends to the process, and nothing else of this one.
func startAs(token windows.Token, command []string, environment *uint16, theirs []windows.Handle) (*windows.ProcessInformation, error) {
	for _, h := range theirs {
		if err := windows.SetHandleInformation(h, windows.HANDLE_FLAG_INHERIT, windows.HANDLE_FLAG_INHERIT); err != nil {
			return nil, err
		}
	}
	list, err := windows.NewProcThreadAttributeList(1)
	if err != nil {
		return nil, err
	}
	defer list.Delete()
	if err := list.Update(windows.PROC_THREAD_ATTRIBUTE_HANDLE_LIST, unsafe.Pointer(&theirs[0]), uintptr(len(theirs))*unsafe.Sizeof(theirs[0])); err != nil {
		return nil, err
	}
	desktop, err := windows.UTF16PtrFromString(`winsta0\default`)
	if err != nil {
		return nil, err
	}
	line, err := windows.UTF16PtrFromString(windows.ComposeCommandLine(command))
	if err != nil {
		return nil, err
	}
	si := windows.StartupInfoEx{ProcThreadAttributeList: list.List()}
	si.Cb = uint32(unsafe.Sizeof(si))
	si.Desktop, si.Flags = desktop, windows.STARTF_USESTDHANDLES
	si.StdInput, si.StdOutput = theirs[0], theirs[1]
	var info windows.ProcessInformation
	flags := uint32(windows.CREATE_UNICODE_ENVIRONMENT | windows.CREATE_NO_WINDOW | windows.EXTENDED_STARTUPINFO_PRESENT)
	err = windows.CreateProcessAsUser(token, nil, line, nil, nil, true, flags, environment, nil, &si.StartupInfo, &info)
	return &info, err
}

// within serves the warnings from this process, which asks the session for message boxes. It is what is left when no
// process can be started there; why says why.
func within(session uint32, why error) *process {
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		err := serve(ctx, inR, outW, func(context.Context, time.Duration) (screen, error) { return newBoxes(session), nil })
		inR.Close()
		outW.Close()
		if err != nil && !errors.Is(err, io.EOF) {
			err = errors.Join(why, err)
		}
		ended <- err
	}()
	return &process{in: inW, out: outR, kill: func() { cancel(); inR.Close() }, wait: func() error { return <-ended }}
}

// Watch calls came, from its own goroutine, with the ID of each session with somebody at its screen, now or later, until
// the context ends. Whose it is shows when a person is to be warned.
func (d *Desktop) Watch(ctx context.Context, came func(session int)) error {
	for known := []uint32(nil); ; {
		ids, err := sessions()
		if err != nil {
			return fmt.Errorf("watch for people who log in: %w", err)
		}
		for _, id := range ids {
			if !slices.Contains(known, id) {
				came(int(id))
			}
		}
		known = ids
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(lookForPeople):
		}
	}
}
