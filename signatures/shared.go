package signatures

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strings"
	"sync"
	"weak"
)

// A server holds the same extension once for each user, and extensions hold the same libraries. A shared keeps what the
// files told that were read last, so that a content is hashed with SHA-256 and searched once, however many copies of it
// are read. Each copy is still read to its last byte: size, time and name say nothing about what a file holds.
//
// A content is known by its size and its GMAC under a key that is made at random for each ruleset and never leaves it.
// That is a universal hash: who does not know the key makes two files of 64 MiB with the same tag with a chance of at most
// one in 2^106. It costs a fifth of what SHA-256 does.
type shared struct {
	mac cipher.AEAD

	mu       sync.Mutex
	facts    map[fileKey]*fileFacts
	old      map[fileKey]*fileFacts            // those that were used before the last sharedBytes of facts
	bytes    int                               // of facts, about
	contents map[string]weak.Pointer[Contents] // by digest
}

const (
	// sharedBytes bounds the memory for what files told, twice: that of some 30,000 files, of which a desktop has 5,000.
	sharedBytes = 8 << 20
	// sharedContents bounds the contents of extensions that are known to be the same.
	sharedContents = 20_000
	// maxWhole is up to which size a file that is no script is read as a whole, and shared. Larger ones are rare.
	maxWhole = 8 << 20
)

// A fileKey names one content, read in one way.
type fileKey struct {
	tag  [16]byte
	size int
	as   readAs
}

// readAs says what is looked for in a file.
type readAs byte

const (
	asBytes  readAs = iota // only its hash
	asScript               // searched
	asPage                 // searched; its comments are those of HTML
)

// fileFacts is what one content told, wherever it lies.
type fileFacts struct {
	sum   string // SHA-256 in hex; "" when nothing asks for it
	hits  []hit  // by offset; of each search the first maxPlaces
	hosts []hostHit
	named string // hosts of all URLs, a line each
	uncut bool   // named has all of them
}

// A hit is where one of the ruleset's searches found something in the text of a file.
type hit struct{ search, from, to int32 }

// A hostHit is where a script first names a host with an indicator.
type hostHit struct {
	host     string
	from, to int32
}

func (f *fileFacts) cost() int {
	n := 200 + len(f.sum) + len(f.named) + 12*len(f.hits)
	for _, h := range f.hosts {
		n += 32 + len(h.host)
	}
	return n
}

// newShared returns nil where the cipher cannot be used this way: then nothing is shared.
func newShared() *shared {
	key := make([]byte, 16)
	rand.Read(key) // never fails
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil
	}
	mac, err := cipher.NewGCM(block)
	if err != nil {
		return nil
	}
	return &shared{mac: mac, facts: map[fileKey]*fileFacts{}, contents: map[string]weak.Pointer[Contents]{}}
}

// keyOf names a content. The nonce may be the same each time because nobody ever sees a tag.
func (s *shared) keyOf(data []byte, as readAs, tag []byte) fileKey {
	var nonce [12]byte
	k := fileKey{size: len(data), as: as}
	copy(k.tag[:], s.mac.Seal(tag[:0], nonce[:], nil, data))
	return k
}

func (s *shared) get(k fileKey) *fileFacts {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.facts[k]
	if f == nil {
		if f = s.old[k]; f != nil {
			s.keep(k, f)
		}
	}
	return f
}

func (s *shared) put(k fileKey, f *fileFacts) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(k, f)
}

func (s *shared) keep(k fileKey, f *fileFacts) {
	if s.bytes > sharedBytes {
		s.old, s.facts, s.bytes = s.facts, map[fileKey]*fileFacts{}, 0
	}
	s.facts[k] = f
	s.bytes += f.cost()
}

// same returns the Contents of an extension with the same files, if some are still in use, or else c.
func (s *shared) same(c *Contents) *Contents {
	if c.Digest == "" || len(c.Problems) > 0 || c.unread != nil || c.linked != nil {
		return c
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.contents[c.Digest].Value(); old != nil && old.ruleset == c.ruleset {
		return old
	}
	if len(s.contents) >= sharedContents {
		clear(s.contents)
	}
	s.contents[c.Digest] = weak.Make(c)
	return c
}

// how says what is looked for in a file of that name.
func how(name string, script bool) readAs {
	switch ext := strings.ToLower(path.Ext(name)); {
	case !script:
		return asBytes
	case ext == ".html" || ext == ".htm":
		return asPage
	}
	return asScript
}

// facts says what a file told that came whole.
func (sc *scan) facts(data []byte, as readAs, wantHash bool) *fileFacts {
	var key fileKey
	if s := sc.rs.shared; s != nil {
		key = s.keyOf(data, as, sc.tag[:])
		if f := s.get(key); f != nil {
			return f
		}
	}
	f := &fileFacts{uncut: true}
	if as != asBytes {
		f = sc.search(decodeText(data), as)
	}
	if wantHash {
		sum := sha256.Sum256(data)
		f.sum = hex.EncodeToString(sum[:])
	}
	if s := sc.rs.shared; s != nil {
		s.put(key, f)
	}
	return f
}
