package cli

import (
	"path/filepath"
	"testing"

	"github.com/extwatch/extwatch/agent/browsers"
)

func TestHomes(t *testing.T) {
	cfg, err := homes(nil).machine()
	if err != nil || cfg.Users != nil || cfg.Processes != nil {
		t.Errorf("no home gave %+v, %v; want the whole machine", cfg, err)
	}
	dir := t.TempDir()
	cfg, err = homes{dir}.machine()
	if err != nil || len(cfg.Users) != 1 || cfg.Users[0].Home != dir || cfg.Users[0].Name != filepath.Base(dir) || cfg.Processes == nil {
		t.Errorf("%+v, %v", cfg, err)
	}
	if _, err := (homes{filepath.Join(dir, "none")}).machine(); err == nil {
		t.Error("a home that does not exist was taken")
	}
}

// TestOtherBrowsersStayOut guards against a browser of somebody else turning up in a scan of one home.
func TestOtherBrowsersStayOut(t *testing.T) {
	home := filepath.FromSlash("/h/ada")
	for _, tt := range []struct {
		arg  string
		want bool
	}{
		{"--user-data-dir=" + filepath.Join(home, "data"), true},
		{"--user-data-dir=" + filepath.FromSlash("/h/ada2/data"), false},
		{"--user-data-dir=" + filepath.FromSlash("/tmp/x"), false},
		{"about:blank", false},
	} {
		p := browsers.Process{Args: []string{"chromium", tt.arg}}
		if got := names(p, []string{home}); got != tt.want {
			t.Errorf("%q: %v, want %v", tt.arg, got, tt.want)
		}
	}
}
