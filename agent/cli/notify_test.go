package cli

import (
	"bytes"
	"errors"
	"testing"
)

// The page opens for one answer only, and every answer is handed on, also when it cannot be opened.
func TestPageOpener(t *testing.T) {
	for line, want := range map[string]int{
		`{"keys":["a"],"shown":true}` + "\n":        0,
		`{"keys":["a"],"choice":"what_now"}` + "\n": 1,
		`{"keys":["a"],"choice":"block"}` + "\n":    0,
		"nonsense\n":                                0,
	} {
		var out bytes.Buffer
		opened := 0
		o := &pageOpener{out: &out, open: func() error { opened++; return errors.New("no browser") }}
		n, err := o.Write([]byte(line))
		if err != nil || n != len(line) || out.String() != line {
			t.Errorf("%q: %d, %v, handed on %q", line, n, err, &out)
		}
		if opened != want {
			t.Errorf("%q: opened %d times, want %d", line, opened, want)
		}
	}
}
