package resident

import (
	"context"
	"testing"
)

// Through the pipe Windows says who asks.
func TestPipe(t *testing.T) {
	const path = `\\.\pipe\ProtectedPrefix\Administrators\ExtWatchTest\agent`
	l, err := listen(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if second, err := listen(path); err == nil {
		second.Close()
		t.Error("a second service took the same pipe")
	}
	got := make(chan Caller, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
			close(got)
			return
		}
		defer c.Close()
		if _, err := c.Read(make([]byte, 8)); err != nil {
			t.Error(err)
		}
		who, err := peer(c)
		if err != nil {
			t.Error(err)
		}
		got <- who
	}()
	c, err := dial(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if who := <-got; who.Name == "" || who.UID != -1 {
		t.Errorf("%+v", who)
	}
}
