package signatures

import (
	"encoding/binary"
	"slices"
	"strings"
	"sync"
)

// A finder looks for many texts in one pass, without regard to the case of ASCII letters.
//
// Of each text it chooses two neighbouring groups of three bytes that are rare in code. At every other byte of a
// script it looks whether the group there is a chosen one: of two neighbours, one begins at such a byte. Where it
// is, the whole text is compared. What does not match costs a third of a nanosecond for each byte, and hardly more
// with ten times the texts.
type finder struct {
	texts []string // in lower case ASCII
	users [][]int  // by text: searches
	once  sync.Once
	chosen
}

type chosen struct {
	bits    *[groupBits / 64]uint64 // by hash of a group: whether a text may be there
	buckets [][]gram                // by hash of a group
}

// A gram is a group of three bytes of a text.
type gram struct {
	text   int32
	offset int32 // in the text; -1: the group begins one byte before it
}

const (
	groupBits = 1 << 18 // 32 KiB: in the fastest cache, and sparse with thousands of texts
	buckets   = 1 << 12
	// minText is the shortest text: one group. Its neighbour begins with any byte.
	minText = 3
)

func newFinder(searches []search) *finder {
	f := &finder{}
	index := map[string]int{}
	for i, s := range searches {
		texts := []string{asciiLower(s.literal)}
		switch {
		case s.need != nil:
			texts = s.need.texts
		case s.pattern != nil:
			continue // runs over everything
		}
		for _, text := range texts {
			n, ok := index[text]
			if !ok {
				n = len(f.texts)
				index[text] = n
				f.texts = append(f.texts, text)
				f.users = append(f.users, nil)
			}
			f.users[n] = append(f.users[n], i)
		}
	}
	return f
}

// build is left to the first script: most commands never read one.
func (f *finder) build() {
	f.chosen = chosen{bits: new([groupBits / 64]uint64), buckets: make([][]gram, buckets)}
	for i, text := range f.texts {
		if len(text) == minText {
			f.choose(i, 0, group(text[0], text[1], text[2]))
			for before := range 256 {
				f.choose(i, -1, group(byte(before), text[0], text[1]))
			}
			continue
		}
		at := rarest(text)
		for offset := at; offset < at+2; offset++ {
			f.choose(i, offset, group(text[offset], text[offset+1], text[offset+2]))
		}
	}
	for _, b := range f.buckets { // so that of two places of one text the earlier is found first
		slices.SortStableFunc(b, func(a, b gram) int { return int(b.offset - a.offset) })
	}
}

// choose notes that a text may be where a group is.
func (f *finder) choose(text, offset int, group uint32) {
	h := groupHash(group)
	b, g := &f.buckets[h%buckets], gram{int32(text), int32(offset)}
	if f.bits[h/64] |= 1 << (h % 64); !slices.Contains(*b, g) {
		*b = append(*b, g)
	}
}

// find calls hit for each place of each text: in rising order for any one text, not for all together.
func (f *finder) find(data []byte, hit func(text, from, to int)) {
	if len(f.texts) == 0 {
		return
	}
	f.once.Do(f.build)
	bits := f.bits
	i := 0
	for ; i+4 <= len(data); i += 2 {
		h := groupHash(binary.LittleEndian.Uint32(data[i:])<<8 | 0x20202000)
		if bits[h/64]&(1<<(h%64)) != 0 {
			f.compare(data, i, h, hit)
		}
	}
	if i+3 == len(data) {
		f.compare(data, i, groupHash(group(data[i], data[i+1], data[i+2])), hit)
	}
}

// compare looks for the texts that have a group with this hash at the offset.
func (f *finder) compare(data []byte, at int, h uint32, hit func(text, from, to int)) {
	for _, g := range f.buckets[h%buckets] {
		text := f.texts[g.text]
		from := at - int(g.offset)
		to := from + len(text)
		if from >= 0 && to <= len(data) && foldedEqual(data[from:to], text) {
			hit(int(g.text), from, to)
		}
	}
}

// group is three bytes as find reads them. Upper case becomes lower case, and some other bytes become the same: the
// comparison of the text tells.
func group(a, b, c byte) uint32 {
	return uint32(a)<<8 | uint32(b)<<16 | uint32(c)<<24 | 0x20202000
}

// groupHash has log2(groupBits) bits.
func groupHash(group uint32) uint32 { return group * 0x9E3779B1 >> 14 }

// foldedEqual compares with a text in lower case ASCII.
func foldedEqual(data []byte, text string) bool {
	for i, b := range data {
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		if b != text[i] {
			return false
		}
	}
	return true
}

// frequent is the bytes of minified code, counted in browser extensions, the most frequent first.
const frequent = " etrnaisoc.lu,)(dfp=mh\"gb:yv;{}\n01wx_2kq/[]-&|`345j!6+z897>?\\'*<"

// rarities ranks each byte: the higher, the less it is expected in code.
var rarities = func() (rank [256]int) {
	for b := range rank {
		if rank[b] = strings.IndexByte(frequent, byte(b)); rank[b] < 0 {
			rank[b] = len(frequent)
		}
	}
	return rank
}()

// rarestByte returns where the byte is that is least expected.
func rarestByte(text string) int {
	best := 0
	for i := range len(text) {
		if rarities[text[i]] > rarities[text[best]] {
			best = i
		}
	}
	return best
}

// rarest returns where the four bytes begin that are least expected in code.
func rarest(text string) int {
	best, most := 0, -1
	for i := 0; i+minText < len(text); i++ {
		sum := 0
		for _, b := range []byte(text[i : i+minText+1]) {
			sum += rarities[b]
		}
		if sum > most {
			best, most = i, sum
		}
	}
	return best
}
