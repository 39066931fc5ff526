package analysis

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/markup"
	"github.com/extwatch/extwatch/signatures/behavior/syntax"
	"golang.org/x/net/idna"
)

// limits bound what one extension may cost. Tests make them small.
type limits struct {
	files, units int
	read         int64 // bytes of all scripts and pages
	kept         int   // bytes that wait for the parser at the same time
	time         time.Duration
}

const (
	// maxFile: the largest real bundles, compilers and wallets with all their chains, are below 16 MiB.
	maxFile = 16 << 20
	// maxRead bounds the scripts and pages of an extension that are looked at. The largest wallets hold 60 MB.
	maxRead = 256 << 20
	// maxParsed is how many bytes of one extension are parsed, without the functions that are left out. A syntax tree takes
	// 8 to 24 times the size of its text, so that this much needs some 60 MB.
	maxParsed = 4 << 20
	// maxFiles is the number of files that an archive may have anyway.
	maxFiles = 100_000
	// maxUnits: extensions with one file for each module have some thousand.
	maxUnits = 5000
	// maxTime is the last resort, against a disk that does not answer and a machine that is busy with other things: what
	// bounds the work are steps and bytes, so that the same code gives the same report on every machine. It leaves a worker
	// that gets a quarter of a processor the time for all that maxProcessor allows.
	maxTime = 4 * maxProcessor
	// tinyScript is up to which size a script is always parsed: that costs less than to think about it, and other scripts
	// may use its functions.
	tinyScript = 8 << 10
	// smallScript is up to which size a script is parsed because it touches the page.
	smallScript = 128 << 10
	// firstRead is how many bytes of a file are asked for at first: nearly all files are smaller.
	firstRead = 256 << 10
	// maxRefs bounds the names of files in one script: web pack tables hold some hundred.
	maxRefs = 4000
	// maxProblems: a thief may make every file unreadable.
	maxProblems = 50
	// maxContacts bounds the hosts of one extension. Wallets and block lists in code name some thousand.
	maxContacts = 10_000
)

func defaultLimits() limits {
	return limits{files: maxFiles, units: maxUnits, read: maxRead, kept: maxParsed, time: maxTime}
}

// load reads a script and looks at it. It is nil when the file cannot be read. The text of one that nothing refers to is
// kept only when it is worth that.
func (c *collector) load(name string, context behavior.Context) *file {
	if f, ok := c.loaded[name]; ok {
		if f != nil && f.dropped && context != behavior.Unreferenced {
			f.dropped = false
			if text := c.readAgain(name); text != nil {
				f.keep(text)
			}
		}
		return f
	}
	c.loaded[name] = nil
	text := c.readAgain(name)
	if text == nil {
		return nil
	}
	l := lookFor(text, c.isFile)
	f := &file{features: l.features, refs: l.refs}
	c.contact(name, text, syntax.NewPosition(text), l.urls)
	switch {
	case !l.features.worth(len(text)):
	case context == behavior.Unreferenced && !l.features.worthUnreferenced(len(text)):
		f.dropped = true
	default:
		f.keep(text)
	}
	c.loaded[name] = f
	return f
}

func (f *file) keep(text []byte) {
	f.text = withRoom(text)
	f.position = syntax.NewPosition(f.text)
}

// withRoom copies a text, with room for one more byte: the parser ends its input with a zero.
func withRoom(text []byte) []byte { return append(make([]byte, 0, len(text)+1), text...) }

// forget drops what only finding the scripts needed.
func (c *collector) forget() {
	for _, u := range c.units {
		if u.text == nil {
			u.Position = nil // it holds the text
		}
	}
	c.fields = map[string][]markup.Field{}
	for name, p := range c.pages { // of pages, scripts ask for the fields
		c.fields[name] = p.Fields
	}
	c.pages = nil
	c.loaded = nil
}

// read returns the text of a file in UTF-8 without byte order mark, with room for one more byte.
func (c *collector) read(name string) []byte {
	text := c.readAgain(name)
	if text == nil {
		return nil
	}
	return withRoom(text)
}

// readAgain is read into memory that the next file is read into as well: most files are looked at once and not kept.
func (c *collector) readAgain(name string) []byte {
	if c.total >= c.limits.read {
		if !c.stopped {
			c.problem("", fmt.Sprintf("more than %d MiB of scripts; the rest was not analysed", c.limits.read>>20))
		}
		c.stopped = true
		return nil
	}
	f, err := c.files.Open(name)
	if err != nil {
		c.problem(name, "cannot be opened: "+err.Error())
		return nil
	}
	defer f.Close() // read only: nothing can be lost
	if info, err := f.Stat(); err == nil && !info.Mode().IsRegular() {
		c.problem(name, "no regular file; it was not read")
		return nil
	}
	n, err := c.fill(f)
	c.total += int64(n)
	if err != nil {
		c.problem(name, "cannot be read: "+err.Error())
		return nil
	}
	text := c.scratch[:n:n]
	if len(text) > maxFile {
		c.problem(name, fmt.Sprintf("larger than %d MiB; only the beginning was analysed", maxFile>>20))
		text = text[:maxFile:maxFile]
	}
	if decoded := decodeText(text); decoded != nil {
		text = decoded
	}
	return text
}

// fill reads a file up to one byte more than is wanted of it.
func (c *collector) fill(f io.Reader) (n int, err error) {
	if c.scratch == nil {
		c.scratch = make([]byte, firstRead)
	}
	for n <= maxFile {
		if n == len(c.scratch) {
			larger := make([]byte, min(2*len(c.scratch), maxFile+1))
			copy(larger, c.scratch)
			c.scratch = larger
		}
		k, err := f.Read(c.scratch[n:])
		n += k
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// decodeText returns what stands behind a byte order mark, as UTF-8, or nil when there is none.
func decodeText(data []byte) []byte {
	if rest, ok := bytes.CutPrefix(data, []byte("\xEF\xBB\xBF")); ok {
		return rest
	}
	if len(data) < 2 {
		return nil
	}
	var order binary.ByteOrder
	switch {
	case data[0] == 0xFF && data[1] == 0xFE:
		order = binary.LittleEndian
	case data[0] == 0xFE && data[1] == 0xFF:
		order = binary.BigEndian
	default:
		return nil
	}
	units := make([]uint16, 0, len(data)/2)
	for i := 2; i+1 < len(data); i += 2 {
		units = append(units, order.Uint16(data[i:]))
	}
	out := make([]byte, 0, len(units)+1)
	for _, r := range utf16.Decode(units) {
		out = utf8.AppendRune(out, r)
	}
	return out
}

// contact notes the hosts of the addresses at the given offsets, each once for the extension.
func (c *collector) contact(name string, text []byte, p *syntax.Position, offsets []int) {
	for _, at := range offsets {
		host := urlHost(text[at:])
		if host == "" || c.hosts[host] {
			continue
		}
		if len(c.hosts) >= maxContacts {
			if !c.flooded {
				c.flooded = true
				c.problem(name, fmt.Sprintf("the scripts name more than %d hosts; the rest is not listed", maxContacts))
			}
			return
		}
		c.hosts[host] = true
		start := at
		for start > 0 && syntax.IsWordByte(text[start-1]) && at-start < 6 {
			start--
		}
		line, column := p.At(start)
		c.contacts = append(c.contacts, behavior.Contact{Host: host, Party: behavior.Unknown, Place: behavior.Place{File: name, Line: line + 1, Column: column + 1}})
	}
}

// maxAuthority bounds user, host and port of an address: 253 for the host, the rest for a name before it.
const maxAuthority = 512

// urlHost returns the host of an address, from its "://" or ":\/\/" on, in lower case ASCII, or "".
func urlHost(text []byte) string {
	text = text[1:min(len(text), maxAuthority)]
	for range 2 {
		text = bytes.TrimPrefix(text, []byte(`\`))
		rest, ok := bytes.CutPrefix(text, []byte("/"))
		if !ok {
			return ""
		}
		text = rest
	}
	end := len(text)
	if i := bytes.IndexAny(text, "/?#\\\"'`<>(){}[]|^$, ;\t\r\n"); i >= 0 {
		end = i
	}
	if end < len(text) && (text[end] == '$' || text[end] == '{') {
		return "" // a part of the host is put in at run time
	}
	text = text[:end]
	if i := bytes.LastIndexByte(text, '@'); i >= 0 {
		text = text[i+1:]
	}
	if i := bytes.IndexByte(text, ':'); i >= 0 {
		text = text[:i]
	}
	host := strings.TrimRight(strings.ToLower(string(text)), ".")
	if host == "" || !strings.Contains(host, ".") || strings.ContainsAny(host, "*%&=+!~") {
		return ""
	}
	for _, r := range host {
		if r >= utf8.RuneSelf {
			ascii, err := idna.Lookup.ToASCII(host)
			if err != nil {
				return ""
			}
			return ascii
		}
	}
	return host
}
