package indicators_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/extwatch/extwatch/signatures/indicators"
)

const anID = "abcdefghijklmnopabcdefghijklmnop"

func row(value string) indicators.Row {
	return indicators.Row{Value: value, Browser: "chrome", Campaign: "made-up-2026", Verdict: "malicious", Source: "https://tests.example/"}
}

// randomID makes up an ID.
func randomID(r *rand.Rand) string {
	id := make([]byte, 32)
	for i := range id {
		id[i] = 'a' + byte(r.IntN(16))
	}
	return string(id)
}

func collect(s *indicators.Set, kind indicators.Kind) []indicators.Row {
	return slices.Collect(s.All(kind))
}

func TestLookup(t *testing.T) {
	hash := strings.Repeat("0f", 32)
	gecko := row("{0A0B0C0D-0000-4000-8000-00000000000a}")
	gecko.Versions, gecko.Date, gecko.Tags, gecko.Note = []string{"1.0", "1.1"}, "2026-01-31", []string{"weak"}, "a, \"note\""
	second := row(anID)
	second.Campaign = "other-2026"
	ids := []indicators.Row{row(anID), gecko, second, row("x@y.example"), row(anID)}
	hashRow, domainRow := row(hash), row("evil.example")
	hashRow.Browser, domainRow.Browser = "", ""
	var parts [][]byte
	for kind, rows := range map[indicators.Kind][]indicators.Row{indicators.ID: ids, indicators.SHA256: {hashRow}, indicators.Domain: {domainRow}} {
		data, err := indicators.Build(kind, 1, rows)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, data)
	}
	set, err := indicators.Open(parts...)
	if err != nil {
		t.Fatal(err)
	}
	gecko.Value = strings.ToLower(gecko.Value)
	for _, tt := range []struct {
		kind  indicators.Kind
		value string
		want  []indicators.Row
	}{
		{indicators.ID, anID, []indicators.Row{second, row(anID)}},
		{indicators.ID, "{0a0b0c0d-0000-4000-8000-00000000000A}", []indicators.Row{gecko}},
		{indicators.ID, "X@Y.example", []indicators.Row{row("x@y.example")}},
		{indicators.ID, strings.Repeat("a", 32), nil},
		{indicators.ID, strings.ToUpper(anID), nil},
		{indicators.ID, "", nil},
		{indicators.ID, strings.Repeat("x", 1<<20), nil},
		{indicators.SHA256, hash, []indicators.Row{hashRow}},
		{indicators.SHA256, strings.Repeat("0", 64), nil},
		{indicators.SHA256, strings.Repeat("zz", 32), nil},
		{indicators.Domain, "evil.example", []indicators.Row{domainRow}},
		{indicators.Domain, "www.evil.example", nil},
		{indicators.Kind(0), anID, nil},
		{indicators.Kind(9), anID, nil},
	} {
		if diff := cmp.Diff(tt.want, set.Lookup(tt.kind, tt.value)); diff != "" {
			t.Errorf("%v %.40q:\n%s", tt.kind, tt.value, diff)
		}
	}
	if got := []int{set.Len(indicators.ID), set.Len(indicators.SHA256), set.Len(indicators.Domain), set.Len(9)}; !slices.Equal(got, []int{4, 1, 1, 0}) {
		t.Errorf("Len: %v", got)
	}
	if n := len(collect(set, indicators.ID)); n != 4 {
		t.Errorf("All: %d", n)
	}
	var none *indicators.Set
	if none.Lookup(indicators.ID, anID) != nil || none.Len(indicators.ID) != 0 || len(collect(none, indicators.ID)) != 0 {
		t.Error("a nil set holds something")
	}
}

func TestBuildIsDeterministic(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var rows []indicators.Row
	for i := range 1000 {
		rows = append(rows, row(randomID(r)))
		rows[i].Note = fmt.Sprint(i % 7)
	}
	first, err := indicators.Build(indicators.ID, 3, rows)
	if err != nil {
		t.Fatal(err)
	}
	r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	second, err := indicators.Build(indicators.ID, 3, append(rows, rows[0]))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Error("the order of the rows changes the bytes")
	}
}

func TestBuildRefuses(t *testing.T) {
	for _, change := range []func(*indicators.Row){
		func(r *indicators.Row) { r.Value = anID + "q" },
		func(r *indicators.Row) { r.Value = "www.evil.example" },
		func(r *indicators.Row) { r.Browser = "" },
		func(r *indicators.Row) { r.Versions = []string{} },
		func(r *indicators.Row) { r.Versions = []string{">1"} },
		func(r *indicators.Row) { r.Versions = []string{"1.5..1.4"} },
		func(r *indicators.Row) { r.Versions = []string{"1.."} },
		func(r *indicators.Row) { r.Campaign = "A Campaign" },
		func(r *indicators.Row) { r.Verdict = "clean" },
		func(r *indicators.Row) { r.Source = "" },
		func(r *indicators.Row) { r.Note = strings.Repeat("x", 1<<20) },
		func(r *indicators.Row) { r.Note = "\xff" },
		func(r *indicators.Row) { r.Date = "yesterday" },
		func(r *indicators.Row) { r.Tags = []string{"two words"} },
	} {
		bad := row(anID)
		change(&bad)
		if _, err := indicators.Build(indicators.ID, 1, []indicators.Row{bad}); err == nil {
			t.Errorf("built: %.200v", bad)
		}
	}
}

func TestCovers(t *testing.T) {
	for _, tt := range []struct {
		versions, version string
		want              bool
	}{
		{"1.2", "1.2", true}, {"1.2", "1.2.0", false}, {"1.2 1.3", "1.3", true}, {"", "1", false},
		{"1.2..1.4", "1.2", true}, {"1.2..1.4", "1.4.0", true}, {"1.2..1.4", "1.10", false}, {"1.2..1.10", "1.9.9", true},
		{"1.2..1.4", "1.4.1", false}, {"1.2..1.4", "1.1.9", false}, {"1.2..1.4", "1.3b1", false}, {"1.2..1.4", "", false},
		{"24.10.4..24.10.4", "24.10.4", true}, {"0..2", "1.99999999999999", false}, {"0..2", "-1", false},
	} {
		if got := indicators.Covers(strings.Fields(tt.versions), tt.version); got != tt.want {
			t.Errorf("%q in %q: %v", tt.version, tt.versions, got)
		}
	}
}

// folder writes what Update gave, and returns it as a folder.
func folder(files map[string][]byte) fstest.MapFS {
	out := fstest.MapFS{}
	for name, data := range files {
		out[name] = &fstest.MapFile{Data: data}
	}
	return out
}

func TestUpdate(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	rows := []indicators.Row{}
	for range 20_000 {
		rows = append(rows, row(randomID(r)))
	}
	change, err := indicators.Update(nil, indicators.ID, rows)
	if err != nil || !change.Rebuilt || change.Added != len(rows) || len(change.Files) != 1 {
		t.Fatalf("%+v, %v", change.Added, err)
	}
	rebuilt := 0
	for step := range 20 {
		before := change.Files
		old := len(rows)
		rows = rows[:old-r.IntN(50)] // removals
		removed := old - len(rows)
		changed := r.IntN(20)
		for i := range changed {
			rows[i*7].Note = fmt.Sprint("step ", step)
		}
		added := r.IntN(300)
		for range added {
			rows = append(rows, row(randomID(r)))
		}
		slices.SortFunc(rows, func(a, b indicators.Row) int { return strings.Compare(a.Value, b.Value) })
		if change, err = indicators.Update(folder(before), indicators.ID, rows); err != nil {
			t.Fatal(err)
		}
		if change.Added != added || change.Removed != removed || change.Changed != changed {
			t.Fatalf("step %d: +%d -%d ~%d instead of +%d -%d ~%d", step, change.Added, change.Removed, change.Changed, added, removed, changed)
		}
		if change.Rebuilt {
			rebuilt++
		}
		fetched := 0
		for name, data := range change.Files {
			if old, ok := before[name]; !ok {
				fetched += len(data)
			} else if !bytes.Equal(old, data) {
				t.Fatalf("%s changed under its name", name)
			}
		}
		if !change.Rebuilt && fetched > 64<<10 {
			t.Errorf("step %d: %d bytes for %d changes", step, fetched, added+removed+changed)
		}
		set, err := indicators.OpenFS(folder(change.Files), ".")
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(rows, collect(set, indicators.ID), func(a, b indicators.Row) bool { return a.Value == b.Value && a.Note == b.Note }) {
			t.Fatalf("step %d: other rows", step)
		}
		if set.Len(indicators.ID) != len(rows) {
			t.Errorf("step %d: Len %d instead of %d", step, set.Len(indicators.ID), len(rows))
		}
		for _, i := range []int{0, len(rows) / 2, len(rows) - 1} {
			if diff := cmp.Diff(rows[i:i+1], set.Lookup(indicators.ID, rows[i].Value)); diff != "" {
				t.Errorf("step %d: %s", step, diff)
			}
		}
	}
	if rebuilt > 8 {
		t.Errorf("a new base %d times of 20", rebuilt)
	}
	same, err := indicators.Update(folder(change.Files), indicators.ID, rows)
	if err != nil || same.Added+same.Removed+same.Changed > 0 {
		t.Errorf("without a change: %+v, %v", same, err)
	}
	if diff := cmp.Diff(change.Files, same.Files); diff != "" {
		t.Error("the files changed without a change")
	}
	if none, err := indicators.Update(nil, indicators.Domain, nil); err != nil || len(none.Files) != 0 {
		t.Errorf("nothing: %+v, %v", none, err)
	}
	all, err := indicators.Update(folder(change.Files), indicators.ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	if set, err := indicators.OpenFS(folder(all.Files), "."); err != nil || set.Len(indicators.ID) != 0 {
		t.Errorf("all removed: %v, %v", set, err)
	}
}

// Values whose keys are hashes, several rows of one value, and a value that comes back.
func TestUpdateOfNames(t *testing.T) {
	var rows []indicators.Row
	for i := range 3000 {
		r := row(fmt.Sprintf("x%d@tests.example", i))
		rows = append(rows, r)
	}
	change, err := indicators.Update(nil, indicators.ID, rows)
	if err != nil {
		t.Fatal(err)
	}
	two := rows[5]
	two.Campaign = "another-2026"
	for i, want := range [][]indicators.Row{append(slices.Clone(rows), two), rows[10:], rows} {
		if change, err = indicators.Update(folder(change.Files), indicators.ID, want); err != nil || change.Rebuilt {
			t.Fatal(err, change.Rebuilt)
		}
		set, err := indicators.OpenFS(folder(change.Files), ".")
		if err != nil {
			t.Fatal(err)
		}
		if n := len(set.Lookup(indicators.ID, rows[5].Value)); n != []int{2, 0, 1}[i] {
			t.Errorf("step %d: %d rows", i, n)
		}
		if set.Len(indicators.ID) != len(want) || len(collect(set, indicators.ID)) != len(want) {
			t.Errorf("step %d: %d and %d rows instead of %d", i, set.Len(indicators.ID), len(collect(set, indicators.ID)), len(want))
		}
	}
}

func TestOpenFS(t *testing.T) {
	build := func(number uint32, rows ...indicators.Row) []byte {
		data, err := indicators.Build(indicators.ID, number, rows)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	big := make([]indicators.Row, 0, 60_000)
	r := rand.New(rand.NewPCG(5, 6))
	for range cap(big) {
		big = append(big, row(randomID(r)))
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "1-id.seg"), build(1, big...), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := indicators.OpenFS(os.DirFS(dir), ".") // mapped
	if err != nil || set.Len(indicators.ID) != len(big) {
		t.Fatal(err)
	}
	for _, r := range big[:100] {
		if diff := cmp.Diff([]indicators.Row{r}, set.Lookup(indicators.ID, r.Value)); diff != "" {
			t.Fatal(diff)
		}
	}
	if set, err := indicators.OpenFS(fstest.MapFS{}, "indicators/segments"); err != nil || set.Len(indicators.ID) != 0 {
		t.Errorf("no folder: %v", err)
	}
	one := build(1, row(anID))
	for name, files := range map[string]map[string][]byte{
		"it says that it is 1-id.seg":  {"2-id.seg": one},
		"builds on number 0":           {"1-id.seg": one, "2-id.seg": build(2, row(anID))},
		"the segment is broken":        {"1-id.seg": one[:len(one)-1]},
		"it does not begin as":         {"1-id.seg": []byte(strings.Repeat("x", 100))},
		"version 2":                    {"1-id.seg": append([]byte("EXTWIDX\x02"), one[8:]...)},
		"its checksum is wrong":        {"1-id.seg": append(slices.Clone(one[:len(one)-1]), one[len(one)-1]^1)},
		"header has what is not known": {"1-id.seg": append(append(slices.Clone(one[:40]), 1), one[41:]...)},
	} {
		if _, err := indicators.OpenFS(folder(files), "."); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A lost segment in the middle must not pass for a smaller list.
	change, err := indicators.Update(folder(map[string][]byte{"1-id.seg": build(1, big...)}), indicators.ID, big[:len(big)-5000])
	if err != nil {
		t.Fatal(err)
	}
	delete(change.Files, "1-id.seg")
	if _, err := indicators.OpenFS(folder(change.Files), "."); err == nil || !strings.Contains(err.Error(), "builds on number 1, which is not there") {
		t.Errorf("without its base: %v", err)
	}
}

func TestCSV(t *testing.T) {
	rows := []indicators.Row{row(anID), row("x@y.example")}
	rows[1].Versions, rows[1].Note = []string{"1.0", "2.0"}, "a, \"b\"\nc"
	for _, long := range []bool{false, true} {
		if long {
			rows[0].Date, rows[0].Tags = "2026-01-31", []string{"weak", "import"}
		}
		var out bytes.Buffer
		if err := indicators.WriteCSV(&out, indicators.ID, rows); err != nil {
			t.Fatal(err)
		}
		var got []indicators.Row
		mistakes := indicators.ReadCSV(indicators.ID, out.Bytes(), func(r indicators.Row) error { got = append(got, r); return nil })
		for i := range got {
			if len(got[i].Tags) == 0 {
				got[i].Tags = nil
			}
		}
		if diff := cmp.Diff(rows, got); diff != "" || len(mistakes) > 0 {
			t.Errorf("long %v: %v\n%s", long, mistakes, diff)
		}
	}
}

// TestForms compares what is written by hand with regular expressions that say the same.
func TestForms(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	for expr, form := range indicators.Forms {
		re := regexp.MustCompile(expr)
		for range 20_000 {
			text := make([]byte, r.IntN(7))
			for i := range text {
				text[i] = "ab1.-_+ A."[r.IntN(10)]
			}
			if got, want := form(string(text)), re.Match(text); got != want {
				t.Fatalf("%s: %q: %v", expr, text, got)
			}
		}
		for _, n := range []int{62, 63, 64, 250, 300} {
			for _, text := range []string{strings.Repeat("a", n), strings.Repeat("a", n) + ".bb"} {
				if got, want := form(text), re.MatchString(text) && len(text) <= 253; got != want && len(text) <= 253 {
					t.Errorf("%s: %q: %v", expr, text, got)
				}
			}
		}
	}
}
