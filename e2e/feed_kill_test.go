//go:build linux

package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// kills publishes one rule after the other, kills the service at a random moment while it takes that rule in, and starts it
// again without a network. It has to have all rules of the version that it says, and none of a later one; with the network
// back it has the newest.
func kills(t *testing.T, times int) {
	t.Helper()
	n := newLAN(t)
	admin := n.host("publisher", 1).publishes()
	machine := n.host("machine", 2)
	machine.follows(admin, "")
	for i := range times {
		machine.plant(killedID(i), fmt.Sprintf(colourManifest, i), colourCode)
	}
	heard := func(s feedStatus, version int64) bool {
		return s.Ready && s.Extensions == times && s.Updates.Version == version
	}
	service := machine.start()
	old, new := 0, 0
	for i := range times {
		version := int64(i + 1) // of what is published; the first has no rules
		waitFor(t, fmt.Sprintf("version %d", version), 40*time.Second, func() bool {
			s := service.status()
			return heard(s, version) && s.Updates.Events && s.Suspicious == i
		})
		before := machine.timestamp()
		published := admin.publish(colourRule(i))
		for machine.timestamp() == before && time.Since(published) < 20*time.Second {
			time.Sleep(time.Millisecond)
		}
		moment := rand.N(1500 * time.Millisecond)
		time.Sleep(moment)
		service.kill()
		machine.cut()
		service = machine.start()
		waitFor(t, "the service to be back", 40*time.Second, func() bool {
			s := service.status()
			return s.Ready && s.Extensions == times && s.Suspicious == int(s.Updates.Version)-1
		})
		switch s := service.status(); {
		case heard(s, version):
			old++
		case heard(s, version+1):
			new++
		default:
			t.Errorf("killed after %v, it came up with %+v", moment, s)
		}
		t.Logf("killed %v after it began with version %d: came up with %d", moment.Round(time.Millisecond), version+1, service.status().Updates.Version)
		machine.join()
	}
	waitFor(t, "the newest version", 40*time.Second, func() bool {
		s := service.status()
		return heard(s, int64(times+1)) && s.Suspicious == times
	})
	t.Logf("%d kills: %d times the old feed, %d times the new one", times, old, new)
}

func killedID(n int) string { return colourID(n % 16)[:30] + colourID(n / 16)[:2] }

// timestamp says when the newest timestamp was written down: the first thing that an update writes.
func (h *host) timestamp() time.Time {
	info, err := os.Stat(filepath.Join(h.dir, "var", "extwatch", "feed", "metadata", "timestamp.json"))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// However the service ends while it updates, it comes up with the old feed or the new one.
func TestFeedKilled(t *testing.T) { kills(t, 3) }
