package analysis

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/flow"
)

// webpack cuts what a script imports later into files of their own, and the name of such a file is made of parts when it
// is wanted. What stands in the script is the number or the name of the chunk: require.e(269). The file says it, too, in
// its head: (self.webpackChunk = self.webpackChunk || []).push([[269], {…}]).

const (
	// chunkHead is how far into a file its chunk's numbers are looked for: licences stand before them.
	chunkHead = 4 << 10
	// maxChunkName bounds the number or the name of a chunk. In development it is a path.
	maxChunkName = 200
)

var (
	chunkPush   = regexp.MustCompile(`\|\|\s*\[\]\)\.push\(\[\[([^\]]+)\]`)
	chunkWanted = regexp.MustCompile(`\.e\((?:/\*[^*]*\*/\s*)?("[^"\n]+"|'[^'\n]+'|\d{1,9})\)`)
)

// chunks adds the files of webpack that scripts load later, in the context of those scripts.
func (c *collector) chunks() {
	var files map[string]string
	for n := 0; n < len(c.units) && !c.stopped; n++ {
		u := c.units[n]
		wanted := chunksWanted(u)
		if len(wanted) > 0 && files == nil { // only then are all files worth a look
			files = c.chunkFiles()
		}
		for _, id := range wanted {
			if name := files[id]; name != "" && name != u.File {
				from := len(c.units)
				c.addScript(name, unit{Script: flow.Script{Context: u.Context, World: u.World, Matches: u.Matches, Page: u.Page}})
				c.follow(from)
			}
		}
	}
}

// chunksWanted lists the numbers and names of the chunks that a script wants. It hands modules to others, or has the
// runtime to which they are handed: both push.
func chunksWanted(u *unit) []string {
	if u.index > 0 || !bytes.Contains(u.text, []byte("push")) {
		return nil
	}
	var out []string
	for _, m := range chunkWanted.FindAllSubmatch(u.text, -1) {
		out = append(out, chunkID(m[1]))
	}
	return out
}

// chunkFiles maps the numbers and names of chunks to the scripts that nothing refers to and that hold one.
func (c *collector) chunkFiles() map[string]string {
	out := map[string]string{}
	for _, name := range c.order {
		if c.used[name] || !strings.HasSuffix(strings.ToLower(name), ".js") {
			continue
		}
		f := c.load(name, behavior.Background)
		if f == nil {
			continue
		}
		m := chunkPush.FindSubmatch(f.text[:min(len(f.text), chunkHead)])
		if m == nil {
			continue
		}
		for _, id := range bytes.Split(m[1], []byte(",")) {
			if id := chunkID(id); id != "" && len(id) <= maxChunkName && out[id] == "" {
				out[id] = name
			}
		}
	}
	return out
}

func chunkID(b []byte) string { return strings.Trim(string(b), "\"' \t\r\n") }
