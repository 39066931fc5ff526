package archive

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/flate"
)

const (
	// bytesPerEntry is what an entry of a ZIP's directory takes on average at most: 46 bytes, a name, and the times that
	// Info-ZIP adds. It bounds how much of a directory we read, since its own count of entries cannot be trusted.
	bytesPerEntry = 160
	// minDirectory lets a package with a few entries have long names.
	minDirectory = 128 << 10
	endLen       = 22             // bytes of an end-of-central-directory record without its comment
	maxTail      = 1<<16 - 1 + 22 // where that record may begin, from the end
	encrypted    = 1 << 0         // general purpose flag: the entry is encrypted
	endMark      = "PK\x05\x06"   // signature of that record
	end64Mark    = "PK\x06\x07"   // signature of the locator of a ZIP64 one
)

var errNotPackage = errors.New("it is not a .crx, .xpi or .zip package")

// A zipTree is the index of a package. Once it is built only its problems change.
type zipTree struct {
	*problems
	limits  Limits
	files   map[string]*zip.File
	folders map[string][]fs.DirEntry // sorted
	refused map[string]error         // files that are there and are not read
	flaters sync.Pool                // of *inflater
}

// openZip reads the index of the ZIP in r, which should begin at offset expected.
func openZip(r *io.SectionReader, expected int64, found *problems, limits Limits) (*zipTree, error) {
	start, err := findStart(r, expected, found)
	if err != nil {
		return nil, err
	}
	// The directory is bounded by counting what is read of it, and its start is ours, not the library's guess: given a
	// false one, the library would prefer a second directory that no browser looks at.
	metered := &meter{r: r, left: max(minDirectory, bytesPerEntry*int64(limits.Files)) + 2*maxTail}
	reader, err := zip.NewReader(io.NewSectionReader(metered, start, r.Size()-start), r.Size()-start)
	switch {
	case metered.left < 0:
		return nil, refusal(fmt.Sprintf("its directory is larger than one of %d files needs to be", limits.Files))
	case errors.Is(err, zip.ErrFormat):
		return nil, fmt.Errorf("%w that is whole: %w", errNotPackage, err)
	case err != nil && !errors.Is(err, zip.ErrInsecurePath): // names are checked here, one by one
		return nil, fmt.Errorf("read its directory: %w", err)
	}
	metered.left = math.MaxInt64
	t := &zipTree{
		problems: found,
		limits:   limits,
		files:    map[string]*zip.File{},
		folders:  map[string][]fs.DirEntry{".": nil},
		refused:  map[string]error{},
	}
	reader.RegisterDecompressor(zip.Deflate, t.inflate)
	t.index(reader.File)
	return t, nil
}

// findStart returns the offset from which the ZIP's directory counts, as unpackers find it: from the end of the file. It
// notes what could make another program see other files than we do.
func findStart(r *io.SectionReader, expected int64, found *problems) (int64, error) {
	tail := make([]byte, min(r.Size(), maxTail))
	if n, err := r.ReadAt(tail, r.Size()-int64(len(tail))); n < len(tail) {
		return 0, fmt.Errorf("read its end: %w", err)
	}
	at := bytes.LastIndex(tail[:max(0, len(tail)-endLen+len(endMark))], []byte(endMark))
	if at < 0 {
		return 0, errNotPackage
	}
	end := tail[at:]
	if got := endLen + int(binary.LittleEndian.Uint16(end[20:])); got != len(end) {
		found.add("", "bytes follow the end of the package, or it is cut off")
	}
	for i := bytes.Index(tail[:at], []byte(endMark)); i >= 0; {
		if i+endLen+int(binary.LittleEndian.Uint16(tail[i+20:])) == len(tail) {
			found.add("", "the package has two directories; another program may see other files in it")
			break
		}
		next := bytes.Index(tail[i+1:at], []byte(endMark))
		if next < 0 {
			break
		}
		i += 1 + next
	}
	if at >= 20 && string(tail[at-20:at-16]) == end64Mark {
		// Its numbers have 64 bits, so nothing would bound them; packages within our limits need none.
		return 0, refusal("it is a ZIP64 package, which is made only for more than 65,535 files or 4 GiB")
	}
	size, offset := binary.LittleEndian.Uint32(end[12:]), binary.LittleEndian.Uint32(end[16:])
	start := r.Size() - int64(len(end)) - int64(size) - int64(offset)
	if start < 0 {
		return 0, fmt.Errorf("%w that is whole: its directory would begin before it does", errNotPackage)
	}
	if start != expected {
		found.add("", fmt.Sprintf("the package counts from byte %d and not from byte %d, where it should begin", start, expected))
	}
	return start, nil
}

// A meter fails once more than left bytes have been read through it.
type meter struct {
	r    io.ReaderAt
	left int64
}

func (m *meter) ReadAt(p []byte, off int64) (int, error) {
	if m.left == math.MaxInt64 { // the directory is read; from here on several goroutines come by
		return m.r.ReadAt(p, off)
	}
	if m.left -= int64(len(p)); m.left < 0 {
		return 0, ErrRefused
	}
	return m.r.ReadAt(p, off)
}

// index decides which entries are read. Of entries with one name the last counts: Firefox's nsZipArchive finds that one,
// and so does who unpacks them in order. It counts even if it is refused.
func (t *zipTree) index(entries []*zip.File) {
	nodes := 0
	for _, entry := range entries {
		name, isFolder := strings.CutSuffix(entry.Name, "/")
		err := t.limits.checkName(name)
		if err == nil && strings.Contains(name, `\`) {
			err = refusal("its name holds a backslash, which some systems take for a folder")
		}
		if err == nil && !t.mkdirs(parent(name, isFolder), &nodes) {
			err = refusal(fmt.Sprintf("the package has more than %d files and folders", t.limits.Files))
		}
		if err == nil && !isFolder {
			if _, twice := t.files[name]; twice {
				t.add(name, "it is in the package more than once; the last one counts")
			} else if nodes++; nodes > t.limits.Files {
				err = refusal(fmt.Sprintf("the package has more than %d files and folders", t.limits.Files))
			} else if reason := oddName(name); reason != "" {
				t.add(name, reason)
			}
		}
		if err != nil {
			t.add(entry.Name, err.Error())
		} else if !isFolder {
			t.files[name] = entry
		}
	}
	t.refuse()
	for name, entry := range t.files {
		t.folders[path.Dir(name)] = append(t.folders[path.Dir(name)], zipInfo{name, entry})
	}
	for _, list := range t.folders {
		slices.SortFunc(list, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	}
}

// refuse takes out the files that cannot or must not be read, the largest first where the budget is too small for all.
func (t *zipTree) refuse() {
	kept := make([]string, 0, len(t.files))
	for name, entry := range t.files {
		if err := t.check(name, entry); err != nil {
			t.drop(name, err)
			continue
		}
		kept = append(kept, name)
	}
	slices.SortFunc(kept, func(a, b string) int {
		return cmp.Or(cmp.Compare(t.files[a].UncompressedSize64, t.files[b].UncompressedSize64), cmp.Compare(a, b))
	})
	var total int64
	for _, name := range kept {
		// No overflow: each is at most FileBytes and there are at most Files of them.
		if total += int64(t.files[name].UncompressedSize64); total > t.limits.Bytes {
			t.drop(name, refusal(overBudget(t.limits)))
		}
	}
}

func (t *zipTree) drop(name string, err error) {
	delete(t.files, name)
	t.refused[name] = err
	t.add(name, err.Error())
}

// check says why one entry is not read, or nil. Sizes are those that the directory claims; reading past them is an error.
func (t *zipTree) check(name string, entry *zip.File) error {
	size, packed := entry.UncompressedSize64, max(entry.CompressedSize64, 1)
	switch _, isFolder := t.folders[name]; {
	case isFolder && name == "manifest.json":
		return refusal("it is a folder where a file belongs")
	case isFolder:
		return refusal("it is both a file and a folder")
	case entry.Mode()&fs.ModeSymlink != 0:
		return refusal("it is a link, which packages of extensions do not have")
	case entry.Mode().Type()&^fs.ModeDir != 0: // browsers go by the slash at the end and not by the mode, to tell a folder
		return refusal("it is marked as a device, FIFO or socket")
	case entry.Flags&encrypted != 0:
		return refusal("it is encrypted")
	case entry.Method != zip.Store && entry.Method != zip.Deflate:
		return refusal(fmt.Sprintf("it is compressed with method %d, which browsers do not read", entry.Method))
	case size > math.MaxInt64 || t.limits.tooLarge(int64(size)) != nil:
		return refusal(fmt.Sprintf("it claims %d bytes, more than the limit of %s", size, bytesText(t.limits.FileBytes)))
	case size > ratioFree && size/packed >= uint64(t.limits.Ratio):
		return refusal(fmt.Sprintf("it unpacks to %d times its size, as a decompression bomb does", size/packed))
	}
	return nil
}

// parent returns the folder that an entry needs: itself, if it is one.
func parent(name string, isFolder bool) string {
	if isFolder {
		return name
	}
	return path.Dir(name)
}

// mkdirs adds a folder and those above it, and reports whether the limit on entries allows them.
func (t *zipTree) mkdirs(name string, nodes *int) bool {
	if _, ok := t.folders[name]; ok {
		return true
	}
	if !t.mkdirs(path.Dir(name), nodes) {
		return false
	}
	if *nodes++; *nodes > t.limits.Files {
		return false
	}
	t.folders[name] = nil
	t.folders[path.Dir(name)] = append(t.folders[path.Dir(name)], zipInfo{name, nil})
	if reason := oddName(path.Base(name)); reason != "" {
		t.add(name, reason)
	}
	if name == "manifest.json" {
		t.add(name, "it is a folder where a file belongs")
	}
	return true
}

func (t *zipTree) has(name string) bool { return t.files[name] != nil }

// An inflater goes back to the pool on Close: making one costs more than inflating a small file.
type inflater struct {
	io.ReadCloser
	pool *sync.Pool
}

func (t *zipTree) inflate(r io.Reader) io.ReadCloser {
	if f, ok := t.flaters.Get().(*inflater); ok && f.ReadCloser.(flate.Resetter).Reset(r, nil) == nil {
		return f
	}
	return &inflater{flate.NewReader(r), &t.flaters}
}

// Close implements io.Closer.
func (f *inflater) Close() error {
	err := f.ReadCloser.Close()
	f.pool.Put(f)
	return err
}
