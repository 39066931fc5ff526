// Package indicators keeps exact facts about extensions that are known to be bad: IDs, hashes of files, domains. A
// million of them cost as much as ten: they are looked up in sorted files that are mapped into memory, never read into
// maps.
//
// An author writes CSV ([ReadCSV], [WriteCSV]). A publisher turns the rows of one kind into segments with [Update]: one
// base, and small ones that say what changed since. A machine opens the folder of segments with [OpenFS] and asks with
// [Set.Lookup].
//
// # Segments
//
// A segment is one file, "7-id.seg": its number, which rises with every publication, and its kind. All numbers are
// little-endian.
//
//	header   48 bytes: magic "EXTWIDX" and version 1, kind, CRC-32C of the whole file but itself, number, number of the
//	         segment that it builds on (0: it is a base), rows, bytes of records, bytes of texts, 12 bytes of zero
//	keys     one of each row, ascending: the 32 letters of a Chromium ID packed into 16 bytes, the first 16 bytes of
//	         the SHA-256 of another ID or a domain, the 32 bytes of a file's SHA-256
//	refs     two numbers of each row: where in records and where in texts; 2^32-1 in records says that the value is
//	         not listed any more
//	records  campaign, verdict, source, browser, versions, date, tags, each as its length (uvarint) and its bytes
//	texts    the value, where the key is a hash of it, and the note, likewise
//
// Records and texts are kept once, however many rows have them. Nothing is believed because of a hash alone: where the
// key is one, the value itself stands in texts and is compared.
//
// A segment that builds on another replaces all rows of each value that it holds. The checksum is against accidents;
// that nobody else wrote the segment is what the signature of the feed says. Opening proves that every row can be read,
// so that bytes of any origin cause an error then, and nothing later.
package indicators

import (
	"encoding/binary"
	"fmt"
)

// A Kind is what an indicator is about.
type Kind uint8

// The kinds.
const (
	ID     Kind = 1 // an extension, by its ID in a Chromium store or its Firefox add-on ID
	SHA256 Kind = 2 // a file, by its hash: 64 digits in lower case
	Domain Kind = 3 // a host name in ASCII lower case, with all below it
)

// Kinds returns all kinds, in their order.
func Kinds() []Kind { return []Kind{ID, SHA256, Domain} }

// String returns "id", "sha256" or "domain", as in the names of segments.
func (k Kind) String() string {
	switch k {
	case ID:
		return "id"
	case SHA256:
		return "sha256"
	case Domain:
		return "domain"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// File returns the name of the CSV file in which authors write this kind: "extensions.csv".
func (k Kind) File() string {
	switch k {
	case ID:
		return "extensions.csv"
	case SHA256:
		return "files.csv"
	case Domain:
		return "domains.csv"
	}
	return ""
}

// width is how many bytes a key has.
func (k Kind) width() int {
	if k == SHA256 {
		return 32
	}
	return 16
}

// A Row is one exact fact.
type Row struct {
	Value    string   // ID, hash or domain; a Firefox ID in lower case, since it is compared so
	Browser  string   // of an ID, told to people: "chrome", "chrome edge"
	Versions []string // of an ID: the bad ones, exact or a range like "1.2..1.4"; nil means all
	Campaign string   // slug
	Verdict  string   // malicious, suspicious, capable, or Retracted
	Source   string   // who says so, a link
	Note     string
	Date     string   // when the source said so: 2026-01-31; may be empty
	Tags     []string // words such as "weak" or "unreviewed"; may be empty
}

// Retracted is the verdict of a row that takes back what another source says: rows for the same value and campaign do
// not count.
const Retracted = "retracted"

// record returns what rows may have in common, as it is written in a segment.
func (r *Row) record() string {
	out := make([]byte, 0, 128)
	for _, field := range []string{r.Campaign, r.Verdict, r.Source, r.Browser, joinVersions(r.Versions), r.Date, joinWords(r.Tags)} {
		out = appendText(out, field)
	}
	return string(out)
}

// recordFields is how many texts a record has.
const recordFields = 7

func appendText(out []byte, text string) []byte {
	out = binary.AppendUvarint(out, uint64(len(text)))
	return append(out, text...)
}
