package indicators

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"runtime"
	"slices"
	"strconv"
)

// A Set is what several segments say together. It never changes and may be asked by many goroutines at once. The zero
// Set holds nothing.
type Set struct {
	base  [4]*segment // by kind
	delta [4]*segment // what all the later ones say, in one
	count [4]int
}

// maxSegments bounds a folder: Update keeps it far below.
const maxSegments = 1000

// Open makes a set of segments, in any order: of each kind a base and those that build on it, without a gap. It keeps
// the bytes, which must not change.
func Open(segments ...[]byte) (*Set, error) {
	parts := make([]*segment, 0, len(segments))
	for _, data := range segments {
		s, err := parse(data)
		if err != nil {
			return nil, err
		}
		parts = append(parts, s)
	}
	return stack(parts)
}

// OpenFS makes a set of the files "<number>-<kind>.seg" in a folder; one that is not there holds nothing. Large files
// of the operating system are mapped into memory, except on Windows, where a mapped file could not be replaced: they
// must not be cut short while the set is in use, and be replaced by rename.
func OpenFS(fsys fs.FS, folder string) (*Set, error) {
	parts, err := readFolder(fsys, folder, true)
	if err != nil {
		return nil, err
	}
	return stack(parts)
}

func readFolder(fsys fs.FS, folder string, mapped bool) ([]*segment, error) {
	files, err := fs.ReadDir(fsys, folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the segments: %w", err)
	}
	var parts []*segment
	for _, f := range files {
		if f.IsDir() || path.Ext(f.Name()) != ".seg" {
			continue
		}
		if len(parts) == maxSegments {
			return nil, fmt.Errorf("%s: more than %d segments", folder, maxSegments)
		}
		s, err := readSegment(fsys, path.Join(folder, f.Name()), mapped)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path.Join(folder, f.Name()), err)
		}
		if name := fileName(s.number, s.kind); name != f.Name() {
			return nil, fmt.Errorf("%s: it says that it is %s", path.Join(folder, f.Name()), name)
		}
		parts = append(parts, s)
	}
	return parts, nil
}

func fileName(number uint32, kind Kind) string {
	return strconv.FormatUint(uint64(number), 10) + "-" + kind.String() + ".seg"
}

// worthMapping is the size in bytes from which a file is mapped; smaller ones cost less when they are read.
const worthMapping = 1 << 20

func readSegment(fsys fs.FS, name string, mapped bool) (*segment, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	defer f.Close() // read only: nothing can be lost
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("stat: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxSegment {
		return nil, broken("no file of at most %d bytes", maxSegment)
	}
	if mapped && info.Size() >= worthMapping {
		if data, ok := mapFile(f, int(info.Size())); ok {
			return parseMapped(data)
		}
	}
	var data bytes.Buffer
	data.Grow(int(info.Size()) + bytes.MinRead)
	if _, err := data.ReadFrom(io.LimitReader(f, maxSegment+1)); err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	return parse(data.Bytes())
}

// parseMapped parses a mapped file, and unmaps it when nobody needs it any more.
func parseMapped(data []byte) (*segment, error) {
	s, err := parseSparing(data, func() { release(data) })
	if err != nil {
		unmap(data)
		return nil, err
	}
	release(data) // proving has read all of it; hardly anything will be needed again
	runtime.AddCleanup(s, unmap, data)
	return s, nil
}

// stack orders the segments of each kind, and makes one of all that build on the base.
func stack(parts []*segment) (*Set, error) {
	set := &Set{}
	for _, kind := range Kinds() {
		chain, err := chainOf(kind, parts)
		if err != nil {
			return nil, err
		}
		if len(chain) == 0 {
			continue
		}
		set.base[kind] = chain[0]
		if len(chain) > 1 {
			if set.delta[kind], err = together(kind, chain[1:]); err != nil {
				return nil, err
			}
		}
		set.count[kind] = set.counted(kind)
	}
	return set, nil
}

// chainOf returns the segments of a kind, the base first.
func chainOf(kind Kind, parts []*segment) ([]*segment, error) {
	var chain []*segment
	for _, s := range parts {
		if s.kind == kind {
			chain = append(chain, s)
		}
	}
	slices.SortFunc(chain, func(a, b *segment) int { return int(int64(a.number) - int64(b.number)) })
	below := uint32(0)
	for _, s := range chain {
		if s.previous != below {
			return nil, fmt.Errorf("segment %s builds on number %d, which is not there; fetch all segments again", fileName(s.number, kind), s.previous)
		}
		below = s.number
	}
	return chain, nil
}

// together makes one segment of several that build on each other, oldest first. The newest that speaks of a value counts.
func together(kind Kind, chain []*segment) (*segment, error) {
	if len(chain) == 1 {
		return chain[0], nil
	}
	data, err := encode(kind, chain[len(chain)-1].number, chain[0].previous, overlay(chain))
	if err != nil {
		return nil, err
	}
	return parse(data)
}

// overlay returns the entries of segments that build on each other, oldest first.
func overlay(chain []*segment) []entry {
	said := map[string]bool{} // values that a newer one speaks of
	var out []entry
	for _, s := range slices.Backward(chain) {
		entries := s.entries()
		for _, e := range entries {
			if !said[e.value()] {
				out = append(out, e)
			}
		}
		for _, e := range entries {
			said[e.value()] = true
		}
	}
	sortEntries(out)
	return out
}

// Lookup returns the rows for a value, nil for none. A Firefox ID is found in upper and lower case. A domain is found
// as it is: whether those above it are listed is asked with their names.
func (s *Set) Lookup(kind Kind, value string) []Row {
	if s == nil || kind < ID || kind > Domain || s.base[kind] == nil {
		return nil
	}
	k, text, ok := keyOf(kind, value)
	if !ok {
		return nil
	}
	if d := s.delta[kind]; d != nil {
		if rows, known := d.lookup(k, text); known {
			return rows
		}
	}
	rows, _ := s.base[kind].lookup(k, text)
	return rows
}

// Len returns how many rows of a kind there are.
func (s *Set) Len(kind Kind) int {
	if s == nil || kind < ID || kind > Domain {
		return 0
	}
	return s.count[kind]
}

func (s *Set) counted(kind Kind) int {
	base, delta := s.base[kind], s.delta[kind]
	if delta == nil {
		return base.rows
	}
	n, last := base.rows, ""
	for _, e := range delta.entries() {
		if e.record != "" {
			n++
		}
		if v := e.value(); v != last {
			rows, _ := base.lookup(e.key, e.named())
			n -= len(rows)
			last = v
		}
	}
	return n
}

// All returns the rows of a kind, in the order of their keys.
func (s *Set) All(kind Kind) iter.Seq[Row] {
	return func(yield func(Row) bool) {
		if s == nil || kind < ID || kind > Domain || s.base[kind] == nil {
			return
		}
		base, delta := s.base[kind], s.delta[kind]
		if delta == nil {
			delta = &segment{}
		}
		defer runtime.KeepAlive(s)
		next := 0
		for i := range base.rows {
			for ; next < delta.rows && bytes.Compare(delta.key(next), base.key(i)) <= 0; next++ {
				if !delta.yield(next, yield) {
					return
				}
			}
			if delta.replaces(base, i) {
				continue
			}
			if !base.yield(i, yield) {
				return
			}
		}
		for ; next < delta.rows; next++ {
			if !delta.yield(next, yield) {
				return
			}
		}
	}
}

func (s *segment) yield(i int, yield func(Row) bool) bool {
	record, at := s.ref(i)
	if record == gone {
		return true
	}
	value, note := s.text(at)
	return yield(s.row(i, record, value, note))
}

// replaces reports whether s speaks of the value of a row of the base.
func (s *segment) replaces(base *segment, i int) bool {
	if s.rows == 0 {
		return false
	}
	var k key
	copy(k[:], base.key(i))
	_, at := base.ref(i)
	value, _ := base.text(at)
	_, known := s.lookup(k, string(value))
	return known
}
