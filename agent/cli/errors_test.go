package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
)

func TestExit(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		code int
		said string
	}{
		{"nothing", nil, 0, ""},
		{"plain", errors.New("cannot watch"), 1, "extwatch: error: cannot watch\n"},
		{"wrapped", fmt.Errorf("scan: %w", usage("do that", "no %q", "x")), 2, "extwatch: error: no \"x\"\nextwatch: hint: do that\n"},
		{"failed", failed("is the disk full?", "cannot write"), 1, "extwatch: error: cannot write\nextwatch: hint: is the disk full?\n"},
		{"findings", errFindings, 3, ""},
		{"interrupt", fmt.Errorf("read: %w", context.Canceled), 1, "extwatch: error: interrupted\n"},
		{"closed pipe", fmt.Errorf("%w: EPIPE", errOutput), 1, ""},
		{"escape sequence and lines", errors.New("bad \x1b[2J\n\nname\u202e"), 1, "extwatch: error: bad <U+001B>[2J; name<U+202E>\n"},
	} {
		var out bytes.Buffer
		if code := exit(&out, tt.err); code != tt.code || out.String() != tt.said {
			t.Errorf("%s: exit %d, said %q; want %d, %q", tt.name, code, out.String(), tt.code, tt.said)
		}
	}
}

// TestMainKeepsItsArguments guards against the command library reading the process's own arguments.
func TestMainKeepsItsArguments(t *testing.T) {
	var out, errs bytes.Buffer
	if code := Main(nil, nil, &out, &errs); code != 0 || errs.Len() > 0 || !bytes.Contains(out.Bytes(), []byte("COMMAND")) {
		t.Errorf("exit %d, stderr %q, stdout %q", code, &errs, &out)
	}
}
