//go:build unix

package resident

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
)

// listen opens the socket, in the place of one that a process before left.
func listen(path string) (net.Listener, error) {
	if !peersKnown {
		return nil, errors.New("this system does not say who asks through a socket")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	// Anybody may ask; the system says who it is.
	if err := os.Chmod(path, 0o666); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func dial(ctx context.Context, path string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "unix", path)
}

// peer says who connected.
func peer(c net.Conn) (who Caller, err error) {
	socket, ok := c.(*net.UnixConn)
	if !ok {
		return Caller{}, errors.New("it came through no socket")
	}
	uid, err := peerUID(socket)
	return Caller{UID: uid, Admin: uid == 0}, err
}
