package fold

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestLongBase64(t *testing.T) {
	t.Parallel()
	code := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("document.title = 'x';", 60)))
	for text, want := range map[string]bool{
		code:       true,
		code[:900]: false,
		base64.StdEncoding.EncodeToString([]byte("\x89PNG" + strings.Repeat("\x01\x02\x03", 400))):                 false,
		base64.StdEncoding.EncodeToString([]byte("wOF2" + strings.Repeat("\x01\x02\x03", 400))):                    false,
		base64.StdEncoding.EncodeToString([]byte("\x00asm" + strings.Repeat("\x01\x02\x03", 400))):                 false,
		base64.StdEncoding.EncodeToString([]byte(`{"version":3,"sources":["` + strings.Repeat("a", 1000) + `"]}`)): false,
		"0x6080604052" + strings.Repeat("34801561", 200):                                                           false,
		base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("\xfb\xef\xbe\x00\x7f", 300))):                  true,
	} {
		if got := hidesBase64([]byte(text)); got != want {
			t.Errorf("%.40s: %v", text, got)
		}
	}
}
