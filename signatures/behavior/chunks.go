package behavior

import (
	"bytes"
	"regexp"
	"strings"
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
	files := c.chunkFiles()
	for n := 0; n < len(c.units) && len(files) > 0 && !c.stopped; n++ {
		u := c.units[n]
		if u.index > 0 || !bytes.Contains(u.text, []byte(".push")) {
			continue
		}
		for _, m := range chunkWanted.FindAllSubmatch(u.text, -1) {
			name := files[chunkID(m[1])]
			if name == "" || name == u.file {
				continue
			}
			from := len(c.units)
			c.addScript(name, unit{context: u.context, world: u.world, matches: u.matches, page: u.page})
			c.follow(from)
		}
	}
}

// chunkFiles maps the numbers and names of chunks to the scripts that nothing refers to and that hold one.
func (c *collector) chunkFiles() map[string]string {
	out := map[string]string{}
	for _, name := range c.order {
		if c.used[name] || !strings.HasSuffix(strings.ToLower(name), ".js") {
			continue
		}
		f := c.load(name)
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
