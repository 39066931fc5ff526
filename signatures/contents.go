package signatures

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/indicators"
)

// Bounds of reading one extension. Past them Contents.Complete is false and a problem says which.
const (
	// maxScript: the largest real bundles (compilers, wallets with all their chains in one file) are below 16 MiB.
	maxScript = 32 << 20
	// tailScript: of a larger one this much of the end is searched as well, since padding is put before or after.
	tailScript = 1 << 20
	// maxRead: the largest real extensions unpack to about 200 MB.
	maxRead = 512 << 20
	// maxFiles: the largest real extensions have about 10,000 files.
	maxFiles = 50_000
	// maxPlaces is how many places of one literal are kept: nobody reads more.
	maxPlaces = 4
	// maxContentProblems: a thief may make every file unreadable.
	maxContentProblems = 50
	// maxManifestRead bounds the manifest that names the scripts; the manifest itself is judged elsewhere.
	maxManifestRead = 4 << 20
)

// readLimits are the bounds as a ruleset uses them; tests make them small.
type readLimits struct {
	script, read int64
	files        int
}

// Contents is what reading an extension's files told. It holds no text of the files but short snippets, and belongs
// to the ruleset that made it: Judge of another one takes it for nil, unless it has adopted it (Ruleset.Adopt).
// Extensions with the same files may share one: it is read-only.
type Contents struct {
	Files    int   // regular files, read or not
	Bytes    int64 // of the files that were read
	Problems []manifests.Problem
	Complete bool // false when a bound was reached or a file could not be read
	// Digest is a hash of the paths and contents of all files; "" when not all of them were read and hashed.
	Digest string

	ruleset *Ruleset
	scripts int                // files searched
	places  [][]place          // by search of the ruleset
	hosts   map[string]place   // hosts with an indicator that scripts name in a URL
	listed  []contentFile      // files whose hash is an indicator
	all     []contentFile      // all files, whatever the rules ask for: those of tomorrow ask for others
	named   string             // all hosts that scripts name in a URL, each on a line of its own
	uncut   bool               // named has all of them
	hashed  bool               // all holds hashes of what could be read
	unasked map[int]bool       // searches that nobody has looked for yet: it was adopted, and is to be read again
	pending bool               // it was adopted, and does not say all that it would if it were read again
	unread  *manifests.Problem // why some code was not searched; nil: all was
	linked  *manifests.Problem // a script that is a link, which is not followed
}

type contentFile struct{ path, sha256 string }

// A place is where something was found in a script.
type place struct {
	file         string
	line, column int
	text         string
}

// A scan reads the files of one extension.
type scan struct {
	rs         *Ruleset
	c          *Contents
	files      fs.FS
	referenced map[string]bool // scripts that the manifest names, in lower case
	buf        []byte
	hash       hash.Hash // of a giant
	tag        [16]byte
	ends       [][]int32       // by search: where the texts end that an expression needs, in the script at hand
	counts     []int           // by search: hits in the script at hand
	named      map[string]bool // hosts; never more than maxNamed bytes
	namedBytes int
	digest     hash.Hash // of paths and hashes of files
	line       []byte    // of digest
	unhashed   bool      // not all files were hashed
}

var errTooMuch = errors.New("a bound was reached")

// buffers are reused between extensions: most scripts fit, and the collector need not run for each.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 1<<20); return &b }}

// Read reads an extension's files once, for Judge. The error is that of ctx; everything else is a problem in
// Contents. The caller closes files.
func (rs *Ruleset) Read(ctx context.Context, files manifests.Files) (*Contents, error) {
	c := &Contents{ruleset: rs, Complete: true, uncut: true, places: make([][]place, len(rs.searches)), hosts: map[string]place{}}
	c.hashed = rs.hashes()
	pooled, _ := buffers.Get().(*[]byte)
	sc := &scan{rs: rs, c: c, files: files, buf: *pooled, hash: sha256.New(), digest: sha256.New(), named: map[string]bool{}}
	defer func() {
		if cap(sc.buf) <= maxScript/4 { // a giant is not kept for ever
			*pooled = sc.buf[:0]
			buffers.Put(pooled)
		}
	}()
	sc.references()
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			sc.problem(name, err)
			sc.missed(name, err)
			if entry != nil && entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if entry.IsDir() {
			return nil
		}
		return sc.visit(name, entry)
	})
	if ctx.Err() != nil {
		return nil, fmt.Errorf("reading the extension's files: %w", ctx.Err())
	}
	if err != nil && !errors.Is(err, errTooMuch) {
		sc.problem("", err)
	}
	if refused := files.Problems(); len(refused) > 0 {
		c.Complete = false
		for _, p := range refused {
			if c.unread == nil && sc.isScript(p.File) {
				c.unread = &manifests.Problem{File: show(p.File), Reason: p.Reason}
			}
		}
		c.Problems = append(c.Problems, refused[:min(len(refused), maxContentProblems)]...)
	}
	if c.Files == 0 {
		c.Complete = false
		c.Problems = append(c.Problems, manifests.Problem{Reason: "no file of the extension could be read"})
	}
	c.named = strings.Join(sortedKeys(sc.named), "\n")
	if c.Complete && !sc.unhashed {
		c.Digest = hex.EncodeToString(sc.digest.Sum(nil))
	}
	if rs.shared != nil {
		c = rs.shared.same(c)
	}
	return c, nil
}

func (sc *scan) problem(file string, err error) {
	sc.c.Complete = false
	switch n := len(sc.c.Problems); {
	case n < maxContentProblems:
		sc.c.Problems = append(sc.c.Problems, manifests.Problem{File: show(file), Reason: reason(err)})
	case n == maxContentProblems:
		sc.c.Problems = append(sc.c.Problems, manifests.Problem{Reason: "more files could not be read"})
	}
}

// missed notes that code could not be searched in full. What has vanished does not count: an update removes files
// while they are read, and what is gone does not run.
func (sc *scan) missed(file string, err error) {
	if sc.c.unread == nil && !errors.Is(err, fs.ErrNotExist) {
		sc.c.unread = &manifests.Problem{File: show(file), Reason: reason(err)}
	}
}

// reason shortens an error of the file system to what went wrong; where is told beside it.
func reason(err error) string {
	var pe *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "the file does not exist"
	case errors.Is(err, fs.ErrPermission):
		return "no permission to read it"
	case errors.As(err, &pe):
		return show(pe.Op + ": " + pe.Err.Error())
	}
	return show(err.Error())
}

func (sc *scan) visit(name string, entry fs.DirEntry) error {
	script := sc.isScript(name)
	if !entry.Type().IsRegular() {
		err := errors.New("no regular file; it was not read")
		sc.problem(name, err)
		if script && sc.c.linked == nil {
			sc.c.linked = &manifests.Problem{File: show(name), Reason: err.Error()}
		}
		return nil
	}
	sc.c.Files++
	if sc.c.Files > sc.rs.limits.files {
		return sc.stop(fmt.Errorf("more than %d files; the rest was not read", sc.rs.limits.files))
	}
	wantHash := sc.c.hashed
	var sum string
	if script || wantHash {
		if sc.c.Bytes >= sc.rs.limits.read {
			return sc.stop(fmt.Errorf("more than %d bytes; the rest was not read", sc.rs.limits.read))
		}
		var err error
		if sum, err = sc.file(name, script, wantHash); err != nil {
			sc.problem(name, err)
			if script {
				sc.missed(name, err)
			}
		}
	}
	sc.c.all = append(sc.c.all, contentFile{name, sum})
	sc.line = append(append(append(strconv.AppendQuote(sc.line[:0], name), ' '), sum...), '\n')
	sc.digest.Write(sc.line)
	sc.unhashed = sc.unhashed || sum == ""
	if sum != "" && sc.rs.indicators.of(indicators.SHA256, sum) != nil {
		sc.c.listed = append(sc.c.listed, contentFile{show(name), sum})
	}
	return nil
}

// stop ends the reading at a bound: there may be code in what is left.
func (sc *scan) stop(err error) error {
	sc.problem("", err)
	sc.missed("", err)
	return errTooMuch
}

// file reads one file, hashes and searches it.
func (sc *scan) file(name string, script, wantHash bool) (sum string, err error) {
	f, err := sc.files.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close() // read only: nothing can be lost
	in := io.LimitReader(f, sc.rs.limits.read-sc.c.Bytes+1)
	whole := min(maxWhole, sc.rs.limits.script)
	if script {
		whole = sc.rs.limits.script
	}
	data, err := sc.fill(f, in, whole)
	sc.c.Bytes += int64(len(data))
	if err != nil {
		return "", err
	}
	if script {
		sc.c.scripts++
	}
	as := how(name, script)
	if int64(len(data)) > whole {
		sum, err = sc.giant(name, data, in, as, wantHash)
	} else {
		facts := sc.facts(data, as, wantHash)
		sc.add(show(name), data, facts)
		sum = facts.sum
	}
	if err != nil && !errors.As(err, new(largeError)) {
		return "", err
	}
	if sc.c.Bytes > sc.rs.limits.read {
		return "", fmt.Errorf("more than %d bytes; only the beginning was read", sc.rs.limits.read)
	}
	return sum, err
}

// add notes what a file told. The text of what is found is taken from this copy.
func (sc *scan) add(name string, data []byte, f *fileFacts) {
	sc.name(f)
	if len(f.hits)+len(f.hosts) > 0 {
		sc.note(&where{name: name, data: decodeText(data)}, f)
	}
}

func (sc *scan) note(w *where, f *fileFacts) {
	for _, h := range f.hits {
		if places := &sc.c.places[h.search]; len(*places) < maxPlaces {
			*places = append(*places, w.at(int(h.from), int(h.to)))
		}
	}
	for _, h := range f.hosts {
		if _, ok := sc.c.hosts[h.host]; !ok {
			sc.c.hosts[h.host] = w.at(int(h.from), int(h.to))
		}
	}
}

// name notes which hosts a script names.
func (sc *scan) name(f *fileFacts) {
	if f.named == "" && f.uncut {
		return
	}
	sc.c.uncut = sc.c.uncut && f.uncut
	for host := range strings.SplitSeq(f.named, "\n") {
		if host == "" || sc.named[host] {
			continue
		}
		if sc.namedBytes += len(host) + 1; sc.namedBytes > maxNamed {
			sc.namedBytes, sc.c.uncut = maxNamed, false
			return
		}
		sc.named[host] = true
	}
}

// fill reads up to the bound and a little more into the buffer.
func (sc *scan) fill(f fs.File, in io.Reader, limit int64) ([]byte, error) {
	buf := sc.buf[:0]
	for {
		if len(buf) == cap(buf) {
			more := room(f, limit)
			if more <= len(buf) { // it has grown, or does not say
				more = 2*len(buf) + 512
			}
			buf = append(make([]byte, 0, more), buf...)
		}
		n, err := in.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		sc.buf = buf
		switch {
		case errors.Is(err, io.EOF) || int64(len(buf)) > limit:
			return buf, nil
		case err != nil:
			return buf, err
		}
	}
}

// room is how much a buffer must hold for a file, and one byte more, as far as that is known: growing it step by step
// would copy the largest files several times.
func room(f fs.File, limit int64) int {
	info, err := f.Stat()
	if err != nil {
		return 0
	}
	return int(min(max(info.Size(), 0), limit)) + 1
}

// isScript reports whether a file is code: by its name, or because the manifest says so.
func (sc *scan) isScript(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".js", ".mjs", ".cjs", ".jsm", ".html", ".htm":
		return true
	}
	return sc.referenced[strings.ToLower(name)]
}

// references notes the files that the manifest runs, whatever they are called.
func (sc *scan) references() {
	sc.referenced = map[string]bool{}
	f, err := sc.files.Open("manifest.json")
	if err != nil {
		return // without manifest nothing is referenced; that it is missing is told by who reads it
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxManifestRead))
	if err != nil {
		return
	}
	m, err := manifests.Parse(data)
	if err != nil || m == nil {
		return
	}
	add := func(names ...string) {
		for _, n := range names {
			n, _, _ = strings.Cut(n, "?")
			n, _, _ = strings.Cut(n, "#")
			if n = strings.TrimPrefix(path.Clean("/"+n), "/"); n != "" {
				sc.referenced[strings.ToLower(n)] = true
			}
		}
	}
	add(m.Background.Page, m.Background.ServiceWorker)
	add(m.Background.Scripts...)
	for _, c := range m.ContentScripts {
		add(c.JS...)
	}
	for _, p := range m.Pages {
		add(p.Path)
	}
}
