package indicators

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
)

// A Change is what [Update] did.
type Change struct {
	// Files are all files that the folder must hold for this kind from now on, by name; those that stay as they are
	// have the same bytes as before. Other files of the kind are no longer needed.
	Files                   map[string][]byte
	Added, Removed, Changed int  // values
	Rebuilt                 bool // a new base was made: every machine fetches all of it
}

const (
	// smallSegment is the size in bytes up to which changes are gathered in one file: what a machine fetches for a
	// small update, at most.
	smallSegment = 64 << 10
	// maxShare is what part of the base its changes may have before a new base is made: 1/4.
	maxShare = 4
	// maxDeltas is how many files of changes there may be. Each costs a line in the list that machines fetch.
	maxDeltas = 64
)

// Update says which segments a folder should hold so that it says rows, when it holds those in fsys now ("." is the
// folder with the segments; nil: there are none). Mostly it writes what changed into one small file, which takes the
// place of the last one as long as both are small: a machine fetches at most 64 KB for a small change. When the changes
// come to a quarter of the base, it makes a new base. Without a change the files stay as they are.
func Update(fsys fs.FS, kind Kind, rows []Row) (Change, error) {
	want, err := entriesOf(kind, rows)
	if err != nil {
		return Change{}, err
	}
	var chain []*segment
	files := map[string][]byte{}
	if fsys != nil {
		if chain, err = readChain(fsys, kind, files); err != nil {
			return Change{}, err
		}
	}
	if len(chain) == 0 {
		return rebuild(kind, 1, want, Change{Added: values(want)})
	}
	change := Change{Files: files}
	diff := change.compare(overlay(chain), want)
	if len(diff) == 0 {
		return change, nil
	}
	number := chain[len(chain)-1].number + 1
	data, err := encode(kind, number, chain[len(chain)-1].number, diff)
	if err != nil {
		return Change{}, err
	}
	if last := chain[len(chain)-1]; last.previous != 0 && last.size+len(data) <= smallSegment {
		recent, err := parse(data)
		if err != nil {
			return Change{}, err
		}
		if data, err = encode(kind, number, last.previous, overlay([]*segment{last, recent})); err != nil {
			return Change{}, err
		}
		delete(files, fileName(last.number, kind))
		chain = chain[:len(chain)-1]
	}
	deltas := len(data)
	for _, s := range chain[1:] {
		deltas += s.size
	}
	if deltas > chain[0].size/maxShare || len(chain) > maxDeltas {
		return rebuild(kind, number, want, change)
	}
	files[fileName(number, kind)] = data
	return change, nil
}

func rebuild(kind Kind, number uint32, want []entry, change Change) (Change, error) {
	change.Files = map[string][]byte{}
	if len(want) == 0 && number == 1 {
		return change, nil // nothing was there and nothing is to be
	}
	data, err := encode(kind, number, 0, want)
	if err != nil {
		return Change{}, err
	}
	change.Files[fileName(number, kind)], change.Rebuilt = data, true
	return change, nil
}

// readChain reads the segments of a kind, oldest first, and keeps their bytes in files.
func readChain(fsys fs.FS, kind Kind, files map[string][]byte) ([]*segment, error) {
	parts, err := readFolder(fsys, ".", false)
	if err != nil {
		return nil, err
	}
	chain, err := chainOf(kind, parts)
	if err != nil {
		return nil, err
	}
	for _, s := range chain {
		name := fileName(s.number, kind)
		if files[name], err = fs.ReadFile(fsys, name); err != nil {
			return nil, fmt.Errorf("read the segments: %w", err)
		}
	}
	return chain, nil
}

// compare returns what must be said to turn the old entries into the wanted ones, both sorted, and counts it.
func (c *Change) compare(old, want []entry) (diff []entry) {
	old = slices.DeleteFunc(old, func(e entry) bool { return e.record == "" })
	for len(old) > 0 || len(want) > 0 {
		var a, b []entry // of the same value
		switch order := compareValues(old, want); {
		case order < 0:
			a, old = group(old)
		case order > 0:
			b, want = group(want)
		default:
			a, old = group(old)
			b, want = group(want)
		}
		switch {
		case len(b) == 0:
			c.Removed++
			value, _ := field([]byte(a[0].text))
			diff = append(diff, entry{key: a[0].key, text: string(appendText(appendText(nil, string(value)), ""))})
		case len(a) == 0:
			c.Added++
			diff = append(diff, b...)
		case !slices.Equal(a, b):
			c.Changed++
			diff = append(diff, b...)
		}
	}
	return diff
}

// compareValues compares what two lists begin with; an empty one comes last.
func compareValues(a, b []entry) int {
	if len(a) == 0 || len(b) == 0 {
		return cmp.Compare(len(b), len(a)) // the one that has some comes first
	}
	if c := compareKeys(a[0].key, b[0].key); c != 0 {
		return c
	}
	return cmp.Compare(a[0].named(), b[0].named())
}

// group cuts off the entries of the first value.
func group(list []entry) (same, rest []entry) {
	n := 1
	for n < len(list) && list[n].key == list[0].key && list[n].named() == list[0].named() {
		n++
	}
	return list[:n], list[n:]
}

func values(list []entry) (n int) {
	for len(list) > 0 {
		_, list = group(list)
		n++
	}
	return n
}

// named is the value where the key is a hash of it.
func (e *entry) named() string {
	value, _ := field([]byte(e.text))
	return string(value)
}

// value tells values apart.
func (e *entry) value() string { return string(e.key[:]) + "\x00" + e.named() }

// entries returns the rows of a segment as they were before it was written.
func (s *segment) entries() []entry {
	out := make([]entry, 0, s.rows)
	for i := range s.rows {
		var e entry
		copy(e.key[:], s.key(i))
		record, at := s.ref(i)
		if record != gone {
			e.record = string(s.records[record:][:s.span(s.records[record:], recordFields)])
		}
		e.text = string(s.texts[at:][:s.span(s.texts[at:], 2)])
		out = append(out, e)
	}
	return out
}

// span is how many bytes so many fields have.
func (s *segment) span(data []byte, fields int) int {
	rest := data
	for range fields {
		_, rest = field(rest)
	}
	return len(data) - len(rest)
}

// sortEntries orders by key, then by value, then by the rest.
func sortEntries(entries []entry) {
	slices.SortFunc(entries, func(a, b entry) int {
		if c := compareKeys(a.key, b.key); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(a.named(), b.named()), cmp.Compare(a.record, b.record), cmp.Compare(a.text, b.text))
	})
}
