package signatures

import (
	"bytes"
	"encoding/binary"
	"regexp"
	"slices"
	"sort"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// A search is something that Read looks for in the code.
type search struct {
	key        string // the same for searches that look for the same
	literal    string
	cased      bool
	expression string
	pattern    *regexp.Regexp // instead of literal
	need       *needed        // what every match of pattern holds; nil when nothing is known
}

// search looks through the text of one script, or of a part of it.
func (sc *scan) search(data []byte, as readAs) *fileFacts {
	if sc.counts == nil {
		sc.ends, sc.counts = make([][]int32, len(sc.rs.searches)), make([]int, len(sc.rs.searches))
	}
	clear(sc.counts)
	out := &fileFacts{}
	sc.literals(data, out)
	for i := range sc.rs.searches {
		s := &sc.rs.searches[i]
		if s.pattern == nil || s.need != nil && len(sc.ends[i]) == 0 {
			continue
		}
		slices.Sort(sc.ends[i])
		for _, m := range s.find(data, sc.ends[i], maxPlaces) {
			out.hits = append(out.hits, hit{int32(i), int32(m[0]), int32(m[1])})
		}
		sc.ends[i] = sc.ends[i][:0]
	}
	slices.SortStableFunc(out.hits, func(a, b hit) int { return int(a.from - b.from) })
	out.hits = slices.Clip(out.hits)
	sc.urlHosts(data, as, out)
	return out
}

// literals looks for all texts in one pass. It notes where the literals are, and where those end that expressions
// need.
func (sc *scan) literals(data []byte, out *fileFacts) {
	f := sc.rs.finder
	f.find(data, func(text, from, to int) {
		for _, i := range f.users[text] {
			s := &sc.rs.searches[i]
			switch {
			case s.pattern != nil:
				if len(sc.ends[i]) < maxHits {
					sc.ends[i] = append(sc.ends[i], int32(to))
				}
			case sc.counts[i] >= maxPlaces || s.cased && string(data[from:to]) != s.literal:
			default:
				sc.counts[i]++
				out.hits = append(out.hits, hit{int32(i), int32(from), int32(to)})
			}
		}
	})
}

// A where turns offsets into lines and columns.
type where struct {
	name          string
	data          []byte
	apart         bool // data is not the beginning: lines are not known
	offset, lines int  // lines before offset
	start         int  // of the line that offset is in
}

// around is how much text before and after a hit is shown.
const around = 40

func (w *where) at(from, to int) place {
	if from < w.offset {
		w.offset, w.lines, w.start = 0, 0, 0
	}
	part := w.data[w.offset:from]
	w.lines += bytes.Count(part, []byte{'\n'})
	if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
		w.start = w.offset + i + 1
	}
	w.offset = from
	begin, end := max(from-around, w.start), min(to+around, len(w.data), from+maxSnippet)
	if i := bytes.IndexAny(w.data[min(to, end):end], "\r\n"); i >= 0 {
		end = min(to, end) + i
	}
	for begin < from && !utf8.RuneStart(w.data[begin]) {
		begin++
	}
	for end < len(w.data) && end > begin && !utf8.RuneStart(w.data[end]) {
		end--
	}
	p := place{file: w.name, text: show(strings.TrimSpace(string(w.data[begin:end])))}
	if !w.apart {
		p.line, p.column = w.lines+1, from-w.start+1
	}
	return p
}

// urlHosts finds the hosts of URLs (http, https, ws, wss), and of those that have an indicator the first place. Slashes may
// be escaped, as in JSON. In comments no indicator counts: what stands there is read by people only.
func (sc *scan) urlHosts(data []byte, as readAs, out *fileFacts) {
	out.uncut = true
	seen, size := map[string]bool{}, 0 // whether it has an indicator
	defer func() { out.named = strings.Join(sortedKeys(seen), "\n") }()
	known := false
	var skip []span // found only when a listed host is: few files have one
	inComment := func(at int) bool {
		if !known {
			known, skip = true, comments(as, data)
		}
		i := sort.Search(len(skip), func(i int) bool { return skip[i].to > at })
		return i < len(skip) && skip[i].from <= at
	}
	for _, mark := range []string{"://", `:\/\/`} {
		for at := 0; ; {
			i := bytes.Index(data[at:], []byte(mark))
			if i < 0 {
				break
			}
			at += i + len(mark)
			if !urlScheme(data[:at-len(mark)]) {
				continue
			}
			host := authorityHost(data[at:])
			if host == "" {
				continue
			}
			listed, before := seen[host]
			if !before {
				listed = sc.rs.indicators.domain(host) != nil
				if size += len(host) + 1; size <= maxNamed {
					seen[host] = listed
				} else {
					size, out.uncut = maxNamed, false
				}
			}
			if listed && !slices.ContainsFunc(out.hosts, func(h hostHit) bool { return h.host == host }) && !inComment(at) {
				out.hosts = append(out.hosts, hostHit{host, int32(at - len(mark)), int32(at + len(host))})
			}
		}
	}
}

// urlScheme reports whether text ends with a scheme that contacts a host.
func urlScheme(before []byte) bool {
	end := asciiLower(string(before[max(0, len(before)-6):]))
	for _, scheme := range []string{"https", "http", "wss", "ws"} {
		if rest, ok := strings.CutSuffix(end, scheme); ok {
			return rest == "" || !isNameByte(rest[len(rest)-1])
		}
	}
	return false
}

func isNameByte(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9'
}

// maxAuthority bounds user, host and port of a URL: 253 for the host, the rest for a name before it.
const maxAuthority = 512

// authorityHost returns the host at the start of text in lower case ASCII, or "". What stands before an @ is a user.
func authorityHost(text []byte) string {
	text = text[:min(len(text), maxAuthority)]
	if i := bytes.IndexAny(text, "/?#\\\"'`<>(){}[]|^$, ;\t\r\n"); i >= 0 {
		text = text[:i]
	}
	if i := bytes.LastIndexByte(text, '@'); i >= 0 {
		text = text[i+1:]
	}
	if i := bytes.IndexByte(text, ':'); i >= 0 {
		text = text[:i]
	}
	host := strings.TrimRight(asciiLower(string(text)), ".")
	if strings.TrimFunc(host, func(r rune) bool { return r < utf8.RuneSelf }) != "" {
		ascii, err := idna.Lookup.ToASCII(host)
		if err != nil {
			return ""
		}
		host = ascii
	}
	return host
}

// decodeText turns UTF-16 with a byte order mark, which browsers read, into UTF-8.
func decodeText(data []byte) []byte {
	if len(data) < 2 {
		return data
	}
	var order binary.ByteOrder
	switch {
	case data[0] == 0xFF && data[1] == 0xFE:
		order = binary.LittleEndian
	case data[0] == 0xFE && data[1] == 0xFF:
		order = binary.BigEndian
	default:
		return data
	}
	units := make([]uint16, 0, len(data)/2)
	for i := 2; i+1 < len(data); i += 2 {
		units = append(units, order.Uint16(data[i:]))
	}
	return []byte(string(utf16.Decode(units)))
}
