package service

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
)

func TestUnit(t *testing.T) {
	tests := []struct {
		name       string
		version    int
		has, lacks []string
	}{
		{"systemd 252", 252, []string{"IPAddressDeny=any", "IPAddressAllow=localhost", "RestartSec=2", "LogsDirectory=extwatch",
			"RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6"}, []string{"RestartSteps"}},
		{"new systemd", 254, []string{"RestartSteps=6", "RestartMaxDelaySec=60"}, nil},
		{"unknown systemd", 0, []string{"Restart=always"}, []string{"RestartSteps"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := unit(tt.version)
			for _, s := range tt.has {
				if !strings.Contains(got, s+"\n") {
					t.Errorf("the unit lacks %q", s)
				}
			}
			for _, s := range tt.lacks {
				if strings.Contains(got, s) {
					t.Errorf("the unit has %q", s)
				}
			}
		})
	}
}

// kardianos/service fails on a template that names something it does not know, when it is installed.
func TestTemplates(t *testing.T) {
	actions := regexp.MustCompile(`\{\{[^}]*\}\}`)
	known := map[string]bool{}
	for _, a := range []string{"{{Description}}", "{{Path | cmdEscape}}", "{{range Arguments}}", "{{. | cmd}}", "{{end}}",
		"{{Name | html}}", "{{Path | html}}", "{{. | html}}", "{{RunAtLoad}}", "{{StandardOutPath | html}}", "{{StandardErrorPath | html}}"} {
		known[a] = true
	}
	for _, text := range []string{unit(254), launchd} {
		for _, a := range actions.FindAllString(text, -1) {
			if !known[a] {
				t.Errorf("unknown action %s", a)
			}
		}
	}
	d := xml.NewDecoder(strings.NewReader(actions.ReplaceAllString(strings.ReplaceAll(launchd, "<{{RunAtLoad}}/>", "<true/>"), "x")))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("launchd's property list: %v", err)
		}
	}
}

func TestSystemdNumber(t *testing.T) {
	for out, want := range map[string]string{"systemd 252 (252.38-1~deb12u1)\n+PAM": "252", "systemd 257.4": "257"} {
		if m := systemdNumber.FindStringSubmatch(out); m == nil || m[1] != want {
			t.Errorf("%q: %q, want %s", out, m, want)
		}
	}
}
