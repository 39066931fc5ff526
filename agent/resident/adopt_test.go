package resident

import (
	"context"
	"os"
	"slices"
	"testing"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/agent/store"
)

func (s *fakeScreens) adoptedAll() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.adopted)
}

// What stays on the screen past the end of the service gets its buttons back, in its own place; nothing is told anew, and
// what was answered is left alone.
func TestAdopt(t *testing.T) {
	m := newMachine(t, "ada")
	m.plant("ada", "a", "First")
	m.start()
	m.until("the warning", func() bool { return m.untoldOf("ada") == 0 && m.told("ada", "First") == 1 })
	list, err := m.r.db().Extensions(context.Background(), store.Query{})
	must(t, err)
	row := list[0].Row
	// As for something malicious.
	m.r.rememberScreen("ada", func(s *onScreen) { s.Place, s.Rows = 7, []int64{row, 999} })
	m.stop()
	m.start()
	m.until("the same warning in its place", func() bool { return slices.Equal(m.screens.adoptedAll(), []string{"ada First in 7"}) })
	if n := m.told("ada", "First"); n != 1 {
		t.Errorf("told %d times", n)
	}
	ada := browsers.User{Name: "ada", UID: 5001}
	m.r.reported(context.Background(), Report{User: ada, Keys: []string{keyOf(row)}, Choice: WhatNow})
	if len(m.opened) != 1 {
		t.Errorf("the button opened %q", m.opened)
	}
	m.r.reported(context.Background(), Report{User: ada, Keys: []string{keyOf(row)}, Choice: Dismissed})
	m.stop()
	m.start()
	m.plant("ada", "b", "Second")
	m.until("another warning", func() bool { return m.told("ada", "Second") == 1 })
	if got := m.screens.adoptedAll(); len(got) != 1 {
		t.Errorf("what was dismissed came back: %q", got)
	}
	m.stop()
	must(t, os.WriteFile(m.r.onScreenPath(), []byte("{"), 0o600))
	m.start() // a damaged file is no reason not to start
	m.until("the start", func() bool { m.r.mu.Lock(); defer m.r.mu.Unlock(); return m.r.ready })
}
