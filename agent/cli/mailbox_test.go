package cli

import (
	"fmt"
	"strconv"
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
	told, last := 0, -1
	for _, reason := range got {
		if strings.Contains(reason, "could not be shown") {
			told++
			continue
		}
		n, err := strconv.Atoi(reason)
		if err != nil || n <= last {
			t.Errorf("event %q comes after %d", reason, last)
		}
		last = n
	}
	if told == 0 {
		t.Errorf("the loss is not told: %q", got)
	}
}
