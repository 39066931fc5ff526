package service

import (
	"net"
	"os"
)

// Notify tells systemd that something happened: "READY=1", "RELOADING=1", "STOPPING=1", "STATUS=…". Without systemd it
// does nothing.
func Notify(state string) {
	socket := os.Getenv("NOTIFY_SOCKET")
	if socket == "" {
		return
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return // systemd gives up on the start, and says so
	}
	defer c.Close()
	c.Write([]byte(state)) // an error shows as a failed start
}
