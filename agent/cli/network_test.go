package cli

import (
	"strings"
	"testing"
)

func TestNetworkTrouble(t *testing.T) {
	for _, c := range []struct {
		note   string
		needed bool
		want   string // "": no trouble
	}{
		{networkOpen, true, ""},
		{networkOpen, false, ""}, // the next reload closes it
		{networkClosed, false, ""},
		{networkClosed, true, "may reach this one only"},
		{networkFailed + "no such unit", true, "other machines that the settings name"},
		{networkFailed + "no such unit", false, "no such unit"},
	} {
		got := networkTrouble(c.note, c.needed)
		if len(got) > 1 || (len(got) == 1) != (c.want != "") || len(got) == 1 && (!strings.Contains(got[0], c.want) || !strings.Contains(got[0], "reload")) {
			t.Errorf("%q, needed %t: %q, want %q", c.note, c.needed, got, c.want)
		}
	}
}
