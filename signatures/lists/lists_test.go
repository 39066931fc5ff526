package lists_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/extwatch/extwatch/signatures/indicators"
	"github.com/extwatch/extwatch/signatures/lists"
)

var update = flag.Bool("update", false, "write the expected results anew")

// knownGood stands for the catalog of wallets and exchanges.
func knownGood(kind indicators.Kind, value string) string {
	switch {
	case kind == indicators.ID && value == "nkbihfbeogaeaoehlefnkodbefgpgknn":
		return "MetaMask"
	case kind == indicators.Domain && value == "www.binance.com":
		return "binance.com"
	}
	return ""
}

// The files in testdata have the columns of the real lists and made-up IDs, one row for each trap. What is taken and
// what is left out stands in NAME.golden.
func TestRead(t *testing.T) {
	for _, tt := range []struct{ format, file string }{
		{"chrome-mal-ids", "chrome-mal-ids.csv"}, {"extsentry", "extsentry.csv"}, {"malext", "malext.md"}, {"malext", "malext.csv"},
		{"stix", "stix.json"}, {"misp", "misp.json"}, {"csv", "any.csv"}, {"csv", "ids.txt"},
	} {
		t.Run(tt.file, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata", tt.file))
			if err != nil {
				t.Fatal(err)
			}
			opts := lists.Options{KnownGood: knownGood, Date: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)}
			if tt.format == "stix" || tt.format == "misp" || tt.format == "csv" {
				if _, err := lists.Read(tt.format, data, opts); err == nil || !strings.Contains(err.Error(), "give its source") {
					t.Errorf("without a source: %v", err)
				}
				opts.Source, opts.Campaign = "https://lists.example/", "made-up-list"
			}
			got, err := lists.Read(tt.format, data, opts)
			if err != nil {
				t.Fatal(err)
			}
			var text bytes.Buffer
			fmt.Fprintf(&text, "read %d as %s\n", got.Read, got.Campaign)
			for _, kind := range indicators.Kinds() {
				if len(got.Rows[kind]) > 0 {
					if err := indicators.WriteCSV(&text, kind, got.Rows[kind]); err != nil {
						t.Fatal(err)
					}
				}
				if _, err := indicators.Build(kind, 1, got.Rows[kind]); err != nil {
					t.Error(err)
				}
			}
			for _, d := range got.Dropped {
				fmt.Fprintf(&text, "left out: line %d: %s: %s: %s\n", d.Line, d.Value, d.Reason, d.Detail)
			}
			name := filepath.Join("testdata", tt.file+".golden")
			if *update {
				if err := os.WriteFile(name, text.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), text.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	for _, tt := range []struct{ format, text, want string }{
		{"tea-leaves", "", "there is no format"},
		{"chrome-mal-ids", "abc\n", "no column EXTID; give the file data/current-list-meta.csv"},
		{"chrome-mal-ids", "", "no column EXTID"},
		{"extsentry", "extension_id\n", "no column threat_type"},
		{"malext", "# nothing\n", "holds no ID"},
		{"stix", "{", "read the bundle"},
		{"stix", "{}", "no STIX 2 bundle"},
		{"misp", "[]", "holds no MISP event"},
		{"misp", "7", "read the event"},
		{"csv", "a,b\n1,2\n", "names no column"},
		{"csv", "", "holds nothing"},
	} {
		_, err := lists.Read(tt.format, []byte(tt.text), lists.Options{Source: "https://lists.example/"})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %q: %v", tt.format, tt.text, err)
		}
	}
	if _, err := lists.Read("malext", nil, lists.Options{Campaign: "Not a Slug"}); err == nil || !strings.Contains(err.Error(), "no slug") {
		t.Error(err)
	}
}

// checked fails for what a list must never give, whatever it holds.
func checked(t *testing.T, format string, data []byte) {
	got, err := lists.Read(format, data, lists.Options{Source: "https://lists.example/", KnownGood: knownGood})
	if err != nil {
		return
	}
	n := 0
	for kind, rows := range got.Rows {
		n += len(rows)
		if _, err := indicators.Build(kind, 1, rows); err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if r.Versions == nil && knownGood(kind, r.Value) != "" {
				t.Errorf("took %s", r.Value)
			}
			if len(r.Note) > 500 {
				t.Errorf("a note of %d bytes", len(r.Note))
			}
		}
	}
	if n > got.Read {
		t.Errorf("%d rows of %d", n, got.Read)
	}
}

func fuzz(f *testing.F, format string, files ...string) {
	for _, name := range files {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { checked(t, format, data) })
}

func FuzzChromeMalIDs(f *testing.F) { fuzz(f, "chrome-mal-ids", "chrome-mal-ids.csv") }
func FuzzExtSentry(f *testing.F)    { fuzz(f, "extsentry", "extsentry.csv") }
func FuzzMalExt(f *testing.F)       { fuzz(f, "malext", "malext.md", "malext.csv") }
func FuzzSTIX(f *testing.F)         { fuzz(f, "stix", "stix.json") }
func FuzzMISP(f *testing.F)         { fuzz(f, "misp", "misp.json") }
func FuzzCSV(f *testing.F)          { fuzz(f, "csv", "any.csv", "ids.txt") }
