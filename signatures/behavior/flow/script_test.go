package flow

import (
	"testing"

	"github.com/extwatch/extwatch/signatures/behavior/syntax"
)

func TestOffset(t *testing.T) {
	u := &Script{Src: []byte("a\nbc\r\n\nd")}
	if u.offset(u.Src[2:4]) != 2 || u.offset([]byte("bc")) != -1 || u.offset(nil) != -1 {
		t.Error("offset of a part")
	}
}

func FuzzPlace(f *testing.F) {
	f.Add([]byte("a\nb"), 1, 2)
	f.Fuzz(func(t *testing.T, text []byte, line, column int) {
		u := &Script{Src: text, Position: syntax.NewPosition(text), BaseLine: max(line, 0) % 1000, BaseCol: max(column, 0) % 1000}
		for at := range text {
			if p := u.Place(at); p.Line < 1 || p.Column < 1 {
				t.Fatalf("offset %d is at %v", at, p)
			}
		}
	})
}
