package archive

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const manifest = `{"manifest_version":3,"name":"Inert","version":"1.0"}`

func withMode(name string, mode fs.FileMode) entry {
	e := text(name, "target")
	e.SetMode(mode)
	return e
}

// Each hostile entry is a problem and is not read; the manifest beside it is.
func TestZipRefusedEntries(t *testing.T) {
	long := strings.Repeat("n", 60_000)
	flagged := text("a.js", "x")
	flagged.Flags |= encrypted
	for _, test := range []struct {
		name   string
		entry  entry
		file   string // as in the problem
		reason string
	}{
		{"absolute", text("/etc/passwd", "x"), "/etc/passwd", "not a path inside"},
		{"parent", text("../a.js", "x"), "../a.js", "not a path inside"},
		{"parent inside", text("a/../../b.js", "x"), "a/../../b.js", "not a path inside"},
		{"dot", text("./a.js", "x"), "./a.js", "not a path inside"},
		{"empty", text("", "x"), "", "not a path inside"},
		{"double slash", text("a//b.js", "x"), "a//b.js", "not a path inside"},
		{"backslash", text(`..\a.js`, "x"), `..\a.js`, "backslash"},
		{"NUL", text("a.js\x00.png", "x"), `"a.js\x00.png"`, "NUL"},
		{"long", text(long+"/../x", "x"), long[:maxShown] + "…", "not a path inside"},
		{"deep", text(strings.Repeat("d/", DefaultDepth)+"x", "x"), strings.Repeat("d/", DefaultDepth) + "x", "folders deep"},
		{"link", withMode("a.js", fs.ModeSymlink|0o777), "a.js", "it is a link"},
		{"device", withMode("a.js", fs.ModeDevice|0o777), "a.js", "device"},
		{"FIFO", withMode("a.js", fs.ModeNamedPipe|0o777), "a.js", "device, FIFO"},
		{"encrypted", flagged, "a.js", "encrypted"},
		{"manifest is a folder", text("manifest.json/x", "x"), "manifest.json", "folder where a file belongs"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := openBytes(t, packZip(t, text("manifest.json", manifest), test.entry), Limits{})
			wantProblem(t, a, test.file, test.reason)
			got := readAll(a)
			if test.name == "manifest is a folder" {
				if got["manifest.json/x"] != "x" {
					t.Errorf("read %q", got)
				}
				return
			}
			if diff := cmp.Diff(map[string]string{"manifest.json": manifest}, got); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			if _, err := a.Open(test.entry.Name); err == nil {
				t.Error("it opens")
			}
		})
	}
}

// Names that deceive the eye are read, and reported in a form that does not deceive.
func TestZipOddNames(t *testing.T) {
	names := []string{"a\nb.js", "gpj.\u202ecod.js", "\xff.js", "d\x1b[2J/x.js", "plain.js", "إضافة.js"}
	var entries []entry
	want := map[string]string{}
	for _, name := range names {
		entries = append(entries, text(name, name))
		want[name] = name
	}
	a := openBytes(t, packZip(t, entries...), Limits{})
	if diff := cmp.Diff(want, readAll(a)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	wantProblem(t, a, `"a\nb.js"`, "control")
	wantProblem(t, a, `"gpj.\u202ecod.js"`, "invisible")
	wantProblem(t, a, `"\xff.js"`, "not UTF-8")
	wantProblem(t, a, `"d\x1b[2J"`, "control")
	if n := len(a.Problems()); n != 5 { // the folder and the file in it
		t.Errorf("%d problems: %+v", n, a.Problems())
	}
}

func TestZipDuplicates(t *testing.T) {
	link := withMode("c.js", fs.ModeSymlink|0o777)
	a := openBytes(t, packZip(t,
		text("a.js", "first"), text("b", "file"), text("c.js", "shown to the scanner"),
		text("a.js", "last"), text("b/x.js", "below"), link), Limits{})
	want := map[string]string{"a.js": "last", "b/x.js": "below"}
	if diff := cmp.Diff(want, readAll(a)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	wantProblem(t, a, "a.js", "more than once")
	wantProblem(t, a, "b", "both a file and a folder")
	wantRefused(t, a, "c.js", "link") // the last counts, also when it is refused
}

func TestZipBombs(t *testing.T) {
	zeros := string(make([]byte, 8<<20))
	within(t, 60*time.Second, func() {
		t.Run("ratio", func(t *testing.T) {
			a := openBytes(t, packZip(t, text("manifest.json", manifest), text("bomb.js", zeros)), Limits{})
			wantRefused(t, a, "bomb.js", "decompression bomb")
			if got := readAll(a); got["manifest.json"] != manifest {
				t.Error("the manifest is not read")
			}
		})
		t.Run("one file", func(t *testing.T) {
			a := openBytes(t, packZip(t, text("big.js", strings.Repeat("x", 1001))), Limits{FileBytes: 1000})
			wantRefused(t, a, "big.js", "claims 1001 bytes")
		})
		t.Run("together", func(t *testing.T) {
			// Padding is left out before what it should hide.
			a := openBytes(t, packZip(t, text("pad1", zeros[:900]), text("pad2", zeros[:900]), text("z.js", "payload")), Limits{Bytes: 1000})
			if got := readAll(a); got["z.js"] != "payload" || len(got) != 2 {
				t.Errorf("read %d files", len(got))
			}
			wantRefused(t, a, "pad2", "together")
		})
		t.Run("overlapping", func(t *testing.T) {
			a := openBytes(t, overlapping(t, 2000, 1<<20), Limits{Bytes: 100 << 20})
			total := 0
			for _, data := range readAll(a) {
				total += len(data)
			}
			if total > 100<<20 || total == 0 {
				t.Errorf("read %d bytes", total)
			}
			wantProblem(t, a, "", "more problems")
		})
	})
}

// overlapping makes a ZIP with n entries that all use the same packed bytes.
func overlapping(t *testing.T, n, size int) []byte {
	t.Helper()
	one := packZip(t, text("0000", strings.Repeat("ab", size/2)))
	end := len(one) - endLen
	start := int(binary.LittleEndian.Uint32(one[end+16:]))
	out := append([]byte(nil), one[:start]...)
	for i := range n {
		record := append([]byte(nil), one[start:end]...)
		copy(record[46:], fmt.Sprintf("%04d", i))
		out = append(out, record...)
	}
	last := append([]byte(nil), one[end:]...)
	binary.LittleEndian.PutUint16(last[8:], uint16(n))
	binary.LittleEndian.PutUint16(last[10:], uint16(n))
	binary.LittleEndian.PutUint32(last[12:], uint32(n*(end-start)))
	return append(out, last...)
}

// patch overwrites a field of the only entry in the directory.
func patch(data []byte, offset int, value uint32) []byte {
	data = append([]byte(nil), data...)
	start := binary.LittleEndian.Uint32(data[len(data)-endLen+16:])
	binary.LittleEndian.PutUint32(data[int(start)+offset:], value)
	return data
}

// Sizes and checksums that lie end in a problem, and never in more bytes than were claimed.
func TestZipLies(t *testing.T) {
	const crc, packed, size, local = 16, 20, 24, 42
	good := packZip(t, text("a.js", strings.Repeat("payload ", 1000)))
	for _, test := range []struct {
		name   string
		data   []byte
		whole  bool
		reason string
	}{
		{"checksum", patch(good, crc, 1), true, "checksum"},
		{"smaller", patch(good, size, 10), false, "cannot be unpacked"},
		{"larger", patch(good, size, 9000), false, "cannot be unpacked"},
		{"packed", patch(good, packed, 3), false, "cannot be unpacked"},
		{"place", patch(good, local, 40), false, "cannot be unpacked"},
		{"place far away", patch(good, local, math.MaxInt32), false, "cannot be unpacked"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := openBytes(t, test.data, Limits{})
			data, err := fs.ReadFile(a, "a.js")
			if whole := err == nil && len(data) == 8000; whole != test.whole {
				t.Errorf("%d bytes, %v", len(data), err)
			}
			wantProblem(t, a, "a.js", test.reason)
		})
	}
}

func TestZipTooManyEntries(t *testing.T) {
	var entries []entry
	for i := range 50 {
		entries = append(entries, text(fmt.Sprintf("d%d/a.js", i), "x"))
	}
	a := openBytes(t, packZip(t, entries...), Limits{Files: 20})
	if got := len(readAll(a)); got != 10 {
		t.Errorf("%d files beside their folders, want 10", got)
	}
	wantProblem(t, a, "d10/a.js", "more than 20 files")

	// A directory of names only is refused before it is in memory.
	entries = nil
	for i := range 100 {
		entries = append(entries, text(fmt.Sprintf("%d%s", i, strings.Repeat("n", 60_000)), ""))
	}
	data := packZip(t, entries...)
	if _, err := OpenReader(bytes.NewReader(data), int64(len(data)), Limits{Files: 100}); !errors.Is(err, ErrRefused) {
		t.Errorf("a directory of %d bytes: %v", len(data), err)
	}
}

// What could show another program other files is a problem.
func TestZipAmbiguous(t *testing.T) {
	one := packZip(t, text("manifest.json", `{"name":"one"}`))
	two := packZip(t, text("manifest.json", `{"name":"two"}`))

	t.Run("prefix", func(t *testing.T) {
		a := openBytes(t, append([]byte("#!/bin/sh\n"), one...), Limits{})
		wantProblem(t, a, "", "counts from byte 10 and not from byte 0")
		if got := readAll(a); got["manifest.json"] != `{"name":"one"}` {
			t.Errorf("read %q", got)
		}
	})
	t.Run("two packages", func(t *testing.T) {
		// The directory of the first lies where the second's would, did it count from the file's start.
		a := openBytes(t, append(append([]byte(nil), one...), two...), Limits{})
		wantProblem(t, a, "", "counts from byte")
		if got := readAll(a); got["manifest.json"] != `{"name":"two"}` {
			t.Errorf("read %q", got)
		}
	})
	t.Run("two ends", func(t *testing.T) {
		// The first end takes the second for its comment.
		data := append(append([]byte(nil), one...), two...)
		binary.LittleEndian.PutUint16(data[len(one)-2:], uint16(len(two)))
		wantProblem(t, openBytes(t, data, Limits{}), "", "two directories")
	})
	t.Run("bytes behind", func(t *testing.T) {
		wantProblem(t, openBytes(t, append(append([]byte(nil), one...), "tail"...), Limits{}), "", "bytes follow")
	})
	t.Run("ZIP64", func(t *testing.T) {
		data := append([]byte(nil), one[:len(one)-endLen]...)
		data = append(append(data, end64Mark+"0123456789abcdef"...), one[len(one)-endLen:]...)
		if _, err := OpenReader(bytes.NewReader(data), int64(len(data)), Limits{}); !errors.Is(err, ErrRefused) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("package in a package", func(t *testing.T) {
		stored := text("inner.zip", string(one))
		stored.Method = zip.Store
		if list := openBytes(t, packZip(t, stored), Limits{}).Problems(); len(list) != 0 {
			t.Errorf("problems: %+v", list)
		}
	})
}

// A package that is cut or overwritten while it is open gives errors and problems.
func TestZipReplacedWhileRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.xpi")
	if err := os.WriteFile(path, packZip(t, text("a.js", strings.Repeat("payload ", 1000)), text("b.js", "b")), 0o644); err != nil {
		t.Fatal(err)
	}
	a := open(t, path, Limits{})
	if err := os.Truncate(path, 20); err != nil {
		t.Fatal(err)
	}
	if got := readAll(a); len(got) != 0 {
		t.Errorf("read %q", got)
	}
	wantProblem(t, a, "a.js", "cannot be unpacked")
	wantProblem(t, a, "b.js", "cannot be unpacked")
}

func TestZipConcurrentUse(t *testing.T) {
	var entries []entry
	for i := range 50 {
		entries = append(entries, text(fmt.Sprintf("%d.js", i), strings.Repeat(fmt.Sprint(i), 5000)))
	}
	a := openBytes(t, packZip(t, entries...), Limits{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for name, data := range readAll(a) {
				if !strings.HasPrefix(data, strings.TrimSuffix(name, ".js")) || len(data) < 5000 {
					t.Errorf("%s: %.20q", name, data)
				}
			}
		})
	}
	wg.Wait()
}

func TestZipFileClosedTwice(t *testing.T) {
	a := openBytes(t, packZip(t, text("a.js", "x")), Limits{})
	f, err := a.Open("a.js")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := f.Close(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("second Close: %v", err)
	}
	if _, err := io.ReadAll(f); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Read after Close: %v", err)
	}
}
