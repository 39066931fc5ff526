package archive

import (
	"fmt"
	"io/fs"
	"strings"
)

// Limits bound what one extension may cost. A field that is zero or negative means its default.
type Limits struct {
	Files     int   // entries: files and folders together
	FileBytes int64 // size of one file
	Bytes     int64 // all files together, and the package itself
	Ratio     int64 // unpacked over packed bytes of one entry
	Depth     int   // components in a name: a/b/c.js has 3
}

// Defaults of Limits. They have room for every extension we know and keep the worst hostile one to a few seconds.
const (
	// DefaultFiles has room for an unpacked folder with a large node_modules; published extensions rarely hold 5,000
	// entries. The index of a package with this many takes about 30 MB.
	DefaultFiles = 100_000
	// DefaultFileBytes is above the largest WebAssembly and source-map files of published wallets (about 30 MB), and is
	// what one careless fs.ReadFile may cost in memory.
	DefaultFileBytes = 64 << 20
	// DefaultBytes is about ten times the largest wallet (60 MB unpacked). Inflating and hashing this much takes some two
	// seconds, which one hostile extension may cost a first scan.
	DefaultBytes = 512 << 20
	// DefaultRatio is twice what real files reach (minified JSON and blank bitmaps, about 100) and a quarter of what
	// deflate can do at most (1032). Entries of at most ratioFree bytes are not measured.
	DefaultRatio = 250
	// DefaultDepth is twice the deepest node_modules; it keeps names short and walks from recursing far.
	DefaultDepth = 64
)

const (
	// ratioFree lets small files compress as well as they can: a bomb needs many bytes, and a licence text of blank lines
	// is not one.
	ratioFree = 1 << 20
	// maxProblems keeps a hostile extension from filling memory, reports and screens with complaints about itself. A real
	// one has a handful.
	maxProblems = 200
	// maxShown is how many bytes of a name are repeated in a problem. A ZIP allows names of 65,535 bytes.
	maxShown = 256
)

func (l Limits) withDefaults() Limits {
	if l.Files <= 0 {
		l.Files = DefaultFiles
	}
	if l.FileBytes <= 0 {
		l.FileBytes = DefaultFileBytes
	}
	if l.Bytes <= 0 {
		l.Bytes = DefaultBytes
	}
	if l.Ratio <= 0 {
		l.Ratio = DefaultRatio
	}
	if l.Depth <= 0 {
		l.Depth = DefaultDepth
	}
	return l
}

// checkName says why name cannot be one of a file in an extension, or nil. Names that are not UTF-8 are accepted: file
// systems other than Windows' and macOS' allow them, and what is in such a file runs like any other.
func (l Limits) checkName(name string) error {
	if strings.ContainsRune(name, 0) {
		return refusal("its name holds a NUL character")
	}
	if !fs.ValidPath(strings.ToValidUTF8(name, "_")) {
		return refusal("it is not a path inside an extension")
	}
	if strings.Count(name, "/") >= l.Depth {
		return refusal(fmt.Sprintf("it lies more than %d folders deep", l.Depth))
	}
	return nil
}

// tooLarge says why a file of size bytes is refused, or nil.
func (l Limits) tooLarge(size int64) error {
	if size <= l.FileBytes {
		return nil
	}
	return refusal(fmt.Sprintf("it has %s, more than the limit of %s", bytesText(size), bytesText(l.FileBytes)))
}

// bytesText writes a size for people, with the exact number where it is small.
func bytesText(n int64) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
