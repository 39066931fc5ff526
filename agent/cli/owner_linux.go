package cli

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// ownerOf tells whose program is at the client's end of a connection on this machine: the kernel lists it.
func ownerOf() func(client, server netip.AddrPort) (int, bool) {
	return func(client, server netip.AddrPort) (int, bool) {
		data, err := os.ReadFile("/proc/net/tcp")
		if err != nil {
			return 0, false
		}
		return ownerIn(data, client, server)
	}
}

// ownerIn finds a connection in the text of /proc/net/tcp: the second and third field are the addresses, the eighth is
// the user's number (Documentation/networking/proc_net_tcp.rst of the kernel).
func ownerIn(table []byte, client, server netip.AddrPort) (int, bool) {
	from, to := kernelAddress(client), kernelAddress(server)
	for lines := bufio.NewScanner(bytes.NewReader(table)); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) < 8 || f[1] != from || f[2] != to {
			continue
		}
		uid, err := strconv.Atoi(f[7])
		return uid, err == nil
	}
	return 0, false
}

// kernelAddress writes an address as the kernel does: the four bytes as a number of this machine, and the port.
func kernelAddress(a netip.AddrPort) string {
	if !a.Addr().Unmap().Is4() {
		return ""
	}
	ip := a.Addr().Unmap().As4()
	return fmt.Sprintf("%08X:%04X", binary.NativeEndian.Uint32(ip[:]), a.Port())
}
