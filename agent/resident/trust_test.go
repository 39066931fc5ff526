package resident

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/agent/store"
)

// What was put off leaves the screen, stays in the status, and comes back.
func TestSnooze(t *testing.T) {
	m := newMachine(t, "ada")
	m.plant("ada", "a", "First")
	m.start()
	m.until("the warning", func() bool { return m.untoldOf("ada") == 0 && m.told("ada", "First") == 1 })
	ctx, ada := context.Background(), Caller{Name: "ada", UID: 5001}
	list, err := m.r.db().Extensions(ctx, store.Query{})
	must(t, err)
	if a := m.r.Answer(ctx, ada, Request{Do: "snooze", Row: list[0].Row, Until: time.Now().Add(90 * 24 * time.Hour)}); a.Error == "" {
		t.Error("put off by three months")
	}
	if a := m.r.Answer(ctx, ada, Request{Do: "snooze", Row: list[0].Row, Until: time.Now().Add(24 * time.Hour)}); a.Error != "" {
		t.Fatal(a.Error)
	}
	if a := m.r.Answer(ctx, ada, Request{Do: "status"}); a.Status.Suspicious != 1 {
		t.Errorf("the status forgot it: %+v", a.Status)
	}
	m.r.comeBack(ctx)
	must(t, m.r.tell(ctx, "ada"))
	if got := m.screens.adoptedAll(); len(got) != 0 {
		t.Errorf("it came back at once: %q", got)
	}
	decisions, err := m.r.db().Decisions(ctx, list[0].ID, false)
	must(t, err)
	must(t, m.r.db().Undecide(ctx, decisions[0].Row, "the clock"))
	m.r.comeBack(ctx)
	must(t, m.r.tell(ctx, "ada"))
	if got := m.screens.adoptedAll(); !slices.Equal(got, []string{"ada First in 0"}) {
		t.Errorf("afterwards: %q", got)
	}
	m.r.reported(ctx, Report{User: browsers.User{Name: "ada", UID: 5001}, Keys: []string{keyOf(list[0].Row)}, Choice: Dismissed})
}
