package service

import (
	"strings"
	"testing"
)

// What packages bring names the program and its arguments, and leaves no place of the template open.
func TestFile(t *testing.T) {
	cfg := Config{Executable: "/usr/bin/extwatch", Arguments: []string{"run", "--service"}}
	for kind, want := range map[Kind][]string{
		Systemd: {"ExecStart=/usr/bin/extwatch run --service\n", "IPAddressDeny=any\n", "Description=" + description + "\n"},
		Launchd: {"<string>/usr/bin/extwatch</string>\n", "<string>run</string>\n", "<string>--service</string>\n", "<true/>"},
		OpenRC:  {"command=\"/usr/bin/extwatch\"\n", "command_args=\"run --service \"\n"},
	} {
		text, err := File(kind, cfg)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text, "{{") {
			t.Errorf("%s: a place of the template is open:\n%s", kind, text)
		}
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: no %q in:\n%s", kind, w, text)
			}
		}
	}
	if _, err := File("none", cfg); err == nil {
		t.Error("an unknown manager got a file")
	}
}
