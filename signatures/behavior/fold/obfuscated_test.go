package fold

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/js"
)

func parsed(t testing.TB, src string) Script {
	t.Helper()
	s, ok := tryParse(src)
	if !ok {
		t.Fatal("code does not parse")
	}
	return s
}

func tryParse(src string) (Script, bool) {
	in := parse.NewInputString(src)
	ast, err := js.Parse(in, js.Options{})
	if err != nil {
		return Script{}, false
	}
	return Script{AST: ast, Src: in.Bytes()}, true
}

func TestObfuscatedFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/obfuscated/out-*.js")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			f := New(parsed(t, string(src)), 4_000_000)
			start := time.Now()
			var texts []string
			for _, e := range f.allFolds() {
				if s, ok := e.(string); ok {
					texts = append(texts, s)
				}
			}
			t.Logf("%v, %d steps left, %d texts, signs %v", time.Since(start), f.steps, len(texts), kinds(f.Signs()))
			for _, want := range []string{"https://collect.example/x", "getAll"} {
				if !slices.Contains(texts, want) {
					t.Errorf("%q is not among the folded texts", want)
				}
			}
		})
	}
}

func kinds(list []Sign) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s.Kind) {
			out = append(out, s.Kind)
		}
	}
	return out
}

// allFolds folds every call, sum and member of the program, as the engine does.
func (f *Folder) allFolds() []Constant {
	f.collect()
	var out []Constant
	js.Walk(everyNode(func(n js.INode) {
		switch e := n.(type) {
		case *js.CallExpr, *js.BinaryExpr, *js.IndexExpr, *js.Var:
			if v, ok := f.Fold(e.(js.IExpr)); ok {
				out = append(out, v)
			}
		}
	}), f.script.AST)
	return out
}

type everyNode func(js.INode)

func (v everyNode) Enter(n js.INode) js.IVisitor { v(n); return v }
func (everyNode) Exit(js.INode)                  {}
