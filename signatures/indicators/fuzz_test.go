package indicators_test

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/extwatch/extwatch/signatures/indicators"
)

func FuzzOpen(f *testing.F) {
	gecko := row("x@y.example")
	gecko.Versions, gecko.Note = []string{"1.0"}, "note"
	base := []indicators.Row{row(anID), gecko, row(strings.Repeat("p", 32))}
	change, err := indicators.Update(nil, indicators.ID, base)
	if err != nil {
		f.Fatal(err)
	}
	for _, data := range change.Files {
		f.Add(data, anID)
		f.Add(data[:50], "")
	}
	domain, err := indicators.Build(indicators.Domain, 4, []indicators.Row{{Value: "evil.example", Campaign: "c", Verdict: "malicious", Source: "s"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(domain, "evil.example")
	f.Fuzz(func(t *testing.T, data []byte, value string) {
		// The checksum would hide what lies behind it.
		data = indicators.Resum(data)
		set, err := indicators.Open(data)
		if err != nil {
			return
		}
		for _, kind := range indicators.Kinds() {
			set.Lookup(kind, value)
			n := 0
			for r := range set.All(kind) {
				n++
				found := set.Lookup(kind, r.Value)
				if len(found) == 0 && !slices.ContainsFunc([]string{r.Value}, func(v string) bool { return v != strings.ToLower(v) || len(v) > 4096 }) && known(kind, r.Value, data) {
					t.Errorf("%v %q is listed and not found", kind, r.Value)
				}
			}
			if n != set.Len(kind) {
				t.Errorf("%d rows, %d counted", n, set.Len(kind))
			}
			if _, err := indicators.Update(fstest.MapFS{fmt.Sprintf("%d-%v.seg", number(data), kind): {Data: data}}, kind, nil); err != nil && n > 0 {
				t.Errorf("update: %v", err)
			}
		}
	})
}

// known is left to the rows whose key is the value itself: a made-up hash finds nothing, as it should.
func known(kind indicators.Kind, value string, _ []byte) bool {
	if kind == indicators.SHA256 {
		_, err := hex.DecodeString(value)
		return err == nil && len(value) == 64
	}
	return false
}

func number(data []byte) uint32 {
	return uint32(data[16]) | uint32(data[17])<<8 | uint32(data[18])<<16 | uint32(data[19])<<24
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("id,browser,versions,campaign,verdict,source,note\n" + anID + ",chrome,*,c,malicious,s,\"a, b\"\n"))
	f.Add([]byte("\"\n,"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var rows []indicators.Row
		indicators.ReadCSV(indicators.ID, data, func(r indicators.Row) error { rows = append(rows, r); return nil })
		built, err := indicators.Build(indicators.ID, 1, rows)
		if err != nil {
			t.Fatal(err)
		}
		set, err := indicators.Open(built)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if set.Lookup(indicators.ID, r.Value) == nil {
				t.Errorf("%q is not found", r.Value)
			}
		}
	})
}
