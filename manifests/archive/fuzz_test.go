package archive

import (
	"bytes"
	"encoding/binary"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/extwatch/extwatch/manifests/archive/archivetest"
)

// tight keeps one fuzz run short; the same code runs with larger numbers elsewhere.
var tight = Limits{Files: 200, FileBytes: 1 << 20, Bytes: 4 << 20}

// checkOpen opens any bytes, reads all that opens, and checks the bounds that the package promises.
func checkOpen(t *testing.T, data []byte) {
	begin := time.Now()
	a, err := OpenReader(bytes.NewReader(data), int64(len(data)), tight)
	if err != nil {
		return
	}
	var total int64
	entries := 0
	_ = fs.WalkDir(a, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			t.Errorf("walking %q: %v", name, err)
			return nil
		}
		if entries++; strings.Count(name, "/") >= DefaultDepth {
			t.Errorf("too deep: %q", name)
		}
		if entry.IsDir() {
			return nil
		}
		f, err := a.Open(name)
		if err != nil {
			return nil
		}
		defer f.Close()
		n, _ := io.Copy(io.Discard, f)
		if total += n; n > tight.FileBytes || total > tight.Bytes {
			t.Errorf("%q gave %d bytes, all together %d", name, n, total)
		}
		return nil
	})
	if entries > tight.Files+1 {
		t.Errorf("%d entries", entries)
	}
	for _, p := range a.Problems() {
		if p.Reason == "" || len(p.File) > 4*maxShown+8 {
			t.Errorf("problem %+v", p)
		}
	}
	if a.Signature.Verified == (a.Signature.Reason != "") && (a.Form == FormCRX2 || a.Form == FormCRX3) {
		t.Errorf("signature %+v", a.Signature)
	}
	if spent := time.Since(begin); spent > 5*time.Second {
		t.Errorf("took %v", spent)
	}
}

// seed reads a fixed package: with new keys each time, every fuzz worker would first spend seconds on making them.
func seed(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Run these with -fuzzminimizetime 10x: what the signature code covers differs from run to run, and the engine would spend
// all its time on making inputs smaller.

func FuzzZip(f *testing.F) {
	zipped, err := archivetest.PackZip(inert)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(zipped)
	f.Add(append([]byte("prefix"), zipped...))
	f.Add(zipped[:len(zipped)-1])
	f.Add([]byte(endMark + strings.Repeat("\x00", 18)))
	f.Fuzz(checkOpen)
}

func FuzzCRX(f *testing.F) {
	crx := seed(f, "chromium.crx")
	f.Add(crx)
	f.Add(seed(f, "crx2.crx"))
	f.Add(crx3([]byte{0xff}, crx[593:]))
	f.Add(binary.LittleEndian.AppendUint32([]byte("Cr24\x03\x00\x00\x00"), 1<<31))
	f.Fuzz(checkOpen)
}
