package cli

import (
	"fmt"
	"strings"
	"testing"

	"github.com/extwatch/extwatch/agent"
	"github.com/extwatch/extwatch/manifests"
)

func TestMailbox(t *testing.T) {
	var got []string
	start := make(chan struct{})
	const limit = 10
	box := newMailbox(limit, func(e agent.Event) {
		<-start // the reader stands still
		got = append(got, e.Problem.Reason)
	})
	// The reader holds one load at most and another waits; what is more is lost, and none of it may block.
	for i := range 3 * limit {
		box.put(agent.Event{Kind: agent.Problem, Problem: manifests.Problem{Reason: fmt.Sprint(i)}})
	}
	close(start)
	box.close()
	last := len(got) - 1
	for i, reason := range got[:last] {
		if reason != fmt.Sprint(i) {
			t.Errorf("event %d is %s", i, reason)
		}
	}
	if last < limit || !strings.Contains(got[last], "could not be shown") {
		t.Errorf("the loss is not told: %q", got)
	}
}
