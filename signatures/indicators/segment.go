package indicators

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"runtime"
	"sort"
)

// A segment is one file, proven to be readable. It never changes.
type segment struct {
	kind             Kind
	number, previous uint32
	rows, width      int
	keys, refs       []byte
	records, texts   []byte
	size             int
	// starts[b] is the first row whose key begins with the bits b: most of a search is one look there.
	starts []uint32
	shift  int
}

// Errors of opening; all say what to do.
var errBroken = errors.New("the segment is broken; fetch it again")

func broken(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errBroken, fmt.Sprintf(format, args...))
}

// parse proves that data is a segment. It keeps data, which must not change.
func parse(data []byte) (*segment, error) { return parseSparing(data, func() {}) }

// window is how many bytes of a mapped file are read before they are given back.
const window = 4 << 20

// parseSparing is parse of a mapped file: it calls release each time when about a window of data has been read, so that
// the whole file is never in memory at once.
func parseSparing(data []byte, release func()) (*segment, error) {
	if len(data) < headerSize || len(data) > maxSegment {
		return nil, broken("%d bytes", len(data))
	}
	if string(data[:7]) != magic[:7] {
		return nil, broken("it does not begin as a segment does")
	}
	if data[7] != magic[7] {
		return nil, fmt.Errorf("the segment has version %d, this program knows version %d; update the program", data[7], magic[7])
	}
	number := func(i int) uint32 { return binary.LittleEndian.Uint32(data[16+4*i:]) }
	s := &segment{kind: Kind(data[8]), number: number(0), previous: number(1), size: len(data)}
	if s.kind < ID || s.kind > Domain {
		return nil, broken("%v", s.kind)
	}
	if !bytes.Equal(data[9:12], make([]byte, 3)) || !bytes.Equal(data[36:headerSize], make([]byte, 12)) {
		return nil, broken("its header has what is not known")
	}
	if s.number == 0 || s.previous >= s.number {
		return nil, broken("number %d on %d", s.number, s.previous)
	}
	rows, recordsLen, textsLen := uint64(number(2)), uint64(number(3)), uint64(number(4))
	s.width = s.kind.width()
	if want := headerSize + rows*uint64(s.width+refSize) + recordsLen + textsLen; want != uint64(len(data)) {
		return nil, broken("%d bytes instead of %d", len(data), want)
	}
	if sum := checksum(data, release); sum != binary.LittleEndian.Uint32(data[12:]) {
		return nil, broken("its checksum is wrong")
	}
	s.rows = int(rows)
	rest := data[headerSize:]
	cut := func(n int) []byte {
		part := rest[:n:n]
		rest = rest[n:]
		return part
	}
	s.keys, s.refs = cut(s.rows*s.width), cut(s.rows*refSize)
	s.records, s.texts = cut(int(recordsLen)), cut(int(textsLen))
	if err := s.prove(release); err != nil {
		return nil, err
	}
	return s, nil
}

// prove looks at every row once.
func (s *segment) prove(release func()) error {
	records, err := pieces(s.records, recordFields, release)
	if err != nil {
		return broken("records: %v", err)
	}
	texts, err := pieces(s.texts, 2, release)
	if err != nil {
		return broken("texts: %v", err)
	}
	size := max(bits.Len(uint(s.rows))-3, 0)
	s.shift = 64 - size
	s.starts = make([]uint32, 1<<size+1)
	var last uint64
	next, pause := 0, window/(s.width+refSize)
	for i := range s.rows {
		if i%pause == pause-1 {
			release()
		}
		record, text := s.ref(i)
		if record != gone && !records.has(record) {
			return broken("row %d has no record", i)
		}
		if record == gone && s.previous == 0 {
			return broken("row %d takes something back, in a base", i)
		}
		if !texts.has(text) {
			return broken("row %d has no text", i)
		}
		head := binary.BigEndian.Uint64(s.keys[i*s.width:])
		if head < last || head == last && i > 0 && bytes.Compare(s.key(i-1), s.key(i)) > 0 {
			return broken("row %d is not in its order", i)
		}
		last = head
		for bucket := int(head >> s.shift); next <= bucket; next++ {
			s.starts[next] = uint32(i)
		}
	}
	for ; next < len(s.starts); next++ {
		s.starts[next] = uint32(s.rows)
	}
	return nil
}

func (s *segment) key(i int) []byte { return s.keys[i*s.width : (i+1)*s.width] }

func (s *segment) ref(i int) (record, text uint32) {
	p := s.refs[i*refSize:]
	return binary.LittleEndian.Uint32(p), binary.LittleEndian.Uint32(p[4:])
}

// find returns the rows [from, to) with the key.
func (s *segment) find(k key) (from, to int) {
	if s.rows == 0 {
		return 0, 0
	}
	want := k[:s.width]
	bucket := binary.BigEndian.Uint64(want) >> s.shift
	low, high := int(s.starts[bucket]), int(s.starts[bucket+1])
	from = low + sort.Search(high-low, func(i int) bool { return bytes.Compare(s.key(low+i), want) >= 0 })
	for to = from; to < high && bytes.Equal(s.key(to), want); to++ {
	}
	return from, to
}

// lookup returns the rows for a value. Known says that the segment speaks of it, even if to take it back.
func (s *segment) lookup(k key, text string) (rows []Row, known bool) {
	from, to := s.find(k)
	for i := from; i < to; i++ {
		record, at := s.ref(i)
		value, note := s.text(at)
		if string(value) != text {
			continue
		}
		known = true
		if record != gone {
			rows = append(rows, s.row(i, record, value, note))
		}
	}
	runtime.KeepAlive(s) // the bytes are unmapped when nobody has the segment any more
	return rows, known
}

func (s *segment) text(at uint32) (value, note []byte) {
	value, rest := field(s.texts[at:])
	note, _ = field(rest)
	return value, note
}

// row decodes one row. Its texts are copies: they outlive the segment.
func (s *segment) row(i int, record uint32, value, note []byte) Row {
	var fields [recordFields]string
	rest := s.records[record:]
	for f := range fields {
		var part []byte
		part, rest = field(rest)
		fields[f] = string(part)
	}
	r := Row{
		Value: string(value), Campaign: fields[0], Verdict: fields[1], Source: fields[2], Browser: fields[3],
		Versions: splitVersions(fields[4]), Date: fields[5], Note: string(note),
	}
	if fields[6] != "" {
		r.Tags = splitVersions(fields[6])
	}
	if r.Value == "" {
		r.Value = valueOf(s.kind, s.key(i))
	}
	return r
}

// field returns the text at the beginning of data, and what follows. It gives nothing for what pieces refuses.
func field(data []byte) (text, rest []byte) {
	n, used := binary.Uvarint(data)
	if used <= 0 || n > uint64(len(data)-used) {
		return nil, nil
	}
	return data[used : used+int(n)], data[used+int(n):]
}

// A bitmap says where pieces begin.
type bitmap []uint64

func (b bitmap) has(at uint32) bool {
	return uint64(at/64) < uint64(len(b)) && b[at/64]&(1<<(at%64)) != 0
}

// pieces proves that data is a row of pieces of so many texts each, and returns where they begin.
func pieces(data []byte, fields int, release func()) (bitmap, error) {
	starts := make(bitmap, len(data)/64+1)
	pause := window
	for at := 0; at < len(data); {
		if at >= pause {
			release()
			pause += window
		}
		starts[at/64] |= 1 << (at % 64)
		for range fields {
			n, used := binary.Uvarint(data[at:])
			if used <= 0 || n > maxText || int(n) > len(data)-at-used {
				return nil, fmt.Errorf("a text at %d is cut off or too long", at)
			}
			at += used + int(n)
		}
	}
	return starts, nil
}
