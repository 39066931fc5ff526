package analysis

import (
	"bytes"
	"encoding/json"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/flow"
	"github.com/extwatch/extwatch/signatures/behavior/syntax"
)

// A loader says how a name of a file is used where it stands.
type loader int

const (
	byName    loader = iota // nothing around it tells
	bySame                  // importScripts, Worker: runs where the referring script runs
	byImport                // import: the same, as a module
	byContent               // executeScript and its kind: runs in pages of the web
	byURL                   // getURL
	byData                  // fetch and its kind
)

// A reference is the name of a file in a script.
type reference struct {
	name  string
	how   loader
	world string // "MAIN" when that stands near
}

const (
	// maxName bounds a path in a string. Packages with longer ones do not exist.
	maxName = 300
	// maxSuffix is the length of the longest suffix of a file that scripts load.
	maxSuffix = 6
	// maxQuery bounds what may follow a name: "?v=1.2.3".
	maxQuery = 64
)

// Windows of text around a name in which words tell how it is used.
const (
	before = 240
	after  = 160
)

// refer notes the name that ends at end, and that began after a quote.
func (l *look) refer(text []byte, end int, quote byte) {
	if len(l.refs) >= maxRefs {
		return
	}
	start := bytes.LastIndexByte(text[max(0, end-maxName):end], quote)
	if start < 0 {
		return
	}
	start += max(0, end-maxName)
	name := text[start+1 : end]
	if len(name) < 4 || bytes.ContainsAny(name, " <>{}()*\n\"'`,;=") {
		return
	}
	if l.files != nil && bytes.IndexByte(name, '%') < 0 && !l.files(name[bytes.LastIndexAny(name, `/\`)+1:]) {
		return
	}
	how, main := usage(text[max(0, start-before):start], text[end:min(len(text), end+after)])
	r := reference{name: string(name), how: how}
	if main {
		r.world = "MAIN"
	}
	l.refs = append(l.refs, r)
}

// isFile reports whether some file of the extension has that last name.
func (c *collector) isFile(base []byte) bool {
	if c.bases == nil {
		c.bases = make(map[string]bool, len(c.names))
		for low := range c.names {
			c.bases[path.Base(low)] = true
		}
	}
	return c.bases[string(bytes.ToLower(base))]
}

// uses are words before a name, the nearest of which tells how the name is used.
var uses = []struct {
	word string
	how  loader
}{
	{"importScripts", bySame}, {"Worker(", bySame}, {"import(", byImport}, {"import ", byImport}, {"from", byImport},
	{"addModule", byImport},
	{"executeScript", byContent}, {"registerContentScripts", byContent}, {"contentScripts", byContent}, {"insertScript", byContent},
	{"userScripts", byContent}, {"updateContentScripts", byContent},
	{"getURL", byURL}, {"fetch(", byData}, {".open(", byData}, {".get(", byData},
}

func usage(left, right []byte) (how loader, main bool) {
	best := -1
	for _, u := range uses {
		if i := bytes.LastIndex(left, []byte(u.word)); i > best {
			best, how = i, u.how
		}
	}
	trimmed := bytes.TrimRight(left, " \t\r\n([")
	if bytes.HasSuffix(trimmed, []byte("import")) || bytes.HasSuffix(trimmed, []byte("from")) {
		how = byImport
	}
	if how == byURL { // fetch(chrome.runtime.getURL("a.txt"))
		if i := bytes.LastIndex(left, []byte("fetch(")); i >= 0 && i < best && best-i < 40 {
			how = byData
		}
	}
	main = how != bySame && how != byImport && (bytes.Contains(left, []byte(`MAIN`)) || bytes.Contains(right, []byte(`MAIN`)))
	return how, main
}

// refer adds what a script refers to, in the context that the reference leads to.
func (c *collector) refer(from *unit, r reference) {
	dir := path.Dir(from.File)
	name := c.find(dir, r.name)
	if name == "" || r.how == byContent || r.how == byURL {
		if root := c.find("", r.name); root != "" {
			name = root
		}
	}
	if name == "" && from.Page != "" {
		name = c.find(path.Dir(from.Page), r.name)
	}
	if name == "" || name == from.File {
		return
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".html", ".htm", ".xhtml":
		if from.Context == behavior.Unreferenced {
			c.addPage(name, behavior.Unreferenced)
		} else {
			c.addPage(name, behavior.Popup)
		}
		return
	case ".js", ".mjs", ".cjs", ".jsm":
	default:
		if !c.hidesScript(name) {
			return
		}
	}
	u := c.reached(from, name, r)
	u.doubtful = c.hidden[name]
	c.addScript(name, u)
}

// injected reports whether a script that names a file also puts it into pages. Where nothing tells how the name is used,
// in a comment or a list, it then means the same.
func injected(refs []reference, name string) bool {
	return slices.ContainsFunc(refs, func(r reference) bool { return r.how == byContent && r.name == name })
}

// reached describes the context of a script that another one loads.
func (c *collector) reached(from *unit, name string, r reference) unit {
	u := unit{Script: flow.Script{Context: from.Context, World: from.World, Matches: from.Matches, Page: from.Page}}
	switch {
	case r.how == bySame, r.how == byImport:
		u.Module = r.how == byImport
	case r.world == "MAIN" && r.how != byData:
		u.Context, u.World, u.Page = behavior.PageWorld, "MAIN", ""
	case r.how == byContent:
		u.Context, u.World, u.Page = behavior.Content, "", ""
	case c.webAccessible(name) && from.Context == behavior.Content:
		u.Context, u.World, u.Page = behavior.PageWorld, "MAIN", ""
	}
	return u
}

// hidesScript reports whether a file whose name promises something else holds a script: text that is neither JSON nor
// a page, with words that only code that does something holds.
func (c *collector) hidesScript(name string) bool {
	script, known := c.hidden[name]
	if !known {
		script = !neverScript[strings.ToLower(path.Ext(name))] && textual(c.peek(name))
		if script {
			f := c.load(name, behavior.Background)
			script = f != nil && f.text != nil && scriptLike(f.text, f.features)
		}
		c.hidden[name] = script
	}
	return script
}

// neverScript are suffixes of files that are large or many, and that no way of loading a script accepts.
var neverScript = map[string]bool{
	".css": true, ".map": true, ".svg": true, ".md": true, ".woff": true, ".woff2": true, ".ttf": true, ".mp3": true,
	".wav": true, ".ogg": true, ".mp4": true, ".webm": true,
}

// peek returns the first bytes of a file.
func (c *collector) peek(name string) []byte {
	f, err := c.files.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close() // read only: nothing can be lost
	head := make([]byte, 256)
	n, _ := f.Read(head)
	return head[:max(n, 0)]
}

// textual reports whether the beginning of a file may be that of a script.
func textual(head []byte) bool {
	if decoded := decodeText(head); decoded != nil {
		head = decoded
	}
	if len(head) == 0 || bytes.IndexByte(head, 0) >= 0 {
		return false
	}
	for len(head) > 0 && !utf8.RuneStart(head[len(head)-1]) {
		head = head[:len(head)-1] // a rune that the window cut
	}
	if len(head) > 0 && head[len(head)-1] >= utf8.RuneSelf {
		head = head[:len(head)-1]
	}
	return utf8.Valid(head)
}

func scriptLike(text []byte, f features) bool {
	body := bytes.TrimSpace(text)
	if len(body) == 0 || body[0] == '<' || f&(strongWords|hasPage) == 0 {
		return false
	}
	return bytes.IndexByte(body, '(') >= 0 && !(body[0] == '{' || body[0] == '[') || !json.Valid(body)
}

// unescapePath decodes %XX where that is well-formed.
func unescapePath(s string) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if h, l := syntax.HexDigit(s[i+1]), syntax.HexDigit(s[i+2]); h >= 0 && l >= 0 {
				out = append(out, byte(h<<4|l))
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}
