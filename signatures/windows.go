package signatures

import "unicode/utf8"

const (
	// maxHits bounds what is kept of the places of an expression's texts in one file: 4 bytes each. In a file with
	// more of them the windows would be the file.
	maxHits = 1 << 16
	// margin is kept around a match: an assertion such as \b looks at the character beside it.
	margin = utf8.UTFMax
)

// find returns the first n matches in data, the same as pattern.FindAllIndex would. ends says where the texts that
// every match holds end, in rising order.
func (s *search) find(data []byte, ends []int32, n int) [][]int {
	if s.need == nil || len(ends) >= maxHits {
		return s.pattern.FindAllIndex(data, n)
	}
	var found [][]int
	for w := range s.need.windows(data, ends) {
		if !s.need.possible(data[w.from:w.to]) {
			continue
		}
		for _, m := range s.pattern.FindAllIndex(data[w.from:w.to], n-len(found)) {
			if w.from > 0 && m[0] < margin || w.to < len(data) && m[1] > w.to-w.from-margin {
				// No match of the whole file comes that near to the edge: it is one of the edge's making, and may
				// hide a real one.
				return s.pattern.FindAllIndex(data, n)
			}
			found = append(found, []int{w.from + m[0], w.from + m[1]})
		}
		if len(found) >= n {
			break
		}
	}
	return found
}

// windows yields the parts of data that hold all matches, each of them whole, from the beginning to the end. They
// lie apart from each other, and each byte is looked at a few times at most however many texts there are.
func (n *needed) windows(data []byte, ends []int32) func(yield func(span) bool) {
	return func(yield func(span) bool) {
		last := span{-1, -1}
		for len(ends) > 0 {
			var w span
			w.from = max(0, n.backward(data, int(ends[0])-n.longest, last.to)-margin)
			w.to, ends = n.forward(data, ends)
			w.to = min(len(data), w.to+margin)
			switch {
			case last.to < 0:
			case w.from <= last.to:
				w.from = last.from
			case !yield(last):
				return
			}
			last = w
		}
		if last.to >= 0 {
			yield(last)
		}
	}
}

// backward returns where a match may begin whose text begins at the offset or behind it; it stops at the floor.
func (n *needed) backward(data []byte, at, floor int) int {
	left := n.before.bytes
	for at = max(at, 0); at > max(floor, 0); at-- {
		if !n.before.free.has(data[at-1]) {
			if left == 0 {
				break
			}
			left--
		}
	}
	return at
}

// forward returns where a match may end that holds the first of the texts, or one of those that end before that. The
// rest of them is returned.
func (n *needed) forward(data []byte, ends []int32) (int, []int32) {
	at, left := int(ends[0]), n.after.bytes
	for ends = ends[1:]; ; at++ {
		for len(ends) > 0 && int(ends[0]) <= at {
			ends, left = ends[1:], n.after.bytes
		}
		if at == len(data) {
			return at, ends
		}
		if !n.after.free.has(data[at]) {
			if left == 0 {
				return at, ends
			}
			left--
		}
	}
}
