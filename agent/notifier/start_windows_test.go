package notifier

import (
	"errors"
	"testing"
)

func testProcess(string) (*process, error) { return nil, errors.ErrUnsupported }

func TestPressedButton(t *testing.T) {
	for id, want := range map[int32]Choice{1: WhatNow, 2: Dismissed, 6: WhatNow, 7: Block, 32000: Expired, 99: ""} {
		if got := pressedButton(id); got != want {
			t.Errorf("%d: %q, want %q", id, got, want)
		}
	}
}
