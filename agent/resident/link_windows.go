package resident

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"runtime"
	"time"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

const (
	// mayAsk are the rights that a caller needs of the pipe: read and write data and attributes, read control,
	// synchronize. GENERIC_WRITE would hold FILE_CREATE_PIPE_INSTANCE as well, with which anybody could answer in the
	// service's place.
	mayAsk = 0x00120183
	// pipeRights: the system and administrators own the pipe; whoever is logged in may ask. Windows keeps other machines
	// out by itself, for go-winio asks for PIPE_REJECT_REMOTE_CLIENTS.
	pipeRights = "O:BAD:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;0x00120183;;;AU)"
	// pipeBuffer is a page of each direction: one line of JSON, mostly.
	pipeBuffer = 4096
	// firstWithin is how long the look for Wine's first instance takes on Windows.
	firstWithin = 100 * time.Millisecond
)

// listen opens the named pipe. It fails when somebody else has a pipe of that name; below ProtectedPrefix\Administrators
// Windows lets only administrators make one.
func listen(path string) (net.Listener, error) {
	l, err := winio.ListenPipe(path, &winio.PipeConfig{SecurityDescriptor: pipeRights, InputBufferSize: pipeBuffer, OutputBufferSize: pipeBuffer})
	if err != nil {
		return nil, err
	}
	// The first instance of the pipe only keeps the name, and nobody listens at it. Windows does not hand it out; Wine 8
	// does, to whoever asks first. That is us: what was closed is not handed out again.
	ctx, cancel := context.WithTimeout(context.Background(), firstWithin)
	defer cancel()
	if c, err := dial(ctx, path); err == nil {
		c.Close()
	}
	return l, nil
}

// dial connects. The service may learn who asks, and nothing more: it cannot act in the caller's name.
func dial(ctx context.Context, path string) (net.Conn, error) {
	return winio.DialPipeAccessImpLevel(ctx, path, mayAsk, winio.PipeImpLevelIdentification)
}

// peer says who wrote what was read from the pipe. It asks by the caller's token, not by the process's number: that could
// be another process's by now.
func peer(c net.Conn) (Caller, error) {
	pipe, ok := c.(interface{ Fd() uintptr })
	if !ok {
		return Caller{}, errors.New("it came through no pipe")
	}
	type answer struct {
		who Caller
		err error
	}
	said := make(chan answer, 1)
	go func() {
		runtime.LockOSThread() // for whom this thread works; a thread that cannot stop that ends with the goroutine
		who, err, clean := tokenOf(pipe.Fd())
		if clean {
			runtime.UnlockOSThread()
		}
		said <- answer{who, err}
	}()
	a := <-said
	return a.who, a.err
}

// tokenOf works for a moment in the name of the client; clean reports that it does no more.
func tokenOf(pipe uintptr) (who Caller, err error, clean bool) {
	impersonate := windows.NewLazySystemDLL("advapi32.dll").NewProc("ImpersonateNamedPipeClient")
	if err := impersonate.Find(); err != nil {
		return who, err, true
	}
	if ok, _, err := impersonate.Call(pipe); ok == 0 {
		return who, fmt.Errorf("ask the pipe who is there: %w", err), true
	}
	var token windows.Token
	err = windows.OpenThreadToken(windows.CurrentThread(), windows.TOKEN_QUERY, true, &token)
	clean = windows.RevertToSelf() == nil
	if err != nil {
		return who, fmt.Errorf("read the caller's token: %w", err), clean
	}
	defer token.Close()
	who, err = callerOf(token)
	return who, err, clean
}

// callerOf reads who a token belongs to. An administrator counts as one only when the program was started as such: in the
// other token the group is there to deny.
func callerOf(token windows.Token) (Caller, error) {
	who := Caller{UID: -1}
	u, err := token.GetTokenUser()
	if err != nil {
		return who, fmt.Errorf("read the caller's account: %w", err)
	}
	for _, kind := range [...]windows.WELL_KNOWN_SID_TYPE{windows.WinBuiltinAdministratorsSid, windows.WinLocalSystemSid} {
		sid, err := windows.CreateWellKnownSid(kind)
		if err != nil {
			return who, fmt.Errorf("name the administrators: %w", err)
		}
		member, err := token.IsMember(sid)
		if err != nil {
			return who, fmt.Errorf("read the caller's groups: %w", err)
		}
		who.Admin = who.Admin || member
	}
	who.Name = homeName(u.User.Sid.String())
	if who.Name == "" {
		if account, _, _, err := u.User.Sid.LookupAccount(""); err == nil {
			who.Name = account
		}
	}
	return who, nil
}

// homeName is the name of an account's home, which is how profiles are told apart everywhere else.
func homeName(sid string) string {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, `SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList\`+sid, registry.QUERY_VALUE)
	if err != nil {
		return ""
	}
	defer key.Close()
	path, _, err := key.GetStringValue("ProfileImagePath")
	if err != nil || path == "" {
		return ""
	}
	return filepath.Base(path)
}
