package reader

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/extwatch/extwatch/manifests/archive"
)

func TestMessage(t *testing.T) {
	var b bytes.Buffer
	if err := writeMessage(&b, 7, request{Op: opStat, Name: "x"}, []byte("data")); err != nil {
		t.Fatal(err)
	}
	number, text, data, err := readMessage(&b)
	if err != nil || number != 7 || string(text) != `{"op":"stat","name":"x"}` || string(data) != "data" {
		t.Errorf("%d %s %s %v", number, text, data, err)
	}
}

func TestFailure(t *testing.T) {
	for _, want := range []error{fs.ErrNotExist, fs.ErrPermission, archive.ErrRefused, errForgotten} {
		err := failureOf(&fs.PathError{Op: "open", Path: "a", Err: want}).err()
		var pe *fs.PathError
		if !errors.Is(err, want) || !errors.As(err, &pe) || pe.Path != "a" {
			t.Errorf("%v became %v", want, err)
		}
	}
	if d := cmp.Diff("plain", failureOf(errors.New("plain")).err().Error()); d != "" {
		t.Error(d)
	}
}

func FuzzReadMessage(f *testing.F) {
	var b bytes.Buffer
	if err := writeMessage(&b, 1, answer{Failure: &failure{Text: "x"}}, []byte("data")); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, in []byte) {
		r := bytes.NewReader(in)
		for {
			_, text, data, err := readMessage(r)
			if err != nil {
				if !errors.Is(err, io.EOF) && len(text)+len(data) > 0 {
					t.Error("an error with data")
				}
				return
			}
			if len(text)+len(data) > len(in) {
				t.Error("more than there was")
			}
		}
	})
}
