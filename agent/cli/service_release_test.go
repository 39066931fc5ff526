package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/extwatch/extwatch/agent/places"
)

// A purge takes state and logs, and the folder above only when nobody's settings are in it.
func TestForgetAll(t *testing.T) {
	for _, settings := range []bool{false, true} {
		dir := filepath.Join(t.TempDir(), "ExtWatch")
		p := places.Places{Settings: dir, State: filepath.Join(dir, "state"), Logs: filepath.Join(dir, "logs")}
		for _, d := range []string{filepath.Join(p.State, "evidence"), p.Logs} {
			if err := os.MkdirAll(d, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(d, "file"), nil, 0o400); err != nil {
				t.Fatal(err)
			}
		}
		if settings {
			if err := os.WriteFile(filepath.Join(dir, "config.yml"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := forgetAll(p); err != nil {
			t.Fatal(err)
		}
		left, _ := os.ReadDir(dir)
		if _, err := os.Stat(dir); settings != (err == nil) || settings != (len(left) == 1) {
			t.Errorf("settings: %v; left %v, %v", settings, left, err)
		}
		if err := forgetAll(p); err != nil {
			t.Errorf("again: %v", err)
		}
	}
}
