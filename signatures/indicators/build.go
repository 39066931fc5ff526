package indicators

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
)

const (
	magic      = "EXTWIDX\x01"
	headerSize = 48
	refSize    = 8
	gone       = 1<<32 - 1 // in place of a record: the value is not listed any more

	// maxSegment bounds one file in bytes. Ten million IDs fit, a thousand times all public lists together.
	maxSegment = 256 << 20
	// maxText bounds one text of a row in bytes: a note of a page is long.
	maxText = 4 << 10
)

// An entry is a row on its way into a segment.
type entry struct {
	key    key
	record string // as written; empty: gone
	text   string // as written
}

// Build makes a base segment of rows, in any order. Equal rows are kept once. The same rows give the same bytes.
func Build(kind Kind, number uint32, rows []Row) ([]byte, error) {
	entries, err := entriesOf(kind, rows)
	if err != nil {
		return nil, err
	}
	return encode(kind, number, 0, entries)
}

// entriesOf returns the rows as entries, sorted and each once.
func entriesOf(kind Kind, rows []Row) ([]entry, error) {
	entries := make([]entry, 0, len(rows))
	records := map[string]string{} // equal records share their memory
	for i := range rows {
		r := &rows[i]
		if err := r.Check(kind); err != nil {
			return nil, err
		}
		k, text, _ := keyOf(kind, r.Value)
		record := r.record()
		if same, ok := records[record]; ok {
			record = same
		} else {
			records[record] = record
		}
		entries = append(entries, entry{k, record, string(appendText(appendText(nil, text), r.Note))})
	}
	sortEntries(entries)
	return slices.Compact(entries), nil
}

// encode writes a segment of sorted entries.
func encode(kind Kind, number, previous uint32, entries []entry) ([]byte, error) {
	width := kind.width()
	records, texts := newHeap(), newHeap()
	refs := make([]byte, 0, len(entries)*refSize)
	for _, e := range entries {
		record := uint32(gone)
		if e.record != "" {
			record = records.add(e.record)
		}
		refs = binary.LittleEndian.AppendUint32(refs, record)
		refs = binary.LittleEndian.AppendUint32(refs, texts.add(e.text))
	}
	size := headerSize + len(entries)*(width+refSize) + len(records.data) + len(texts.data)
	if size > maxSegment {
		return nil, fmt.Errorf("%d indicators make %d bytes; a segment may have %d", len(entries), size, maxSegment)
	}
	out := make([]byte, headerSize, size)
	copy(out, magic)
	out[8] = byte(kind)
	for i, n := range []uint32{number, previous, uint32(len(entries)), uint32(len(records.data)), uint32(len(texts.data))} {
		binary.LittleEndian.PutUint32(out[16+4*i:], n)
	}
	for i := range entries {
		out = append(out, entries[i].key[:width]...)
	}
	out = append(out, refs...)
	out = append(out, records.data...)
	out = append(out, texts.data...)
	binary.LittleEndian.PutUint32(out[12:], checksum(out, func() {}))
	return out, nil
}

// checksum is that of all bytes but the place where it stands. It calls release after each window.
func checksum(data []byte, release func()) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	sum := crc32.Update(0, table, data[:12])
	for part := range slices.Chunk(data[16:], window) {
		sum = crc32.Update(sum, table, part)
		release()
	}
	return sum
}

// A heap keeps texts one after the other, each once.
type heap struct {
	data  []byte
	known map[string]uint32
}

func newHeap() *heap { return &heap{known: map[string]uint32{}} }

func (h *heap) add(text string) uint32 {
	at, ok := h.known[text]
	if !ok {
		at = uint32(min(len(h.data), maxSegment)) // encode refuses what is larger
		h.known[text] = at
		h.data = append(h.data, text...)
	}
	return at
}
