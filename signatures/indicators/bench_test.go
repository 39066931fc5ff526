package indicators_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/extwatch/extwatch/signatures/indicators"
)

// million makes up IDs, a million for the figures, with notes and sources as real lists have them.
func million(n int) []indicators.Row {
	r := rand.New(rand.NewPCG(7, 8))
	rows := make([]indicators.Row, 0, n)
	for i := range n {
		row := row(randomID(r))
		row.Campaign = fmt.Sprintf("made-up-%d", i%300)
		row.Source = fmt.Sprintf("https://tests.example/report-%d", i%2000)
		row.Date = fmt.Sprintf("2026-%02d-%02d", 1+i%12, 1+i%28)
		row.Note = fmt.Sprintf("Some Extension %d", i)
		rows = append(rows, row)
	}
	return rows
}

// figures is what a child process measures of itself.
type figures struct {
	Load            time.Duration
	Resident        int64 // bytes more than before, after loading and a hundred lookups, as on a machine
	ResidentAll     int64 // likewise after a million
	Peak            int64 // the most that loading ever had, more than before; 0 where only Linux could tell
	Lookup          time.Duration
	LookupHit       time.Duration
	Indicators, Hit int
}

func TestMain(m *testing.M) {
	if dir := os.Getenv("EXTWATCH_TEST_SEGMENTS"); dir != "" {
		if err := measure(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// measure loads the segments in a process that has done nothing else.
func measure(dir string) error {
	r := rand.New(rand.NewPCG(9, 10))
	ids := make([]string, 1<<16)
	for i := range ids {
		ids[i] = randomID(r)
	}
	before, err := resident()
	if err != nil {
		return err
	}
	var f figures
	start := time.Now()
	set, err := indicators.OpenFS(os.DirFS(dir), ".")
	if err != nil {
		return err
	}
	f.Load = time.Since(start)
	if peak, err := status("VmHWM"); err == nil {
		f.Peak = peak - before
	}
	f.Indicators = set.Len(indicators.ID)
	for _, id := range ids[:100] {
		set.Lookup(indicators.ID, id)
	}
	after, err := resident()
	if err != nil {
		return err
	}
	f.Resident = after - before
	const lookups = 1_000_000
	start = time.Now()
	for i := range lookups {
		if set.Lookup(indicators.ID, ids[i%len(ids)]) != nil {
			f.Hit++
		}
	}
	f.Lookup = time.Since(start) / lookups
	var listed []string
	for row := range set.All(indicators.ID) {
		if listed = append(listed, row.Value); len(listed) == len(ids) {
			break
		}
	}
	start = time.Now()
	for _, id := range listed {
		if set.Lookup(indicators.ID, id) == nil {
			return fmt.Errorf("%s is not found", id)
		}
	}
	f.LookupHit = time.Since(start) / time.Duration(len(listed))
	if after, err = resident(); err != nil {
		return err
	}
	f.ResidentAll = after - before
	runtime.KeepAlive(set)
	return json.NewEncoder(os.Stdout).Encode(f)
}

// resident returns how much memory of this process is in use, mapped files included; elsewhere than on Linux what Go
// has from the system.
func resident() (int64, error) {
	runtime.GC()
	if n, err := status("VmRSS"); err == nil {
		return n, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys - m.HeapReleased), nil
}

// status returns bytes that Linux tells of this process.
func status(name string) (int64, error) {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		var kb int64
		if n, _ := fmt.Sscanf(line, name+": %d kB", &kb); n == 1 {
			return kb << 10, nil
		}
	}
	return 0, fmt.Errorf("no %s in %q", name, data)
}

// Many IDs: load, memory, lookup, and what an update of a hundred costs.
func TestMillion(t *testing.T) {
	rows := million(scale)
	change, err := indicators.Update(nil, indicators.ID, rows)
	if err != nil {
		t.Fatal(err)
	}
	base := change.Files["1-id.seg"]
	dir := t.TempDir()
	worst := 0
	r := rand.New(rand.NewPCG(11, 12))
	for range 3 { // updates of a hundred each, some gathered in one file
		for range 100 {
			rows = append(rows, row(randomID(r)))
		}
		before := change.Files
		if change, err = indicators.Update(folder(before), indicators.ID, rows); err != nil {
			t.Fatal(err)
		}
		fetched := 0
		for name, data := range change.Files {
			if before[name] == nil {
				fetched += len(data)
			}
		}
		worst = max(worst, fetched)
	}
	for name, data := range change.Files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "EXTWATCH_TEST_SEGMENTS="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var f figures
	if err := json.Unmarshal(out, &f); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d IDs in %.1f MB: loaded in %v, %.1f MB resident, %.1f MB after a million lookups, %.1f MB at most while loading; lookup %v, of a listed one %v; update of 100: at most %.1f KB",
		f.Indicators, float64(len(base))/1e6, f.Load.Round(time.Millisecond), float64(f.Resident)/1e6, float64(f.ResidentAll)/1e6, float64(f.Peak)/1e6, f.Lookup, f.LookupHit, float64(worst)/1e3)
	if f.Indicators != len(rows) || f.Hit != 0 {
		t.Errorf("%d of %d, %d strangers found", f.Indicators, len(rows), f.Hit)
	}
	// Time is measured here and not judged, memory and bytes are: they are the same on a busy machine.
	if scale >= 1_000_000 && worst >= 100<<10 {
		t.Errorf("an update of 100 costs %d bytes", worst)
	}
	if f.Peak >= 40<<20 {
		t.Errorf("loading took %d bytes at its peak", f.Peak)
	}
	if runtime.GOOS != "windows" && (f.Resident >= 40<<20 || f.ResidentAll >= 64<<20) {
		t.Errorf("%d bytes resident, %d after all lookups", f.Resident, f.ResidentAll)
	}
}

func BenchmarkLookup(b *testing.B) {
	data, err := indicators.Build(indicators.ID, 1, million(scale))
	if err != nil {
		b.Fatal(err)
	}
	domains := make([]indicators.Row, 100_000)
	for i := range domains {
		domains[i] = indicators.Row{Value: fmt.Sprintf("h%d.evil.example", i), Campaign: "c", Verdict: "malicious", Source: "s"}
	}
	names, err := indicators.Build(indicators.Domain, 1, domains)
	if err != nil {
		b.Fatal(err)
	}
	set, err := indicators.Open(data, names)
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	ids := make([]string, 4096)
	for i := range ids {
		ids[i] = randomID(r)
	}
	b.Run("id", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			set.Lookup(indicators.ID, ids[i%len(ids)])
		}
	})
	b.Run("domain", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			set.Lookup(indicators.Domain, "cdn.honest.example")
		}
	})
}
