package syntax

import "testing"

func TestPosition(t *testing.T) {
	text := "a\nbc\r\n\nd"
	p := NewPosition([]byte(text))
	for offset, want := range map[int][2]int{0: {0, 0}, 1: {0, 1}, 2: {1, 0}, 4: {1, 2}, 6: {2, 0}, 7: {3, 0}, 8: {3, 1}, 99: {3, 1}, -1: {0, 0}} {
		line, column := p.At(offset)
		if line != want[0] || column != want[1] {
			t.Errorf("%d: %d:%d, want %v", offset, line, column, want)
		}
		if offset >= 0 && offset <= len(text) && p.offsetOf(line, column) != offset {
			t.Errorf("%d:%d leads to %d, not %d", line, column, p.offsetOf(line, column), offset)
		}
	}
}
