package places

import (
	"runtime"
	"testing"
)

func TestPlaces(t *testing.T) {
	pipe := `\\.\pipe\ProtectedPrefix\Administrators\ExtWatch\agent`
	for _, c := range []struct {
		system, data string
		want         Places
	}{
		{"linux", "", Places{"/etc/extwatch", "/var/lib/extwatch", "/var/log/extwatch", "/run/extwatch/agent.sock"}},
		{"freebsd", "", Places{"/etc/extwatch", "/var/lib/extwatch", "/var/log/extwatch", "/run/extwatch/agent.sock"}},
		{"darwin", "", Places{"/Library/Application Support/ExtWatch", "/Library/Application Support/ExtWatch/state", "/Library/Logs/ExtWatch", "/var/run/extwatch/agent.sock"}},
		{"windows", `C:\ProgramData`, Places{`C:\ProgramData\ExtWatch`, `C:\ProgramData\ExtWatch\state`, `C:\ProgramData\ExtWatch\logs`, pipe}},
		{"windows", `D:\Data`, Places{`D:\Data\ExtWatch`, `D:\Data\ExtWatch\state`, `D:\Data\ExtWatch\logs`, pipe}},
	} {
		if got := of(c.system, c.data); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.system, got, c.want)
		}
	}
}

// What an account has in its environment leads the program to no other folder.
func TestEnvironmentDecidesNothing(t *testing.T) {
	before := Here()
	if runtime.GOOS != "windows" && before != Of(runtime.GOOS) {
		t.Errorf("here %+v, elsewhere %+v", before, Of(runtime.GOOS))
	}
	t.Setenv("ProgramData", t.TempDir())
	if got := Here(); got != before {
		t.Errorf("with another environment: %+v, want %+v", got, before)
	}
}
