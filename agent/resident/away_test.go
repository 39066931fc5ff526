package resident

import (
	"errors"
	"testing"
	"time"

	"github.com/extwatch/extwatch/agent/browsers"
)

// Who is never there is tried less and less often, and at once when they come.
func TestPatience(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	cfg := newMachine(t).cfg
	cfg.Now = func() time.Time { return now }
	r, err := New(cfg)
	must(t, err)
	ada := browsers.User{Name: "ada", UID: 5001}
	r.users["ada"], r.users["bob"] = ada, browsers.User{Name: "bob", UID: 5002}
	tries := 0
	for range 7 * 24 * 6 { // a week, every ten minutes
		now = now.Add(retell)
		r.patiently()
		if !r.dirty["bob"] {
			t.Fatal("bob, who is there, is not told")
		}
		if r.dirty["ada"] {
			tries++
			r.wait(t.Context(), Report{User: ada, Err: errors.New("nobody is there")})
		}
		clear(r.dirty)
	}
	if tries < 14 || tries > 24 {
		t.Errorf("%d tries in a week", tries)
	}
	r.reported(t.Context(), Report{User: ada, Came: true})
	if !r.dirty["ada"] || r.away["ada"] != nil {
		t.Error("who came is not told at once")
	}
}
