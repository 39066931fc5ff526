package cli

import (
	"net"
	"net/netip"
	"os"
	"testing"
)

// The kernel says that a connection of this process is this process's user's.
func TestOwner(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	client, server := netip.MustParseAddrPort(c.LocalAddr().String()), netip.MustParseAddrPort(l.Addr().String())
	if uid, ok := ownerOf()(client, server); !ok || uid != os.Geteuid() {
		t.Errorf("%d, %v, want %d", uid, ok, os.Geteuid())
	}
	if uid, ok := ownerOf()(server, netip.MustParseAddrPort("127.0.0.1:1")); ok {
		t.Errorf("a connection that is not there is %d's", uid)
	}
	if uid, ok := ownerIn([]byte("  sl  local_address\n 0: 0100007F:0016\n"), client, server); ok {
		t.Errorf("a table that is cut short says %d", uid)
	}
}
