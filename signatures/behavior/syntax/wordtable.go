package syntax

// A WordTable tells by a word what is known of it, as bits. It answers quickly that a word is none of its own: nearly all
// words of a script are none.
type WordTable[F ~uint16] struct {
	words  map[string]F
	filter [1 << 12]bool
}

// NewWordTable makes a table of words, by their bits. A word may stand under several; bits are added up.
func NewWordTable[F ~uint16](groups map[F][]string) *WordTable[F] {
	t := &WordTable[F]{words: map[string]F{}}
	for f, words := range groups {
		for _, w := range words {
			t.words[w] |= f
			t.filter[wordHash([]byte(w))] = true
		}
	}
	return t
}

func wordHash(w []byte) int {
	n := len(w)
	return (int(w[0])*67 + int(w[n/2])*131 + int(w[n-1])*29 + n*523) & (1<<12 - 1)
}

// Of returns the bits of a word.
func (t *WordTable[F]) Of(w []byte) F {
	if len(w) < 3 || !t.filter[wordHash(w)] {
		return 0
	}
	return t.words[string(w)]
}
